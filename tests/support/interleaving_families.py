"""Families of tables and streams that test_interleavings.py changes and reads."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Level:
    """A table of a family: its key columns, a text or number that may change, what its rows are in."""

    table: str
    key: tuple[str, ...]
    column: str
    collection: str = ""
    given: dict[str, t.Any] = field(default_factory=dict)
    """What a new row must have to be of this family."""


@dataclass(frozen=True)
class Family:
    """Documents of one kind: tables from the document inwards, and the streams that come from them."""

    levels: tuple[Level, ...]
    streams: tuple[str, ...]
    line_tables: tuple[str, ...] = ()
    """Every table of lines that the streams read, when the local X3 can list them so that the tap is told."""

    @property
    def flat(self) -> bool:
        """Whether the documents have no lines."""
        return len(self.levels) == 1


FAMILIES = {
    "suppliers": Family((Level("BPSUPPLIER", ("BPSNUM",), "BPSNAM"),), ("suppliers",)),
    "products": Family((Level("ITMMASTER", ("ITMREF",), "ITMDES2"),), ("products",)),
    "orders": Family(
        (
            Level("PORDER", ("POHNUM",), "ORDREF"),
            Level("PORDERQ", ("POHNUM", "POPLIN", "POQSEQ"), "RCPQTYSTU", "POHPOQ"),
        ),
        ("purchase_orders", "purchase_order_lines"),
        ("PORDERQ",),
    ),
    "purchasing invoices": Family(
        (
            Level("PINVOICE", ("NUM",), "INVREF", given={"ORIMOD": 4}),
            Level("PINVOICED", ("NUM", "PIDLIN"), "QTYUOM", "PIHPID"),
        ),
        ("supplier_invoices", "supplier_invoice_lines"),
        ("PINVOICED", "BPSINVLIG"),
    ),
    "financial invoices": Family(
        (
            Level("BPSINV", ("NUM",), "INVREF", given={"ORIMOD": 3}),
            Level("BPSINVLIG", ("NUM", "LIG"), "QTY", "BISBIL"),
        ),
        ("supplier_invoices", "supplier_invoice_lines"),
        ("PINVOICED", "BPSINVLIG"),
    ),
    "sales invoices": Family(
        (
            Level("SINVOICEV", ("NUM",), "INVREF", given={"ORIMOD": 5}),
            Level("SINVOICED", ("NUM", "SIDLIN"), "QTY", "SIVSID"),
        ),
        ("sales_invoices", "sales_invoice_lines"),
    ),
    "ledger": Family(
        (
            Level("GACCENTRY", ("TYP", "NUM"), "REF"),
            Level("GACCENTRYD", ("TYP", "NUM", "LIN", "LEDTYP"), "QTY", "HAEDAE"),
            Level("GACCENTRYA", ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN"), "QTY", "DAEDAA"),
        ),
        ("gl_entries", "gl_entry_lines", "gl_cost_allocations"),
        ("GACCENTRYD", "GACCENTRYA"),
    ),
}
