"""Replays dead letters: the same checks, staging and transaction as a load, with their events in it.

A letter comes with its stream's SCHEMA, so no tap is needed. Its cause may have been mended by settings
(`column_types`, `schema_mapping`, `stream_maps`), by a wider column, or in the source; a newer row wins.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import DEAD_LETTER_EVENTS
from target_snowflake_audit.checking.problems import REDACTED, Problem
from target_snowflake_audit.errors import TargetError
from target_snowflake_audit.failures import ends_the_run
from target_snowflake_audit.hashing import of_json
from target_snowflake_audit.overtaken import HELD_NEWER, Overtaken, tells_its_row
from target_snowflake_audit.reading.blocks import RECORD_TEXT
from target_snowflake_audit.reading.reader import decode_record
from target_snowflake_audit.refusal_problems import problems_of
from target_snowflake_audit.replay_target import loaders_of, target_of
from target_snowflake_audit.sql import audit_rows, chain, classify
from target_snowflake_audit.sql.quoting import literal, words
from target_snowflake_audit.work import REPLAY, Work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_snowflake_audit.batch import Batch
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.counts import Refusals
    from target_snowflake_audit.loader import StreamLoader
    from target_snowflake_audit.session import Session
    from target_snowflake_audit.target import TargetSnowflakeAudit

REPLAYED, FAILED, SKIPPED = "replayed", "replay_failed", "replay_skipped"
MOST_AT_ONCE = 1000

_RECEIVE = (
    "; the letter does not hold these values (`redact_columns`): have the source send the record again, or"
    " load null in their place with --redacted-as-null"
)
_NEWER = "the source has sent a newer version since, of this row or of its document without it"
_FILTERED = "`stream_maps` leave this record out"
_FATES = {
    classify.INSERT: (REPLAYED, "inserted"),
    classify.UPDATE: (REPLAYED, "updated"),
    classify.DELETE: (REPLAYED, "deleted"),
    classify.UNCHANGED: (REPLAYED, "the table holds these values already"),
    classify.DEDUPLICATED: (SKIPPED, "another letter of the same replay holds a newer version of this row"),
    classify.OLDER: (SKIPPED, _NEWER),
    classify.OLDER_DELETED: (SKIPPED, HELD_NEWER),
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

    Letters whose stream cannot be loaded fail with the reason; those of other streams are tried all the same.

    Raises:
        TargetError: settings are wrong, or every stream would fail so; groups before it are committed.
    """
    target = target_of(settings)
    groups: dict[str, list[LetterRow]] = defaultdict(list)
    for letter in letters:
        groups[of_json([letter.stream, letter.singer_schema])].append(letter)
    found: dict[str, Outcome] = {}
    errors: dict[str, None] = {}
    try:
        for group in groups.values():
            failed: TargetError | None = None
            for start in range(0, len(group), MOST_AT_ONCE):
                part = _Replay(target, group[start : start + MOST_AT_ONCE], note, failed)
                found.update({one.letter_id: one for one in part.run()})
                failed = part.failed
            if failed is not None:
                errors[failed.kept] = None
    except BaseException as error:
        known = target.in_words(error)
        target.fail(known)
        if known is error:
            raise
        raise known from error
    status = "failed" if errors else "completed"
    target.run.end(status, "; ".join(errors), retry=target.engine.retrier.end)
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


