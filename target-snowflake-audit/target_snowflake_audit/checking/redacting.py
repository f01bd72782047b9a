"""Redacts dead letters in the client: record, key and the values beside the reasons."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from target_snowflake_audit.checking.audited import audited_text
from target_snowflake_audit.checking.converters import json_text
from target_snowflake_audit.checking.problems import MAPPING, Problem, utf8
from target_snowflake_audit.reading.deep import TooDeep
from target_snowflake_audit.reading.reader import decode_record
from target_snowflake_audit.redaction import DROP, HASH, KEEP, MASK, MASKED, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.values import Json


_NAMES = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:')
_MOST_NAMES = 10_000
_encoder = msgspec.json.Encoder(decimal_format="number")


class Redactor:
    """Redacts the letters of one stream; `salt` must be set first when the plan has hashed columns."""

    def __init__(self, plan: StreamPlan) -> None:
        """Prepare for a plan."""
        self._streams = (plan.source_stream, plan.stream)
        self._rules = plan.redaction
        self._ways = {column.property: column.redact for column in plan.columns}
        self._by_column = {column.name: column.redact for column in plan.columns}
        hashed = [
            at for at, column in enumerate(plan.columns) if column.redact == HASH and not column.retired
        ]
        self._hashed = {plan.columns[at].property: at for at in hashed}
        self._hashed_columns = {plan.columns[at].name: at for at in hashed}
        self._columns, self._converters = plan.columns, plan.converters
        self._known: dict[str, str] = {}
        self.salt = ""

    def record(self, raw: bytes) -> tuple[bytes, dict[str, str]]:
        """Give a record's text without redacted values, and how each property was redacted.

        A text of which nothing is redacted stays byte for byte.
        """
        try:
            return self._record(raw, decode_record(raw))
        except RecursionError:
            return self._opaque(raw)

    def _record(self, raw: bytes, record: Json) -> tuple[bytes, dict[str, str]]:
        if isinstance(record, TooDeep):
            return self._opaque(raw)
        if not isinstance(record, dict):
            inner, changed = self._inside(record)
            return (_encoded(inner), {"": MASK}) if changed else (raw, {})
        touched = {utf8(name): MASK for name in _repeated(raw) if self._way(name) or self._by_name(name)}
        shown: dict[str, Any] = {}
        for name, value in record.items():
            way = self._way(name) if value is not None else ""
            inner, changed = (value, False) if way else self._inside(value)
            if way or changed:
                touched[utf8(name)] = way or MASK
            if way != DROP:
                shown[name] = self._value(way, value, self._hashed.get(name)) if way else inner
        return (_encoded(shown), touched) if touched else (raw, {})

    def _opaque(self, raw: bytes) -> tuple[bytes, dict[str, str]]:
        """A record that nests too deeply to be taken apart is masked whole if a name in it is redacted."""
        names = {utf8(_read(name)) for name in _NAMES.findall(raw.decode("utf-8", "backslashreplace"))}
        ways = {*(self._ways.get(name, "") for name in names)}
        ways |= {self._by_name(name) for name in names}
        return (_encoded(MASKED), {"": MASK}) if ways - {"", KEEP} else (raw, {})

    def key(self, key: dict[str, Any]) -> dict[str, Any]:
        """Give a key by column; its names always stay."""
        return {
            name: value if value is None or not self._by_column.get(name) else self._shown(name, value)
            for name, value in key.items()
        }

    def problems(self, found: Sequence[Problem], touched: dict[str, str]) -> list[Problem]:
        """Give the problems without values of redacted properties, nor of records that held some."""
        if touched or any(self._ways.values()):
            # An expression may read any property, and its message show it.
            found = [dataclasses.replace(one, value="") if one.reason == MAPPING else one for one in found]
        return [
            dataclasses.replace(one, value=self._problem_value(one))
            if one.value
            and (utf8(one.name) in touched or (not one.name and touched) or self._ways.get(one.name))
            else one
            for one in found
        ]

    def _problem_value(self, problem: Problem) -> str:
        way, at = self._ways.get(problem.name), self._hashed.get(problem.name)
        if at is not None and self._columns[at].type.family == "VARIANT":
            at = None  # the value is shown as its text, not as JSON
        return str(self._value(way or MASK, problem.value, at))

    def _shown(self, column: str, value: Json) -> str:
        way = HASH if self._by_column[column] == HASH else MASK
        return str(self._value(way, value, self._hashed_columns.get(column)))

    def _by_name(self, name: str) -> str:
        """What the rules say of a name that the schema does not have; records repeat their names."""
        found = self._known.get(name)
        if found is None:
            if len(self._known) > _MOST_NAMES:
                self._known.clear()  # another thread may do so too: what was found is kept here
            found = self._known[name] = self._rules.of_name(self._streams, utf8(name))
        return found

    def _way(self, name: str) -> str:
        """A property that the schema does not have is masked: its values have no column to be compared in."""
        if name in self._ways:
            return self._ways[name]
        way = self._by_name(name)
        return MASK if way == HASH else "" if way == KEEP else way

    def _value(self, way: str, value: Json, at: int | None) -> Json:
        """A digest is of the text that the history would keep in the column `at`.

        It is of the value as received where that does not convert.
        """
        if way != HASH:
            return MASKED
        text = None
        if at is not None:
            text = audited_text(self._columns[at].type, self._converters[at], value)
        if text is None:
            text = value if isinstance(value, str) else json_text(value)
        return digest(self.salt, text)

    def _inside(self, value: Json) -> tuple[Json, bool]:
        """Mask members with redacted names at any depth; whether there were any."""
        if isinstance(value, list):
            parts = [self._inside(part) for part in value]
            return [part for part, _ in parts], any(changed for _, changed in parts)
        if not isinstance(value, dict):
            return value, False
        shown, changed = {}, False
        for name, part in value.items():
            way = self._by_name(name) if part is not None else ""
            if way in {"", KEEP}:
                shown[name], inner = self._inside(part)
                changed = changed or inner
            else:
                changed = True
                shown[name] = MASKED
        return shown, changed


def _repeated(raw: bytes) -> set[str]:
    """Names that an object in a text has more than once: the value that nobody reads stands there, too."""
    found: set[str] = set()

    def note(pairs: list[tuple[str, Json]]) -> None:
        counts = Counter(name for name, _ in pairs)
        if len(counts) < len(pairs):
            found.update(name for name, count in counts.items() if count > 1)

    as_text: dict[str, Any] = dict.fromkeys(("parse_int", "parse_float", "parse_constant"), str)
    decoder = json.JSONDecoder(object_pairs_hook=note, strict=False, **as_text)
    decoder.decode(raw.decode("utf-8", "surrogateescape"))
    return found


def _read(name: str) -> str:
    """A name as it is meant, whatever of it is written as an escape."""
    try:
        return str(json.loads(f'"{name}"', strict=False))
    except ValueError:
        return name


def _encoded(value: Json) -> bytes:
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_visible(value))


def _visible(value: Json) -> Json:
    """Write text that is no UTF-8 with its odd characters escaped."""
    if isinstance(value, str):
        return utf8(value)
    if isinstance(value, list):
        return [_visible(part) for part in value]
    if isinstance(value, dict):
        return {utf8(name): _visible(part) for name, part in value.items()}
    return value
