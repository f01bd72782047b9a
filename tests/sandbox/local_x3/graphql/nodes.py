"""Nodes put together from declarations: sources may share one node, and a join splits one over two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local_x3.graphql import references
from local_x3.graphql.names import Names
from local_x3.graphql.selecting import NodeSelector
from local_x3.graphql.values import STAMP_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local_x3.declarations import Column, Dimensions, Level, Node
    from local_x3.graphql.references import Target
    from local_x3.model import Document, Row, Value
    from local_x3.store import Store

NEW = Names()
TEXT_STREAMS = {("customer", "notes")}  # shown as `{value}`; seen in use [C], others are not known to be


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


@dataclass(slots=True)
class NodeView:
    """A node that can be queried."""

    package: str
    name: str
    shape: Shape
    selector: NodeSelector


def build_nodes(stores: Iterable[Store], names: Names = NEW) -> list[NodeView]:
    """Merge all sources into nodes, in order of first appearance."""
    uses: dict[tuple[str, str], list[tuple[Store, Node, bool]]] = {}
    for store in stores:
        source = store.source
        uses.setdefault((source.node.package, source.node.name), []).append((store, source.node, False))
        if source.join is not None:
            join = source.join
            uses.setdefault((join.package, join.name), []).append((store, join, True))
    views = [_Merge(names, found[0][1].name).view(found) for found in uses.values()]
    references.link((view.name, view.shape, view.selector.stores) for view in views)
    return views


class _Merge:
    """Puts one node together."""

    def __init__(self, names: Names, node: str) -> None:
        self.names = names
        self.node = node

    def view(self, uses: list[tuple[Store, Node, bool]]) -> NodeView:
        first, node, _ = uses[0]
        shape = Shape(pascal(node.name), first.source.level.table, first.source.key, node.name)
        for store, _node, joined in uses:
            source = store.source
            if joined:
                # the other columns of such a row are on the main node
                columns = [c for c in source.level.columns.values() if c.joined or c.name in source.key]
                self.columns(shape, columns)
                continue
            columns = [c for c in source.level.columns.values() if not (c.joined and source.join)]
            self.columns(shape, columns)
            self.level(shape, source.level)
        package = self.names.package(node.package)
        return NodeView(package, node.name, shape, NodeSelector([store for store, _, _ in uses]))

    def level(self, shape: Shape, level: Level) -> None:
        shape.dimensions = shape.dimensions or level.dimensions
        for rest_name, child in level.children.items():
            name = self.names.collection(self.node, child.graphql)
            collection = shape.collections.get(name)
            if collection is None:
                key = (*shape.key, *child.key)
                item = Shape(shape.name + pascal(name), child.table, key, self.node, child.key)
                collection = shape.collections[name] = Collection([], item)
            collection.rest_names.append(rest_name)
            self.columns(collection.shape, child.columns.values())
            self.level(collection.shape, child)

    def columns(self, shape: Shape, columns: Iterable[Column]) -> None:
        for column in columns:
            if not column.path or column.path[0] in STAMP_COLUMNS:
                continue
            first, *inner = self.names.path(self.node, column.path)
            place = shape.properties.setdefault(first, Property())
            if (self.node, first) in TEXT_STREAMS:
                place.stream = True
                inner = []
            for part in inner:
                place = place.members.setdefault(part, Property())
            if column.name not in {known.name for known in place.columns}:
                place.columns.append(column)


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
