"""The node `businessPartner`: every supplier and customer, one of its references being `supplier.code` [D].

X3 keeps it in a table of its own (BPARTNER); here it is a view of both, so it changes with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.declarations import Column, Level, Node, Source
from local_x3.graphql.nodes import Property, Shape
from local_x3.graphql.selecting import NodeSelector
from local_x3.model import AUDIT_COLUMNS, Document, Key, Row
from local_x3.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_x3.graphql.conditions import Condition
    from local_x3.ordering import Order
    from local_x3.selection import Selection

NODE = "businessPartner"
PACKAGE = "x3MasterData"
SOURCES = {  # entity -> columns that become BPRNUM, BPRNAM1, ENAFLG
    "supplier": ("BPSNUM", "BPSNAM", "ENAFLG"),
    "customer": ("BPCNUM", "BPCNAM", "BPCSTA"),
}
COLUMNS = (  # code and isActive are in Sage's guide [D], companyName1 by analogy [I]
    Column("BPRNUM", "text", ("code",), "String", "Business partner", "BPARTNER", 15),
    Column("BPRNAM1", "text", ("companyName1",), "String", "Company name", "BPARTNER", 80),
    Column("ENAFLG", "boolean", ("isActive",), "Boolean", "Is active", "BPARTNER"),
)
SOURCE = Source(
    entity="business_partner",
    kind="",
    rest_class="",
    representation="",
    details=False,
    key=("BPRNUM",),
    node=Node(PACKAGE, NODE, ("code",)),
    join=None,
    join_table="",
    preset={},
    level=Level("BPARTNER", columns={column.name: column for column in COLUMNS}, key=("BPRNUM",)),
    streams=(),
)


def partner_shape() -> Shape:
    """Return what the node looks like."""
    properties = {column.path[0]: Property([column]) for column in COLUMNS}
    return Shape("BusinessPartner", SOURCE.key, NODE, (), properties)


class PartnerSelector(NodeSelector):
    """Business partners as the stores of suppliers and customers hold them now."""

    def __init__(self, stores: Iterable[Store]) -> None:
        """Take the stores that hold partners."""
        self._origins = [store for store in stores if store.source.entity in SOURCES]
        self._version = self._now()
        super().__init__([self._view()])

    def stores(self) -> list[Store]:
        """Return the view, made anew after a change."""
        if self._version != self._now():
            self._version = self._now()
            super().__init__([self._view()])
        return super().stores()

    def select(self, text: str, condition: Condition, order: Order) -> Selection:
        """Return what matches, in the view as it is now."""
        self.stores()
        return super().select(text, condition, order)

    def _now(self) -> int:
        return sum(store.version for store in self._origins)

    def _view(self) -> Store:
        view = Store(SOURCE, _Partners(self._origins))
        view.version = self._version
        return view


class _Partners:
    """A partner for each supplier and customer; a code that is both is one partner."""

    def __init__(self, stores: list[Store]) -> None:
        found = {store.key(index): (store, index) for store in stores for index in store.order}
        self._places = list(found.items())

    def table(self, _: Source) -> _Partners:
        return self

    @property
    def count(self) -> int:
        return len(self._places)

    def key(self, index: int) -> Key:
        return self._places[index][0]

    def stamp(self, index: int) -> str:
        store, place = self._places[index][1]
        return store.entry(place).stamp

    def day(self, index: int) -> str:
        return self.stamp(index)[:10]  # no partner shows it

    def header(self, index: int) -> Row:
        store, place = self._places[index][1]
        row = store.header(store.entry(place))
        found: Row = {name: row[name] for name in AUDIT_COLUMNS if name in row}
        columns = zip(COLUMNS, SOURCES[store.source.entity], strict=True)
        found.update((column.name, row[name]) for column, name in columns if name in row)
        return found

    def document(self, index: int) -> Document:
        return Document(self.header(index))
