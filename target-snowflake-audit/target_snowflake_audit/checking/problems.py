"""What is wrong with a value, in codes that people filter by and words that they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_snowflake_audit.values import Json

NOT_OF_TYPE = "wrong_type"
MISSING = "missing"
NULL_KEY = "key_is_null"
NOT_A_NUMBER = "not_a_number"
TOO_MANY_DECIMALS = "too_many_decimals"
OUT_OF_RANGE = "out_of_range"
NOT_A_DATE = "not_a_date"
NOT_A_TIME = "not_a_time"
NOT_A_BOOLEAN = "not_a_boolean"
TOO_LONG = "too_long"
NOT_UTF8 = "not_utf8"
NOT_BINARY = "not_binary"
TYPE_CONFLICT = "type_conflict"
NOT_IN_SCHEMA = "schema"
CONVERSION = "conversion"
STALE = "stale"
MAPPING = "stream_map"
REFUSED = "refused_by_snowflake"
REDACTED = "redacted"

MAX_SHOWN = 2000
"""Characters of a bad value kept in ERRORS; the record itself keeps all of it."""


@dataclass(frozen=True)
class Bad:
    """A value that does not fit its column: the reason's code and what was expected."""

    reason: str
    expected: str


@dataclass(frozen=True)
class Problem:
    """One bad column of a record; `name` is the property, empty when the record as a whole is bad.

    Of a failed map, `value` is the evaluator's message, which may repeat any value of the record.
    """

    name: str
    column: str
    value: str
    reason: str
    expected: str

    def as_json(self) -> dict[str, Any]:
        """The form kept in DEAD_LETTERS.ERRORS."""
        return {
            "column": self.column,
            "property": self.name,
            "value": utf8(self.value),
            "reason": self.reason,
            "expected": self.expected,
        }


def shown(text: str) -> str:
    """Cut a value to what is kept beside its reason."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text)} characters)"


def utf8(text: str) -> str:
    """Give a text with lone surrogates written as escapes, which UTF-8 can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def no_object(record: Json) -> Problem:
    """What is wrong with a record that is no object, or nests too deeply to be read as one."""
    expected = getattr(record, "expected", "a JSON object")
    return Problem("", "", shown(str(record)), NOT_IN_SCHEMA, expected)
