"""Lines that changed without their document: found in a class that lists the lines themselves.

X3 stamps lines on their own. Where the site has a class for the table of the lines (PORDERQ, GACCENTRYD, ...)
that shows their stamp and the key of their document, its list tells which documents to read again.
"""

from __future__ import annotations

import logging
import typing as t
from dataclasses import dataclass, replace

from tap_sagex3.reading import PageGuard
from tap_sagex3.rest.stamps import STAMPS, change_field, is_date, stamp_condition

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sagex3.declarations import RestSource, StreamDeclaration
    from tap_sagex3.reading import Span
    from tap_sagex3.rest.client import RestClient

logger = logging.getLogger("tap-sagex3")


@dataclass(frozen=True, slots=True)
class LineClass:
    """A class that lists lines: its level below the document, its stamp, and whether that is only a day."""

    source: RestSource
    level: int
    field: str
    whole_days: bool


def tables_of(streams: Sequence[StreamDeclaration], kind: str | None) -> dict[int, str]:
    """Tables of the lines that streams read, by level: rows repeat columns of the lines around them."""
    found: dict[int, str] = {}
    for stream in streams:
        for level in range(1, stream.depth + 1):
            collection = stream.collection(level, kind)
            if collection is not None:
                found[level] = collection.table
    return found


def find_classes(
    client: RestClient, document: RestSource, tables: Mapping[int, str], names: Mapping[str, str]
) -> list[LineClass] | None:
    """A line class for each table; None when one of them is not there or does not tell enough.

    Args:
        client: requests to the folder.
        document: class of the documents.
        tables: tables of the lines by level.
        names: class of a table where it has another name than the table.
    """
    found = []
    for level, table in tables.items():
        name = names.get(table, table)
        source = replace(document, class_name=name, representation=name, details=False, where="")
        properties = client.prototype(source, "$query")
        field = change_field(properties or {}, STAMPS)
        if properties is None or field is None or not set(document.key) <= set(properties):
            logger.info(
                "Changes of lines in %s cannot be told from class %s: it is not there, or does not show its "
                "change stamp and %s.",
                table,
                name,
                ", ".join(document.key),
            )
            return None
        found.append(LineClass(source, level, field, is_date(properties[field], field)))
    return found


def changed_keys(
    client: RestClient, lines: LineClass, span: Span, page_size: int
) -> Iterator[tuple[t.Any, ...]]:
    """Keys of the documents with a line that changed within the span, each once.

    The list is sorted by the document's key alone: a page that ends within a document goes on behind it.
    """
    key = lines.source.key
    parameters = {"count": str(page_size), "orderBy": ",".join(f"{name} asc" for name in key)}
    where = stamp_condition(lines.field, span, whole_days=lines.whole_days)
    if where:
        parameters["where"] = where
    last: tuple[t.Any, ...] | None = None
    guard = PageGuard(lines.source.class_name)
    for page in client.pages(lines.source, parameters):
        rows = page.rows.nodes()
        guard.check([_identity(row) for row in rows])
        for row in rows:
            parts = tuple(row.get(name) for name in key)
            if parts != last:
                yield parts
            last = parts


def _identity(row: Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    """What tells a row of a list from others: its `$key` with all of its columns, as texts."""
    return tuple(str(value) for value in row.values())
