"""Master data: suppliers, customers, products, accounts, dimension types and dimensions, stock."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from local_x3.data.filler import number
from local_x3.data.world import BUYERS, PAYMENT_TERMS, PLACES, SITES, UNITS, World, shift_date, stamped
from local_x3.model import SENTINEL_DATES, Document, Key, Row

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("Décolletage Mérieux",
"Schäfer & Söhne", 'O\'Brien "Precision"', "Ångström Tools", "Fonderie Bréda", "Kraków Metal",
         "Łódź Bearings", "Müller Feinmechanik", "Señor Tornillo", "Smith, Jones & Co", "Ünal Makina",
         "日本精工")  # fmt: skip
PARTS = (
    "Bague",
    "Arbre",
    "Écrou",
    "Vis à tête",
    "Goupille",
    "Flansch",
    "Bushing",
    "Spacer",
    "Gear",
    "Joint",
    "Ressort",
    "Buchse",
)
# a text may hold several lines, quotes, a backslash, and characters outside Unicode's first plane
REMARKS = ("", "Quai 4 \U0001f69a l'après-midi", 'Livre le mardi;\nnot before 8" \\ noon')
CURRENCIES = ("EUR", "USD", "EUR", "GBP", "EUR", "CHF", "EUR", "JPY")
DIMENSION_TYPES = (("CCT", "Centre de coûts"),
("PLT", "Plant"), ("PRJ", "Project"), ("MAC", "Machine"), ("BUD", "Budget line"),
                   ("PRD", "Product line"))  # fmt: skip
DIMENSION_COUNTS = {"CCT": 20, "PLT": len(PLACES), "PRJ": 15, "MAC": 12, "BUD": 4, "PRD": 5}
# (account, text, class): a chart of each country has each of them in several sub-accounts
CLASSES = (("101", "Capital", "1"),
("164", "Emprunts", "1"), ("215", "Machines", "2"), ("281", "Amortissements", "2"),
("311", "Matières premières", "3"),
           ("355", "Produits finis", "3"), ("401", "Suppliers", "4"), ("411", "Customers", "4"),
           ("445", "TVA", "4"), ("512", "Bank", "5"), ("601", "Achats", "6"),
           ("611", "Sous-traitance", "6"), ("641", "Salaries", "6"), ("658", "Écarts d'arrondi", "6"),
           ("681", "Dotations", "6"),
           ("701", "Sales of parts", "7"))  # fmt: skip
SUB_ACCOUNTS = ("000", "100", "200", "300")
CONTROL_CLASSES = frozenset({"401", "411"})
DEBIT, CREDIT, YES, NO = 1, 2, 2, 1


def supplier_code(index: int) -> str:
    """Return the code of a supplier; one holds a tilde, which also separates the parts of a key."""
    return "FR~0007" if index == 6 else f"S{index + 1:05d}"


def customer_code(index: int) -> str:
    """Return the code of a customer."""
    return f"C{index + 1:05d}"


def product_code(index: int) -> str:
    """Return the code of a product; some hold characters that need quoting in a URL or a filter."""
    special = {4: "ORING~12", 8: "NUT'8\"", 12: "RÉF É/45 %"}
    return special.get(index) or f"PRT-{index + 1:06d}"


def currency_of(index: int) -> str:
    """Return the currency of a business partner."""
    return CURRENCIES[index % len(CURRENCIES)]


def account(chart: str, prefix: str, index: int) -> str:
    """Return an account of a chart; the American one uses shorter numbers."""
    sub = SUB_ACCOUNTS[index % len(SUB_ACCOUNTS)]
    return f"{prefix}{sub}" if chart == "FRA" else f"{prefix}{sub[0]}"


def control_account(prefix: str) -> str:
    """Return the control account of suppliers (401) or customers (411)."""
    return "FOU" if prefix == "401" else "CLI"


@dataclass(frozen=True)
class Listed:
    """A maker for documents without lines: how many, their keys and their rows."""

    world: World
    name: str
    count: int
    keys: Callable[[int], Key]
    rows: Callable[[World, int], Row]

    def key(self, index: int) -> Key:
        """Return the key of a document."""
        return self.keys(index)

    def stamps(self, index: int) -> tuple[str, str]:
        """Return when a document was made and last changed."""
        return self.world.times(self.name, index, self.count)

    def document(self, index: int) -> Document:
        """Return the document."""
        return Document(self.header(index))

    def header(self, index: int) -> Row:
        """Return the document's row."""
        return stamped(self.rows(self.world, index), self.stamps(index))


