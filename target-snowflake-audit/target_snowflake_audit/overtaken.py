"""Which letters of a replay the source has overtaken since they were refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import DEAD_LETTER_EVENTS, DEAD_LETTERS
from target_snowflake_audit.checking.problems import MAPPING
from target_snowflake_audit.sql import audit_rows, classify, newer, write
from target_snowflake_audit.sql.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.checking.problems import Problem
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.session import Session

HOLDS_NEWER = "the table holds a newer version of this row by now, which came later"
HELD_NEWER = "the table held a newer version of this row, which was deleted since"


def came_later(stored: Sequence[Any], refused: Sequence[Any]) -> bool:
    """Whether a stored row came after a record was refused; given as (time, batch, SEQ)."""
    at, batch, seq = stored
    refused_at, refused_batch, _, refused_seq = refused
    if batch == refused_batch:
        # Letters are written before rows, so that time says nothing inside a batch.
        return refused_seq is not None and seq is not None and int(seq) > int(refused_seq)
    return bool(at > refused_at)


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

    def spare(self, session: Session, plan: StreamPlan, tables: classify.Tables) -> None:
        """Leave out good letters that the source has overtaken.

        Their row was loaded later: a stamp of the same day, or none, does not tell which version is the newer
        one, but their arrival does. Or their document, or a version, came later without them.
        """
        if plan.append:
            return
        stored = session.execute(classify.overwritten(plan, tables), "stored rows").rows
        sql = classify.told_since(plan, tables, self.run.audit_table("BATCHES"))
        told = session.execute(sql, "told since").rows
        refused = self._refused(session, (int(row[0]) for row in (*stored, *told)))
        later = sorted(
            {int(seq) for seq, *row in stored if int(seq) in refused and came_later(row, refused[int(seq)])}
            | {int(seq) for seq, *row in told if int(seq) in refused and left_out(row, refused[int(seq)])}
        )
        if later:
            session.execute(write.supersede(tables, later), "supersede")

    def still_bad(
        self, session: Session, plan: StreamPlan, tables: classify.Tables, seqs: Sequence[int]
    ) -> dict[int, str]:
        """Letters among those that are refused again whose row the table holds in a newer version, with why.

        By the rules for good ones: a newer stamp, or where the stamp does not tell, a later arrival.
        """
        if plan.append or not seqs:
            return {}
        sql = newer.stored(plan, tables, self.run.audit_table("BATCHES"), seqs)
        stored = session.execute(sql, "newer rows").rows
        refused = self._refused(session, (int(row[0]) for row in stored))
        found = {}
        for seq, has_newer_stamp, deleted, at, batch, arrived in stored:
            last = refused.get(int(seq))
            later = batch is not None and last is not None and came_later((at, batch, arrived), last)
            if has_newer_stamp or later:
                found[int(seq)] = HELD_NEWER if deleted else HOLDS_NEWER
        return found

    def _refused(self, session: Session, seqs: Iterable[int]) -> dict[int, Sequence[Any]]:
        """When these letters were refused last."""
        ids = ", ".join(sorted({literal(self.letters[seq]) for seq in seqs}))
        if not ids:
            return {}
        letters, events = (self.run.audit_table(table.name) for table in (DEAD_LETTERS, DEAD_LETTER_EVENTS))
        sql = audit_rows.last_refusals(letters, events, ids)
        by_letter = {str(row[0]): row[1:] for row in session.execute(sql, "last refusals").rows}
        return {seq: by_letter[letter] for seq, letter in self.letters.items() if letter in by_letter}
