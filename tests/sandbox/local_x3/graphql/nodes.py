"""What nodes look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_x3.declarations import Column, Dimensions
    from local_x3.graphql.references import Target
    from local_x3.model import Document, Row, Value


@dataclass(slots=True)
class Property:
    """A property of a node: a leaf (columns, one for each kind that names it differently) or a reference."""

    columns: list[Column] = field(default_factory=list)
    members: dict[str, Property] = field(default_factory=dict)
    target: Target | None = None
    stream: bool = False


@dataclass(slots=True)
class Shape:
    """What a node or a collection's items look like, merged over the sources that share it."""

    name: str
    title: str
    key: tuple[str, ...]
    node: str
    own_key: tuple[str, ...] = ()  # of an item of a collection: what tells it from its siblings
    properties: dict[str, Property] = field(default_factory=dict)
    dimensions: Dimensions | None = None
    collections: dict[str, Collection] = field(default_factory=dict)

    def identifier(self, row: Row) -> str:
        """Return `_id`: the parts of the natural key joined with `|` [?]."""
        return "|".join(str(row[column]) for column in self.key)


@dataclass(slots=True)
class Collection:
    """An embedded collection: under which REST names its items are kept, and their shape."""

    rest_names: list[str]
    shape: Shape


def pascal(name: str) -> str:
    """Turn camelCase into PascalCase."""
    return name[:1].upper() + name[1:]


def first_leaf(item: Property) -> Property:
    """Return the leaf that a reference stands for: its first one, down to the bottom."""
    while item.members:
        item = item.members.get("code") or next(iter(item.members.values()))
    return item


def stored(row: Row, columns: list[Column]) -> Value | None:
    """Return the value of the first of `columns` that the row has."""
    for column in columns:
        value = row.get(column.name)
        if value is not None:
            return value
    return None


def items(children: Mapping[str, list[Document]], collection: Collection) -> list[Document]:
    """Return the items of a collection among a document's children."""
    for name in collection.rest_names:
        if name in children:
            return children[name]
    return []