def _supplier(world: World, index: int) -> Row:
    code = supplier_code(index)
    site = SITES[index % len(SITES)]
    name = f"{NAMES[index % len(NAMES)]} {index // len(NAMES) + 1}".removesuffix(" 1")
    rng = world.rng("supplier", index)
    return {
        "BPSNUM": code, "BPSNAM": name, "BPSSHO": name[:10], "BPSTYP": 1,
        "BSGCOD": "RAW" if index % 3 else "SUB",
        "ENAFLG": NO if index % 11 == 10 else YES, "CUR": currency_of(index),
        "PTE": PAYMENT_TERMS[index % 4], "VACBPR": site.country,
        "BPRPAY": code, "BPSINV": code, "BPSGRU": supplier_code(index - index % 5), "BPSRSK": code,
        "OSTAUZAMT": number(rng.randrange(10**9), 2), "ORDMINAMT": number(rng.randrange(10**5), 2),
        "ABCCLS": index % 5,
        "BPSREM": REMARKS[index % 9] if index % 9 < len(REMARKS) else "",
    }  # fmt: skip


def _customer(world: World, index: int) -> Row:
    code = customer_code(index)
    stamp = world.times("customer", index, max(index + 1, 20))[0]
    return {
        "BPCNUM": code, "BPCNAM": f"{NAMES[-index % len(NAMES)]} {index + 1}",
        "BPCTYP": 3 if index % 13 == 12 else 1,
        "BPCSTA": NO if index % 17 == 16 else YES, "CUR": currency_of(index),
        "PTE": PAYMENT_TERMS[index % 4], "BPCINV": code, "BPCPYR": code,
        "BPCGRU": customer_code(index - index % 4), "BPCRSK": code,
        "OSTAUZ": number(world.rng("customer", index).randrange(10**9), 2),
        "BPCSNCDAT": stamp[:10], "ORDFIRDAT": SENTINEL_DATES[index % 2] if index % 6 == 5 else stamp[:10],
        "BPCBPSNUM": "",
    }  # fmt: skip


def _product(world: World, index: int) -> Row:
    rng = world.rng("product", index)
    part = PARTS[index % len(PARTS)]
    unit = UNITS[index % len(UNITS)]
    return {
        "ITMREF": product_code(index), "ITMDES1": f'{part} Ø{index % 90 + 3} "h{index % 9}"',
        "ITMDES2": "", "ITMDES3": "",
        "DES1AXX": f"{part} {index % 90 + 3} mm", "TCLCOD": "RAW" if index % 4 == 0 else "FIN",
        "ITMSTA": 1 if index % 10 else 5,
        "STU": unit, "PUU": unit, "SAU": unit, "PUUSTUCOE": Decimal(1), "SAUSTUCOE": Decimal(1),
        "ITMWEI": number(rng.randrange(10**6), 6), "PURBASPRI": number(rng.randrange(10**7), 5),
        "STOMGTCOD": 2,
        "PURFLG": YES, "SALFLG": YES if index % 4 else NO, "MFGFLG": YES if index % 4 else NO,
        "BUY": BUYERS[index % 4],
        "LIFSTRDAT": "2019-02-28" if index % 5 else SENTINEL_DATES[0],
        "LIFENDDAT": SENTINEL_DATES[index % 2] if index % 8 else "2028-02-29",
    }  # fmt: skip


