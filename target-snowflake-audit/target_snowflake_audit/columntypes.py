"""Snowflake types of properties: from the JSON schema, the settings, and what a table already has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

PRECISION = 38
MAX_TEXT = 134_217_728
"""Most characters of a VARCHAR, and most bytes of any text or JSON value
(docs.snowflake.com/en/sql-reference/data-types-text, .../data-types-semistructured)."""
DEFAULT_TEXT = 16_777_216
"""Length of a VARCHAR without a length (docs.snowflake.com/en/sql-reference/data-types-text)."""

DEFAULT_BINARY = 8_388_608
"""Bytes of a BINARY without a length (docs.snowflake.com/en/sql-reference/data-types-text)."""
MOST_DIGITS = 9
"""Fractional digits of a second that a time has without a number
(docs.snowflake.com/en/sql-reference/data-types-datetime)."""
TIMESTAMPS = frozenset({"TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"})
"""All are loaded in UTC: a column with a zone holds the instant, never another offset."""

_NUMBER = re.compile(r"(?:NUMBER|DECIMAL|NUMERIC)\((\d+)(?:, ?(\d+))?\)\Z")
_TEXT = re.compile(r"(?:VARCHAR|TEXT|STRING|CHAR|CHARACTER)(?:\((\d+)\))?\Z")
_TIME = re.compile(r"(TIME|TIMESTAMP_NTZ|TIMESTAMP_TZ|TIMESTAMP_LTZ)(?:\((\d)\))?\Z")
_BINARY = re.compile(r"(?:BINARY|VARBINARY)(?:\((\d+)\))?\Z")
_SAME = {
    "DATETIME": "TIMESTAMP_NTZ",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    **{name.replace("_", ""): name for name in TIMESTAMPS},
    **dict.fromkeys(("DOUBLE", "DOUBLE PRECISION", "REAL", "FLOAT4", "FLOAT8"), "FLOAT"),
    **dict.fromkeys(
        ("INTEGER", "INT", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT", "NUMBER", "DECIMAL", "NUMERIC"),
        "NUMBER(38,0)",
    ),
    **dict.fromkeys(("CHAR", "CHARACTER"), "VARCHAR(1)"),
}
_FORMATS = {"date": "DATE", "time": "TIME"}
_SIMPLE = {"boolean": "BOOLEAN", "object": "VARIANT", "array": "VARIANT"}
_SETTING = "column_types"
_PLAIN = frozenset({"FLOAT", "BOOLEAN", "DATE", "TIME", "VARIANT", "BINARY"}) | TIMESTAMPS
LOADED = _PLAIN | {"NUMBER", "VARCHAR"}
"""Families that this target converts to, and so loads."""


@dataclass(frozen=True)
class ColumnType:
    """A Snowflake type: family, for VARCHAR and BINARY the length, for NUMBER precision and scale.

    `digits` are those of a fraction of a second, for TIME and TIMESTAMPs. Snowflake cannot raise them.
    """

    family: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = MOST_DIGITS

    @property
    def sql(self) -> str:
        """The type as written in DDL."""
        if self.family == "NUMBER":
            return f"NUMBER({self.precision},{self.scale})"
        if self.family == "VARCHAR" and self.length != DEFAULT_TEXT:
            return f"VARCHAR({self.length})"
        if self.family == "BINARY" and self.length != DEFAULT_BINARY:
            return f"BINARY({self.length})"
        return self.family if self.digits == MOST_DIGITS else f"{self.family}({self.digits})"


def text(length: int = DEFAULT_TEXT) -> ColumnType:
    """VARCHAR of a length in characters."""
    return ColumnType("VARCHAR", length=length)


def exact(scale: int, precision: int = PRECISION) -> ColumnType:
    """NUMBER with a scale."""
    return ColumnType("NUMBER", precision=precision, scale=scale)


def parse(written: str) -> ColumnType:
    """Read a type as Snowflake or a person writes it.

    Other families (GEOGRAPHY, ARRAY ...) are kept by name; none of them is in `LOADED`.
    """
    name = _SAME.get(written.strip().upper(), written.strip().upper())
    if found := _NUMBER.match(name):
        return exact(int(found[2] or 0), int(found[1]))
    if found := _TEXT.match(name):
        return text(int(found[1] or DEFAULT_TEXT))
    if found := _TIME.match(name):
        return ColumnType(found[1], digits=MOST_DIGITS if found[2] is None else int(found[2]))
    if found := _BINARY.match(name):
        return ColumnType("BINARY", length=int(found[1] or DEFAULT_BINARY))
    return ColumnType(name)


def wanted(written: str) -> ColumnType:
    """Read a type that a person or a tap asks for.

    Raises:
        ValueError: it is not one that this target loads, with sizes that Snowflake has.
    """
    found = parse(written)
    digits = found.scale <= min(found.precision, PRECISION - 1) and found.precision <= PRECISION
    if found.family in LOADED and digits and found.length <= MAX_TEXT:
        return found
    message = f"{written!r} is not one of NUMBER(p,s), VARCHAR(n), {', '.join(sorted(_PLAIN))}"
    raise ValueError(message)


def configured(settings: Mapping[str, Any], stream: str, name: str) -> ColumnType | None:
    """Give the type that `column_types` sets for a property; None when it says nothing.

    Raises:
        SettingError: it is not a type that this target loads.
    """
    for pattern, types in (settings.get("column_types") or {}).items():
        if fnmatchcase(stream, pattern) and name in types:
            try:
                return wanted(str(types[name]))
            except ValueError as error:
                problem = f"{stream}.{name}: {error}"
                raise SettingError(_SETTING, problem) from None
    return None


@dataclass(frozen=True)
class Defaults:
    """`number_type` and `timestamp_type`: what a JSON schema does not say."""

    number: str = "FLOAT"
    timestamp: str = "TIMESTAMP_NTZ"


def from_schema(schema: Mapping[str, Any], defaults: Defaults = Defaults()) -> ColumnType:
    """Give the type for a property's JSON schema.

    `multipleOf` makes a number exact with its scale; a plain number gets `number_type`; text gets its
    `maxLength`; objects, arrays and values without a type are VARIANT; `x-sql-datatype` wins over all.

    Raises:
        ValueError: `x-sql-datatype` or the scale of a decimal is nothing that can be loaded.
    """
    if written := schema.get("x-sql-datatype"):
        return wanted(str(written))
    branches = [*(schema.get("anyOf") or []), *(schema.get("oneOf") or [])]
    if "type" not in schema and branches:
        return _union([from_schema(branch, defaults) for branch in branches if _kinds(branch) != set()])
    kinds = _kinds(schema)
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    if len(kinds) != 1:
        return _union([from_schema({**schema, "type": kind}, defaults) for kind in sorted(kinds)])
    return _single(kinds.pop(), schema, defaults)


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    """JSON types without null; a schema without a type has one that fits everything."""
    kinds = schema.get("type", "any")
    return {kinds} - {"null"} if isinstance(kinds, str) else {str(kind) for kind in kinds} - {"null"}


def may_be_null(schema: Mapping[str, Any]) -> bool:
    """Whether a property's JSON schema lets null pass, as far as its types say."""
    branches = [*(schema.get("anyOf") or []), *(schema.get("oneOf") or [])]
    if "type" not in schema:
        return any(may_be_null(branch) for branch in branches) if branches else True
    kinds = schema["type"]
    return kinds == "null" or (not isinstance(kinds, str) and "null" in kinds)


