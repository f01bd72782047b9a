"""Checks a chunk of records column by column and gives the rows to stage and the dead letters."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from target_snowflake_audit import hashing
from target_snowflake_audit.checking import encoding, problems
from target_snowflake_audit.checking.converters import json_text, one_by_one, told
from target_snowflake_audit.checking.problems import Bad, Problem
from target_snowflake_audit.checking.redacting import Redactor
from target_snowflake_audit.checking.times import TimestampCache
from target_snowflake_audit.staging.fields import NULL, quoted, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_snowflake_audit.checking.plan import StreamPlan

DELETED_PROPERTY = "_sdc_deleted_at"
LOAD, DELETE, DEAD, KEY = NULL, "X", "D", "K"
"""States of a staged row: load it, it says it is deleted, it is a dead letter, only its key was received."""


@dataclass
class Chunk:
    """Received records of one stream, as parallel lists; `mapped` are the records after `stream_maps`.

    `raw` is the record's own JSON text as received; `found` are problems found before this check, by row.
    """

    mapped: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    extracted: list[str | None] = field(default_factory=list)
    found: dict[int, list[Problem]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of records."""
        return len(self.mapped)


@dataclass(frozen=True)
class Letter:
    """A dead letter: everything DEAD_LETTERS needs but the batch and the time.

    Values are redacted already; `redacted` says which properties' were. `record_sha256` is over the record as
    received.
    """

    letter_id: str
    phase: str
    problems: tuple[Problem, ...]
    record: bytes
    record_sha256: str
    key: dict[str, Any]
    key_hash: str
    seq: int
    extracted: str
    source_time: str
    redacted: dict[str, str] = field(default_factory=dict)
    snowflake: dict[str, Any] = field(default_factory=dict)

    def with_error(self, errno: int | None, sqlstate: str | None, query_id: str | None) -> Letter:
        """The letter with Snowflake's own codes."""
        codes = {"errno": errno, "sqlstate": sqlstate, "query": query_id}
        return dataclasses.replace(self, snowflake={k: v for k, v in codes.items() if v is not None})

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The problems as kept in DEAD_LETTERS.ERRORS."""
        return [problem.as_json() for problem in self.problems]


@dataclass
class Checked:
    """What a chunk became: lines to stage, in arrival order, and the letters among them."""

    lines: list[str]
    letters: list[Letter]
    stamps: list[str]
    extracted: list[str]
    keys: list[tuple[str, list[str]]]
    """Digest and fields of each key that could be read."""
    lost_keys: bool = False
    lost_documents: bool = False
    """A letter's document cannot be told, so no row may be taken for gone."""


