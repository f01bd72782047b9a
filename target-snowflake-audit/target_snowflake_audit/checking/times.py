"""Converters of dates, times of day and stamps: text of one form in, one canonical text out."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.columntypes import MOST_DIGITS
from target_snowflake_audit.staging.fields import NULL, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.values import Json

_CACHE_LIMIT = 50_000


class _Cache(dict[Any, "str | Bad"]):
    """Converts each distinct value once: dates repeat a lot."""

    def __call__(self, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column."""
        if len(self) > _CACHE_LIMIT:
            self.clear()
        try:
            return list(map(self.__getitem__, values))
        except TypeError:
            # A list or an object cannot be looked up, nor be a date.
            return [
                self[value] if isinstance(value, str) or value is None else self.convert(value)
                for value in values
            ]

    def __missing__(self, value: Json) -> str | Bad:
        found = self[value] = NULL if value is None else self.convert(value)
        return found

    def convert(self, value: Json) -> str | Bad:
        """Convert one value that is not null."""
        raise NotImplementedError


class DateCache(_Cache):
    """DATE: `YYYY-MM-DD` of a day that exists, from year 1 to 9999; midnight UTC of a day is that day.

    Snowflake recommends years from 1582 on, and takes earlier ones
    (docs.snowflake.com/en/sql-reference/data-types-datetime).
    """

    def convert(self, value: Json) -> str | Bad:
        """Convert one value."""
        found = _DATE.fullmatch(value) if isinstance(value, str) else None
        if not found:
            return Bad(problems.NOT_A_DATE, "a date YYYY-MM-DD")
        try:
            dt.date.fromisoformat(found["day"])
        except ValueError:
            return Bad(problems.NOT_A_DATE, "a date that exists, of the years 1 to 9999")
        return found["day"]


class _FractionCache(_Cache):
    """Times with a fraction of a second: what the column would cut off is bad."""

    def __init__(self, digits: int = MOST_DIGITS) -> None:
        """`digits` are those that the column keeps."""
        super().__init__()
        self.digits = digits

    def with_fraction(self, text: str, found: str | None) -> str | Bad:
        """A time with its fraction, if it has one; zeros at the end are none."""
        fraction = (found or "").rstrip("0")
        if len(fraction) > self.digits:
            return Bad(problems.TOO_MANY_DECIMALS, f"seconds with at most {self.digits} decimals")
        return f"{text}.{fraction}" if fraction else text


class TimeCache(_FractionCache):
    """TIME: `hh:mm` or `hh:mm:ss` with up to 9 decimals; Snowflake judges texts of other forms.

    A zone other than UTC would be lost, and a number would be read as seconds, so both are bad.
    """

    def convert(self, value: Json) -> str | Bad:
        """Convert one value."""
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if not isinstance(value, str) or (not found and _NO_TIME.fullmatch(value)):
            return Bad(problems.NOT_A_TIME, "a time of day hh:mm:ss without a zone or in UTC")
        if not found:
            other = _FRACTION.search(value)
            judged = self.with_fraction("", other["fraction"] if other else None)
            return judged if isinstance(judged, Bad) else field(value)
        return self.with_fraction(f"{found['time']}:{found['seconds'] or '00'}", found["fraction"])


class TimestampCache(_FractionCache):
    """Timestamps: RFC 3339, stored as UTC; without an offset it is taken as UTC; up to 9 decimals."""

    def __call__(self, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column; stamps of the most common form are looked at together, since few repeat."""
        try:
            joined = ",".join(values)
        except TypeError:  # some are null
            return super().__call__(values)
        if not _PLAIN_STAMPS.fullmatch(joined):
            return super().__call__(values)
        found = joined.replace("T", " ").replace("Z", "").split(",")
        # One text may hold two stamps and a comma, and would move all after it to other rows.
        return list(found) if len(found) == len(values) else super().__call__(values)

    def convert(self, value: Json) -> str | Bad:
        """Convert one value."""
        if isinstance(value, str) and _is_plain(value):
            return f"{value[:10]} {value[11:19]}"
        if isinstance(value, str) and _DAY.fullmatch(value):
            value += "T00:00:00Z"  # some taps call a day a date-time
        found = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
        if not found:
            return Bad(problems.NOT_A_TIME, "a date-time such as 2026-01-31T08:00:00Z")
        try:
            moment = dt.datetime.fromisoformat(f"{found['day']}T{found['time']}{_offset(found['zone'])}")
            utc = moment.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            return Bad(problems.NOT_A_TIME, "a date-time that exists, of the years 1 to 9999")
        return self.with_fraction(f"{utc.year:04d}-{utc:%m-%d %H:%M:%S}", found["fraction"])


def _is_plain(value: str) -> bool:
    """Whether a text is `YYYY-MM-DDThh:mm:ssZ` of a moment that exists: by far the most common form."""
    if len(value) != len("YYYY-MM-DDThh:mm:ssZ") or value[4::3] != "--T::Z":
        return False
    if value[11:13] > "23" or not value.isascii():
        return False
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _offset(zone: str | None) -> str:
    return "+00:00" if zone in {None, "", "Z", "z"} else str(zone)


_PLAIN_STAMP = (
    r"(?!0000)\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ"
)
"""`YYYY-MM-DDThh:mm:ssZ` of a moment that surely exists: 29 February is looked at by itself."""
_PLAIN_STAMPS = re.compile(rf"{_PLAIN_STAMP}(?:,{_PLAIN_STAMP})*", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})([Tt ]00:00(:00(\.0{1,9})?)?([Zz]|[+-]00:?00)?)?", re.ASCII)
_TIME = re.compile(
    r"(?P<time>(?:[01]\d|2[0-3]):[0-5]\d)(?::(?P<seconds>[0-5]\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?:[Zz]|[+-]00:?00)?",
    re.ASCII,
)
_FRACTION = re.compile(r"\.(?P<fraction>\d+)", re.ASCII)
_NO_TIME = re.compile(r"\s*[+-]?\d*\s*|.*\d\s*[+-]\s*(?!00:?00)\d\d(:?\d\d){0,2}\s*", re.ASCII)
_TIMESTAMP = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[Tt ](?P<time>(?:[01]\d|2[0-3]):\d{2}:\d{2})(?:\.(?P<fraction>\d{1,9}))?"
    r"(?P<zone>[Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?",
    re.ASCII,
)
