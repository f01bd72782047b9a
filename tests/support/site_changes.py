"""What a user does at X3 between two runs, and what a second run must then move: those documents only."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from streams import STREAMS

if t.TYPE_CHECKING:
    from tap_runs import Record
    from x3_control import X3Control

Key = tuple[t.Any, ...]
Rows = dict[str, dict[Key, "Record"]]
"""Records by stream and key."""

LARGEST = Decimal("99999999999999999.1234")
"""17 digits before the point and 4 behind: more than a binary float holds."""


def all_expected(x3: X3Control, api: str) -> Rows:
    """What X3 holds now, of all streams that the project selects."""
    return {
        stream: {tuple(record[name] for name in place.key): record for record in x3.expected(stream, api)}
        for stream, place in STREAMS.items()
    }


@dataclass(frozen=True)
class Changes:
    """A supplier renamed, an amount of a ledger entry set, an order line and a row of stock deleted."""

    supplier: str
    line: Key
    """Key of the ledger line whose amount was set."""
    order: str
    gone: Key
    """Key of the order line that was deleted."""
    stock: Key
    """Key of the row of stock that was deleted: the table is sent whole."""

    def has_moved(self, stream: str, key: Key) -> bool:
        """Whether a second run must send a row."""
        match stream:
            case "suppliers":
                return bool(key == (self.supplier,))
            case "gl_entries" | "gl_entry_lines" | "gl_cost_allocations":
                return bool(key[:2] == self.line[:2])
            case "purchase_orders" | "purchase_order_lines":
                return bool(key[0] == self.order)
            case _:
                return stream == "stock"

    def moved(self, rows: Rows) -> Rows:
        """Of some rows, those that a second run must send."""
        return {
            stream: {key: record for key, record in found.items() if self.has_moved(stream, key)}
            for stream, found in rows.items()
        }

    def with_gone(self, after: Rows, before: Rows) -> Rows:
        """The rows `after` the changes and those that were deleted: what a target holds that keeps them."""
        kept = {"purchase_order_lines": self.gone, "stock": self.stock}
        return after | {name: after[name] | {key: before[name][key]} for name, key in kept.items()}


def change(x3: X3Control, before: Rows, amount: Decimal = LARGEST) -> Changes:
    """Change X3, which holds the rows `before`; the ledger amount of the changed line is the largest."""
    supplier = next(iter(before["suppliers"]))[0]
    x3.set("BPSUPPLIER", supplier, {"BPSNAM": "Changed"})
    with_costs = {key[:2] for key in before["gl_cost_allocations"]}
    line = next(key for key in before["gl_entry_lines"] if key[:2] in with_costs)
    entry_type, number, line_number, _ = line
    ledger_type = 1
    x3.set(
        "GACCENTRYD", [entry_type, number, line_number, ledger_type], {"AMTCUR": amount, "AMTLED": LARGEST}
    )
    x3.touch("GACCENTRY", [entry_type, number])
    lines = Counter(key[0] for key in before["purchase_order_lines"])
    order = max(lines, key=lambda number: lines[number])
    gone = next(key for key in before["purchase_order_lines"] if key[0] == order)
    x3.remove("PORDERQ", list(gone))
    stock = next(iter(before["stock"]))
    x3.remove("STOCK", list(stock))
    return Changes(supplier, line, order, gone, stock)
