"""How documents of Sage X3 hang together, as data: names are those of the streams of tap-sagex3."""

from __future__ import annotations

import re
from dataclasses import dataclass

BY_ENTRY_NUMBER = "inferred: the entry has the invoice's entry type and number (GTE, NUM = TYP, NUM)"
BY_INTERNAL_NUMBER = "inferred: a line has the invoice's internal number (ACCNUM), another its partner"

LEGAL = "legal"
"""The ledger type that carries the business partner's line of an invoice."""


@dataclass(frozen=True)
class Part:
    """One stream of a document: the properties to read, the ones that order its rows, and those to show."""

    stream: str
    order: tuple[str, ...]
    shown: tuple[str, ...]
    read: tuple[str, ...] = ()

    @property
    def properties(self) -> tuple[str, ...]:
        """Every property to read, each once."""
        return tuple(dict.fromkeys((*self.order, *self.shown, *self.read)))


@dataclass(frozen=True)
class Invoice:
    """A kind of invoice; `partner` is the property of the business partner who owes or is owed."""

    command: str
    title: str
    header: Part
    lines: Part
    partner: str


_TITLES = {
    "lineNumber": "Line",
    "ledgerType": "Ledger type",
    "analyticalLineNumber": "No.",
    "businessPartner": "Partner",
    "allocationSite": "Site",
    "purchaseOrder": "Order",
    "purchaseOrderLineNumber": "Order line",
    "quantity": "Quantity",
    "amountInCurrency": "Amount",
    "amountInLedgerCurrency": "Ledger amount",
    "currency": "Cur.",
    "ledgerCurrency": "Led. cur.",
    "lineAmountExcludingTax": "Without tax",
    "lineAmountIncludingTax": "With tax",
}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def title_of(name: str) -> str:
    """The title of a property's column in a table: a short one, or its words."""
    return _TITLES.get(name) or words_of(name)


def words_of(name: str) -> str:
    """A property's name as words: `accountingDate` is `Accounting date`."""
    return _HUMP.sub(" ", name).capitalize()


_TOTALS = ("totalAmountExcludingTax", "totalAmountIncludingTax", "currency")
_LINK = ("id", "entryType", "internalNumber", "debitOrCredit")

SUPPLIER_INVOICE = Invoice(
    command="supplier-invoice",
    title="Supplier invoice",
    header=Part(
        "supplier_invoices",
        ("id",),
        ("id", "invoiceKind", "billBySupplier", "company", "site", "accountingDate", "status", *_TOTALS),
        _LINK,
    ),
    lines=Part(
        "supplier_invoice_lines",
        ("lineNumber",),
        (
            "lineNumber",
            "purchaseOrder",
            "purchaseOrderLineNumber",
            "product",
            "description",
            "quantity",
            "lineAmountExcludingTax",
            "lineAmountIncludingTax",
        ),
    ),
    partner="billBySupplier",
)
SALES_INVOICE = Invoice(
    command="sales-invoice",
    title="Sales invoice",
    header=Part(
        "sales_invoices",
        ("id",),
        ("id", "invoiceKind", "billToCustomer", "company", "site", "accountingDate", *_TOTALS),
        _LINK,
    ),
    lines=Part(
        "sales_invoice_lines",
        ("lineNumber",),
        (
            "lineNumber",
            "product",
            "description",
            "quantity",
            "lineAmountExcludingTax",
            "lineAmountIncludingTax",
        ),
    ),
    partner="billToCustomer",
)
INVOICES = {invoice.command: invoice for invoice in (SUPPLIER_INVOICE, SALES_INVOICE)}

ENTRY = Part(
    "gl_entries",
    ("entryType", "id"),
    (
        "entryType",
        "id",
        "company",
        "site",
        "journal",
        "accountingDate",
        "fiscalYear",
        "period",
        "status",
        "currency",
    ),
)
ENTRY_LINES = Part(
    "gl_entry_lines",
    ("lineNumber", "ledgerType"),
    (
        "lineNumber",
        "ledgerType",
        "account",
        "businessPartner",
        "sign",
        "amountInCurrency",
        "currency",
        "amountInLedgerCurrency",
        "ledgerCurrency",
        "description",
    ),
    ("entryType", "id", "controlAccount", "internalNumber"),
)
ALLOCATIONS = Part(
    "gl_cost_allocations",
    ("lineNumber", "ledgerType", "analyticalLineNumber"),
    (
        "lineNumber",
        "ledgerType",
        "analyticalLineNumber",
        "account",
        "allocationSite",
        "sign",
        "amountInCurrency",
        "currency",
        "dimensions",
    ),
    ("lineAmountInCurrency",),
)
