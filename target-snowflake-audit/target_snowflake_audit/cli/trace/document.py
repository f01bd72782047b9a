"""One invoice down to its cost allocations, and whether the amounts on the way add up.

No public key leads from an invoice line to a GL line, so amounts are compared for the whole document, and a
line link is never made up. All sums are exact decimals.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.cli.trace.links import ALLOCATIONS, ENTRY, ENTRY_LINES, LEGAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_snowflake_audit.cli.trace.links import Invoice, Part

    Row = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A GL entry of the invoice. `link` says by which rule it was found; `header` None = not loaded."""

    link: str
    entry_type: str
    number: str
    header: Row | None
    lines: Sequence[Row]
    allocations: Sequence[Row]


@dataclass(frozen=True)
class Document:
    """An invoice, its lines, and the GL entries that it was posted to; rows are keyed by property."""

    kind: Invoice
    header: Row
    lines: Sequence[Row]
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Sum:
    """One comparison of two amounts in the document's currency."""

    what: str
    expected: Decimal
    found: Decimal

    @property
    def difference(self) -> Decimal:
        """Zero when they agree."""
        return self.found - self.expected


def redacted(document: Document, shown: Callable[[str, Row], Row]) -> Document:
    """The document as it may be shown; amounts are added up over the one that was read.

    Args:
        document: as read.
        shown: gives the row of a stream as it may be shown.
    """

    def rows(part: Part, found: Sequence[Row]) -> list[Row]:
        return [shown(part.stream, row) for row in found]

    entries = [
        replace(
            entry,
            header=None if entry.header is None else shown(ENTRY.stream, entry.header),
            lines=rows(ENTRY_LINES, entry.lines),
            allocations=rows(ALLOCATIONS, entry.allocations),
        )
        for entry in document.entries
    ]
    kind = document.kind
    header, lines = shown(kind.header.stream, document.header), rows(kind.lines, document.lines)
    return Document(kind, header, lines, entries)


def sums(document: Document) -> list[Sum]:
    """Compare lines with totals, debit with credit, entry with invoice, and allocations with GL lines."""
    header = document.header
    found = [
        Sum(
            "invoice lines = invoice total, without tax",
            amount(header, "totalAmountExcludingTax"),
            total(document.lines, "lineAmountExcludingTax"),
        )
    ]
    for entry in document.entries:
        found += _balance(entry)
        found.append(_partner(document, entry))
        found += _allocated(entry)
    return found


def posted(document: Document) -> bool:
    """Whether a GL entry of the invoice, with lines, is in the warehouse."""
    return any(entry.lines for entry in document.entries)


def amount(row: Row, name: str) -> Decimal:
    """An amount as Decimal; an empty one counts as zero."""
    value = row.get(name)
    return Decimal(0) if value is None else Decimal(value)


def signed(row: Row) -> Decimal:
    """A GL amount with its sign: debit above zero, credit below."""
    return amount(row, "sign") * amount(row, "amountInCurrency")


def total(rows: Iterable[Row], name: str) -> Decimal:
    """Sum of an amount over rows."""
    return sum((amount(row, name) for row in rows), Decimal(0))


def _label(entry: Entry) -> str:
    return f"entry {entry.entry_type} {entry.number}"


def _balance(entry: Entry) -> Iterable[Sum]:
    ledgers: dict[str, list[Decimal]] = defaultdict(list)
    for row in entry.lines:
        ledgers[str(row["ledgerType"])].append(signed(row))
    for ledger, amounts in ledgers.items():
        debit = sum((one for one in amounts if one > 0), Decimal(0))
        credit = -sum((one for one in amounts if one < 0), Decimal(0))
        yield Sum(f"{_label(entry)}, {ledger}: credit = debit", debit, credit)


def _partner(document: Document, entry: Entry) -> Sum:
    """The partner's lines on a control account in the legal ledger carry the invoice's total with tax."""
    partner = document.header.get(document.kind.partner)
    carried = [
        signed(row)
        for row in entry.lines
        if row["ledgerType"] == LEGAL and row.get("controlAccount") and row.get("businessPartner") == partner
    ]
    return Sum(
        f"{_label(entry)}: partner's lines = invoice total with tax",
        abs(amount(document.header, "totalAmountIncludingTax")),
        abs(sum(carried, Decimal(0))),
    )


def _allocated(entry: Entry) -> Iterable[Sum]:
    lines = {(row["lineNumber"], row["ledgerType"]): row for row in entry.lines}
    allocations: dict[tuple[object, object], list[Row]] = defaultdict(list)
    for row in entry.allocations:
        allocations[row["lineNumber"], row["ledgerType"]].append(row)
    for place, rows in allocations.items():
        line = lines.get(place)
        yield Sum(
            f"{_label(entry)}, line {place[0]}, {place[1]}: allocations = line",
            signed(line) if line is not None else Decimal(0),
            sum((signed(row) for row in rows), Decimal(0)),
        )
