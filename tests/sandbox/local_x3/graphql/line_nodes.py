"""Nodes of lines, such as `salesInvoiceLine`: the items of a collection, asked for without their document.

That there is a node of lines is documented for sales invoices [D, EXT]; names of the others follow it [I].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.graphql.lines import LineSelector
from local_x3.graphql.nodes import NodeView, Property, first_leaf, pascal
from local_x3.graphql.references import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_x3.declarations import Column
    from local_x3.graphql.names import Names
    from local_x3.graphql.nodes import Collection, Shape

OTHER_NAMES = {  # node and collection -> package and node of its items, where the rule below gives another
    ("supplierInvoiceHeader", "purchaseInvoiceLines"): ("x3Purchasing", "purchaseInvoiceLine"),
    ("supplierInvoiceHeader", "lines"): ("x3InvoicingData", "supplierInvoiceLine"),
    ("customerInvoiceHeader", "lines"): ("x3InvoicingData", "customerInvoiceLine"),
}


def line_views(view: NodeView, names: Names) -> Iterator[NodeView]:
    """Yield a node for each collection of a node, nested ones too; the items get references upwards."""
    yield from _below(view, [view], view.shape, names)


def _below(document: NodeView, above: list[NodeView], shape: Shape, names: Names) -> Iterator[NodeView]:
    for name, collection in shape.collections.items():
        line = _view(document, above, name, collection, names)
        yield line
        yield from _below(document, [*above, line], collection.shape, names)


def _view(
    document: NodeView, above: list[NodeView], name: str, collection: Collection, names: Names
) -> NodeView:
    package, node = _named(document, name, names)
    shape = collection.shape
    shape.name = pascal(node)
    for parent in above:
        known = parent.name if parent.name not in shape.properties else "document"
        shape.properties[known] = _upwards(parent, above)
    return NodeView(package, node, shape, LineSelector(collection.origins, shape.key))


def _named(document: NodeView, collection: str, names: Names) -> tuple[str, str]:
    """Return package and name: `lines` of `salesInvoice` become `salesInvoiceLine`."""
    other = OTHER_NAMES.get((document.name, collection))
    if other is not None:
        return names.package(other[0]), other[1]
    name = collection.removesuffix("s")
    return document.package, name if name.startswith(document.name) else document.name + pascal(name)


def _upwards(parent: NodeView, above: list[NodeView]) -> Property:
    """Make the reference to a document, or to the line that an analytical line belongs to."""
    columns = {
        column.name: (name, item, column)
        for view in above
        for name, item in view.shape.properties.items()
        for column in first_leaf(item).columns
        if column.name in view.shape.key
    }
    members: dict[str, Property] = {}
    key: list[Column] = []
    for column_name in parent.shape.key:
        name, item, column = columns[column_name]
        members[name] = item
        key.append(column)
    return Property(members=members, target=Target(parent.shape, parent.selector), key=key)
