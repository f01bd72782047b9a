"""The node `businessPartner`: every supplier and customer, one of its references being `supplier.code` [D].

X3 keeps it in a table of its own (BPARTNER); here it is a view of both, so it changes with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.declarations import Column
from local_x3.graphql.nodes import Property, Shape
from local_x3.model import AUDIT_COLUMNS, STAMP, Document, Entry, Key, Row, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_x3.store import Store

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


def partner_shape() -> Shape:
    """Return what the node looks like."""
    properties = {column.path[0]: Property([column]) for column in COLUMNS}
    return Shape("BusinessPartner", "BPARTNER", ("BPRNUM",), NODE, (), properties)


class Partners:
    """Business partners, read from the stores of suppliers and customers."""

    def __init__(self, stores: Iterable[Store]) -> None:
        """Take the stores that hold partners."""
        self._stores = [store for store in stores if store.source.entity in SOURCES]
        self._made_at: int | None = None
        self._by_key: dict[Key, Entry] = {}
        self._origins: dict[Key, tuple[Store, Entry]] = {}

    @property
    def version(self) -> int:
        """Change with each change of a supplier or customer."""
        return sum(store.version for store in self._stores)

    @property
    def by_key(self) -> dict[Key, Entry]:
        """Entries by code; a code that is supplier and customer is one partner."""
        if self._made_at != self.version:
            self._made_at = self.version
            self._origins = {
                entry.key: (store, entry) for store in self._stores for entry in store.by_key.values()
            }
            self._by_key = {key: Entry(key, entry.stamp) for key, (_, entry) in sorted(self._origins.items())}
        return self._by_key

    def header(self, entry: Entry) -> Row:
        """Return the row of a partner."""
        store, origin = self._origins[entry.key]
        row = store.header(origin)
        kept: dict[str, Value] = {name: row[name] for name in (*AUDIT_COLUMNS, STAMP) if name in row}
        columns = zip(COLUMNS, SOURCES[store.source.entity], strict=True)
        return {**kept, **{column.name: row[name] for column, name in columns if name in row}}

    def row(self, entry: Entry, columns: Iterable[str]) -> Row:  # noqa: ARG002 - every row is small
        """Return the row of a partner."""
        return self.header(entry)

    def document(self, entry: Entry) -> Document:
        """Return a partner."""
        return Document(self.header(entry))
