"""`$prototypes('REPR.$query')`: the properties a facet holds [D]; type names as seen in public code [C]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.model import STAMP, STAMP_DATE
from local_x3.rest.facets import numbered_columns, query_columns

if TYPE_CHECKING:
    from local_x3.declarations import Column, Level, Source

TYPES = {
    "text": "application/x-string", "integer": "application/x-integer", "decimal": "application/x-decimal",
    "boolean": "application/x-integer", "date": "application/x-date", "datetime": "application/x-datetime",
    "enum": "application/x-integer",
}  # fmt: skip
STAMP_TITLES = {STAMP: "datetime", STAMP_DATE: "date"}


def prototype(source: Source, facet: str, stamps: tuple[str, ...], base: str) -> dict[str, object]:
    """Describe a facet of a representation; `facet` is `$query` or `$details`."""
    if facet == "$query":
        names = query_columns(source, stamps)
        properties: dict[str, object] = {
            name: describe(name, source.level.columns.get(name)) for name in names
        }
    else:
        properties = _level(source.level, stamps)
    return {
        "$type": "application/json",
        "$key": f"{source.representation}.{facet}",
        "$url": f"{base}/$prototypes('{source.representation}.{facet}')",
        "$properties": properties,
    }


def describe(name: str, column: Column | None) -> dict[str, object]:
    """Describe one column."""
    if column is None:
        return {"$title": name, "$type": TYPES[STAMP_TITLES.get(name, "text")]}
    found: dict[str, object] = {"$title": column.text, "$type": TYPES[column.type]}
    if column.length:
        found["$maxLength"] = column.length
    if column.scale:
        found["$scale"] = column.scale
    return found


def _level(level: Level, stamps: tuple[str, ...]) -> dict[str, object]:
    names = [name for name in level.columns if name not in STAMP_TITLES]
    names.extend([*numbered_columns(level), *stamps])
    properties: dict[str, object] = {name: describe(name, level.columns.get(name)) for name in names}
    for name, child in level.children.items():
        item = {"$properties": _level(child, (STAMP,))}
        properties[name] = {"$title": child.table, "$type": "application/x-array", "$item": item}
    return properties
