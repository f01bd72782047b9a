"""Which columns a representation's facets hold, and the resources made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from local_x3.model import STAMP, STAMP_DATE, UUID, Document, Key, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_x3.declarations import Column, Level, Source

QUERY_COLUMNS = 10  # header columns in `$query` of a class whose lines come from `$details` [I]
WHERE_STAMPS = {STAMP: "datetime", STAMP_DATE: "date"}


def numbered_columns(level: Level) -> tuple[str, ...]:
    """Return the numbered dimension columns of a table: DIE1, CCE1, DIE2, ... [C]."""
    if level.dimensions is None:
        return ()
    return tuple(name for _, kind, value in level.dimensions.pairs() for name in (kind, value))


def query_columns(source: Source, stamps: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of the `$query` facet: all, or key and a few header columns with the stamps."""
    names = [name for name in source.level.columns if name not in WHERE_STAMPS]
    if source.details:
        others = [name for name in names if name not in source.key and not source.level.columns[name].joined]
        names = [*source.key, *others[: QUERY_COLUMNS - len(source.key)]]
    else:
        names.extend(numbered_columns(source.level))
    return (*names, *stamps)


def where_types(source: Source, columns: tuple[str, ...]) -> dict[str, str]:
    """Return column -> type for `where` and `orderBy`: only what the facet holds."""
    known = source.level.columns
    return {
        name: known[name].where_type if name in known else WHERE_STAMPS.get(name, "text") for name in columns
    }


def key_text(key: Key) -> str:
    """Join the parts of a key as api1 writes it [D]."""
    return "~".join(str(part) for part in key)


def resource_url(base: str, source: Source, key: Key) -> str:
    """Return the `$url` of a record's details [D]."""
    text = quote(key_text(key).replace("'", "''"), safe="")
    return f"{base}/{source.rest_class}('{text}')?representation={source.representation}.$details"


def envelope(row: Row, source: Source, key: Key, base: str) -> dict[str, object]:
    """Return the members that each resource carries besides its columns."""
    return {
        "$uuid": row.get(UUID, ""),
        "$etag": row.get(STAMP, ""),
        "$key": key_text(key),
        "$url": resource_url(base, source, key),
    }


def details(
    document: Document, source: Source, key: Key, base: str, stamps: tuple[str, ...]
) -> dict[str, object]:
    """Return the whole document: columns, references with their titles, embedded collections."""
    body = envelope(document.row, source, key, base)
    body.update(_members(document.row, source.level, stamps))
    _embed(body, document, source.level)
    return body


def _embed(body: dict[str, object], document: Document, level: Level) -> None:
    for name, child in level.children.items():
        lines = []
        for line in document.children.get(name, []):
            stamps = tuple(stamp for stamp in (STAMP, STAMP_DATE) if stamp in line.row)
            item: dict[str, object] = {"$uuid": line.row.get(UUID, "")}
            item.update(_members(line.row, child, stamps))
            _embed(item, line, child)
            lines.append(item)
        body[name] = lines


def _members(row: Row, level: Level, stamps: tuple[str, ...]) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for name, column in level.columns.items():
        if name in row and name not in WHERE_STAMPS:
            found[name] = row[name]
            if column.reference and row[name] != "":
                found[f"{name}_REF"] = reference(column, row[name])
    for name in (*numbered_columns(level), *stamps):
        if name in row:
            found[name] = row[name]
    return found


def reference(column: Column, value: object) -> dict[str, str]:
    """Return the `_REF` member beside a code: what the user would read [C]."""
    return {"$title": f"{column.path[0]} {value}", "$description": column.text}