@dataclass
class _Replay:
    """Letters of one stream with one schema."""

    target: TargetSnowflakeAudit
    letters: list[LetterRow]
    note: str
    failed: TargetError | None = None
    """Why the stream cannot be loaded, which is what its letters fail for; once known, none is tried."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _last: bool = True
    _filtered: set[int] = field(default_factory=set)
    """Letters that `stream_maps` leave out of the table that is loaded."""

    def run(self) -> list[Outcome]:
        """Load them; those that somebody else replayed meanwhile are left out and said so."""
        if self.failed is None:
            self._try()
        if self.failed is not None:
            self._fail(str(self.failed))
        return list(self.outcomes.values())

    def _try(self) -> None:
        first = self.letters[0]
        try:
            loaders = loaders_of(self.target, first.stream, first.singer_schema)
            for loader in loaders:
                self._last = loader is loaders[-1]
                self._load(loader)
        except TargetError as error:
            if ends_the_run(error):
                raise
            self.failed = error

    def _fail(self, reason: str) -> None:
        """Say of the letters that are not done why; no batch holds these events, but the run's own chain.

        No fence is held, so that somebody else may be done with some of them.
        """
        left = [Outcome(letter.letter_id, FAILED, reason) for letter in self.letters if self._open(letter)]
        if not left:
            return
        run = self.target.run
        rows = [self._row(outcome) for outcome in left]
        ids = ", ".join(literal(outcome.letter_id) for outcome in left)
        unless = audit_rows.closed(run.audit_table(DEAD_LETTER_EVENTS.name), ids)
        self.target.engine.retrier.record(
            self.letters[0].stream, lambda: run.write(DEAD_LETTER_EVENTS, rows, unless)
        )
        self.outcomes |= {outcome.letter_id: outcome for outcome in left}
        with run.lane():
            done = run.session().execute(unless, "look up letters").rows
        self.outcomes |= {str(row[0]): _elsewhere(str(row[0])) for row in done}

    def _load(self, loader: StreamLoader) -> None:
        waiting = [one for one in self.letters if self._open(one)]
        before = dict(self.outcomes)
        while waiting:
            by_seq = {self.target.next_number(): letter for letter in waiting}
            batch = loader.new_batch(keep_letters=True)
            try:
                self._fill(loader, batch, by_seq)
                loader.commit(self._work(loader, batch, by_seq))
            except _AlreadyReplayedError as error:
                # An attempt before this one may have decided something, and was rolled back.
                before |= {letter_id: _elsewhere(letter_id) for letter_id in error.letters}
                self.outcomes = dict(before)
                waiting = [one for one in waiting if one.letter_id not in error.letters]
                continue
            except TargetError:
                self.outcomes = before  # what was decided is rolled back
                raise
            finally:
                batch.close()
            return

    def _open(self, letter: LetterRow) -> bool:
        done = self.outcomes.get(letter.letter_id)
        return done is None or (done.event in {REPLAYED, SKIPPED} and bool(done.batch_id))

    def _fill(self, loader: StreamLoader, batch: Batch, by_seq: dict[int, LetterRow]) -> None:
        self._filtered.clear()
        for seq, letter in by_seq.items():
            raw = letter.record_text.encode()
            message = {"record": without(decode_record(raw), letter.redacted), RECORD_TEXT: raw}
            record, problems = self.target.mapped(loader.plan.source_stream, loader.plan.stream, message)
            if letter.redacted and not letter.redacted_as_null:
                # Whether `stream_maps` would leave it out cannot be told without these values.
                problems = [*(problems or ()), *unknown(loader.plan, letter.redacted)]
            if record is None and not problems:
                self._filtered.add(seq)
            else:
                batch.add(record or {}, raw, seq, None, problems)
        batch.finish()

    def _work(self, loader: StreamLoader, batch: Batch, by_seq: dict[int, LetterRow]) -> Work:
        work = Work(batch, REPLAY)
        overtaken = Overtaken(self.target.run, {seq: letter.letter_id for seq, letter in by_seq.items()})
        work.after_fence = lambda session: self._check_open(session, by_seq)
        work.after_classify = lambda session, tables: overtaken.spare(session, loader.plan, tables)
        work.before_commit = lambda session, refusals, tables, _counts: self._events(
            session, work, by_seq, refusals, tables, overtaken
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

    def _events(
        self,
        session: Session,
        work: Work,
        by_seq: dict[int, LetterRow],
        refusals: Refusals,
        tables: classify.Tables,
        overtaken: Overtaken,
    ) -> None:
        """Decide each letter's outcome and write its event, in the transaction of its row."""
        fates = {int(seq): str(op) for seq, op in session.execute(classify.fates(tables), "fates").rows}
        bad = {seq: self._problems(work, seq, letter, refusals) for seq, letter in by_seq.items()}
        telling = [seq for seq, found in bad.items() if found and self._tells(work, by_seq[seq], found)]
        plan = work.batch.plan
        newer = overtaken.still_bad(session, plan, tables, telling)
        rows = []
        for seq, letter in by_seq.items():
            fate = fates.get(seq, classify.OLDER)
            stale = fate == classify.OLDER and seq in refusals.stale
            why_open = overtaken.why_open(plan, seq, stale=stale)
            if seq in self._filtered:
                outcome = self._left_out(letter, work.batch.batch_id)
            elif why_open and not bad[seq]:
                outcome = Outcome(letter.letter_id, FAILED, why_open, (), work.batch.batch_id)
            else:
                outcome = _outcome(letter, work.batch.batch_id, bad[seq], newer.get(seq), fate)
            self.outcomes[letter.letter_id] = outcome
            # Where `stream_maps` make several streams of one, a letter is done when the last has it.
            if self._last or outcome.event == FAILED:
                rows.append(self._row(outcome))
        if not rows:
            return
        table = self.target.run.audit_table(DEAD_LETTER_EVENTS.name)
        link = {chain.CHAIN: literal(chain.of_batch(work.batch.batch_id))}
        session.execute(audit_rows.insert(table, rows, link), "events")

    def _left_out(self, letter: LetterRow, batch_id: str) -> Outcome:
        """What became of a letter that is not of this table: what the table before says, if there is one."""
        before = self.outcomes.get(letter.letter_id)
        if before is None:
            return Outcome(letter.letter_id, SKIPPED, _FILTERED, (), batch_id)
        return dataclasses.replace(before, batch_id=batch_id)

    def _problems(self, work: Work, seq: int, letter: LetterRow, refusals: Refusals) -> Sequence[Problem]:
        """What is wrong with a record, without values that the audit trail must not hold."""
        batch = work.batch
        found = batch.letters.get(seq)
        if found is None and seq in refusals.bad:
            bad, _ = problems_of(work, refusals, seq, decode_record(letter.record_text.encode()))
            found = batch.checker.redactor.problems(bad, {})
        return found or ()

    def _tells(self, work: Work, letter: LetterRow, found: Sequence[Problem]) -> bool:
        """Whether a refused record says which row it is of."""
        if letter.redacted and self.target.config.get("stream_maps"):
            return False  # they may make a key of what the letter does not hold
        return tells_its_row(work.batch.plan, found)

    def _row(self, outcome: Outcome) -> dict[str, Any]:
        said = f"{outcome.note}. {self.note}" if self.note else outcome.note
        return {
            "EVENT_ID": uuid.uuid4().hex,
            "DEAD_LETTER_ID": outcome.letter_id,
            "EVENT": outcome.event,
            "NOTE": said,
            "ERRORS": list(outcome.errors) or None,
            "RUN_ID": self.target.run.run_id,
            "BATCH_ID": outcome.batch_id or None,
        }


def _elsewhere(letter_id: str) -> Outcome:
    return Outcome(letter_id, SKIPPED, "already replayed by somebody else")


def _outcome(
    letter: LetterRow, batch_id: str, problems: Sequence[Problem], newer: str | None, fate: str
) -> Outcome:
    """What became of a letter; `newer` says that the table has a newer row of one that is refused again."""
    if not problems:
        event, note = _FATES.get(fate, (SKIPPED, _NEWER))
        return Outcome(letter.letter_id, event, note, (), batch_id)
    errors = tuple(problem.as_json() for problem in problems)
    wrong = "; ".join(f"{one.column or one.name or 'record'}: {one.reason}" for one in problems)
    if newer:
        return Outcome(
            letter.letter_id, SKIPPED, f"{newer}; the record itself is still refused: {wrong}", (), batch_id
        )
    hint = _RECEIVE if any(one.reason == REDACTED for one in problems) else ""
    return Outcome(letter.letter_id, FAILED, f"still refused: {wrong}{hint}", errors, batch_id)
