"""Nodes put together from declarations: sources may share one node, and a join splits one over two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local_x3.graphql.values import STAMP_COLUMNS
from local_x3.store import Selector, Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_x3.declarations import Column, Dimensions, Level, Node
    from local_x3.model import Document, Row, Value


@dataclass(slots=True)
class Property:
    """A property of a node: a leaf (columns, one for each kind that names it differently) or a reference."""

    columns: list[Column] = field(default_factory=list)
    members: dict[str, Property] = field(default_factory=dict)


@dataclass(slots=True)
class Shape:
    """What a node or a collection's items look like, merged over the sources that share it."""

    name: str
    title: str
    key: tuple[str, ...]
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

    node: Node
    shape: Shape
    selector: Selector


def build_nodes(stores: Iterable[Store]) -> list[NodeView]:
    """Merge all sources into nodes, in order of first appearance."""
    uses: dict[tuple[str, str], list[tuple[Store, Node, bool]]] = {}
    for store in stores:
        source = store.source
        uses.setdefault((source.node.package, source.node.name), []).append((store, source.node, False))
        if source.join is not None:
            join = source.join
            uses.setdefault((join.package, join.name), []).append((store, join, True))
    return [_view(found) for found in uses.values()]


def _view(uses: list[tuple[Store, Node, bool]]) -> NodeView:
    first, node, _ = uses[0]
    shape = Shape(pascal(node.name), first.source.level.table, first.source.key)
    for store, _node, joined in uses:
        source = store.source
        if joined:
            # the other columns of such a row are on the main node
            columns = [c for c in source.level.columns.values() if c.joined or c.name in source.key]
            _merge_columns(shape, columns)
            continue
        columns = [c for c in source.level.columns.values() if not (c.joined and source.join)]
        _merge_columns(shape, columns)
        _merge_level(shape, source.level)
    return NodeView(node, shape, Selector([store for store, _, _ in uses]))


def _merge_level(shape: Shape, level: Level) -> None:
    shape.dimensions = shape.dimensions or level.dimensions
    for rest_name, child in level.children.items():
        collection = shape.collections.get(child.graphql)
        if collection is None:
            item = Shape(shape.name + pascal(child.graphql), child.table, (*shape.key, *child.key))
            collection = shape.collections[child.graphql] = Collection([], item)
        collection.rest_names.append(rest_name)
        _merge_columns(collection.shape, child.columns.values())
        _merge_level(collection.shape, child)


def _merge_columns(shape: Shape, columns: Iterable[Column]) -> None:
    for column in columns:
        if not column.path or column.path[0] in STAMP_COLUMNS:
            continue
        place = shape.properties.setdefault(column.path[0], Property())
        for part in column.path[1:]:
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


def items(document: Document, collection: Collection) -> list[Document]:
    """Return a document's items of a collection."""
    for name in collection.rest_names:
        if name in document.children:
            return document.children[name]
    return []