def _single(kind: str, schema: Mapping[str, Any], defaults: Defaults) -> ColumnType:
    if kind == "string":
        return _string(schema, defaults)
    if kind == "integer":
        return exact(0)
    if kind == "number":
        scale = scale_of(schema.get("multipleOf"))
        return parse(defaults.number) if scale is None else exact(scale)
    return ColumnType(_SIMPLE.get(kind, "VARIANT"))


def _string(schema: Mapping[str, Any], defaults: Defaults) -> ColumnType:
    form = schema.get("format")
    if form == "date-time":
        return ColumnType(defaults.timestamp)
    if form in _FORMATS:
        return ColumnType(_FORMATS[str(form)])
    if form in {"x-singer.decimal", "singer.decimal"} or "x-singer.decimal" in schema:
        return exact(_decimal_scale(schema))
    if schema.get("contentEncoding") in ENCODINGS:
        return ColumnType("BINARY", length=DEFAULT_BINARY)
    length = schema.get("maxLength")
    return text(min(int(length), MAX_TEXT)) if length else text()


ENCODINGS = frozenset({"base64", "base16"})
"""`contentEncoding` of JSON schema that makes a text BINARY."""


def _decimal_scale(schema: Mapping[str, Any]) -> int:
    """Scale of a decimal text: `scale`, also inside `x-singer.decimal`; 18 where it is not said.

    Whatever the precision, the column has 38 digits: what needs more becomes a dead letter.
    """
    options = schema.get("x-singer.decimal")
    given = options if isinstance(options, dict) else schema
    scale = given.get("scale", _DECIMAL_SCALE)
    if isinstance(scale, bool) or not isinstance(scale, int) or not 0 <= scale < PRECISION:
        message = f"a decimal with scale {scale!r}, expected 0 to {PRECISION - 1}"
        raise ValueError(message)
    return scale


