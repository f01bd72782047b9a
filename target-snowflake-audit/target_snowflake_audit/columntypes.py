"""Snowflake types of properties: from the JSON schema, the settings, and what a table already has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import SchemaError, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

PRECISION = 38
MAX_TEXT = 134_217_728
"""Most characters of a VARCHAR, and most bytes of any text or JSON value
(docs.snowflake.com/en/sql-reference/data-types-text, .../data-types-semistructured)."""
DEFAULT_TEXT = 16_777_216
"""Length of a VARCHAR without a length (docs.snowflake.com/en/sql-reference/data-types-text)."""

_NUMBER = re.compile(r"(?:NUMBER|DECIMAL|NUMERIC)\((\d+), ?(\d+)\)\Z")
_TEXT = re.compile(r"(?:VARCHAR|TEXT|STRING)(?:\((\d+)\))?\Z")
_TIME = re.compile(r"(TIME|TIMESTAMP_NTZ|TIMESTAMP_TZ|TIMESTAMP_LTZ)(?:\(\d\))?\Z")
_SAME = {
    "DATETIME": "TIMESTAMP_NTZ",
    "DOUBLE": "FLOAT",
    "DOUBLE PRECISION": "FLOAT",
    "REAL": "FLOAT",
    "FLOAT4": "FLOAT",
    "FLOAT8": "FLOAT",
    "INTEGER": "NUMBER(38,0)",
    "INT": "NUMBER(38,0)",
    "BIGINT": "NUMBER(38,0)",
    "NUMBER": "NUMBER(38,0)",
    "DECIMAL": "NUMBER(38,0)",
}
_FORMATS = {"date": "DATE", "date-time": "TIMESTAMP_NTZ", "time": "TIME"}
_SIMPLE = {"boolean": "BOOLEAN", "object": "VARIANT", "array": "VARIANT"}
_SETTING = "column_types"
_KNOWN = frozenset({"FLOAT", "BOOLEAN", "DATE", "TIME", "TIMESTAMP_NTZ", "VARIANT"})
_ZONED = frozenset({"TIMESTAMP_TZ", "TIMESTAMP_LTZ"})


@dataclass(frozen=True)
class ColumnType:
    """A Snowflake type: family, and for VARCHAR the length, for NUMBER precision and scale."""

    family: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    @property
    def sql(self) -> str:
        """The type as written in DDL."""
        if self.family == "NUMBER":
            return f"NUMBER({self.precision},{self.scale})"
        if self.family == "VARCHAR" and self.length != DEFAULT_TEXT:
            return f"VARCHAR({self.length})"
        return self.family


def text(length: int = DEFAULT_TEXT) -> ColumnType:
    """VARCHAR of a length in characters."""
    return ColumnType("VARCHAR", length=length)


def exact(scale: int, precision: int = PRECISION) -> ColumnType:
    """NUMBER with a scale."""
    return ColumnType("NUMBER", precision=precision, scale=scale)


def parse(written: str) -> ColumnType:
    """Read a type as Snowflake or a person writes it.

    Unknown families (BINARY, GEOGRAPHY ...) are kept by name: their values are converted by Snowflake alone.
    """
    name = _SAME.get(written.strip().upper(), written.strip().upper())
    if found := _NUMBER.match(name):
        return exact(int(found[2]), int(found[1]))
    if found := _TEXT.match(name):
        return text(int(found[1] or DEFAULT_TEXT))
    if found := _TIME.match(name):
        return ColumnType(found[1])
    return ColumnType(name)


def configured(settings: Mapping[str, Any], stream: str, name: str) -> ColumnType | None:
    """Give the type that `column_types` sets for a property; None when it says nothing.

    Raises:
        SettingError: it is not a type that this target loads.
    """
    for pattern, types in (settings.get("column_types") or {}).items():
        if fnmatchcase(stream, pattern) and name in types:
            found = parse(str(types[name]))
            if found.family not in _KNOWN | {"NUMBER", "VARCHAR"}:
                known = ", ".join(sorted(_KNOWN))
                problem = f"{stream}.{name}: {types[name]!r} is not one of NUMBER(p,s), VARCHAR(n), {known}"
                raise SettingError(_SETTING, problem)
            return found
    return None


def from_schema(schema: Mapping[str, Any], number_type: str = "FLOAT") -> ColumnType:
    """Give the type for a property's JSON schema.

    `multipleOf` makes a number exact with its scale; a plain number gets `number_type`; text gets its
    `maxLength`; objects, arrays and values without a type are VARIANT.
    """
    if written := schema.get("x-sql-datatype"):
        return parse(str(written))
    branches = [*(schema.get("anyOf") or []), *(schema.get("oneOf") or [])]
    if "type" not in schema and branches:
        return _union([from_schema(branch, number_type) for branch in branches if _kinds(branch) != set()])
    kinds = _kinds(schema)
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    if len(kinds) != 1:
        return _union([from_schema({**schema, "type": kind}, number_type) for kind in sorted(kinds)])
    return _single(kinds.pop(), schema, number_type)


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    """JSON types without null; a schema without a type has one that fits everything."""
    kinds = schema.get("type", "any")
    return {kinds} - {"null"} if isinstance(kinds, str) else {str(kind) for kind in kinds} - {"null"}


def _single(kind: str, schema: Mapping[str, Any], number_type: str) -> ColumnType:
    if kind == "string":
        return _string(schema)
    if kind == "integer":
        return exact(0)
    if kind == "number":
        scale = scale_of(schema.get("multipleOf"))
        return parse(number_type) if scale is None else exact(scale)
    return ColumnType(_SIMPLE.get(kind, "VARIANT"))


def _string(schema: Mapping[str, Any]) -> ColumnType:
    form = schema.get("format")
    if form in _FORMATS:
        return ColumnType(_FORMATS[str(form)])
    if form in {"x-singer.decimal", "singer.decimal"} or "x-singer.decimal" in schema:
        options = schema.get("x-singer.decimal")
        given = options if isinstance(options, dict) else schema
        return exact(int(given.get("scale", 0)) if "scale" in given else 18)
    length = schema.get("maxLength")
    return text(min(int(length), MAX_TEXT)) if length else text()


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


def reconcile(wanted: ColumnType, existing: ColumnType, *, where: str) -> tuple[ColumnType, bool]:
    """Give the type to load into for a column that exists, and whether it must be widened to it first.

    Raises:
        SchemaError: Snowflake cannot change the column so that the values fit, or the column keeps a zone.
    """
    if existing.family in _ZONED:
        message = (
            f"{where}: the column is {existing.sql}, which this target does not load (it has been proven for "
            "TIMESTAMP_NTZ in UTC only); give the property another column in `schema_mapping`"
        )
        raise SchemaError(message)
    if wanted.family == existing.family == "VARCHAR":
        return (wanted, True) if wanted.length > existing.length else (existing, False)
    if wanted.family == existing.family == "NUMBER":
        if wanted.scale <= existing.scale and wanted.precision - wanted.scale <= PRECISION - existing.scale:
            widened = exact(existing.scale)
            return (widened, True) if existing.precision < wanted.precision else (existing, False)
        if wanted.scale <= existing.scale:
            return existing, False
    elif _takes(existing, wanted):
        return existing, False
    message = (
        f"{where}: the column is {existing.sql}, the schema needs {wanted.sql}, Snowflake cannot change it; "
        "set `column_types`, or give the property another column in `schema_mapping`"
    )
    raise SchemaError(message)


def _takes(existing: ColumnType, wanted: ColumnType) -> bool:
    """Whether values made for one family load into a column of another without loss."""
    if wanted.family == existing.family or existing.family in {"VARCHAR", "VARIANT"}:
        return True
    if wanted.family == "FLOAT":
        return existing.family == "NUMBER"
    return existing.family not in _KNOWN | {"NUMBER"}
