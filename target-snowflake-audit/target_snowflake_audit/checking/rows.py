"""Records decoded straight into the columns of a plan: most of the schema is checked while JSON is read.

A record that has all its properties in the plainest form of their types becomes a `Row`. Any other one is
decoded as a dictionary and checked by the full rules, which tell what is wrong; so a `Row` needs no check
that could fail it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec
from msgspec.structs import astuple

from target_snowflake_audit.checking.validation import Validator
from target_snowflake_audit.reading.reader import decode_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_snowflake_audit.checking.plan import StreamPlan

_MARKER = "marker"
_IGNORED = frozenset(
    {"title", "description", "$comment", "default", "example", "examples", "readOnly", "writeOnly"}
)
_OF_CONVERTERS = frozenset({"format", "maxLength", "multipleOf"})
"""Checked by the converters, see `checking.validation`."""
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef", "$id", "$anchor"})
_OF_RECORD = frozenset({"type", "properties", "required", "additionalProperties", "$schema", "$id"})
_PLAIN: dict[str, Any] = {"string": str, "integer": int, "boolean": bool}
_NO_NUMBER = msgspec.Raw(b"null")
_DIGITS = b"0123456789.-,"


class Row(msgspec.Struct):
    """A record with a field for each column of a plan, in their order; numbers are kept as their text."""

    field_of: ClassVar[dict[str, str]] = {}
    """Fields by property."""

    def get(self, name: str) -> Any:  # noqa: ANN401 - a JSON value
        """Give the value of a property as a dictionary would."""
        field = self.field_of.get(name)
        value = getattr(self, field) if field else None
        return decode_record(bytes(value)) if isinstance(value, msgspec.Raw) else value


class RowForm:
    """How the records of one plan become rows, and rows columns of values."""

    def __init__(self, type_: type[Row], width: int, checks: dict[int, Callable[[Any], bool]]) -> None:
        """`checks` are for the values of columns that are not checked by the type, by place."""
        self.type = type_
        self.decode: Callable[[msgspec.Raw | bytes], Row] = msgspec.json.Decoder(
            type_, float_hook=Decimal
        ).decode
        self._width = width
        self._checks = checks
        self._marker = attrgetter(_MARKER)

    def columns(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        """Give the values of rows by column."""
        return list(zip(*map(astuple, rows), strict=True))[: self._width]

    def unusual(self, rows: Sequence[Row], columns: Sequence[Sequence[Any]]) -> set[int]:
        """Rows that the full rules must look at: values that do not fit, and marks of deletion."""
        marks = list(map(self._marker, rows))
        found = set()
        if marks.count(None) != len(marks):
            found = {n for n, mark in enumerate(marks) if mark is not None}
        for at, is_valid in self._checks.items():
            found |= {n for n, value in enumerate(columns[at]) if not is_valid(value)}
        return found


def number_texts(values: Sequence[msgspec.Raw]) -> list[str] | None:
    """Give the texts of a column of numbers, '' for null; None where a value is anything else, or 1E5."""
    joined = b",".join(values)
    if rest := joined.translate(None, _DIGITS):
        if rest.replace(b"null", b""):
            return None
        joined = joined.replace(b"null", b"")
    return joined.decode().split(",")


def numbers(values: Sequence[msgspec.Raw]) -> tuple[list[Any], set[int]]:
    """Give a column of numbers as values, and which of them are no numbers."""
    read = [decode_record(bytes(value)) for value in values]
    odd = {n for n, one in enumerate(read) if type(one) not in {int, Decimal, type(None)}}
    return read, odd


_NO_FIELD = re.compile(r'[\x00-\x1f"\\]')
"""What msgspec takes in no name of a field; such streams go the slower way."""


def form_of(plan: StreamPlan, marker: str) -> RowForm | None:
    """Make the form of a plan's records; None where only the full rules can tell what fits its schema.

    None also where a row must tell absent from null.

    `marker` is the property by which a record says that it is deleted.
    """
    schema = plan.singer_schema.get("schema")
    if plan.keep or not isinstance(schema, dict) or not _is_plain_object(schema, plan, marker):
        return None
    required = set(schema.get("required") or ()).union(plan.columns[at].property for at in plan.key)
    fields: list[tuple[Any, ...]] = []
    names = {_MARKER: marker}
    checks: dict[int, Callable[[Any], bool]] = {}
    for at, column in enumerate(plan.columns):
        part = schema["properties"][column.property]
        kind = _field_type(part, texts=hasattr(plan.converters[at], "texts"))
        if kind is Any and plan.validator is not None:
            checks[at] = _check_of(column.property, part, plan.stream)
        empty = _NO_NUMBER if kind is msgspec.Raw else None
        fields.append((f"f{at}", kind) if column.property in required else (f"f{at}", kind, empty))
        names[f"f{at}"] = column.property
    fields.append((_MARKER, Any, None))
    options: dict[str, Any] = {"rename": names, "kw_only": True, "gc": False}
    made = cast("type[Row]", msgspec.defstruct("Row", fields, bases=(Row,), **options))
    made.field_of = {name: field for field, name in names.items()}
    return RowForm(made, len(plan.columns), checks)


def _check_of(name: str, part: Mapping[str, Any], stream: str) -> Callable[[Any], bool]:
    """Check of a property's values as the whole schema does it."""
    is_valid = Validator({"properties": {name: part}}, stream).is_valid
    return lambda value: is_valid({name: value})