_DECIMAL_SCALE = 18


def scale_of(multiple: object) -> int | None:
    """Give the number of decimals that `multipleOf` stands for: 0.01 -> 2; None without one.

    The value may come as float text such as 1e-05 or as Decimal.
    """
    if multiple is None or isinstance(multiple, bool):
        return None
    try:
        exponent = Decimal(str(multiple)).normalize().as_tuple().exponent
    except InvalidOperation:
        return None
    return max(0, -exponent) if isinstance(exponent, int) and -exponent < PRECISION else None


def _union(types: list[ColumnType]) -> ColumnType:
    """One type for several: the same stays, scalars become text, anything with VARIANT is VARIANT."""
    distinct = set(types)
    if len(distinct) == 1:
        return types[0]
    if not distinct or any(one.family == "VARIANT" for one in distinct):
        return ColumnType("VARIANT")
    if all(one.family == "NUMBER" for one in distinct):
        return exact(max(one.scale for one in distinct))
    return text(max((one.length for one in distinct if one.family == "VARCHAR"), default=DEFAULT_TEXT))


def reconcile(wanted: ColumnType, existing: ColumnType) -> tuple[ColumnType, bool] | None:
    """Give the type to load into for a column that exists, and whether it must be widened to it first.

    None: Snowflake cannot change the column so that the values fit.
    """
    if wanted.family == existing.family and existing.family in {"VARCHAR", "BINARY"}:
        return (wanted, True) if wanted.length > existing.length else (existing, False)
    if wanted.family == existing.family == "NUMBER":
        if wanted.scale > existing.scale:
            return None
        if wanted.precision - wanted.scale <= PRECISION - existing.scale:
            widened = exact(existing.scale)
            whole = wanted.precision - wanted.scale > existing.precision - existing.scale
            return (widened, True) if whole else (existing, False)
        return existing, False
    return (existing, False) if _takes(existing, wanted) else None


def _takes(existing: ColumnType, wanted: ColumnType) -> bool:
    """Whether values made for one family load into a column of another without loss."""
    if existing.family not in LOADED:
        return False
    if wanted.family == existing.family or existing.family in {"VARCHAR", "VARIANT"}:
        return True
    if wanted.family == "FLOAT":
        return existing.family == "NUMBER"
    return {wanted.family, existing.family} <= TIMESTAMPS
