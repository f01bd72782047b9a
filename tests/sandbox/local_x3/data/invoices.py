"""Supplier and customer invoices: from purchase orders, from sales, and entered in finance without either."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from local_x3.data.filler import number
from local_x3.data.masters import (
    account,
    control_account,
    currency_of,
    customer_code,
    product_code,
    supplier_code,
)
from local_x3.data.world import (
    CREDIT_MEMOS,
    PAYMENT_TERMS,
    SITES,
    TAX_CODE,
    TAX_RATE,
    UNITS,
    WAREHOUSE,
    Site,
    World,
    converted,
    rounded,
    shift_date,
    stamped,
)  # fmt: skip
from local_x3.model import SENTINEL_DATES, Document, Key, Row, Value

if TYPE_CHECKING:
    from random import Random

    from local_x3.data.purchasing import PurchaseOrders

NO, YES = 1, 2
INVOICE, CREDIT_MEMO = 1, 2
FINANCE, PURCHASING, SALES = 3, 4, 5  # menu of modules
LONG_INVOICE_LINES = 1500
LONG_INVOICE_SCALE = 2000
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Head:
    """What the header of a ledger entry needs. `sign` is that of expense or revenue: 1 debit, -1 credit."""

    entry_type: str
    number: str
    journal: str
    module: int
    site: Site
    currency: str
    control: str
    partner: str
    sign: int
    stamps: tuple[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Posting:
    """What the lines of a ledger entry need."""

    head: Head
    parts: tuple[tuple[str, Decimal], ...]  # (account, net amount), one a ledger line
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between the four kinds of invoices."""

    name: str
    prefix: str
    entry_type: str
    journal: str
    module: int
    control: str  # class of the control account
    accounts: tuple[str, ...]  # classes of the expense or revenue accounts
    sign: int


PURCHASE = Kind("supplier_invoice.purchasing", "PI", "FACFO", "ACH", PURCHASING, "401", ("601", "611"), 1)
PAYABLE = Kind("supplier_invoice.financial", "BS", "FRSFI", "ACH", FINANCE, "401", ("601", "611", "641"), 1)
SALE = Kind("sales_invoice.sales", "SI", "FACCL", "VEN", SALES, "411", ("701",), -1)
RECEIVABLE = Kind("sales_invoice.financial", "BC", "CLIFI", "VEN", FINANCE, "411", ("701",), -1)


@dataclass(frozen=True)
class Invoices:
    """What the four kinds share: numbers, times, header amounts, and the posting."""

    world: World
    kind: Kind
    count: int
    partners: int

    def key(self, index: int) -> Key:
        """Return the invoice's number."""
        return (f"{self.kind.prefix}{self.site(index).code}{index + 1:06d}",)

    def site(self, index: int) -> Site:
        """Return the site of an invoice."""
        return SITES[index % len(SITES)]

    def stamps(self, index: int) -> tuple[str, str]:
        """Return when an invoice was made and last changed."""
        return self.world.times(self.kind.name, index, self.count)

    def document(self, index: int) -> Document:
        """Return an invoice with its lines."""
        raise NotImplementedError

    def header(self, index: int) -> Row:
        """Return an invoice's own row; its amounts are those of its lines."""
        return self.document(index).row

    def partner(self, index: int) -> tuple[str, str]:
        """Return code and currency of the invoice's partner."""
        who = self.world.rng(f"{self.kind.name}/partner", index).randrange(self.partners)
        return (supplier_code(who) if self.kind.control == "401" else customer_code(who)), currency_of(who)

    def sign(self, index: int) -> int:
        """Return 1 for an invoice, -1 for a credit memo; every ninth is one."""
        return -1 if index % CREDIT_MEMOS == CREDIT_MEMOS - 1 else 1

    def accounting(self, index: int, lines: list[Document]) -> Row:
        """Return the header columns that all accounting headers (PINVOICE, SINVOICE) have."""
        site, stamps = self.site(index), self.stamps(index)
        partner, currency = self.partner(index)
        net, gross = total(lines, "AMTNOTLIN"), total(lines, "AMTATILIN")
        day = stamps[0][:10]
        return {
            "NUM": self.key(index)[0], "INVTYP": CREDIT_MEMO if self.sign(index) < 0 else INVOICE,
            "ORIMOD": self.kind.module,
            "GTE": self.kind.entry_type, "JOU": self.kind.journal, "ACCNUM": index + 1,
            "CPY": site.company, "FCY": site.code,
            "BPR": partner, "BPRSAC": control_account(self.kind.control), "BPRPAY": partner, "ACCDAT": day,
            "RATDAT": day,
            "STRDUDDAT": shift_date(day, 30), "FIY": int(day[:4]), "PER": int(day[5:7]), "CUR": currency,
            "CURTYP": 1,
            "PTE": PAYMENT_TERMS[index % 4], "VAC": site.country, "STA": 3, "SNS": self.sign(index),
            "AMTNOT": net, "AMTATI": gross,
            "AMTNOTL": converted(net, currency, site.currency),
            "AMTATIL": converted(gross, currency, site.currency),
            "TAX1": TAX_CODE[site.chart], "BASTAX1": net, "AMTTAX1": gross - net,
        }  # fmt: skip

    def head(self, index: int) -> Head:
        """Return what the ledger entry of an invoice says in its header, without making the invoice."""
        partner, currency = self.partner(index)
        kind = self.kind
        return Head(
            kind.entry_type, str(self.key(index)[0]), kind.journal, kind.module, self.site(index), currency,
            kind.control, partner, kind.sign * self.sign(index), self.stamps(index), f"Facture {partner}",
        )  # fmt: skip

    def posting(self, index: int) -> Posting:
        """Return what the ledger entry of an invoice is made of: its lines added up by account."""
        document, site = self.document(index), self.site(index)
        sums: dict[str, Decimal] = {}
        tax = ZERO
        for place, line in enumerate(lines_of(document)):
            net, gross = Decimal(line.row["AMTNOTLIN"]), Decimal(line.row["AMTATILIN"])
            code = str(line.row.get("ACC1") or account(site.chart, self.kind.accounts[0], place))
            sums[code] = sums.get(code, ZERO) + net
            tax += gross - net
        return Posting(self.head(index), tuple(sums.items()), tax)


