"""Converters: a column of JSON values becomes CSV fields with canonical text, or `Bad` where one does not.

Each works on a whole column of a chunk, since that is several times faster in Python than value by value.
The canonical text of a value does not depend on the other values of the chunk.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from target_snowflake_audit.checking import numbers, problems
from target_snowflake_audit.checking.problems import Bad, shown
from target_snowflake_audit.checking.times import DateCache, TimeCache, TimestampCache
from target_snowflake_audit.columntypes import MAX_TEXT, PRECISION, TIMESTAMPS
from target_snowflake_audit.staging.fields import EMPTY_FIELDS, NULL, field, fields, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_snowflake_audit.columntypes import ColumnType
    from target_snowflake_audit.values import Json

    Converter = Callable[[Sequence[Any]], list[str | Bad]]


class NumberConverter(Protocol):
    """A converter that also takes JSON numbers as their texts."""

    def texts(self, texts: list[str]) -> list[str | Bad]:
        """Convert a column of texts; '' stands for null."""


_NONE = type(None)
_ZEROS = "0" * 38
_NULLS: dict[str, str | Bad] = {"None": NULL, "": NULL}
"""How null is written in a column of numbers as texts."""
_CACHE_LIMIT = 50_000
_REPEATED = 1.5
"""From so many times a value on, each distinct one is converted once."""
_MOST_BYTES = 4
"""Of one character in UTF-8."""

encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")
"""Encodes VARIANT values and shows bad ones; names sorted, numbers exact."""


def converter(kind: ColumnType) -> Converter:
    """Give the converter for a column's type.

    BINARY needs more than its type: see `special`. Types that this target does not load get their text as it
    is; no column of theirs is ever filled.
    """
    if kind.family == "VARCHAR":
        return TextConverter(kind.length)
    if kind.family == "NUMBER":
        return (
            WholeConverter(kind.precision)
            if kind.scale == 0
            else DecimalConverter(kind.precision, kind.scale)
        )
    if kind.family == "TIME":
        return TimeCache(kind.digits)
    if kind.family in TIMESTAMPS:
        return TimestampCache(kind.digits)
    made = _CONVERTERS.get(kind.family)
    return made() if made else plain


def json_text(value: Json) -> str:
    """Give a value as JSON text; text that is no UTF-8 shows its odd characters escaped.

    Raises:
        RecursionError: it nests too deeply.
    """
    try:
        return encoder.encode(value).decode()
    except UnicodeEncodeError:
        return repr(value)


def told(value: Json) -> str:
    """Give a bad value as it is shown to people: text as it is, anything else as JSON, cut."""
    try:
        return shown(value if isinstance(value, str) else json_text(value))
    except RecursionError:
        return "(nests too deeply to be shown)"


def one_by_one(convert: Converter, values: Sequence[Any]) -> list[str | Bad]:
    """Convert a column of which some value nests too deeply."""

    def one(value: Json) -> str | Bad:
        try:
            return convert([value])[0]
        except RecursionError:
            return Bad(problems.NOT_IN_SCHEMA, "a value that nests less deeply")

    return [one(value) for value in values]


def _in_text(value: Json) -> str:
    """A value that is no text in a column of text."""
    try:
        return json_text(numbers.exact(value))
    except ValueError:
        return json_text(value)


class TextConverter:
    """VARCHAR(n): text as it is; other JSON values as their JSON text."""

    def __init__(self, length: int) -> None:
        """`length` in characters."""
        self.length = length
        self._surely_short = min(length * _MOST_BYTES, MAX_TEXT)

    def __call__(self, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column."""
        try:
            return self._texts(values)
        except (TypeError, KeyError):  # a value that is neither text nor null
            return self._texts([v if v is None or isinstance(v, str) else _in_text(v) for v in values])

    def _texts(self, texts: Sequence[str | None]) -> list[str | Bad]:
        joined = "".join(filter(None, texts))
        if len(joined) * _MOST_BYTES <= self._surely_short:
            return list(fields(texts, joined))
        if self.length * _MOST_BYTES > MAX_TEXT:
            return [self._long(text) if text else EMPTY_FIELDS[text] for text in texts]
        if max(map(len, filter(None, texts)), default=0) <= self.length:
            return list(fields(texts, joined))
        return [
            Bad(problems.TOO_LONG, f"at most {self.length} characters")
            if text and len(text) > self.length
            else field(text)
            if text
            else EMPTY_FIELDS[text]
            for text in texts
        ]

    def _long(self, text: str) -> str | Bad:
        """Check a text of a column so wide that Snowflake's limit in bytes can come first."""
        if len(text) > self.length:
            return Bad(problems.TOO_LONG, f"at most {self.length} characters")
        if len(text) * _MOST_BYTES > MAX_TEXT and len(text.encode()) > MAX_TEXT:
            return Bad(problems.TOO_LONG, f"at most {MAX_TEXT} bytes of UTF-8")
        return field(text)


