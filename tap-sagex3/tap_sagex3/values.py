"""From wire values to emitted values, one converter a field; pure.

A converter gives the emitted form of one value, or raises `MisfitError` when the value does not fit its
declared type: the caller then sends it unchanged, with a warning, so that the target can keep it as a dead
letter. Nothing is rounded, nothing passes through a float: JSON numbers are decoded as `int` or `Decimal`.

Wire forms (REST and GraphQL differ): menus are numbers or names, booleans are menu 1 (1 no, 2 yes) or
booleans, decimals are JSON numbers or strings, an empty date is a sentinel date, an empty text or null.
"""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from itertools import repeat

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_sagex3.declarations import Field

Value = t.Any
Converter = t.Callable[[t.Any], t.Any]

SENTINEL_DATES = frozenset({"1599-12-31", "1753-01-01"})
"""What X3 stores for an empty date, on Oracle and on SQL Server."""

EXPECTED_TIME = "expected a time such as 2024-01-31T08:15:00Z"
_DATE_LENGTH = 10
_TIME_LENGTH = len("2024-01-31T08:15:00Z")
_CACHE_SIZE = 4_000
_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_DIGITS = Context(prec=1000)
_WHOLE = re.compile(r"-?\d+(?:\.0*)?", re.ASCII)


class MisfitError(ValueError):
    """A value does not fit its declared type; the message says what was expected."""


class _Memo(dict[t.Any, t.Any]):
    """Converted values by wire value: the same dates, codes and numbers come again and again.

    A lookup that succeeds never enters Python code. It forgets everything when it holds too much.
    """

    def __init__(self, convert: Converter) -> None:
        super().__init__()
        self._convert = convert
        self[None] = None

    def __missing__(self, value: Value) -> Value:
        """Convert a value seen for the first time."""
        result = self._convert(value)
        if len(self) > _CACHE_SIZE:
            self.clear()
            self[None] = None
        self[value] = result
        return result


def converter(field: Field, api: str) -> Converter:
    """The converter of a field for an API (`rest` or `graphql`).

    Called with a value that does not fit it raises MisfitError, or TypeError for a list or an object.
    """
    return _MAKERS[field.type](field, api == "graphql")


def _text(field: Field, _graphql: bool) -> Converter:  # noqa: FBT001 - one signature for all makers
    limit = field.length

    def convert(value: Value) -> Value:
        if value is None or (value.__class__ is str and (limit is None or len(value) <= limit)):
            return value
        msg = f"expected text of at most {limit} characters"
        raise MisfitError(msg)

    return convert


def _integer(field: Field, graphql: bool) -> Converter:  # noqa: FBT001 - one signature for all makers
    if graphql and field.graphql_type == "Decimal":
        return _Memo(_whole_number).__getitem__
    return _number_as_integer


def _number_as_integer(value: Value) -> Value:
    if value is None or value.__class__ is int:
        return value
    if value.__class__ is Decimal and value == value.to_integral_value():
        return int(value)
    msg = "expected a whole number"
    raise MisfitError(msg)


def _whole_number(value: Value) -> int:
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        msg = "expected a whole number"
        raise MisfitError(msg)
    return int(value.partition(".")[0])


def _decimal(field: Field, graphql: bool) -> Converter:  # noqa: FBT001 - one signature for all makers
    unit = None if field.scale is None else Decimal(1).scaleb(-field.scale)
    if graphql:
        return _Memo(lambda text: _decimal_of_text(text, unit)).__getitem__

    return _DecimalOfNumber(unit)


class _DecimalOfNumber:
    """Converter of JSON numbers, which are int or Decimal."""

    def __init__(self, unit: Decimal | None) -> None:
        self._unit = unit

    def __call__(self, value: Value) -> Value:
        if value is None or value.__class__ is int:
            return value
        if value.__class__ is Decimal:
            return _within_scale(value, self._unit)
        msg = "expected a number"
        raise MisfitError(msg)

    def column(self, values: Sequence[Value]) -> Sequence[Value]:
        """The same for many values: all Decimals are compared at once."""
        kinds = set(map(type, values))
        if kinds <= {int, type(None)}:
            return values
        if not kinds <= {Decimal, int, type(None)}:
            raise MisfitError
        found = [value for value in values if value.__class__ is Decimal]
        if self._unit is not None and not _are_within_scale(found, self._unit):
            raise MisfitError
        return values


def _decimal_of_text(text: Value, unit: Decimal | None) -> Decimal:
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        msg = "expected a decimal number"
        raise MisfitError(msg)
    return _within_scale(Decimal(text), unit)


def _within_scale(value: Decimal, unit: Decimal | None) -> Decimal:
    """The value, if it is a multiple of the unit (0.01 for two decimals): zeros at its end do not count."""
    if unit is None or _quantized(value, unit) == value:
        return value
    msg = f"expected at most {-int(unit.as_tuple().exponent)} decimals"
    raise MisfitError(msg)


def _are_within_scale(values: Sequence[Decimal], unit: Decimal) -> bool:
    """Whether all of them are multiples of the unit."""
    try:
        return list(map(Decimal.quantize, values, repeat(unit), repeat(None), repeat(_DIGITS))) == values
    except InvalidOperation:
        return False


def _quantized(value: Decimal, unit: Decimal) -> Decimal | None:
    """The value with the decimals of the unit; None when it has more digits than any number of X3."""
    try:
        return value.quantize(unit, None, _DIGITS)
    except InvalidOperation:
        return None


