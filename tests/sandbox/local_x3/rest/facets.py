"""Which columns a representation's facets hold, and the resources made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from local_x3.model import STAMP, STAMP_DATE, UUID, Document, Key, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_x3.declarations import Column, Level, Source

QUERY_COLUMNS = 10  # header columns in `$query` of a class whose lines come from `$details` [I]
QUOTE = "'"
PLAIN = re.compile(r"[A-Za-z0-9._~-]*")
EMPTY = {"text": "", "date": "", "datetime": ""}  # every other type is a number
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


def lookup_columns(source: Source) -> tuple[str, ...]:
    """Return the columns of the `$lookup` facet, a list to choose from: the key and the first text [I]."""
    others = (c for c in source.level.columns.values() if c.name not in source.key and not c.joined)
    texts = (column.name for column in others if column.type == "text" and not column.reference)
    return (*source.key, *(name for name, _ in zip(texts, range(1), strict=False)))


def list_columns(source: Source, facet: str, stamps: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of a list."""
    return lookup_columns(source) if facet == "$lookup" else query_columns(source, stamps)


def where_types(source: Source, columns: tuple[str, ...]) -> dict[str, str]:
    """Return column -> type for `where` and `orderBy`: only what the facet holds."""
    known = source.level.columns
    return {
        name: known[name].where_type if name in known else WHERE_STAMPS.get(name, "text") for name in columns
    }


def key_text(key: Key) -> str:
    """Join the parts of a key as api1 writes it [D]."""
    return "~".join(map(str, key))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records of a class are found: `{before}KEY{after}` is the `$url` of a record [D]."""

    before: str
    after: str

    def url(self, text: str) -> str:
        """Return the URL of the record with this key."""
        if not PLAIN.fullmatch(text):  # most keys are, and quoting takes longer than the rest of a row
            text = quote(text.replace(QUOTE, QUOTE * 2), safe="")
        return f"{self.before}{text}{self.after}"


def place(head: str, rest_class: str, representation: str) -> Place:
    """Return the place of a class behind `head`, the absolute URL up to the class."""
    return Place(f"{head}{rest_class}('", f"')?representation={representation}.$details")


def envelope(row: Row, key: Key, here: Place) -> dict[str, object]:
    """Return the members that each resource carries besides its columns."""
    text = key_text(key)
    return {
        "$uuid": row.get(UUID, ""),
        "$etag": row.get(STAMP, ""),
        "$key": text,
        "$url": here.url(text),
    }


def details(
    document: Document, source: Source, key: Key, here: Place, stamps: tuple[str, ...]
) -> dict[str, object]:
    """Return the whole document: columns, references with their titles, embedded collections."""
    body = envelope(document.row, key, here)
    body.update(_members(document.row, source.level, stamps))
    _embed(body, document, source.level)
    return body


def summary(row: Row, key: Key, here: Place, columns: tuple[str, ...]) -> dict[str, object]:
    """Return the columns that the list shows, of one record [I]."""
    return {**envelope(row, key, here), **{name: row[name] for name in columns if name in row}}


def template(level: Level) -> dict[str, object]:
    """Return a record as it is before anything is entered: what X3 presets is not known, all is empty [?]."""
    columns = (column for column in level.columns.values() if column.name not in WHERE_STAMPS)
    body: dict[str, object] = {column.name: EMPTY.get(column.type, 0) for column in columns}
    body.update(dict.fromkeys(numbered_columns(level), ""))
    body.update({name: [] for name in level.children})
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
