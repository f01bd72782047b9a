"""Checks a chunk of records column by column and gives the rows to stage and the dead letters."""

from __future__ import annotations

from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

import msgspec

from target_snowflake_audit import hashing
from target_snowflake_audit.checking import encoding, problems
from target_snowflake_audit.checking.converters import one_by_one, told
from target_snowflake_audit.checking.deletion_mark import DELETED_PROPERTY, problem_of
from target_snowflake_audit.checking.letters import DELETE, LOAD, Letter, dead_line, storable
from target_snowflake_audit.checking.lines import Liner
from target_snowflake_audit.checking.parts import Checked, Part
from target_snowflake_audit.checking.problems import Bad, Problem
from target_snowflake_audit.checking.redacting import Redactor
from target_snowflake_audit.checking.rows import Row, form_of, number_texts, numbers, scope_decoder
from target_snowflake_audit.checking.times import TimestampCache
from target_snowflake_audit.errors import IntegrityError
from target_snowflake_audit.reading.reader import UNREADABLE, as_received, decode_record
from target_snowflake_audit.staging.fields import NULL, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_snowflake_audit.checking.converters import Converter, NumberConverter
    from target_snowflake_audit.checking.parts import Chunk
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.values import Json


class Checker:
    """Checks chunks of one stream; keeps what it learnt about dates and record shapes."""

    def __init__(self, plan: StreamPlan) -> None:
        """Prepare for a plan."""
        self.plan = plan
        self._names = [column.property for column in plan.columns]
        self._pick = _picker(self._names)
        self._liner = Liner(plan)
        self.form = form_of(plan, DELETED_PROPERTY)
        """How the reader may decode records of this plan, if there is a form for them."""
        self._scope_of = scope_decoder(self.form, plan.scope) if self.form and plan.scope else None
        self._may_be_absent = [(at, name) for at, name in enumerate(self._names) if plan.marked(at)]
        self._times = TimestampCache()
        self._columns = plan.names_by_property
        self.redactor = Redactor(plan)
        self._keys = True

    def check(self, chunk: Chunk, *, keys: bool = True) -> Checked:
        """Check a chunk: rows first, then what must be looked at record by record.

        Without `keys`, those of good records are not gathered.
        """
        self._keys = keys
        if not chunk.mapped:
            decode = self.form.decode if self.form is not None else None
            chunk.mapped = [as_received(text, decode) for text in chunk.raw]
        checked = Checked([""] * len(chunk), [], [], [], [])
        extracted = self._extracted(chunk.extracted)
        whole = self._whole_rows(chunk)
        rest = set(range(len(chunk))).difference(whole)
        rest |= self._take_rows(chunk, whole, extracted, checked)
        if rest:
            self._take_records(chunk, sorted(rest), extracted, checked)
        return checked

    def _whole_rows(self, chunk: Chunk) -> list[int]:
        """Places of the records that were decoded as rows of this plan."""
        if self.form is None:
            return []
        row = self.form.type
        return [at for at, one in enumerate(chunk.mapped) if type(one) is row and at not in chunk.found]

    def _take_rows(self, chunk: Chunk, whole: list[int], extracted: list[str], checked: Checked) -> set[int]:
        """Stage rows; gives the places of those that are not as plain as they looked."""
        if self.form is None or not whole:
            return set()
        rows = chunk.mapped if len(whole) == len(chunk) else [chunk.mapped[at] for at in whole]
        values = self.form.columns(cast("list[Row]", rows))
        odd = self.form.unusual(cast("list[Row]", rows), values)
        odd.update(encoding.escaped([chunk.raw[at] for at in whole]))
        columns: list[list[str]] = []
        for at, column in enumerate(values):
            fields = _one_each(self._fields(at, column, odd), column)
            if _has_bad(fields):
                odd.update(n for n, one in enumerate(fields) if isinstance(one, Bad))
            columns.append(cast("list[str]", fields))
        for at in self.plan.key:
            odd.update(n for n, field in enumerate(columns[at]) if field == NULL)
        if odd:
            good = [n not in odd for n in range(len(whole))]
            columns = [list(compress(column, good)) for column in columns]
            odd = {whole[n] for n in odd}
            whole = list(compress(whole, good))
        self._stage(chunk, whole, columns, extracted, checked)
        return odd

    def _fields(self, at: int, values: Sequence[Any], odd: set[int]) -> list[str | Bad]:
        """Fields of a column of rows; adds rows whose number is none to `odd`."""
        convert = self.plan.converters[at]
        if isinstance(values[0], msgspec.Raw):
            texts = number_texts(values)
            if texts is not None:
                return cast("NumberConverter", convert).texts(texts)
            values, wrong = numbers(values)
            odd |= wrong
        return self._safely(convert, values)

    @staticmethod
    def _safely(convert: Converter, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column; a value in it may nest too deeply."""
        try:
            return convert(values)
        except RecursionError:
            return one_by_one(convert, values)

    def _take_records(self, chunk: Chunk, places: list[int], extracted: list[str], checked: Checked) -> None:
        """Check records by all rules, and stage lines or letters."""
        part = Part(
            [self._record(chunk, at) for at in places],
            [chunk.raw[at] for at in places],
            {n: chunk.found[at] for n, at in enumerate(places) if at in chunk.found},
        )
        suspects = self._suspects(part)
        good = [at for at in range(len(places)) if at not in suspects]
        columns, bad = self._convert([part.mapped[at] for at in good])
        suspects |= {good[index]: found for index, found in bad.items()}
        if bad:
            fine = [index not in bad for index in range(len(good))]
            columns = [list(compress(column, fine)) for column in columns]
            good = list(compress(good, fine))
        for n, at in enumerate(places):
            chunk.mapped[at] = part.mapped[n]
        self._stage(chunk, [places[n] for n in good], columns, extracted, checked)
        for n in sorted(suspects):
            self._letter(chunk, places[n], suspects[n], extracted[places[n]], checked)

    @staticmethod
    def _record(chunk: Chunk, at: int) -> dict[str, Any]:
        """A record as a dictionary; one that is none, or nests too deeply to be one here, is an empty one."""
        record = chunk.mapped[at]
        read: Json = decode_record(chunk.raw[at]) if isinstance(record, Row) else record
        if isinstance(read, dict):
            return read
        chunk.found[at] = [problems.no_object(read)]
        return {}

    def _suspects(self, chunk: Part) -> dict[int, list[Problem]]:
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
        for at, record in enumerate(chunk.mapped):
            # In front: the key says more than the type that null does not have.
            if front := self._key_problems(record):
                suspects[at] = [*front, *suspects.get(at, [])]
            if mark := problem_of(record.get(DELETED_PROPERTY), self._columns):
                suspects.setdefault(at, []).append(mark)
        for at, found in suspects.items():
            _, more = self._convert([chunk.mapped[at]])
            suspects[at] = _merged([*odd.get(at, []), *more.get(0, [])], found)
        return suspects

    def _odd(self, chunk: Part) -> dict[int, list[Problem]]:
        """Take values that are no UTF-8 out of their records, and give a problem for each."""
        found = {}
        for at in encoding.odd_rows(chunk.mapped, chunk.raw):
            chunk.mapped[at], odd = encoding.split(chunk.mapped[at], self._columns)
            if odd:
                found[at] = odd
        return found

    def _key_problems(self, record: dict[str, Any]) -> list[Problem]:
        expected = "a value: the property is part of the key"
        missing = [name for at in self.plan.key if record.get(name := self._names[at]) is None]
        reasons = [problems.NULL_KEY if name in record else problems.MISSING for name in missing]
        return [
            Problem(name, self._columns[name], "", reason, expected)
            for name, reason in zip(missing, reasons, strict=True)
        ]

    def _convert(self, records: list[Any]) -> tuple[list[list[Any]], dict[int, list[Problem]]]:
        """Give the fields by column, and by row the problems of its columns."""
        bad: dict[int, list[Problem]] = {}
        columns: list[list[Any]] = []
        for at, values in enumerate(self._columns_of(records)):
            found = _one_each(self._safely(self.plan.converters[at], values), values)
            if _has_bad(found):
                self._note(at, values, found, bad)
            columns.append(found)
        return columns, bad

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
        times = _one_each(self._times(values), values)
        return [found if isinstance(found, str) else NULL for found in times]

    def _stage(
        self,
        chunk: Chunk,
        places: list[int],
        columns: list[list[str]],
        extracted: list[str],
        checked: Checked,
    ) -> None:
        """Stage good records."""
        if not places:
            return
        plan = self.plan
        states = [self._state(chunk.mapped[at]) for at in places]
        times = [extracted[at] for at in places]
        staged = self._marked(columns, [chunk.mapped[at] for at in places]) if plan.keep else columns
        seqs = [chunk.seq[at] for at in places]
        lines, keys = self._liner.lines(columns, seqs, states, times, staged)
        for at, line in zip(places, lines, strict=True):
            checked.lines[at] = line
        if self._keys:
            fields = zip(*[columns[at] for at in plan.key], strict=True) if plan.key else [()] * len(keys)
            checked.keys += zip(keys, map(list, fields), strict=True)
        if plan.stamp is not None:
            checked.stamps += filter(None, columns[plan.stamp])
        checked.extracted += filter(None, times)

    @staticmethod
    def _state(record: dict[str, Any] | Row) -> str:
        return LOAD if isinstance(record, Row) or record.get(DELETED_PROPERTY) is None else DELETE

    def _marked(self, columns: list[list[str]], records: Sequence[Any]) -> list[list[str]]:
        """Columns that tell absent (null), null (`!`) and a value (`=` before it) apart; see `sql.keep`."""
        found = list(columns)
        for at, name in self._may_be_absent:
            found[at] = [
                _mark(field, received=name in record)
                for field, record in zip(columns[at], records, strict=True)
            ]
        return found

    def _letter(self, chunk: Chunk, at: int, found: list[Problem], extracted: str, checked: Checked) -> None:
        """Stage a dead letter; its key columns go along, so that its row is not taken for deleted."""
        letter, fields = self.letter(chunk, at, found, "validate", extracted)
        checked.letters.append(letter)
        if letter.key_hash:
            checked.keys.append((letter.key_hash, [fields[position] for position in self.plan.key]))
        else:
            checked.lost_keys = True
        record = self._record(chunk, at)
        if self.document_of([record.get(self._names[place]) for place in self.plan.scope or ()]) is None:
            checked.lost.append(chunk.seq[at])
        checked.lines[at] = dead_line(letter, fields)

    def letter(
        self, chunk: Chunk, at: int, found: list[Problem], phase: str, extracted: str
    ) -> tuple[Letter, list[str]]:
        """Make the letter of a record and the fields that can be staged beside it."""
        record, raw = self._record(chunk, at), chunk.raw[at]
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

    def scopes(self, records: Sequence[bytes]) -> list[Row] | None:
        """Records with only the properties that name their document; None where one has odd ones."""
        if self._scope_of is None:
            return None
        try:
            return [self._scope_of(record) for record in records]
        except UNREADABLE:
            return None

    def document_of(self, values: Sequence[Any]) -> tuple[str, ...] | None:
        """Staged fields of these values of the scope's columns; None where they name no document.

        A letter of a record that names one keeps it.
        """
        # JSON text could be a name, but is none; what is no UTF-8 is null in the record's letter.
        if any(isinstance(value, (dict, list)) or not encoding.encodes(value) for value in values):
            return None
        places = self.plan.scope or ()
        read = [self.plan.converters[at]([value])[0] for at, value in zip(places, values, strict=True)]
        fields = tuple(field for field in read if isinstance(field, str) and field)
        return fields if len(fields) == len(read) else None

    def _key_fields(self, record: dict[str, Any]) -> tuple[list[str], dict[str, Any], str]:
        """Give the fields with only the key filled, the key as received, and its digest ('' = bad key)."""
        fields = [NULL] * len(self._names)
        texts: list[str] = []
        for position in dict.fromkeys((*self.plan.key, *(self.plan.scope or ()))):
            read = self._safely(self.plan.converters[position], [record.get(self._names[position])])[0]
            if isinstance(read, str) and read:
                fields[position] = read
        texts = [text_of(fields[position]) or "" for position in self.plan.key if fields[position]]
        key = {self.plan.columns[at].name: storable(record.get(self._names[at])) for at in self.plan.key}
        whole = len(texts) == len(self.plan.key) > 0
        return fields, key, hashing.key_hash(texts) if whole else ""


def _one_each(fields: list[str | Bad], values: Sequence[Any]) -> list[str | Bad]:
    """A column's fields; one more or less would move all after it to other rows.

    Raises:
        IntegrityError: a converter gave another number of them.
    """
    if len(fields) != len(values):
        message = f"a column of {len(values)} values became {len(fields)} fields; nothing of it is loaded"
        raise IntegrityError(message)
    return fields


def _has_bad(fields: list[str | Bad]) -> bool:
    """Whether a field is none; joining them tells so sooner than a look at each."""
    try:
        "".join(cast("list[str]", fields))
    except TypeError:
        return True
    return False


def _mark(field: str, *, received: bool) -> str:
    if field:
        return f'"={field[1:]}' if field[0] == '"' else f"={field}"
    return "!" if received else NULL


def _picker(names: list[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """Give a function that takes the values of `names` from a record; KeyError when one is absent."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda record: tuple(record[name] for name in names)


def _merged(specific: list[Problem], general: list[Problem]) -> list[Problem]:
    """One problem a column: of a failed map, else what the column's type says before what the schema says."""
    unmapped = {problem.name for problem in general if problem.reason == problems.MAPPING}
    specific = [problem for problem in specific if problem.name not in unmapped]
    named = {problem.name for problem in specific}
    rest: dict[str, Problem] = {}
    for problem in general:
        if problem.name not in named:
            rest.setdefault(problem.name, problem)
    return [*specific, *rest.values()]
