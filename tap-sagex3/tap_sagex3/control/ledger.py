"""Adding up ledger lines by group. Constant memory: a total a group, and the last entry."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tap_sagex3.errors import ApiError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_sagex3.declarations import StreamDeclaration
    from tap_sagex3.documents import Row
    from tap_sagex3.instance import Instance
    from tap_sagex3.sources import Reading

GROUP = ("ledgerType", "ledger", "lineCompany", "fiscalYear", "period", "ledgerCurrency")
"""Columns of ledger lines that make a group, in the order of the key of the totals."""
DOCUMENT = ("entryType", "id")
LINE = ("lineNumber",)
SIGN, AMOUNT = "sign", "amountInLedgerCurrency"
NEEDED = frozenset({*GROUP, *DOCUMENT, *LINE, SIGN, AMOUNT})
DEBIT, CREDIT = 1, -1


@dataclass(slots=True)
class Totals:
    """Totals of one group."""

    documents: int = 0
    lines: int = 0
    debit: Decimal = field(default_factory=Decimal)
    credit: Decimal = field(default_factory=Decimal)

    def add(self, sign: object, amount: Decimal) -> None:
        """Add an amount to its side.

        Raises:
            ApiError: the sign is neither 1 nor -1: the amount would be on no side.
        """
        if sign == DEBIT:
            self.debit += amount
        elif sign == CREDIT:
            self.credit += amount
        else:
            msg = f"A ledger line has sign {sign!r}, expected 1 or -1: totals would leave its amount out."
            raise ApiError(msg)

    def row(self) -> Row:
        """The columns of the totals."""
        return {
            "documents": self.documents,
            "lines": self.lines,
            "debitInLedgerCurrency": self.debit,
            "creditInLedgerCurrency": self.credit,
        }


def narrow_ledger(lines: StreamDeclaration) -> StreamDeclaration:
    """The stream of ledger lines with the columns that totals need."""
    return replace(lines, fields=tuple(f for f in lines.fields if f.name in NEEDED))


def group_rows(rows: Iterable[Row]) -> dict[tuple[t.Any, ...], Totals]:
    """Add up lines; those of one entry must come one after the other.

    Raises:
        ApiError: an amount or a sign is not one.
    """
    found: dict[tuple[t.Any, ...], Totals] = {}
    last: tuple[t.Any, ...] | None = None
    counted: set[tuple[t.Any, ...]] = set()
    for row in rows:
        document = tuple(row[name] for name in DOCUMENT)
        if document != last:
            counted.clear()
            last = document
        key = tuple(row[name] for name in GROUP)
        totals = found.setdefault(key, Totals())
        totals.lines += 1
        totals.add(row[SIGN], _amount(row))
        if key not in counted:
            counted.add(key)
            totals.documents += 1
    return found


def rows_of_line_class(
    instance: Instance, reading: Reading, narrow: StreamDeclaration
) -> Iterator[Row] | None:
    """Ledger lines from a REST class that lists them; None when this site has none with all columns."""
    site = reading.sources[0]
    collection = narrow.collection(1, None)
    if collection is None or site.source.kind is not None:
        return None
    name = site.line_classes.get(collection.table, collection.table)
    flat = replace(narrow, collections=(), fields=tuple(replace(f, level=0) for f in narrow.fields))
    columns = {f.x3_column(None) or "": f for f in flat.fields}
    key = tuple(column for column, f in columns.items() if f.name in narrow.key)
    rest = replace(site.source.rest, class_name=name, representation=name, key=key, details=False)
    properties = instance.rest().prototype(rest, "$query")
    if properties is None or not set(columns) <= set(properties):
        return None
    lines = replace(site, source=replace(site.source, rest=rest))
    return instance.narrow_rows(replace(reading, sources=(lines,)), flat)


def _amount(row: Row) -> Decimal:
    amount = row[AMOUNT]
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        document = " ".join(str(row[name]) for name in DOCUMENT)
        msg = f"Entry {document}: {AMOUNT} is {amount!r}, expected a number: it cannot be added up."
        raise ApiError(msg)
    return Decimal(amount)