class Checker:
    """Checks chunks of one stream; keeps what it learnt about dates and record shapes."""

    def __init__(self, plan: StreamPlan) -> None:
        """Prepare for a plan."""
        self.plan = plan
        self._names = [column.property for column in plan.columns]
        self._pick = _picker(self._names)
        self._hashed = [column.name for column in plan.columns if column.hashed]
        self._mask = [column.hashed for column in plan.columns]
        self._all_hashed = all(self._mask)
        self._may_be_absent = [(at, name) for at, name in enumerate(self._names) if plan.marked(at)]
        self._times = TimestampCache()
        self._columns = plan.names_by_property
        self.redactor = Redactor(plan)
        self.unknown: set[str] = set()

    def check(self, chunk: Chunk) -> Checked:
        """Check a chunk."""
        suspects = self._suspects(chunk)
        good = [at for at in range(len(chunk)) if at not in suspects]
        rows, bad = self._convert([chunk.mapped[at] for at in good])
        checked = Checked([""] * len(chunk), [], [], [], [])
        extracted = self._extracted(chunk.extracted)
        for index, at in enumerate(good):
            if index in bad:
                suspects[at] = bad[index]
        converted = dict(zip(good, rows, strict=True))
        for at in range(len(chunk)):
            if at in suspects:
                self._letter(chunk, at, suspects[at], extracted[at], checked)
            else:
                self._line(chunk, at, converted[at], extracted[at], checked)
        return checked

    def _suspects(self, chunk: Chunk) -> dict[int, list[Problem]]:
        """Records that fail the schema or miss a key, each with all its problems, of columns too."""
        suspects = {at: list(found) for at, found in chunk.found.items()}
        odd = self._odd(chunk)
        for at in odd:
            suspects.setdefault(at, [])
        validator = self.plan.validator
        if validator is not None:
            is_valid = validator.is_valid
            failed = [at for at, record in enumerate(chunk.mapped) if not is_valid(record)]
            for at in failed:
                suspects.setdefault(at, []).extend(validator.problems(chunk.mapped[at], self._columns))
        for position in self.plan.key:
            name = self._names[position]
            for at, record in enumerate(chunk.mapped):
                if record.get(name) is None:
                    # In front: the key says more than the type that null does not have.
                    suspects.setdefault(at, []).insert(0, self._key_problem(name, record))
        for at, found in suspects.items():
            _, more = self._convert([chunk.mapped[at]])
            suspects[at] = _merged([*odd.get(at, []), *more.get(0, [])], found)
        return suspects

    def _odd(self, chunk: Chunk) -> dict[int, list[Problem]]:
        """Take values that are no UTF-8 out of their records, and give a problem for each."""
        found = {}
        for at in encoding.odd_rows(chunk.mapped, chunk.raw):
            chunk.mapped[at], odd = encoding.split(chunk.mapped[at], self._columns)
            if odd:
                found[at] = odd
        return found

    def _key_problem(self, name: str, record: dict[str, Any]) -> Problem:
        reason = problems.NULL_KEY if name in record else problems.MISSING
        return Problem(name, self._columns[name], "", reason, "a value: the property is part of the key")

    def _convert(
        self, records: list[dict[str, Any]]
    ) -> tuple[list[tuple[Any, ...]], dict[int, list[Problem]]]:
        """Give the fields of each record, and by row the problems of its columns."""
        bad: dict[int, list[Problem]] = {}
        columns: list[list[Any]] = []
        for at, values in enumerate(self._columns_of(records)):
            convert = self.plan.converters[at]
            try:
                found = convert(values)
            except RecursionError:
                found = one_by_one(convert, values)
            if Bad in set(map(type, found)):
                self._note(at, values, found, bad)
            columns.append(found)
        rows: list[tuple[Any, ...]] = list(zip(*columns, strict=True)) if columns else [()] * len(records)
        return rows, bad

    def _columns_of(self, records: list[dict[str, Any]]) -> Iterable[Sequence[Any]]:
        """Values by column. Most records have every property, and then C code picks them all at once."""
        if not records:
            return []
        try:
            return list(zip(*[self._pick(record) for record in records], strict=True))
        except KeyError:
            return [[record.get(name) for record in records] for name in self._names]

    def _note(
        self, at: int, values: Sequence[Any], found: Sequence[str | Bad], bad: dict[int, list[Problem]]
    ) -> None:
        column = self.plan.columns[at]
        for row, one in enumerate(found):
            if isinstance(one, Bad):
                problem = Problem(column.property, column.name, told(values[row]), one.reason, one.expected)
                bad.setdefault(row, []).append(problem)

    def _extracted(self, values: list[str | None]) -> list[str]:
        """Fields of `time_extracted`; one that cannot be read is left out, it is not the record's fault."""
        return [found if isinstance(found, str) else NULL for found in self._times(values)]

    def _line(self, chunk: Chunk, at: int, row: tuple[str, ...], extracted: str, checked: Checked) -> None:
        """Stage a good record."""
        plan = self.plan
        staged = self._marked(row, chunk.mapped[at]) if plan.keep else row
        hashed = row if self._all_hashed else tuple(compress(row, self._mask))
        names = ",".join(compress(self._hashed, hashed))
        digest = sha256(f"{names}\n{','.join(filter(None, hashed))}".encode()).hexdigest()
        row_hash = f"{hashing.ROW_HASH_VERSION}:{digest}"
        key = [text_of(row[position]) or "" for position in plan.key]
        key_hash = hashing.key_hash(key) if key else digest
        state = DELETE if chunk.mapped[at].get(DELETED_PROPERTY) is not None else LOAD
        checked.lines[at] = (
            f"{chunk.seq[at]},{state},{key_hash},{row_hash},{extracted},,,{','.join(staged)}\n"
        )
        checked.keys.append((key_hash, [row[position] for position in plan.key]))
        if plan.stamp is not None and row[plan.stamp]:
            checked.stamps.append(row[plan.stamp])
        if extracted:
            checked.extracted.append(extracted)

    def _marked(self, row: tuple[str, ...], record: dict[str, Any]) -> list[str]:
        """Fields that tell absent (null), null (`!`) and a value (`=` before it) apart; see `sql.keep`."""
        found = list(row)
        for at, name in self._may_be_absent:
            field = row[at]
            if field:
                found[at] = f'"={field[1:]}' if field[0] == '"' else f"={field}"
            else:
                found[at] = "!" if name in record else NULL
        return found

    def _letter(self, chunk: Chunk, at: int, found: list[Problem], extracted: str, checked: Checked) -> None:
        """Stage a dead letter; its key columns go along, so that its row is not taken for deleted."""
        letter, fields = self.letter(chunk, at, found, "validate", extracted)
        checked.letters.append(letter)
        if letter.key_hash:
            checked.keys.append((letter.key_hash, [fields[position] for position in self.plan.key]))
        else:
            checked.lost_keys = True
            whole = all(fields[position] for position in self.plan.scope or ())
            checked.lost_documents = checked.lost_documents or not whole
        checked.lines[at] = dead_line(letter, fields)

    def letter(
        self, chunk: Chunk, at: int, found: list[Problem], phase: str, extracted: str
    ) -> tuple[Letter, list[str]]:
        """Make the letter of a record and the fields that can be staged beside it."""
        record, raw = chunk.mapped[at], chunk.raw[at]
        fields, key, key_hash = self._key_fields(record)
        stamp = self.plan.stamp
        source = NULL
        if stamp is not None:
            read = self.plan.converters[stamp]([record.get(self._names[stamp])])[0]
            source = read if isinstance(read, str) else NULL
        digest = hashing.sha256(raw)
        reasons = [(problem.name, problem.reason) for problem in found]
        letter_id = hashing.dead_letter_id(self.plan.source_stream, digest, reasons)
        kept, redacted = self.redactor.record(raw)
        letter = Letter(
            letter_id,
            phase,
            tuple(self.redactor.problems(found, redacted)),
            kept,
            digest,
            self.redactor.key(key),
            key_hash,
            chunk.seq[at],
            extracted,
            source,
            redacted,
        )
        return letter, fields

    def _key_fields(self, record: dict[str, Any]) -> tuple[list[str], dict[str, Any], str]:
        """Give the fields with only the key filled, the key as received, and its digest ('' = bad key)."""
        fields = [NULL] * len(self._names)
        texts: list[str] = []
        for position in dict.fromkeys((*self.plan.key, *(self.plan.scope or ()))):
            read = self.plan.converters[position]([record.get(self._names[position])])[0]
            if isinstance(read, str) and read:
                fields[position] = read
        texts = [text_of(fields[position]) or "" for position in self.plan.key if fields[position]]
        key = {self.plan.columns[at].name: record.get(self._names[at]) for at in self.plan.key}
        whole = len(texts) == len(self.plan.key) > 0
        return fields, key, hashing.key_hash(texts) if whole else ""


