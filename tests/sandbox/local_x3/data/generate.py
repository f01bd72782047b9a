"""The generated dataset: which maker makes which source."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_x3.data.filler import complete, complete_row
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
from local_x3.data.world import ANCHOR, Extras, Maker, World
from local_x3.model import SENTINEL_DATES, STAMP, day_of, set_days
from local_x3.store import walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from local_x3.clock import Clock
    from local_x3.declarations import Source
    from local_x3.model import Document, Key, Row


NOTHING_ELSE = Extras()
EMPTY_STAMPS = ("", *(f"{day}T00:00:00Z" for day in SENTINEL_DATES))
UNSTAMPED_SHARE = 31


class GeneratedData:
    """Documents made from seed and number when they are asked for."""

    def __init__(
        self, sources: Sequence[Source], scale: int, seed: int, clock: Clock, extras: Extras = NOTHING_ELSE
    ) -> None:
        """Plan `scale` GL entries and the rest in proportion, stamped in the two years up to a fixed day.

        Where the machine's clock is behind that day, they end now: no stamp lies in the future.
        """
        now = clock.now().replace(microsecond=0) - dt.timedelta(seconds=1)
        self._world = World(seed, scale, min(ANCHOR, now), extras)
        self._zone = clock.zone
        self._makers = makers(self._world)
        for source in sources:
            if source.name not in self._makers:  # an entity that no rule knows: plausible values only
                self._makers[source.name] = Generic(self._world, source, max(scale // 4, 1))

    def table(self, source: Source) -> GeneratedTable:
        """Return the documents of a source."""
        return GeneratedTable(self._world, source, self._makers[source.name], self._zone)


@dataclass(frozen=True, slots=True)
class GeneratedTable:
    """What a maker says of its documents, with plausible values in all other columns."""

    world: World
    source: Source
    maker: Maker
    zone: dt.timezone

    @property
    def count(self) -> int:
        """How many documents there are."""
        return self.maker.count

    def key(self, index: int) -> Key:
        """Return the key of a document."""
        return self.maker.key(index)

    def stamp(self, index: int) -> str:
        """Return the change stamp of a document."""
        return self.maker.stamps(index)[1] if self._stamped(index) else EMPTY_STAMPS[index % 3]

    def day(self, index: int) -> str:
        """Return the day of that stamp, as the server's own calendar has it."""
        return day_of(self.stamp(index), self.zone)

    def document(self, index: int) -> Document:
        """Make a document."""
        document = self.maker.document(index)
        if not self._stamped(index):
            _stamp_all(document, self.stamp(index))
        complete(document, self.source.level, self._rng(index), str(document.row[STAMP]))
        if self.zone != dt.UTC:
            for _, chain in walk(document, self.source.level):
                set_days(chain[-1].row, self.zone)
        return document

    def header(self, index: int) -> Row:
        """Make a document's own row."""
        row = self.maker.header(index)
        if not self._stamped(index):
            row[STAMP] = self.stamp(index)
        complete_row(row, self.source.level, self._rng(index), str(row[STAMP]))
        if self.zone != dt.UTC:
            set_days(row, self.zone)
        return row

    def _stamped(self, index: int) -> bool:
        return not self.world.extras.unstamped or index % UNSTAMPED_SHARE != UNSTAMPED_SHARE // 2

    def _rng(self, index: int) -> Random:
        return self.world.rng(f"{self.source.name}+", index)


def _stamp_all(document: Document, stamp: str) -> None:
    document.row[STAMP] = stamp
    for lines in document.children.values():
        for line in lines:
            _stamp_all(line, stamp)


def makers(world: World) -> dict[str, Maker]:
    """Return the makers by source name."""
    n = world.scale
    found: dict[str, Maker] = dict(masters(world))
    suppliers, customers, products = (found[name].count for name in ("supplier", "customer", "product"))
    orders = PurchaseOrders(world, suppliers, products, max(n // 4, 1), invoiced=n * 2 // 9)
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
