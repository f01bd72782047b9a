"""Which declared columns a REST representation shows, and how many numbered dimensions. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tap_sagex3.discovery.own_columns import of_rest

if t.TYPE_CHECKING:
    from tap_sagex3.declarations import DimensionColumns, Field, StreamDeclaration
    from tap_sagex3.discovery.own_columns import Snippet

Properties = Mapping[str, t.Any]
MOST_DIMENSIONS = 20
"""Numbered dimensions that X3 can have (activity code ANA)."""


@dataclass(frozen=True, slots=True)
class RestColumns:
    """Properties of the facet that records of a source are read from; None when the server does not tell."""

    kind: str | None
    properties: Properties | None

    def missing(self, stream: StreamDeclaration) -> list[str]:
        """Fields of a stream that this source does not give."""
        return [item.name for item in stream.fields if not self._gives(stream, item)]

    def on_document(self, stream: StreamDeclaration) -> list[str]:
        """Fields of settings that their level does not give, but the document does."""
        header = self._level(stream, 0) or {}
        own = [item for item in stream.fields if item.own and item.level]
        return [
            item.name for item in own if item.x3_column(self.kind) in header and not self._gives(stream, item)
        ]

    def own(self, stream: StreamDeclaration) -> list[Snippet]:
        """Columns of the site's own in the stream's rows, as fields for settings."""
        return of_rest(stream, self.kind, self._level(stream, stream.depth) or {})

    def shows_collections(self, stream: StreamDeclaration) -> bool:
        """Whether the rows of a stream, and so all collections around them, are described."""
        return self._level(stream, stream.depth) is not None

    def declares(self, item: Field) -> bool:
        """Whether the declaration names a column for this source."""
        return item.x3_column(self.kind) is not None

    def apply(self, stream: StreamDeclaration, _kind: str | None) -> StreamDeclaration:
        """The stream with as many numbered dimensions as this site shows."""
        return replace(stream, fields=tuple(self._counted(stream, item) for item in stream.fields))

    def _gives(self, stream: StreamDeclaration, item: Field) -> bool:
        """Whether a field is there; what cannot be known counts as there."""
        column = item.x3_column(self.kind)
        if item.dimensions or item.type == "constant(kind)":
            return True
        if column is None:
            return False
        shown = self._level(stream, item.level)
        return shown is None or column in shown

    def _counted(self, stream: StreamDeclaration, item: Field) -> Field:
        if item.dimensions is None:
            return item
        shown = self._level(stream, item.level)
        if shown is None:  # looked for in each row: none is lost where the server does not tell
            return replace(item, dimensions=replace(item.dimensions, count=MOST_DIMENSIONS))
        return replace(item, dimensions=_counted(item.dimensions, shown))

    def _level(self, stream: StreamDeclaration, level: int) -> Properties | None:
        """Properties of the rows of a level; None when they are not described."""
        shown = self.properties
        for number in range(1, level + 1):
            collection = stream.collection(number, self.kind)
            if shown is None or collection is None:
                return None
            inner = shown.get(collection.rest)
            item = inner.get("$item") if isinstance(inner, dict) else None
            shown = item.get("$properties") if isinstance(item, dict) else None
        return shown if isinstance(shown, dict) and shown else None


def _counted(columns: DimensionColumns, shown: Properties) -> DimensionColumns:
    """The highest number that is shown; as declared when none is."""
    numbers = [
        int(name[len(stem) :])
        for stem in (columns.type, columns.value)
        for name in shown
        if name.startswith(stem) and name[len(stem) :].isdecimal()
    ]
    return replace(columns, count=max(numbers)) if numbers else columns