def _picker(names: list[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """Give a function that takes the values of `names` from a record; KeyError when one is absent."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda record: tuple(record[name] for name in names)


def _merged(specific: list[Problem], general: list[Problem]) -> list[Problem]:
    """One problem a column: what the column's type says before what the schema says."""
    named = {problem.name for problem in specific}
    rest: dict[str, Problem] = {}
    for problem in general:
        if problem.name not in named:
            rest.setdefault(problem.name, problem)
    return [*specific, *rest.values()]


def _is_json(record: bytes) -> bool:
    """Whether a record's text is strict JSON: what Snowflake makes of NaN and the like is not documented."""
    try:
        msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def dead_line(letter: Letter, fields: Sequence[str]) -> str:
    """Give the staged line of a dead letter."""
    body = {
        "id": letter.letter_id,
        "phase": letter.phase,
        "reason": letter.problems[0].reason,
        "errors": letter.errors,
        "key": letter.key,
        "sha256": letter.record_sha256,
        "source": letter.source_time,
        "json": _is_json(letter.record),
        **letter.snowflake,
    }
    if letter.redacted:
        body["redacted"] = letter.redacted
    record = quoted(letter.record.decode("utf-8", "replace"))
    return (
        f"{letter.seq},{DEAD},{letter.key_hash},,{letter.extracted},{quoted(json_text(body))},"
        f"{record},{','.join(fields)}\n"
    )