def lines_of(document: Document) -> list[Document]:
    """Return the lines of an invoice."""
    return next(iter(document.children.values()))


def total(lines: list[Document], column: str) -> Decimal:
    """Add up an amount column."""
    return sum((Decimal(line.row[column]) for line in lines), ZERO)


def amounts(net: Decimal, site: Site, currency: str) -> Row:
    """Return the amounts of a line."""
    tax = rounded(net * TAX_RATE[site.chart], currency)
    return {"AMTNOTLIN": net, "AMTATILIN": net + tax, "AMTTAXLIN1": tax}


@dataclass(frozen=True)
class PurchaseInvoices(Invoices):
    """Invoices for purchase orders: line by line what the order says."""

    orders: PurchaseOrders

    def site(self, index: int) -> Site:
        """Return the order's site."""
        return SITES[index % self.orders.count % len(SITES)]

    def partner(self, index: int) -> tuple[str, str]:
        """Return the order's supplier."""
        supplier = self.orders.supplier(index % self.orders.count)
        return supplier_code(supplier), currency_of(supplier)

    def document(self, index: int) -> Document:
        """Return an invoice; the first one of a large dataset has 1,500 lines, of a small one if asked."""
        order = self.orders.document(index % self.orders.count)
        ordered = order.children["POHPOQ"]
        large = self.world.scale >= LONG_INVOICE_SCALE or self.world.extras.long_invoice
        long = index == 0 and large
        count = LONG_INVOICE_LINES if long else len(ordered)
        day = self.stamps(index)[0][:10]
        lines = [Document(self._line(order.row, ordered[n % len(ordered)].row, n, day)) for n in range(count)]
        row = self.accounting(index, lines)
        row |= {
            "PIHTYP": 3 if self.sign(index) < 0 else 1, "PIVTYP": "STD", "BPRVCR": f"EXT-{index:06d}",
            "BPRDAT": shift_date(day, -3), "INVREF": order.row["POHNUM"], "INVNUM": "", "PAZ": 4, "TWMSTA": 2,
            "PJTH": order.row["PJTH"], "DES1": "",
        }  # fmt: skip
        return Document(stamped(row, self.stamps(index)), {"PIHPID": lines})

    def _line(self, order: Row, line: Row, place: int, day: str) -> Row:
        site = SITES_BY_CODE[str(order["POHFCY"])]
        return {
            "PIDLIN": (place + 1) * 1000, "TYPORI": 1, "NUMORI": order["POHNUM"], "LINORI": line["POPLIN"],
            "POHNUM": order["POHNUM"],
            "POPLIN": line["POPLIN"], "POQSEQ": line["POQSEQ"], "PTHNUM": "", "PTDLIN": 0,
            "CPY": order["CPY"], "FCYLIN": order["POHFCY"],
            "BPR": order["BPSNUM"], "ITMREF": line["ITMREF"], "LINPURTYP": 1, "TWMSTA": 2,
            "UOM": line["UOM"], "PUU": line["PUU"],
            "STU": line["STU"], "QTYUOM": line["QTYUOM"], "QTYPUU": line["QTYPUU"],
            "QTYSTU": line["QTYSTU"], "GROPRI": line["GROPRI"],
            "DISCRGVAL1": ZERO, "DISCRGVAL2": ZERO, "DISCRGVAL3": ZERO, "NETPRI": line["NETPRI"],
            "NETCUR": order["CUR"], "VAT1": line["VAT1"],
            "VAT2": "", "AMTTAXLIN2": ZERO, "ACCDAT": day,
            **amounts(Decimal(line["LINAMT"]), site, str(order["CUR"])),
        }  # fmt: skip


