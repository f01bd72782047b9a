"""Purchase orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from local_x3.data.filler import number, plain
from local_x3.data.masters import currency_of, product_code, supplier_code
from local_x3.data.world import (
    BUYERS,
    CREDIT_MEMOS,
    PAYMENT_TERMS,
    SITES,
    TAX_CODE,
    TAX_RATE,
    UNITS,
    World,
    converted,
    rate,
    rounded,
    shift_date,
    stamped,
)
from local_x3.model import SENTINEL_DATES, STAMP, Document, Key, Row

if TYPE_CHECKING:
    from random import Random

NO, YES, IN_PART, IN_FULL = 1, 2, 2, 3


@dataclass(frozen=True)
class PurchaseOrders:
    """Orders of 1 to 6 lines; a third of them received in full, a third in part.

    The first ones were invoiced: all but those whose invoice is a credit memo.
    """

    world: World
    suppliers: int
    products: int
    count: int
    invoiced: int

    def key(self, index: int) -> Key:
        """Return the order's number."""
        return (f"PO{SITES[index % len(SITES)].code}{index + 1:06d}",)

    def stamps(self, index: int) -> tuple[str, str]:
        """Return when an order was made and last changed."""
        return self.world.times("purchase_order", index, self.count)

    def document(self, index: int) -> Document:
        """Return an order with its lines."""
        rng = self._rng(index)
        stamps = self.stamps(index)
        supplier = rng.randrange(self.suppliers)  # drawn first, as `supplier` does
        site = SITES[index % len(SITES)]
        currency = currency_of(supplier)
        progress = (NO, IN_PART, IN_FULL)[index % 3]
        invoiced = IN_FULL if self._is_invoiced(index) else NO
        closed = YES if progress == invoiced == IN_FULL else NO
        lines = [self._line(index, n, rng, currency, progress) for n in range(1 + rng.randrange(6))]
        net = sum((Decimal(line.row["LINAMT"]) for line in lines), Decimal(0))
        gross = sum((Decimal(line.row["LINATIAMT"]) for line in lines), Decimal(0))
        code = supplier_code(supplier)
        row: Row = {
            "POHNUM": self.key(index)[0], "POHTYP": 1, "PURTYP": 1, "CPY": site.company,
            "POHFCY": site.code, "RCPFCY": site.code,
            "INVFCY": site.code, "BPSNUM": code, "BPSINV": code, "BPRPAY": code, "BPRNAM2": "",
            "ORDDAT": stamps[0][:10],
            "EXTRCPDAT1": shift_date(stamps[0], 21), "ORDREF": f"REQ-{index:05d}" if index % 2 else "",
            "BUY": BUYERS[index % 4],
            "PJTH": f"PJ{index % 15:03d}" if index % 4 == 0 else "", "CUR": currency, "CHGTYP": 1,
            "CHGCOE": rate(currency, site.currency),
            "PTE": PAYMENT_TERMS[supplier % 4], "CLEFLG": closed,
            "RCPFLG": progress, "INVFLG": invoiced,
            "APPFLG": IN_FULL, "LINNBR": len(lines), "REVNUM": index % 3, "TOTLINAMT": net, "TOTORD": net,
            "TTVORD": gross,
            "TOTTAXAMT": gross - net, "TOTORDL": converted(net, currency, site.currency),
            "TTVORDL": converted(gross, currency, site.currency),
        }  # fmt: skip
        return Document(stamped(row, stamps), {"POHPOQ": lines})

    def _is_invoiced(self, index: int) -> bool:
        return index < self.invoiced and index % CREDIT_MEMOS != CREDIT_MEMOS - 1

    def header(self, index: int) -> Row:
        """Return an order's own row; its totals are those of its lines."""
        return self.document(index).row

    def supplier(self, index: int) -> int:
        """Return the number of an order's supplier, without making the order."""
        return self._rng(index).randrange(self.suppliers)

    def _rng(self, index: int) -> Random:
        return self.world.rng("purchase_order", index)

    def _line(self, index: int, place: int, rng: Random, currency: str, progress: int) -> Document:
        product = rng.randrange(self.products)
        quantity_units, price_units = rng.randrange(1, 10**6), rng.randrange(1, 10**8)
        site = SITES[index % len(SITES)]
        stamps = self.stamps(index)
        quantity, price = number(quantity_units, 3), number(price_units, 5)
        net = rounded(quantity * price, currency)
        tax = rounded(net * TAX_RATE[site.chart], currency)
        billed = quantity if self._is_invoiced(index) else Decimal(0)
        closed = progress == IN_FULL and self._is_invoiced(index)
        done = {NO: Decimal(0), IN_PART: number(quantity_units // 2, 3), IN_FULL: quantity}[progress]
        unit = UNITS[product % len(UNITS)]
        row: Row = {
            "POPLIN": (place + 1) * 1000, "POQSEQ": 1, "LINTYP": 1, "LINPURTYP": 1,
            "ITMREF": product_code(product), "PRHFCY": site.code,
            "ORDDAT": stamps[0][:10], "EXTRCPDAT": shift_date(stamps[0], 21),
            "RETRCPDAT": SENTINEL_DATES[place % 2], "UOM": unit, "PUU": unit,
            "STU": unit, "UOMPUUCOE": Decimal(1), "QTYUOM": quantity, "QTYPUU": quantity,
            "QTYSTU": quantity, "RCPQTYPUU": done,
            "RCPQTYSTU": done, "INVQTYPUU": billed, "INVQTYSTU": billed, "GROPRI": price,
            "DISCRGVAL1": Decimal(0), "DISCRGVAL2": Decimal(0),
            "DISCRGVAL3": Decimal(0), "NETPRI": price, "LINAMT": net, "LINATIAMT": plain(net + tax),
            "VAT1": TAX_CODE[site.chart], "VAT2": "",
            "VAT3": "", "AMTTAXLIN1": tax, "AMTTAXLIN2": Decimal(0), "AMTTAXLIN3": Decimal(0),
            "LINCLEFLG": YES if closed else NO,
            "LINSTA": 3 if closed else 1, "WIPSTA": 1,
        }  # fmt: skip
        # a receipt stamps its line, not the header: lines may be newer than their order
        late = progress == IN_PART and place == 0
        moved = min(shift_date(stamps[1], 3) + stamps[1][10:], self.world.last_stamp)
        row[STAMP] = moved if late else stamps[1]
        return Document(row)
