"""`$prototypes('REPR.$query')`: the properties a facet holds [D]; type names as seen in public code [C]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.data.filler import NO_DATE_TABLES
from local_x3.model import STAMP, STAMP_DATE
from local_x3.rest.facets import list_columns, numbered_columns, query_columns

if TYPE_CHECKING:
    from local_x3.declarations import Column, Level, Source

TYPES = {
    "text": "application/x-string", "integer": "application/x-integer", "decimal": "application/x-decimal",
    "boolean": "application/x-integer", "date": "application/x-date", "datetime": "application/x-datetime",
    "enum": "application/x-integer",
}  # fmt: skip
STAMP_TITLES = {STAMP: "datetime", STAMP_DATE: "date"}


def prototype(
    source: Source, representation: str, facet: str, stamps: tuple[str, ...], head: str
) -> dict[str, object]:
    """Describe a facet of a representation; `head` is the absolute URL up to the class."""
    return {
        "$type": "application/json",
        "$key": f"{representation}.{facet}",
        "$url": f"{head}$prototypes('{representation}.{facet}')",
        "$properties": properties(source, facet, stamps),
    }


def properties(source: Source, facet: str, stamps: tuple[str, ...]) -> dict[str, object]:
    """Return the properties that a facet holds: header columns, or the whole document."""
    if facet == "$details":
        return _level(source.level, stamps, source.key)
    if facet == "$template":
        return _level(source.level, None, source.key)
    columns = query_columns(source, stamps) if facet == "$summary" else list_columns(source, facet, stamps)
    return {name: describe(name, source.level.columns.get(name), source.key) for name in columns}


def describe(name: str, column: Column | None, key: tuple[str, ...]) -> dict[str, object]:
    """Describe one column; which member says that a column is mandatory is inferred from SData [I]."""
    if column is None:
        return {"$title": name, "$type": TYPES[STAMP_TITLES.get(name, "text")]}
    found: dict[str, object] = {"$title": column.text, "$type": TYPES[column.type]}
    if name in key:
        found["$isMandatory"] = True
    if column.length:
        found["$maxLength"] = column.length
    if column.scale:
        found["$scale"] = column.scale
    return found


def _line_stamps(level: Level) -> tuple[str, ...]:
    return (STAMP,) if level.table in NO_DATE_TABLES else (STAMP, STAMP_DATE)


def _level(level: Level, stamps: tuple[str, ...] | None, key: tuple[str, ...]) -> dict[str, object]:
    names = [name for name in level.columns if name not in STAMP_TITLES]
    names.extend([*numbered_columns(level), *(stamps or ())])
    found: dict[str, object] = {name: describe(name, level.columns.get(name), key) for name in names}
    for name, child in level.children.items():
        item = {"$properties": _level(child, _line_stamps(child) if stamps is not None else None, child.key)}
        found[name] = {"$title": child.table, "$type": "application/x-array", "$item": item}
    return found