SITES_BY_CODE = {site.code: site for site in SITES}


@dataclass(frozen=True)
class FinancialInvoices(Invoices):
    """Invoices entered in finance: one to three lines on accounts."""

    collection: str

    def document(self, index: int) -> Document:
        """Return an invoice."""
        rng = self.world.rng(self.kind.name, index)
        site = self.site(index)
        partner = self.partner(index)
        lines = [Document(self._line(site, partner, place, rng)) for place in range(1 + index % 3)]
        row = self.accounting(index, lines)
        row |= {
            "PIVTYP": "FIN", "SIVTYP": "FIN", "PIHTYP": 0, "BPRVCR": f"EXT-{index:06d}",
            "BPRDAT": row["ACCDAT"], "INVREF": "", "INVNUM": "", "PAZ": 4, "TWMSTA": 0, "PJTH": "",
        }  # fmt: skip
        return Document(stamped(row, self.stamps(index)), {self.collection: lines})

    def _line(self, site: Site, partner: tuple[str, str], place: int, rng: Random) -> Row:
        code_of_partner, currency = partner
        prefix = self.kind.accounts[place % len(self.kind.accounts)]
        taxed = amounts(rounded(number(rng.randrange(1, 10**8), 2), currency), site, currency)
        code: Value = account(site.chart, prefix, rng.randrange(4))
        return {
            "LIG": place + 1, "CPYLIN": site.company, "FCYLIN": site.code, "BPRLIN": code_of_partner,
            "COA1": site.chart, "ACC1": code, "COA2": site.chart,
            "ACC2": code, "PURTYP": 3, "UOM": "", "QTY": ZERO, "VAT": TAX_CODE[site.chart], "PJTLIN": "",
            "AMTVAT": taxed.pop("AMTTAXLIN1"), **taxed,
        }  # fmt: skip


@dataclass(frozen=True)
class SalesInvoices(Invoices):
    """Invoices for parts sold from the shared warehouse or a plant."""

    products: int

    def document(self, index: int) -> Document:
        """Return an invoice."""
        rng = self.world.rng(self.kind.name, index)
        site, stamps = self.site(index), self.stamps(index)
        partner, currency = self.partner(index)
        lines = [Document(self._line(index, place, rng)) for place in range(1 + rng.randrange(5))]
        row = self.accounting(index, lines)
        del row["BPR"]
        row.update({
            "SIVTYP": "INV", "SALFCY": site.code, "STOFCY": WAREHOUSE.code if index % 2 else site.code,
            "BPCORD": partner, "BPCINV": partner,
            "BPCGRU": partner, "INVDAT": stamps[0][:10], "INVREF": "", "SIHORI": 3,
            "SIHORINUM": f"SD{site.code}{index + 1:06d}",
            "SIHORIDAT": SENTINEL_DATES[index % 2] if index % 5 == 4 else stamps[0][:10], "PRITYP": 1,
            "INVSTA": 3, "STOMVTFLG": YES,
            "BETFCY": NO, "BETCPY": NO, "LINNBR": len(lines), "PJT": "", "CUR": currency,
        })  # fmt: skip
        return Document(stamped(row, stamps), {"SIVSID": lines})

    def _line(self, index: int, place: int, rng: Random) -> Row:
        site = self.site(index)
        product = rng.randrange(self.products)
        quantity, price = number(rng.randrange(1, 10**6), 3), number(rng.randrange(1, 10**8), 5)
        free = place == 3 and index % 2 == 0  # given away: a line that costs nothing
        price = ZERO if free else price
        partner, currency = self.partner(index)
        unit = UNITS[product % len(UNITS)]
        return {
            "SIDLIN": (place + 1) * 1000, "SIDORI": 3, "SOHNUM": f"SO{site.code}{index + 1:06d}",
            "SOPLIN": (place + 1) * 1000, "SOQSEQ": 1,
            "SDHNUM": f"SD{site.code}{index + 1:06d}", "SDDLIN": (place + 1) * 1000, "CPY": site.company,
            "SALFCY": site.code,
            "STOFCY": WAREHOUSE.code if index % 2 else site.code, "BPCINV": partner,
            "LINTYP": 1, "ITMREF": product_code(product),
            "SAU": unit, "STU": unit, "SAUSTUCOE": Decimal(1), "QTY": quantity, "QTYSTU": quantity,
            "GROPRI": price, "DISCRGVAL1": ZERO,
            "DISCRGVAL2": -number(index % 500, 2), "DISCRGVAL3": ZERO, "NETPRI": price, "NETPRINOT": price,
            "VAT1": TAX_CODE[site.chart],
            "VAT2": "", "AMTTAXLIN2": ZERO, "FOCFLG": 3 if free else 1,
            "INVDAT": self.stamps(index)[0][:10], "PJT": "",
            **amounts(rounded(quantity * price, currency), site, currency),
        }  # fmt: skip
