"""X3 sites that differ in their APIs or in their data: how the local X3 plays each, how the tap is set."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field

from processes import ROOT
from tap_runs import config_for
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from processes import Server
    from tap_runs import Config

ENTRY, ORDER = "x3FinanceData.journalEntry", "x3Purchasing.purchaseOrder"
NODES = (
    *("x3MasterData.customer", "x3MasterData.product", "x3MasterData.supplier", "x3FinanceData.dimension"),
    *("x3FinanceData.dimensionType", "x3FinanceData.account", ENTRY, ORDER, "x3Sales.salesInvoice"),
    *("x3InvoicingData.customerInvoiceHeader", "x3InvoicingData.supplierInvoiceHeader", "x3StockData.stock"),
)
DENORMALISED = {
    f"{ORDER}.purchaseOrderLines.taxes": "lineTaxes",
    f"{ENTRY}.ledgers": "entryLedgers",
    f"{ENTRY}.currencyRates": "exchangeRates",
}


def old_name(node: str) -> str:
    """The name of a node before 2023 R2: `x3Sales` was `xtremX3Sales`."""
    return f"xtrem{node[0].upper()}{node[1:]}"


@dataclass(frozen=True)
class Variant:
    """A site: options of the local X3, and the text of the file that describes one of its APIs.

    `through_rest` are the streams that only REST can give; for them the tap gets a login of its own.
    """

    api: str
    options: tuple[str, ...] = ("--scale", "25")
    graphql_site: str = ""
    rest_site: str = ""
    through_rest: frozenset[str] = field(default_factory=frozenset)

    @contextmanager
    def running(self, folder: Path) -> Iterator[tuple[Server, Config]]:
        """The site, and the configuration of the tap for it."""
        files: list[str] = []
        for option, text in (("--graphql-site", self.graphql_site), ("--rest-site", self.rest_site)):
            if text:
                path = folder / f"{option.strip('-')}.toml"
                path.write_text(text, encoding="utf-8")
                files += [option, str(path)]
        with local_x3("--port", "0", *self.options, *files) as running:
            config = config_for(running, self.api)
            if self.through_rest:
                config |= {"rest_username": config["username"], "rest_password": config["password"]}
            yield running, config

    def api_of(self, stream: str) -> str:
        """The API that a stream is read through."""
        return "rest" if stream in self.through_rest else self.api


def _renamed(names: t.Mapping[str, str]) -> str:
    return "[renamed]\n" + "".join(f'"{path}" = "{name}"\n' for path, name in names.items())


def _absent(*paths: str) -> str:
    return "absent = [" + ", ".join(f'"{path}"' for path in paths) + "]\n"


LEDGER = frozenset({"gl_entries", "gl_entry_lines", "gl_cost_allocations"})
ORDERS = frozenset({"purchase_orders", "purchase_order_lines"})
AWKWARD = ("--scale", "40", "--unstamped", "--mass-update", "12", "--seed", "5")
FIXTURE = ("--fixture", str(ROOT / "tests" / "support" / "fixture"))
DAYS_ONLY = """utc_offset = "+05:30"
bare_last_page = true

[stamps]
PORDER = ["UPDDAT"]
GACCENTRY = ["UPDDAT"]
BPSUPPLIER = []
"""
COLUMNS_ABSENT = _absent(
    "PORDER.TOTTAXAMT",
    "PORDER.POHPOQ.GROPRI",
    "BPCUSTOMER.OSTAUZ",
    "GACCENTRY.HAEDAE.QTY",
    "GACCENTRY.HAEDAE.DAEDAA.DIE4",
)

VARIANTS: dict[str, Variant] = {
    "V12": Variant("graphql"),
    "V12 before 2023 R2": Variant("graphql", ("--scale", "25", "--graphql-names", "2022r3")),
    "V12 before 2022 R3": Variant("graphql", ("--scale", "25", "--graphql-names", "old")),
    "V12, xtremX3 packages": Variant(
        "graphql", graphql_site=_renamed({node: old_name(node) for node in NODES})
    ),
    "V12, denormalised fields renamed": Variant("graphql", graphql_site=_renamed(DENORMALISED)),
    "V12, nodes of lines": Variant("graphql", graphql_site="line_nodes = true\n"),
    "V12, no ledger, orders and stock": Variant(
        "graphql",
        graphql_site=_absent(ENTRY, ORDER, "x3StockData.stock"),
        through_rest=frozenset({*LEDGER, *ORDERS, "stock"}),
    ),
    "V12, properties that are not there": Variant(
        "graphql",
        graphql_site=_absent(
            f"{ENTRY}.lines.taxAmount",
            f"{ENTRY}.ledgers",
            f"{ORDER}.purchaseOrderLines.grossPrice",
            f"{ORDER}.purchaseOrderLines.taxes",
            "x3MasterData.customer.authorizedCreditAmount",
        ),
    ),
    "V12, awkward data": Variant("graphql", AWKWARD),
    "V12, written by hand": Variant("graphql", FIXTURE),
    "V11": Variant("rest", ("--scale", "25", "--x3-version", "V11")),
    "V11, days only": Variant("rest", ("--scale", "25", "--x3-version", "V11"), rest_site=DAYS_ONLY),
    "V11, columns that are not there": Variant(
        "rest", ("--scale", "25", "--x3-version", "V11"), rest_site=COLUMNS_ABSENT
    ),
    "V11, no $prototypes": Variant(
        "rest", ("--scale", "25", "--x3-version", "V11"), rest_site="prototypes = false\n"
    ),
    "V11, awkward data": Variant("rest", (*AWKWARD, "--x3-version", "V11")),
    "V11, written by hand": Variant("rest", (*FIXTURE, "--x3-version", "V11")),
}