def _account_parts(index: int) -> tuple[str, str, str, str]:
    chart = "FRA" if index < len(CLASSES) * len(SUB_ACCOUNTS) else "USA"
    prefix, text, class_ = CLASSES[index // len(SUB_ACCOUNTS) % len(CLASSES)]
    return (
        chart,
        account(chart, prefix, index % len(SUB_ACCOUNTS)),
        f"{text} {SUB_ACCOUNTS[index % len(SUB_ACCOUNTS)]}",
        class_,
    )


def _account(_: World, index: int) -> Row:
    chart, code, text, class_ = _account_parts(index)
    return {
        "COA": chart, "ACC": code, "ACCSHO": code[:3], "DES": text, "DESSHO": text[:20], "DESTRA": text,
        "CLSCOD": class_, "ENAFLG": YES,
        "CUR": "", "FRWCUR": NO, "SNSDEF": 3, "SNSBLC": DEBIT if class_ in "236" else CREDIT,
        "SAC": YES if code[:3] in CONTROL_CLASSES else NO,
        "MTC": YES if class_ == "4" else NO, "FLGVAT": 3 if code.startswith("445") else 1,
        "VLYSTR": "2015-01-01", "VLYEND": SENTINEL_DATES[0],
    }  # fmt: skip


def dimension_code(kind: str, index: int) -> str:
    """Return a value of a dimension type; the plants are the sites."""
    return (
        PLACES[index % len(PLACES)].code
        if kind == "PLT"
        else f"{kind[0]}{index % DIMENSION_COUNTS[kind] + 1:03d}"
    )


def _dimension_parts(index: int) -> tuple[str, str]:
    for kind, _ in DIMENSION_TYPES:
        if index < DIMENSION_COUNTS[kind]:
            return kind, dimension_code(kind, index)
        index -= DIMENSION_COUNTS[kind]
    raise IndexError(index)


def _dimension(_: World, index: int) -> Row:
    kind, code = _dimension_parts(index)
    return {"DIE": kind,
    "CCE": code, "DES": f"{dict(DIMENSION_TYPES)[kind]} {code}", "DESSHO": code, "ENAFLG": YES, "CPY": "",
    "FCY": "",
            "VLYSTR": "2015-01-01", "VLYEND": SENTINEL_DATES[index % 2]}  # fmt: skip


def _dimension_type(_: World, index: int) -> Row:
    kind, text = DIMENSION_TYPES[index]
    return {
        "DIE": kind,
        "DES": text,
        "DESSHO": kind,
        "DESTRA": text,
        "ENAFLG": YES,
        "BUDFLG": YES if kind == "BUD" else NO,
        "CCEDEF": "",
    }


def _stock(world: World, index: int) -> Row:
    rng = world.rng("stock", index)
    stamp = world.times("stock", index, max(index + 1, 20))[0]
    quantity = number(rng.randrange(1, 10**8), 3)
    allocated = number(int(quantity * 1000) // 4, 3) if index % 3 == 0 else Decimal(0)
    products = max(world.scale // 10 + 20, 1)
    site, stock_id = _stock_key(index)
    return {
        "STOFCY": site, "STOCOU": int(stock_id), "ITMREF": product_code(rng.randrange(products)),
        "LOT": f"L{index:06d}" if index % 2 else "",
        "SLO": "", "SERNUM": "", "LOC": f"A{index % 40:02d}-{index % 7}", "LOCTYP": "STD", "LOCCAT": 1,
        "STA": "AQR"[index % 10 // 8],
        "PCU": "UN", "PCUSTUCOE": Decimal(1), "QTYPCU": quantity, "QTYSTU": quantity,
        "QTYSTUACT": quantity, "CUMALLQTY": allocated,
        "CUMWIPQTY": Decimal(0), "OWNER": "", "PJT": "", "RCPDAT": stamp[:10], "LASRCPDAT": stamp[:10],
        "LASISSDAT": SENTINEL_DATES[index % 2] if index % 3 else shift_date(stamp, 1),
        "LASCUNDAT": SENTINEL_DATES[0],
    }  # fmt: skip


def _stock_key(index: int) -> tuple[str, int]:
    return PLACES[index % len(PLACES)].code, 100_000 + index


def masters(world: World) -> dict[str, Listed]:
    """Return the makers of master data by source name."""
    n = world.scale
    kinds: dict[str, tuple[int, Callable[[int], Key], Callable[[World, int], Row]]] = {
        "supplier": (n // 20 + 20, lambda i: (supplier_code(i),), _supplier),
        "customer": (n // 20 + 20, lambda i: (customer_code(i),), _customer),
        "product": (n // 10 + 20, lambda i: (product_code(i),), _product),
        "stock": (max(n // 5, 10), _stock_key, _stock),
        "gl_account": (2 * len(CLASSES) * len(SUB_ACCOUNTS), lambda i: _account_parts(i)[:2], _account),
        "dimension_type": (len(DIMENSION_TYPES), lambda i: (DIMENSION_TYPES[i][0],), _dimension_type),
        "dimension": (sum(DIMENSION_COUNTS.values()), _dimension_parts, _dimension),
    }
    return {name: Listed(world, name, *parts) for name, parts in kinds.items()}
