"""What nodes look like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local_x3.model import Document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_x3.declarations import Column, Dimensions
    from local_x3.graphql.lines import ItemsOf
    from local_x3.graphql.references import Target
    from local_x3.graphql.selecting import Records
    from local_x3.model import Key, Row, Value

INDEX = "denormalizedIndex"


@dataclass(slots=True)
class Property:
    """A property of a node: a leaf (columns, one for each kind that names it differently) or a reference.

    A reference to a record with a key of several columns has these columns in `key`. `text_member` names the
    member that shows a text beside the code.
    """

    columns: list[Column] = field(default_factory=list)
    members: dict[str, Property] = field(default_factory=dict)
    target: Target | None = None
    stream: bool = False
    key: list[Column] = field(default_factory=list)
    text_member: str | None = None


@dataclass(slots=True)
class Shape:
    """What a node or a collection's items look like, merged over the sources that share it."""

    name: str
    key: tuple[str, ...]
    node: str
    own_key: tuple[str, ...] = ()  # of an item of a collection: what tells it from its siblings
    properties: dict[str, Property] = field(default_factory=dict)
    dimensions: Dimensions | None = None
    collections: dict[str, Collection] = field(default_factory=dict)
    denormalized: dict[str, Denormalized] = field(default_factory=dict)

    def identifier(self, row: Row) -> str:
        """Return `_id`: the parts of the natural key joined with `|` [?]."""
        return "|".join(str(row[column]) for column in self.key)


@dataclass(slots=True)
class Collection:
    """An embedded collection: under which REST names its items are kept, their shape, and where they are."""

    rest_names: list[str]
    shape: Shape
    origins: list[ItemsOf] = field(default_factory=list)


@dataclass(slots=True)
class Denormalized:
    """A collection whose items are the columns of one number each.

    The columns of `shape` are named without their number; `columns` gives for each index those of the row.
    """

    shape: Shape
    columns: dict[int, dict[str, str]] = field(default_factory=dict)
    texts_only: bool = True

    def items(self, row: Row) -> list[Document]:
        """Return the items of a row by index; one that holds nothing but empty texts is left out [I]."""
        found = []
        for index in sorted(self.columns):
            values = ((base, row.get(name)) for base, name in self.columns[index].items())
            item: Row = {base: value for base, value in values if value is not None}
            if item and not (self.texts_only and all(value == "" for value in item.values())):
                item[INDEX] = index
                found.append(Document(item))
        return found


@dataclass(slots=True)
class NodeView:
    """A node that can be queried."""

    package: str
    name: str
    shape: Shape
    selector: Records


def pascal(name: str) -> str:
    """Turn camelCase into PascalCase."""
    return name[:1].upper() + name[1:]


def described(name: str) -> str:
    """Describe a node as Xtrem does: its title and its name, `Customer (Customer)` [C]; no table."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).split(" ")
    return f"{' '.join([words[0], *(word.lower() for word in words[1:])])} ({name})"


def key_of(item: Property, row: Row) -> Key | None:
    """Return the key that a reference holds; None when it is empty."""
    if item.key:
        found = tuple(row.get(column.name, "") for column in item.key)
        return None if all(part == "" for part in found) else found
    code = stored(row, first_leaf(item).columns)
    return None if code is None or code == "" else (code,)


def key_columns(item: Property) -> list[Column]:
    """Return the columns that hold what a reference leads to."""
    return item.key or first_leaf(item).columns


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
