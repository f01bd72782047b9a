"""Which letters of a replay the source has overtaken since they were refused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from target_snowflake_audit.audit.tables import BATCHES, DEAD_LETTER_EVENTS, DEAD_LETTERS
from target_snowflake_audit.checking.problems import MAPPING
from target_snowflake_audit.sql import audit_rows, classify, later, newer, write
from target_snowflake_audit.sql.quoting import literal
from target_snowflake_audit.work import REPLAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.checking.problems import Problem
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.session import Session

    _Replayed = dict[tuple[str, str], list[Sequence[Any]]]

HOLDS_NEWER = "the table holds a newer version of this row by now, which came later"
HELD_NEWER = "the table held a newer version of this row, which was deleted since"
LEFT_OUT = "its document came later without this row"
_SEND = "; nothing was changed, have the source send the record again"
UNSURE = f"the table holds another version of this row, and which of the two came later cannot be told{_SEND}"
ABSENT = (
    "this row was sent, or deleted, later and is not in the table any more, and which version is the newer"
    f" one cannot be told{_SEND}"
)
OUTDATED = (
    "it came with a document that was read before the stored one, so whether the source still has this row"
    f" cannot be told{_SEND}"
)
PARTIAL = (
    "later partial records have changed this row in the table, and may not hold what this one does "
    f"(`absent_fields: keep`){_SEND}"
)


def came_later(stored: Sequence[Any], refused: Sequence[Any]) -> bool | None:
    """Whether a row, as (time, batch, SEQ), came after a record was refused; None = it cannot be told."""
    at, batch, seq = stored
    refused_at, refused_batch, _, refused_seq = refused
    if batch == refused_batch:
        # Letters are written before rows, so that time says nothing inside a batch.
        return None if seq is None or refused_seq is None else int(seq) > int(refused_seq)
    return None if at is None else bool(at > refused_at)


def noted_later(noted: Sequence[Any], refused: Sequence[Any]) -> bool:
    """Whether a note, as (time, batch), is of later than a refusal.

    One of the same batch is: it is written only where the row came after the refused record.
    """
    at, batch = noted
    refused_at, refused_batch, *_ = refused
    return bool(batch == refused_batch or at > refused_at)


class Since(NamedTuple):
    """What notes say that came since a record was refused: its row, or its document without it.

    Or before it: `outdated` is its own document.
    """

    sent: bool = False
    without: bool = False
    outdated: bool = False


def left_out(told: Sequence[Any], refused: Sequence[Any]) -> bool:
    """Whether a later run told what the source holds without the record; given as (run, time).

    Had it sent the record, the record would have been refused in that run.
    """
    run, at = told
    return bool(run != refused[2] and at > refused[0])


def tells_its_row(plan: StreamPlan, problems: Iterable[Problem]) -> bool:
    """Whether a refused record says which row it is of, and which version: nothing is wrong with either.

    One that `stream_maps` could not be applied to has the key and the stamp from before them.
    """
    telling = {plan.columns[at].property for at in plan.key}
    if plan.stamp is not None:
        telling.add(plan.columns[plan.stamp].property)
    return not any(one.reason == MAPPING or one.name in telling for one in problems)


@dataclass(frozen=True)
class Overtaken:
    """Looks for the letters of a batch, by their numbers in it."""

    run: Run
    letters: Mapping[int, str]
    doubts: dict[int, str] = field(default_factory=dict)
    """Good letters that are not loaded and stay open, with why: what the last `spare` found."""
    settled: set[int] = field(default_factory=set)
    """Good letters that the source has overtaken: what the last `spare` found."""

    def spare(self, session: Session, plan: StreamPlan, tables: classify.Tables) -> None:
        """Leave out good letters that the source has overtaken, or may have.

        Their row was loaded later: a stamp of the same day, or none, does not tell which version is the newer
        one, but their arrival does. Or their document, or a version, came later without them.
        """
        self.doubts.clear()
        self.settled.clear()
        if plan.append:
            return
        batches = self.run.audit_table(BATCHES.name)
        stored = session.execute(newer.overwritten(plan, tables, batches), "stored rows").rows
        told = session.execute(newer.told_since(plan, tables, batches), "told since").rows
        notes = self._notes(session, plan, tables)
        refused = self._refused(session, plan, {int(row[0]) for row in (*stored, *told, *notes)})
        since = _since(notes, refused)
        self._leave_out(plan, told, refused)
        self._leave_noted(plan, notes, since)
        replayed = self._replayed(session, plan, stored)
        for seq, *row in stored:
            if int(seq) in refused and int(seq) not in self.settled:
                sent = since.get(int(seq), Since()).sent
                came = sent or _later(row, refused[int(seq)], replayed)
                self._decide(int(seq), came, partial=plan.keep and not row[-1])
        left = sorted({*self.settled, *self.doubts})
        if left:
            session.execute(write.supersede(tables, left), "supersede")

    def _leave_out(
        self, plan: StreamPlan, told: Iterable[Sequence[Any]], refused: Mapping[int, Sequence[Any]]
    ) -> None:
        """Decide of letters by the runs that told since what the source holds."""
        for seq, run, at, live in told:
            if int(seq) in refused and left_out((run, at), refused[int(seq)]):
                self._decide(int(seq), True, partial=plan.keep and bool(int(live)))  # noqa: FBT003

    def _leave_noted(
        self, plan: StreamPlan, notes: Iterable[Sequence[Any]], since: Mapping[int, Since]
    ) -> None:
        """Decide of letters by notes: their document came without them, or a row that is gone since came.

        What a deletion or a row that is gone had for a stamp is not known any more.
        """
        for number, operation in ((int(row[0]), row[2]) for row in notes):
            found = since.get(number, Since())
            absent = found.sent and operation == classify.INSERT
            if found.without or (absent and plan.stamp is None):
                self.settled.add(number)
            elif number not in self.settled and (
                absent or (found.outdated and operation in classify.WRITTEN)
            ):
                self.doubts[number] = ABSENT if absent else OUTDATED

    def _notes(self, session: Session, plan: StreamPlan, tables: classify.Tables) -> list[Sequence[Any]]:
        """Notes of this table about letters of the batch that still have the key they were refused with."""
        ids = _texts(self.letters.values())
        rows = session.execute(later.noted(self.run.audit_table, plan, tables, ids), "notes").rows
        return [row for row in rows if self.letters.get(int(row[0])) == str(row[1])]

    def _decide(self, seq: int, came: bool | None, *, partial: bool) -> None:  # noqa: FBT001 - three values
        if came is None:
            self.doubts[seq] = UNSURE
        elif came and partial:
            self.doubts[seq] = PARTIAL
        elif came:
            self.settled.add(seq)
            self.doubts.pop(seq, None)

    def why_open(self, plan: StreamPlan, seq: int, *, stale: bool) -> str:
        """Why a good letter is not loaded and stays open; '' = it does not. `stale`: its stamp is older."""
        partial = PARTIAL if plan.keep and stale and seq not in self.settled else ""
        return self.doubts.get(seq, partial)

    def still_bad(
        self, session: Session, plan: StreamPlan, tables: classify.Tables, seqs: Sequence[int]
    ) -> dict[int, str]:
        """Letters among those that are refused again whose row the table holds in a newer version, with why.

        The row has a newer stamp, or where the stamp does not tell, a load brought it later. What a replay
        wrote closes none by its arrival, nor does a partial record: it may lack what the letter holds.
        """
        if plan.append or plan.keep or not seqs:
            return {}
        sql = newer.stored(plan, tables, self.run.audit_table(BATCHES.name), seqs)
        stored = session.execute(sql, "newer rows").rows
        bad = set(seqs)
        notes = [row for row in self._notes(session, plan, tables) if int(row[0]) in bad]
        refused = self._refused(session, plan, {int(row[0]) for row in (*stored, *notes)})
        since = _since(notes, refused)
        found = {seq: LEFT_OUT for seq, one in since.items() if one.without}
        for seq, has_newer_stamp, deleted, at, batch, arrived in stored:
            last, sent = refused.get(int(seq)), since.get(int(seq), Since()).sent
            came = batch is not None and last is not None and came_later((at, batch, arrived), last)
            if has_newer_stamp or sent or came:
                found[int(seq)] = HELD_NEWER if deleted else HOLDS_NEWER
        return found

    def _refused(self, session: Session, plan: StreamPlan, seqs: Iterable[int]) -> dict[int, Sequence[Any]]:
        """When these letters were refused last."""
        ids = _texts(self.letters[seq] for seq in seqs)
        if not ids:
            return {}
        rows = session.execute(self._refusals(plan).last(ids), "last refusals").rows
        by_letter = {str(row[0]): row[1:] for row in rows}
        return {seq: by_letter[letter] for seq, letter in self.letters.items() if letter in by_letter}

    def _replayed(self, session: Session, plan: StreamPlan, stored: Iterable[Sequence[Any]]) -> _Replayed:
        """When the letters that became stored rows had been refused, by batch and key of these rows."""
        rows = [row for row in stored if row[4] == REPLAY]
        found: _Replayed = defaultdict(list)
        if rows:
            batches, keys = (_texts(str(row[at]) for row in rows) for at in (2, 5))
            sql = self._refusals(plan).before_replay(batches, keys)
            for batch, key, *refusal in session.execute(sql, "refused before").rows:
                found[str(batch), str(key)].append(refusal)
        return found

    def _refusals(self, plan: StreamPlan) -> audit_rows.Refusals:
        letters, events, batches = (
            self.run.audit_table(table.name) for table in (DEAD_LETTERS, DEAD_LETTER_EVENTS, BATCHES)
        )
        return audit_rows.Refusals(letters, events, batches, str(plan.table))


def _since(notes: Iterable[Sequence[Any]], refused: Mapping[int, Sequence[Any]]) -> dict[int, Since]:
    """What came since each record was refused."""
    found: dict[int, Since] = {}
    for seq, _, _, event, *noted in notes:
        if int(seq) in refused and noted_later(noted, refused[int(seq)]):
            before = found.get(int(seq), Since())
            found[int(seq)] = Since(
                before.sent or event == audit_rows.SENT_SINCE,
                before.without or event == audit_rows.LEFT_OUT,
                before.outdated or event == audit_rows.OUTDATED,
            )
    return found


def _later(row: Sequence[Any], refused: Sequence[Any], replayed: _Replayed) -> bool | None:
    """Whether a stored row came after a record was refused; None where that cannot be told.

    Of a row that was replayed, what counts is when its letter had been refused, not when it was replayed.
    """
    at, batch, seq, operation, key, _ = row
    came = came_later((at, batch, seq), refused)
    if operation not in {REPLAY, None} or not came:
        return came
    found = replayed.get((str(batch), str(key)), []) if operation == REPLAY else []
    if len(found) != 1:
        return None
    [(at, batch, _, seq)] = found
    return came_later((at, batch, seq), refused)


def _texts(values: Iterable[str]) -> str:
    return ", ".join(sorted({literal(value) for value in values}))