class WholeConverter:
    """NUMBER(p,0): whole numbers, also written as 5.0."""

    def __init__(self, precision: int) -> None:
        """`precision` is the most digits."""
        self.limit = 10**precision
        self.precision = precision

    def __call__(self, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column."""
        if set(map(type, values)) == {int} and max(values) < self.limit and min(values) > -self.limit:
            return list(map(str, values))
        return [NULL if value is None else self._one(value) for value in values]

    def _one(self, value: Json) -> str | Bad:
        number = _number(value)
        if isinstance(number, Bad):
            return number
        # Not abs(): it would round to the digits of Python's own context.
        if number.copy_abs() >= self.limit:
            return Bad(problems.OUT_OF_RANGE, f"a whole number of at most {self.precision} digits")
        if number != number.to_integral_value():
            return Bad(problems.TOO_MANY_DECIMALS, "a whole number")
        return str(int(number))


class DecimalConverter:
    """NUMBER(p,s): exact; a number with more decimals than the scale is bad, never rounded."""

    def __init__(self, precision: int, scale: int) -> None:
        """Digits in all, and digits after the point."""
        self.scale = scale
        self.whole = precision - scale
        self._unit = Decimal(1).scaleb(-scale)
        self._context = Context(prec=precision, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation])
        self._seen: dict[str, str | Bad] = dict(_NULLS)

    def __call__(self, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column."""
        if not set(map(type, values)) <= {Decimal, int, _NONE}:
            return [NULL if value is None else self._one(value) for value in values]
        return self.texts(list(map(str, values)))

    def texts(self, texts: list[str]) -> list[str | Bad]:
        """Convert a column of JSON numbers given as their texts; '' stands for null."""
        # `1.23E-7` too has a point where a scale of 5 puts it.
        if max(map(len, texts)) > self.whole or "E" in "".join(texts):
            return [self._text(text) for text in texts]
        short = self._short
        distinct = set(texts)
        if len(distinct) * _REPEATED < len(texts):  # rates, quantities, and the empty side of an entry
            known = {text: short(text) for text in distinct}
            return [known[text] for text in texts]
        point, after = -self.scale - 1, -self.scale
        return [text if text[point:after] == "." and text[0] not in "-0" else short(text) for text in texts]

    def _short(self, text: str) -> str | Bad:
        """Convert a text of few digits, without an exponent: most only need more decimals."""
        whole, _, decimals = text.partition(".")
        missing = self.scale - len(decimals)
        if missing >= 0 and "0" <= whole < ":":  # neither null nor negative
            return f"{whole}.{decimals}{_ZEROS[:missing]}" if missing else text
        return self._text(text)

    def _text(self, text: str) -> str | Bad:
        found = self._seen.get(text)
        if found is None:
            if len(self._seen) > _CACHE_LIMIT:
                self._seen = dict(_NULLS)
            found = self._seen[text] = self._one(Decimal(text))
        return found

    def _one(self, value: Json) -> str | Bad:
        number = _number(value)
        if isinstance(number, Bad):
            return number
        if number.adjusted() >= self.whole and number != 0:
            return Bad(problems.OUT_OF_RANGE, f"a number with at most {self.whole} digits before the point")
        try:
            cast = number.quantize(self._unit, context=self._context)
        except DecimalException:
            return Bad(problems.TOO_MANY_DECIMALS, f"a number with at most {self.scale} decimals")
        return f"{abs(cast) if cast == 0 else cast:f}"


class FloatConverter:
    """FLOAT: the shortest text that stands for the binary number which Snowflake will store."""

    def __call__(self, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column."""
        return floats(values)

    @staticmethod
    def texts(texts: list[str]) -> list[str | Bad]:
        """Convert a column of JSON numbers given as their texts; '' stands for null."""
        made = [repr(float(text) + 0.0) if text else NULL for text in texts]
        vanished = "0.0" in made and any(
            one == "0.0" and text.strip("-0.") for one, text in zip(made, texts, strict=True)
        )
        if _NOT_FINITE.isdisjoint(made) and not vanished:
            return list(made)
        return floats([Decimal(text) if text else None for text in texts])


def floats(values: Sequence[Any]) -> list[str | Bad]:
    """Convert a column to FLOAT."""
    if set(map(type, values)) <= {Decimal, int, _NONE}:
        try:
            made = [NULL if value is None else repr(float(value) + 0.0) for value in values]
        except OverflowError:
            made = ["inf"]
        if _NOT_FINITE.isdisjoint(made) and not _vanished(values, made):
            return list(made)
    return [NULL if value is None else _float(value) for value in values]


_NOT_FINITE = frozenset({"inf", "-inf", "nan"})


def _vanished(values: Sequence[Any], made: Sequence[str]) -> bool:
    """Whether a number other than 0 is so small that it became 0."""
    return "0.0" in made and any(text == "0.0" and value for value, text in zip(values, made, strict=True))


def _float(value: Json) -> str | Bad:
    number = _number(value)
    if isinstance(number, Bad):
        return number
    try:
        binary = float(number)
    except OverflowError:
        binary = float("inf")
    if binary in (float("inf"), float("-inf")) or (number and not binary):
        return Bad(problems.OUT_OF_RANGE, "a number within the range of FLOAT")
    return repr(binary + 0.0)


def _number(value: Json) -> Decimal | Bad:
    """Give a JSON number, or a text that holds one, as Decimal."""
    if isinstance(value, float):
        # Only an expression of `stream_maps` gives one; its shortest text is the number that it stands for.
        value = repr(value)
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        return Bad(problems.NOT_A_NUMBER, "a number")
    if isinstance(value, str) and not _NUMERIC.fullmatch(value):
        return Bad(problems.NOT_A_NUMBER, "a number")
    number = Decimal(value)
    return number if number.is_finite() else Bad(problems.NOT_A_NUMBER, "a finite number")


_NUMERIC = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def booleans(values: Sequence[Any]) -> list[str | Bad]:
    """BOOLEAN: true and false only."""
    return [_boolean(value) for value in values]


def _boolean(value: Json) -> str | Bad:
    if value is True:
        return "true"
    if value is False:
        return "false"
    return NULL if value is None else Bad(problems.NOT_A_BOOLEAN, "true or false")


def variants(values: Sequence[Any]) -> list[str | Bad]:
    """VARIANT: any JSON value as JSON text with sorted names."""
    return [NULL if value is None else _variant(value) for value in values]


def _variant(value: Json) -> str | Bad:
    text = encoder.encode(value)
    if len(text) > MAX_TEXT:
        return Bad(problems.TOO_LONG, f"at most {MAX_TEXT} bytes of JSON")
    if not _ODD_NUMBER.search(text):
        return quoted(text.decode())
    try:
        return quoted(encoder.encode(numbers.exact(value)).decode())
    except ValueError:
        return Bad(problems.OUT_OF_RANGE, f"finite numbers of at most {PRECISION} digits, also inside")


_ODD_NUMBER = re.compile(rb"\d[\d.]{%d}|\d[eE]|\.\d*0(?!\d)|-0(?![\d.]*[1-9])|NaN|Infinity" % PRECISION)
"""What may be a number that is not written as `numbers.exact` writes it."""


def plain(values: Sequence[Any]) -> list[str | Bad]:
    """Any other type: the text goes to Snowflake as it is."""
    return [field(value if value is None or isinstance(value, str) else json_text(value)) for value in values]


_CONVERTERS: dict[str, Callable[[], Converter]] = {
    "FLOAT": FloatConverter,
    "BOOLEAN": lambda: booleans,
    "DATE": DateCache,
    "VARIANT": lambda: variants,
}
