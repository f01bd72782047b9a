"""Replays dead letters: the same checks, staging and transaction as a load, with their events in it.

A letter comes with its stream's SCHEMA, so no tap is needed. Its cause may have been mended by settings
(`column_types`, `schema_mapping`, `stream_maps`), by a wider column, or in the source; a newer row wins.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import settings as declared
from target_snowflake_audit.audit.tables import DEAD_LETTER_EVENTS, DEAD_LETTERS
from target_snowflake_audit.checking.problems import REDACTED, Problem
from target_snowflake_audit.errors import TargetError
from target_snowflake_audit.hashing import of_json
from target_snowflake_audit.overwrite import for_replay
from target_snowflake_audit.reading.blocks import RECORD_TEXT
from target_snowflake_audit.reading.reader import decode_record
from target_snowflake_audit.refusal_problems import problems_of
from target_snowflake_audit.sql import audit_rows, chain, classify, write
from target_snowflake_audit.sql.quoting import literal, words
from target_snowflake_audit.target import TargetSnowflakeAudit
from target_snowflake_audit.work import REPLAY, Work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_snowflake_audit.batch import Batch
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.counts import Counts, Refusals
    from target_snowflake_audit.loader import StreamLoader
    from target_snowflake_audit.session import Session

REPLAYED, FAILED, SKIPPED = "replayed", "replay_failed", "replay_skipped"
MOST_AT_ONCE = 1000

_RECEIVE = (
    "; the letter does not hold these values (`redact_columns`): have the source send the record again, or"
    " load null in their place with --redacted-as-null"
)
_NEWER = "the source has sent a newer version since, of this row or of its document without it"
_FATES = {
    classify.INSERT: (REPLAYED, "inserted"),
    classify.UPDATE: (REPLAYED, "updated"),
    classify.DELETE: (REPLAYED, "deleted"),
    classify.UNCHANGED: (REPLAYED, "the table holds these values already"),
    classify.DEDUPLICATED: (SKIPPED, "another letter of the same replay holds a newer version of this row"),
    classify.OLDER: (SKIPPED, _NEWER),
    classify.OLDER_DELETED: (SKIPPED, "the table held a newer version of this row, which was deleted since"),
}


@dataclass(frozen=True)
class LetterRow:
    """What a replay needs of a row of DEAD_LETTERS; `singer_schema` is decoded.

    `redacted` names the properties whose values the letter does not hold: without them the record is not what
    was received, so it is not loaded. With `redacted_as_null` it is, with null in their place.
    """

    letter_id: str
    stream: str
    record_text: str
    singer_schema: Mapping[str, Any]
    redacted: Sequence[str] = ()
    redacted_as_null: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a letter: the event in DEAD_LETTER_EVENTS, in words, and what is still wrong."""

    letter_id: str
    event: str
    note: str
    errors: tuple[dict[str, Any], ...] = ()
    batch_id: str = ""


class _AlreadyReplayedError(TargetError):
    """Somebody else replayed some of the letters while we waited for the fence."""

    def __init__(self, letters: set[str]) -> None:
        super().__init__(f"already replayed: {', '.join(sorted(letters))}")
        self.letters = letters


def replay(settings: Mapping[str, Any], letters: Sequence[LetterRow], note: str = "") -> list[Outcome]:
    """Replay letters and give their outcomes, in the order of the letters.

    Args:
        settings: the target's settings; numbers and booleans may be text, as environment variables hold them.
        letters: any number, of any streams.
        note: what the person says about it; goes into the events.

    Raises:
        TargetError: nothing of the group that failed was written; groups before it are committed.
    """
    target = TargetSnowflakeAudit(config=for_replay(declared.coerced(settings)))
    target.run.program = "snowflake-audit"
    groups: dict[str, list[LetterRow]] = defaultdict(list)
    for letter in letters:
        groups[of_json([letter.stream, letter.singer_schema])].append(letter)
    found: dict[str, Outcome] = {}
    try:
        for group in groups.values():
            for start in range(0, len(group), MOST_AT_ONCE):
                part = group[start : start + MOST_AT_ONCE]
                found.update({one.letter_id: one for one in _Replay(target, part, note).run()})
    except BaseException as error:
        target.fail(error)
        raise
    target.run.end("completed")
    return [found[letter.letter_id] for letter in letters]


