"""The generated dataset: which maker makes which source."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from local_x3.data.filler import complete
from local_x3.data.generic import Generic
from local_x3.data.invoices import (
    PAYABLE,
    PURCHASE,
    RECEIVABLE,
    SALE,
    FinancialInvoices,
    Invoices,
    PurchaseInvoices,
    SalesInvoices,
)
from local_x3.data.ledger import Entries
from local_x3.data.masters import masters
from local_x3.data.purchasing import PurchaseOrders
from local_x3.data.world import ANCHOR, Maker, World
from local_x3.model import Document, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_x3.clock import Clock
    from local_x3.declarations import Source


class GeneratedData:
    """Documents made from seed and number when they are asked for."""

    def __init__(self, sources: Sequence[Source], scale: int, seed: int, clock: Clock) -> None:
        """Plan `scale` GL entries and the rest in proportion, stamped in the two years up to a fixed day.

        Where the machine's clock is behind that day, they end now: no stamp lies in the future.
        """
        now = clock.now().replace(microsecond=0) - dt.timedelta(seconds=1)
        self._world = World(seed, scale, min(ANCHOR, now))
        self._makers = makers(self._world)
        for source in sources:
            if source.name not in self._makers:  # an entity that no rule knows: plausible values only
                self._makers[source.name] = Generic(self._world, source, max(scale // 4, 1))

    def entries(self, source: Source) -> list[Entry]:
        """Return the entries of a source."""
        maker = self._makers[source.name]
        return [Entry(maker.key(index), maker.stamps(index)[1], index) for index in range(maker.count)]

    def build(self, source: Source, entry: Entry) -> Document:
        """Make a document."""
        if entry.index is None:
            msg = f"{entry.key} was not generated"
            raise ValueError(msg)
        document = self._makers[source.name].document(entry.index)
        rng = self._world.rng(f"{source.name}+", entry.index)
        complete(document, source.level, rng, entry.stamp)
        return document


def makers(world: World) -> dict[str, Maker]:
    """Return the makers by source name."""
    n = world.scale
    found: dict[str, Maker] = dict(masters(world))
    suppliers, customers, products = (found[name].count for name in ("supplier", "customer", "product"))
    orders = PurchaseOrders(world, suppliers, products, max(n // 4, 1))
    invoices: list[Invoices] = [
        PurchaseInvoices(world, PURCHASE, n * 2 // 9, suppliers, orders),
        FinancialInvoices(world, PAYABLE, n // 9, suppliers, "BISBIL"),
        SalesInvoices(world, SALE, n // 5, customers, products),
        FinancialInvoices(world, RECEIVABLE, n // 20, customers, "BICBIL"),
    ]
    found.update({kind.kind.name: kind for kind in invoices})
    found["purchase_order"] = orders
    found["gl_entry"] = Entries(world, invoices, n)
    return found
