"""JSON schemas of the streams, made from the declarations; the same whichever API is read. Pure."""

from __future__ import annotations

import typing as t
from decimal import Decimal

from tap_sagex3.declarations import UPDATED
from tap_sagex3.dimensions import VALUE_LENGTH, dimension_columns

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tap_sagex3.declarations import Entity, Field, StreamDeclaration

Schema = dict[str, t.Any]

REPLACE_SCOPE = "x-replace-scope"
"""On the schema of a line stream: the rows of one document replace all earlier rows of that document."""
PRECISION = "x-precision"
"""On the replication key, value `day`: the source only knows the day of a change."""

_DIMENSION_ITEMS: Schema = {
    "type": "object",
    "properties": {
        "index": {"type": "integer", "description": "Place of the dimension, from 1"},
        "type": {"type": "string", "description": "Dimension type"},
        "value": {"type": "string", "description": "Dimension"},
    },
}


def stream_schema(
    entity: Entity,
    stream: StreamDeclaration,
    dimension_types: Iterable[str],
    names: Mapping[str, str],
    missing: Collection[str] = (),
) -> Schema:
    """JSON schema of a stream, without the fields that are `missing` on this site.

    Numbers with a scale carry `multipleOf` (a Decimal, so that validators that read numbers as Decimal are
    exact), texts `maxLength`, line streams `x-replace-scope`.
    """
    columns = _dimension_properties(entity, stream, dimension_types, names)
    properties: Schema = {}
    for field in stream.fields:
        if field.name in missing:
            continue
        properties[field.name] = _property(entity, stream, field)
        if field.dimensions:
            properties.update(columns)
    properties[UPDATED] = {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "When the row was last changed in X3, UTC (UPDDATTIM or UPDDAT)",
    }
    schema: Schema = {"type": "object", "properties": properties, "required": list(stream.key)}
    if stream.replace_scope:
        schema[REPLACE_SCOPE] = list(stream.replace_scope)
    return schema


def column_of_dimension(
    stream: StreamDeclaration, dimension_types: Iterable[str], names: Mapping[str, str]
) -> dict[str, str]:
    """Column by dimension type, for a stream that has dimensions; empty for any other."""
    if not any(field.dimensions for field in stream.fields):
        return {}
    taken = [UPDATED, *(field.name for field in stream.fields)]
    return dimension_columns(dimension_types, names, taken)


def _dimension_properties(
    entity: Entity, stream: StreamDeclaration, dimension_types: Iterable[str], names: Mapping[str, str]
) -> Schema:
    columns = column_of_dimension(stream, dimension_types, names)
    found: Schema = {}
    for field in stream.fields:
        if field.dimensions:
            tables = "/".join(_tables(entity, stream, field))
            for code, column in columns.items():
                found[column] = {
                    "type": ["string", "null"],
                    "maxLength": VALUE_LENGTH,
                    "description": f"Dimension of type {code} ({tables}.{field.dimensions.value})",
                }
    return found


def _property(entity: Entity, stream: StreamDeclaration, field: Field) -> Schema:
    schema = _type_of(field)
    if field.name not in stream.key:
        schema["type"] = [schema["type"], "null"]
    place = _place(entity, stream, field)
    schema["description"] = f"{field.text} ({place})" if place else field.text
    return schema


def _type_of(field: Field) -> Schema:
    match field.type:
        case "integer" | "boolean":
            return {"type": field.type}
        case "decimal":
            scale = {} if field.scale is None else {"multipleOf": Decimal(1).scaleb(-field.scale)}
            return {"type": "number", **scale}
        case "date":
            return {"type": "string", "format": "date"}
        case "datetime":
            return {"type": "string", "format": "date-time"}
        case "dimensions":
            return {"type": "array", "items": _DIMENSION_ITEMS}
        case _:
            return (
                {"type": "string"} if field.length is None else {"type": "string", "maxLength": field.length}
            )


def _place(entity: Entity, stream: StreamDeclaration, field: Field) -> str:
    """TABLE.COLUMN of a field, of each kind of document when they differ; empty for a constant."""
    if field.dimensions:
        columns = field.dimensions
        return f"{_tables(entity, stream, field)[0]}.{columns.type}, {columns.value}"
    places: dict[str, None] = {}
    for source in entity.sources:
        column = field.x3_column(source.kind)
        if column is not None:
            places[f"{_table(entity, stream, field, source.kind)}.{column}"] = None
    return ", ".join(places)


def _tables(entity: Entity, stream: StreamDeclaration, field: Field) -> list[str]:
    found = (_table(entity, stream, field, source.kind) for source in entity.sources)
    return list(dict.fromkeys(found))


def _table(entity: Entity, stream: StreamDeclaration, field: Field, kind: str | None) -> str:
    own = field.table.get(kind) if isinstance(field.table, dict) and kind else field.table
    if isinstance(own, str):
        return own
    source = next(source for source in entity.sources if source.kind == kind)
    if field.level:
        collection = stream.collection(field.level, kind)
        return collection.table if collection else source.table
    return source.join_table if field.joined and source.join_table else source.table