def _boolean(field: Field, graphql: bool) -> Converter:  # noqa: FBT001 - one signature for all makers
    if not graphql:
        return _boolean_of_menu
    if field.graphql_type == "NoYes":
        return _lookup({None: None, "no": False, "yes": True}, "expected no or yes")

    def convert(value: Value) -> Value:
        if value is None or value.__class__ is bool:
            return value
        msg = "expected true or false"
        raise MisfitError(msg)

    return convert


def _boolean_of_menu(value: Value) -> bool | None:
    """Menu 1 of X3: 1 is no, 2 is yes, 0 is not set."""
    if value is None or (value.__class__ is int and 0 <= value <= 2):  # noqa: PLR2004 - the numbers of menu 1
        return (None, False, True)[value or 0]
    msg = "expected 1 (no) or 2 (yes)"
    raise MisfitError(msg)


def _enum(field: Field, graphql: bool) -> Converter:  # noqa: FBT001 - one signature for all makers
    menu = field.menu
    if graphql:
        names: dict[str | None, str | None] = {name: name for name in menu}
        return _lookup({None: None, **names}, f"expected one of {', '.join(menu)}")
    by_number = (None, *menu)

    def convert(value: Value) -> Value:
        if value is None:
            return None
        if value.__class__ is int and 0 <= value < len(by_number):
            return by_number[value]
        msg = f"expected a menu number from 1 to {len(menu)}"
        raise MisfitError(msg)

    return convert


def column_of(convert: Converter, *, integers: bool = False) -> Callable[[Sequence[Value]], Sequence[Value]]:
    """The converter of many values, which raises as soon as one of them does not fit.

    `integers` says that they are known to be whole numbers, or null.
    """
    column = getattr(convert, "column", None)
    if column is not None:
        return t.cast("Callable[[Sequence[Value]], Sequence[Value]]", column)
    if isinstance(getattr(convert, "__self__", None), _Memo):
        return lambda values: list(map(convert, values))
    known = _Memo(convert).__getitem__
    if integers:
        return lambda values: list(map(known, values))

    def memoized(values: Sequence[Value]) -> Sequence[Value]:
        # True, 1 and 1.0 are one key, though not one value.
        alike = set(map(type, values)) <= {int, type(None)}
        return list(map(known if alike else convert, values))

    return memoized


def _lookup(table: Mapping[t.Any, t.Any], expected: str) -> Converter:
    def convert(value: Value) -> Value:
        try:
            return table[value]
        except KeyError:
            raise MisfitError(expected) from None

    return convert


def _date(_field: Field, _graphql: bool) -> Converter:  # noqa: FBT001 - one signature for all makers
    return _DATES.__getitem__


def _date_of_text(text: Value) -> str | None:
    if text == "" or text in SENTINEL_DATES:
        return None
    try:
        if isinstance(text, str) and len(text) == _DATE_LENGTH:
            date.fromisoformat(text)
            return text
    except ValueError:
        pass
    msg = "expected a date such as 2024-01-31"
    raise MisfitError(msg)


def _datetime(_field: Field, _graphql: bool) -> Converter:  # noqa: FBT001 - one signature for all makers
    return _TIMES.__getitem__


def time_of_text(text: Value) -> str | None:
    """A time in canonical form: UTC, `YYYY-MM-DDThh:mm:ssZ`, with a fraction only when there is one.

    A time without offset is UTC, as X3 keeps its timestamps.

    Raises:
        MisfitError: not a time.
    """
    if text == "" or (isinstance(text, str) and text[:_DATE_LENGTH] in SENTINEL_DATES):
        return None
    try:
        moment = datetime.fromisoformat(text) if len(text) > _DATE_LENGTH else None
    except (ValueError, TypeError):
        moment = None
    try:
        if moment is not None:
            if _is_canonical(text):  # as nearly all are
                return str(text)
            return format_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError:  # in UTC it would lie before year 1 or after year 9999
        pass
    raise MisfitError(EXPECTED_TIME)


def _is_canonical(text: str) -> bool:
    """Whether a text that is a time is in canonical form, without a fraction: of all forms of this length."""
    return (
        len(text) == _TIME_LENGTH
        and text[7] == "-"
        and text[10] == "T"
        and text[13] == ":"
        and text[19] == "Z"
    )


def format_time(moment: datetime) -> str:
    """An aware time in canonical form."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def stamp_converter() -> Converter:
    """Converter of change stamps: a time stays a time, a date becomes its midnight, empty becomes null."""
    return _STAMPS.__getitem__


def _stamp_of_text(text: Value) -> str | None:
    if isinstance(text, str) and len(text) == _DATE_LENGTH:
        day = _date_of_text(text)
        return None if day is None else f"{day}T00:00:00Z"
    return time_of_text(text)


_DATES = _Memo(_date_of_text)
_TIMES = _Memo(time_of_text)
_STAMPS = _Memo(_stamp_of_text)
"""Shared by all fields: a document, its lines and its columns have mostly the same dates and times."""


def later(first: str | None, second: str | None) -> str | None:
    """The later of two canonical times; a missing one is never the later."""
    if first is None or second is None:
        return first or second
    # Without the Z a time with a fraction sorts after the same time without one.
    return first if first[:-1] >= second[:-1] else second


def latest_of(times: Iterable[str | None]) -> str | None:
    """The latest of some canonical times; None when there is none."""
    return max((time for time in set(times) if time is not None), key=lambda time: time[:-1], default=None)


_MAKERS: dict[str, Callable[[Field, bool], Converter]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "enum": _enum,
}
