"""Nodes put together from declarations: sources may share one node, and a join splits one over two."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from local_x3.declarations import Column
from local_x3.graphql import partners, references
from local_x3.graphql.line_nodes import line_views
from local_x3.graphql.lines import ItemsOf
from local_x3.graphql.names import Names
from local_x3.graphql.nodes import Collection, Denormalized, NodeView, Property, Shape, pascal
from local_x3.graphql.selecting import NodeSelector
from local_x3.graphql.site import GraphqlSite, apply_site
from local_x3.graphql.values import STAMP_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_x3.declarations import Level, Node
    from local_x3.numbered import Numbered
    from local_x3.store import Store

NEW = Names()
STANDARD = GraphqlSite()
UNFILLED = {  # in Sage's samples [D], in no declaration: shown, always empty
    "supplier": Column("LOC", "text", ("location",), "String", "Location", "BPSUPPLIER", 10)
}
TEXT_STREAMS = {("customer", "notes")}  # shown as `{value}`; seen in use [C], others are not known to be


def build_nodes(stores: Iterable[Store], names: Names = NEW, site: GraphqlSite = STANDARD) -> list[NodeView]:
    """Merge all sources into nodes, in order of first appearance, as the site has them.

    Raises:
        ValueError: the site names something that there is not.
    """
    uses: dict[tuple[str, str], list[tuple[Store, Node, bool]]] = {}
    for store in stores:
        source = store.source
        uses.setdefault((source.node.package, source.node.name), []).append((store, source.node, False))
        if source.join is not None:
            join = source.join
            uses.setdefault((join.package, join.name), []).append((store, join, True))
    views = [_Merge(names, found[0][1].name).view(found) for found in uses.values()]
    known = {view.name for view in views}
    if known.intersection(partners.SOURCES) and partners.NODE not in known:
        selector = partners.PartnerSelector(store for used in uses.values() for store, _, _ in used)
        package = names.package(partners.PACKAGE)
        views.append(NodeView(package, partners.NODE, partners.partner_shape(), selector))
    references.link((view.name, view.shape, view.selector) for view in views)
    if site.line_nodes:
        views.extend([line for view in views for line in line_views(view, names)])
    return apply_site(views, site)


class _Merge:
    """Puts one node together."""

    def __init__(self, names: Names, node: str) -> None:
        self.names = names
        self.node = node

    def view(self, uses: list[tuple[Store, Node, bool]]) -> NodeView:
        first, node, _ = uses[0]
        shape = Shape(pascal(node.name), first.source.key, node.name)
        for store, _node, joined in uses:
            source = store.source
            if joined:
                # the other columns of such a row are on the main node
                columns = [c for c in source.level.columns.values() if c.joined or c.name in source.key]
                self.columns(shape, columns)
                continue
            columns = [c for c in source.level.columns.values() if not (c.joined and source.join)]
            self.columns(shape, columns)
            self.level(shape, source.level, ItemsOf(store, ()))
        if node.name in UNFILLED:
            self.columns(shape, [UNFILLED[node.name]])
        package = self.names.package(node.package)
        return NodeView(package, node.name, shape, NodeSelector([store for store, _, _ in uses]))

    def level(self, shape: Shape, level: Level, above: ItemsOf) -> None:
        shape.dimensions = shape.dimensions or level.dimensions
        for rest_name, child in level.children.items():
            name = self.names.collection(self.node, child.graphql)
            collection = shape.collections.get(name)
            if collection is None:
                key = (*shape.key, *child.key)
                item = Shape(shape.name + pascal(name), key, self.node, child.key)
                collection = shape.collections[name] = Collection([], item)
            collection.rest_names.append(rest_name)
            origin = ItemsOf(above.store, (*above.path, rest_name))
            collection.origins.append(origin)
            self.columns(collection.shape, child.columns.values())
            self.level(collection.shape, child, origin)

    def columns(self, shape: Shape, columns: Iterable[Column]) -> None:
        for column in columns:
            if not column.path or column.path[0] in STAMP_COLUMNS:
                continue
            if column.numbered is not None:
                self.numbered(shape, column, column.numbered)
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

    def numbered(self, shape: Shape, column: Column, place: Numbered) -> None:
        item = shape.denormalized.setdefault(
            place.collection, Denormalized(Shape(shape.name + pascal(place.collection), (), self.node))
        )
        item.texts_only = item.texts_only and column.type == "text"
        item.columns.setdefault(place.index, {})[place.column] = column.name
        base = replace(column, name=place.column, text=place.text, numbered=None)
        self.columns(item.shape, [base])