def without(record: Any, redacted: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON value
    """Give a record with null in place of redacted values: a digest or a mask must not be loaded."""
    if not redacted or not isinstance(record, dict):
        return record
    return {**record, **dict.fromkeys(redacted)}


def unknown(plan: StreamPlan, redacted: Sequence[str]) -> list[Problem]:
    """Problems that say which values a letter does not hold."""
    columns = plan.names_by_property
    return [Problem(name, columns.get(name, ""), "", REDACTED, "the value as received") for name in redacted]


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


@dataclass
class _Replay:
    """The letters of one stream with one schema."""

    target: TargetSnowflakeAudit
    letters: list[LetterRow]
    note: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _last: bool = True

    def run(self) -> list[Outcome]:
        """Load them; those that somebody else replayed meanwhile are left out and said so."""
        first = self.letters[0]
        self.target.take_schema({**first.singer_schema, "stream": first.stream})
        loaders = self.target.loaders_of(first.stream)
        for loader in loaders:
            self._last = loader is loaders[-1]
            self._load(loader)
        return list(self.outcomes.values())

    def _load(self, loader: StreamLoader) -> None:
        waiting = [one for one in self.letters if self._open(one)]
        while waiting:
            by_seq = {self.target.next_number(): letter for letter in waiting}
            batch = loader.new_batch(keep_letters=True)
            try:
                self._fill(loader, batch, by_seq)
                loader.commit(self._work(loader, batch, by_seq))
            except _AlreadyReplayedError as error:
                for letter_id in error.letters:
                    self.outcomes[letter_id] = Outcome(
                        letter_id, SKIPPED, "already replayed by somebody else"
                    )
                waiting = [one for one in waiting if one.letter_id not in error.letters]
                continue
            finally:
                batch.close()
            return

    def _open(self, letter: LetterRow) -> bool:
        done = self.outcomes.get(letter.letter_id)
        return done is None or (done.event in {REPLAYED, SKIPPED} and bool(done.batch_id))

    def _fill(self, loader: StreamLoader, batch: Batch, by_seq: dict[int, LetterRow]) -> None:
        for seq, letter in by_seq.items():
            raw = letter.record_text.encode()
            message = {"record": without(decode_record(raw), letter.redacted), RECORD_TEXT: raw}
            record, problems = self.target.mapped(loader.plan.source_stream, loader.plan.stream, message)
            if letter.redacted and not letter.redacted_as_null:
                problems = [*(problems or ()), *unknown(loader.plan, letter.redacted)]
            batch.add(record or {}, raw, seq, None, problems)
        batch.finish()

    def _work(self, loader: StreamLoader, batch: Batch, by_seq: dict[int, LetterRow]) -> Work:
        work = Work(batch, REPLAY)
        work.after_fence = lambda session: self._check_open(session, by_seq)
        work.after_classify = lambda session, tables: self._spare_later(session, loader, by_seq, tables)
        work.before_commit = lambda session, refusals, tables, counts: self._events(
            session, work, by_seq, refusals, tables, counts
        )
        return work

    def _check_open(self, session: Session, by_seq: dict[int, LetterRow]) -> None:
        events = self.target.run.audit_table(DEAD_LETTER_EVENTS.name)
        ids = ", ".join(literal(letter.letter_id) for letter in by_seq.values())
        latest = audit_rows.latest_events(events, ids)
        chosen = f'e."EVENT" = {literal(REPLAYED)}'
        sql = words('SELECT e."DEAD_LETTER_ID" FROM', f"({latest})", "AS e WHERE", chosen)
        done = {str(row[0]) for row in session.execute(sql, "look up letters").rows}
        if done:
            raise _AlreadyReplayedError(done)

    def _spare_later(
        self, session: Session, loader: StreamLoader, by_seq: dict[int, LetterRow], tables: classify.Tables
    ) -> None:
        """Leave out letters that the source has overtaken since they were refused.

        Their row was loaded later: a stamp of the same day, or none, does not tell which version is the newer
        one, but their arrival does. Or their document, or a version, came later without them.
        """
        if loader.plan.append:
            return
        run = self.target.run
        stored = session.execute(classify.overwritten(loader.plan, tables), "stored rows").rows
        sql = classify.told_since(loader.plan, tables, run.audit_table("BATCHES"))
        told = session.execute(sql, "told since").rows
        ids = ", ".join(sorted({literal(by_seq[int(row[0])].letter_id) for row in (*stored, *told)}))
        if not ids:
            return
        letters, events = (run.audit_table(table.name) for table in (DEAD_LETTERS, DEAD_LETTER_EVENTS))
        sql = audit_rows.last_refusals(letters, events, ids)
        by_letter = {str(row[0]): row[1:] for row in session.execute(sql, "last refusals").rows}
        refused = {
            seq: by_letter[letter.letter_id]
            for seq, letter in by_seq.items()
            if letter.letter_id in by_letter
        }
        later = sorted(
            {int(seq) for seq, *row in stored if int(seq) in refused and came_later(row, refused[int(seq)])}
            | {int(seq) for seq, *row in told if int(seq) in refused and left_out(row, refused[int(seq)])}
        )
        if later:
            session.execute(write.supersede(tables, later), "supersede")

    def _events(
        self,
        session: Session,
        work: Work,
        by_seq: dict[int, LetterRow],
        refusals: Refusals,
        tables: classify.Tables,
        _counts: Counts,
    ) -> None:
        """Decide each letter's outcome and write its event, in the transaction of its row."""
        fates = {int(seq): str(op) for seq, op in session.execute(classify.fates(tables), "fates").rows}
        rows = []
        for seq, letter in by_seq.items():
            outcome = self._outcome(work, seq, letter, refusals, fates)
            self.outcomes[letter.letter_id] = outcome
            # Where `stream_maps` make several streams of one, a letter is done when the last has it.
            if self._last or outcome.event == FAILED:
                rows.append(self._row(outcome))
        if not rows:
            return
        table = self.target.run.audit_table(DEAD_LETTER_EVENTS.name)
        link = {chain.CHAIN: literal(chain.of_batch(work.batch.batch_id))}
        session.execute(audit_rows.insert(table, rows, link), "events")

    def _outcome(
        self,
        work: Work,
        seq: int,
        letter: LetterRow,
        refusals: Refusals,
        fates: dict[int, str],
    ) -> Outcome:
        batch = work.batch
        problems = batch.letters.get(seq)
        if problems is None and seq in refusals.bad:
            found, _ = problems_of(work, refusals, seq, decode_record(letter.record_text.encode()))
            problems = batch.checker.redactor.problems(found, {})
        if problems:
            errors = tuple(problem.as_json() for problem in problems)
            words_ = "; ".join(f"{one.column or one.name or 'record'}: {one.reason}" for one in problems)
            hint = _RECEIVE if any(one.reason == REDACTED for one in problems) else ""
            return Outcome(letter.letter_id, FAILED, f"still refused: {words_}{hint}", errors, batch.batch_id)
        event, note = _FATES.get(fates.get(seq, classify.OLDER), (SKIPPED, _NEWER))
        return Outcome(letter.letter_id, event, note, (), batch.batch_id)

    def _row(self, outcome: Outcome) -> dict[str, Any]:
        said = f"{outcome.note}. {self.note}" if self.note else outcome.note
        return {
            "EVENT_ID": uuid.uuid4().hex,
            "DEAD_LETTER_ID": outcome.letter_id,
            "EVENT": outcome.event,
            "NOTE": said,
            "ERRORS": list(outcome.errors) or None,
            "RUN_ID": self.target.run.run_id,
            "BATCH_ID": outcome.batch_id,
        }
