"""What the project promises: each stream's key, and the table that meltano.yml maps it to."""

from __future__ import annotations

from typing import NamedTuple


class Loaded(NamedTuple):
    """Where a stream is loaded."""

    schema: str
    key: tuple[str, ...]


STREAMS = {
    "suppliers": Loaded("PURCHASING", ("code",)),
    "customers": Loaded("SALES", ("code",)),
    "products": Loaded("INVENTORY", ("code",)),
    "stock": Loaded("INVENTORY", ("stockSite", "stockId")),
    "purchase_orders": Loaded("PURCHASING", ("id",)),
    "purchase_order_lines": Loaded("PURCHASING", ("id", "lineNumber", "sequenceNumber")),
    "supplier_invoices": Loaded("PURCHASING", ("id",)),
    "supplier_invoice_lines": Loaded("PURCHASING", ("id", "lineNumber")),
    "sales_invoices": Loaded("SALES", ("id",)),
    "sales_invoice_lines": Loaded("SALES", ("id", "lineNumber")),
    "gl_accounts": Loaded("FINANCE", ("chartOfAccounts", "code")),
    "gl_entries": Loaded("FINANCE", ("entryType", "id")),
    "gl_entry_lines": Loaded("FINANCE", ("entryType", "id", "lineNumber", "ledgerType")),
    "gl_cost_allocations": Loaded(
        "FINANCE", ("entryType", "id", "lineNumber", "ledgerType", "analyticalLineNumber")
    ),
    "dimension_types": Loaded("FINANCE", ("code",)),
    "dimensions": Loaded("FINANCE", ("dimensionType", "code")),
}


def table(stream: str) -> str:
    """Quoted name of the stream's table."""
    return f'"{STREAMS[stream].schema}"."{stream.upper()}"'