def _refers(schema: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Whether a schema may refer to something outside of it."""
    if isinstance(schema, dict):
        return not _REFERENCES.isdisjoint(schema) or any(map(_refers, schema.values()))
    return isinstance(schema, list) and any(map(_refers, schema))


def scope_decoder(form: RowForm, places: Sequence[int]) -> Callable[[bytes], Row]:
    """Decoder of rows that have only these columns of a form; the values are those of its whole rows."""
    wanted = {f"f{at}" for at in places}
    taken = [field for field in msgspec.structs.fields(form.type) if field.name in wanted]
    fields = [(one.name, one.type) if one.required else (one.name, one.type, one.default) for one in taken]
    names = {one.name: one.encode_name for one in taken}
    made = cast(
        "type[Row]", msgspec.defstruct("Scope", fields, bases=(Row,), rename=names, kw_only=True, gc=False)
    )
    made.field_of = {name: field for field, name in names.items()}
    return msgspec.json.Decoder(made, float_hook=Decimal).decode


def _is_plain_object(schema: Mapping[str, Any], plan: StreamPlan, marker: str) -> bool:
    """Whether the schema says nothing of the record as a whole but which properties it has and must have."""
    properties = schema.get("properties")
    kinds = schema.get("type", "object")
    return (
        isinstance(properties, dict)
        and sorted(properties) == sorted(column.property for column in plan.columns)  # one column each
        and marker not in properties
        and not any(_NO_FIELD.search(name) for name in properties)
        and not _refers(properties)
        and "object" in ([kinds] if isinstance(kinds, str) else kinds)
        and set(schema.get("required") or ()) <= properties.keys()
        and schema.get("additionalProperties", True) is True
        and all(name in _OF_RECORD | _IGNORED or name.startswith("x-") for name in schema)
    )


def _field_type(part: Mapping[str, Any], *, texts: bool) -> Any:  # noqa: ANN401 - a type, or a union of types
    """Give a field's type; `Any` = what the schema says of the value must be checked after it was decoded."""
    kinds = part.get("type")
    listed = [kinds] if isinstance(kinds, str) else list(kinds or ())
    known = all(name == "type" or name in _IGNORED | _OF_CONVERTERS or name.startswith("x-") for name in part)
    single = [kind for kind in listed if kind != "null"]
    if not known or len(single) != 1:
        return Any
    nullable = "null" in listed
    if single[0] == "number" and texts and nullable:
        return msgspec.Raw
    plain = _PLAIN.get(single[0])
    return Any if plain is None else (plain | None if nullable else plain)
