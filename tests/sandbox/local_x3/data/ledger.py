"""GL entries: posted from invoices, and others (payments, payroll, accruals); all balance in every ledger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from local_x3.data.filler import number
from local_x3.data.invoices import Head, Invoices, Posting
from local_x3.data.masters import account, control_account, dimension_code, supplier_code
from local_x3.data.world import SITES, TAX_CODE, World, converted, rate, rounded, shift_date, stamped
from local_x3.model import SENTINEL_DATES, STAMP, Document, Key, Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

LEDGERS = ((1, "LEG"), (2, "ANA"))  # legal in company currency, analytical in group currency
GROUP_CURRENCY = "EUR"
GENERAL = 8  # menu of modules
NO, YES, REVERSED = 1, 2, 3
ZERO = Decimal(0)
HUGE = Decimal("123456789012345.67")  # 17 digits, the most X3 amounts hold here
FOREIGN = ("GBP", "JPY", "CHF")
TEXTS = {
    "OD": "Écriture d'inventaire",
    "BAN": "Paiement",
    "STK": 'Stock \U0001f4e6 "Ø12"; l\'inventaire \\ fin',
}
OTHERS = (("OD", "OD", "641"), ("BAN", "BAN", "512"), ("STK", "STK", "311"), ("OD", "OD", "681"))


@dataclass(frozen=True, slots=True)
class Part:
    """A line before it is written once a ledger."""

    account: str
    sign: int
    amount: Decimal
    control: str = ""
    partner: str = ""
    tax: str = ""
    text: str = ""


@dataclass(frozen=True)
class Entries:
    """The ledger: first the entries of all invoices, then the others."""

    world: World
    invoices: Sequence[Invoices]
    count: int

    def _invoice(self, index: int) -> tuple[Invoices, int] | None:
        for invoices in self.invoices:
            if index < invoices.count:
                return invoices, index
            index -= invoices.count
        return None

    def key(self, index: int) -> Key:
        """Return type and number: an invoice's entry has its number; one of the others holds tildes."""
        found = self._invoice(index)
        if found is not None:
            invoices, place = found
            return (invoices.kind.entry_type, invoices.key(place)[0])
        kind = OTHERS[index % len(OTHERS)][0]
        site = SITES[index % len(SITES)].code
        mark = "~" if index == self.count - 3 else ""
        return (kind, f"{kind}{mark}{site}{mark}{index + 1:06d}")

    def stamps(self, index: int) -> tuple[str, str]:
        """Return when an entry was made and last changed: an invoice's entry in the invoice's second."""
        found = self._invoice(index)
        return self._moved(
            index, found[0].stamps(found[1]) if found else self.world.times("gl_entry", index, self.count)
        )

    def _moved(self, index: int, stamps: tuple[str, str]) -> tuple[str, str]:
        """Let the last entries share one second when a mass update is asked for."""
        mass = index >= self.count - self.world.extras.mass_update
        return (stamps[0], self.world.last_stamp) if mass else stamps

    def document(self, index: int) -> Document:
        """Return an entry with its lines of every ledger and their cost allocations."""
        found = self._invoice(index)
        posting = found[0].posting(found[1]) if found else self._other(index)
        rng = self.world.rng("gl_entry", index)
        parts = _parts(posting)
        lines = [
            line
            for ledger, (number_, name) in enumerate(LEDGERS)
            for line in _ledger_lines(posting.head, parts, number_, name, index * 10 + ledger, rng)
        ]
        self._match(index, lines)
        return Document(self.header(index), {"HAEDAE": lines})

    def header(self, index: int) -> Row:
        """Return an entry's own row."""
        found = self._invoice(index)
        head = found[0].head(found[1]) if found else self._head(index)
        return stamped(self._header(index, head), self._moved(index, head.stamps))

    def _reversed(self, index: int) -> bool:
        """Say whether an entry is undone by the next one: one in fifty of those that no invoice made."""
        return index % 50 == 48 and index + 1 < self.count and self._invoice(index) is None

    def _head(self, index: int) -> Head:
        """Return the header data of an entry that no invoice made; a reversal has those of its original."""
        kind, number_ = map(str, self.key(index))
        if self._reversed(index - 1):
            head = self._head(index - 1)
            return replace(
                head, entry_type=kind, number=number_, sign=-head.sign, stamps=self.stamps(index),
                text=f"Extourne {head.number}",
            )  # fmt: skip
        site = SITES[index % len(SITES)]
        currency = FOREIGN[index // 7 % len(FOREIGN)] if index % 7 in {0, 3, 5} else site.currency
        partner = supplier_code(index % 20) if kind == "BAN" else ""
        return Head(
            kind, number_, OTHERS[index % len(OTHERS)][1], GENERAL, site, currency,
            "401" if partner else "", partner, -1 if kind == "BAN" else 1, self.stamps(index), TEXTS[kind],
        )  # fmt: skip

    def _other(self, index: int) -> Posting:
        head = self._head(index)
        if self._reversed(index - 1):
            return replace(self._other(index - 1), head=head)
        rng = self.world.rng("gl_other", index)
        prefix = OTHERS[index % len(OTHERS)][2]
        nets = [rounded(number(rng.randrange(100, 10**8), 2), head.currency) for _ in range(1 + index % 3)]
        if index % 40 == 39:
            nets[0] = rounded(HUGE, head.currency)
        codes = tuple((account(head.site.chart, prefix, place), net) for place, net in enumerate(nets))
        return Posting(head, codes, ZERO)

    def _header(self, index: int, head: Head) -> Row:
        day = head.stamps[0][:10]
        site = head.site
        return {
            "TYP": head.entry_type, "NUM": head.number, "CPY": site.company, "FCY": site.code,
            "JOU": head.journal, "ACCDAT": day,
            "ENTDAT": day, "VALDAT": day,
            "DUDDAT": shift_date(day, 30) if head.partner else SENTINEL_DATES[index % 2],
            "FIY": int(day[:4]), "PER": int(day[5:7]), "CAT": 1, "STA": 2 if index % 6 else 1,
            "ORIMOD": head.module,
            "BPRVCR": head.number if head.partner else "",
            "BPRDATVCR": day if head.partner else SENTINEL_DATES[0],
            "REF": head.number, "REFINT": "", "REFSIM": "", "DESVCR": head.text,
            "CUR": head.currency, "TYPRAT": 1, "RATDAT": day,
            "RATMLT1": rate(head.currency, site.currency), "RATDIV1": Decimal(1),
            "RATMLT2": rate(head.currency, GROUP_CURRENCY),
            "RATDIV2": Decimal(1), "LED1": LEDGERS[0][1], "LED2": LEDGERS[1][1], "CURLED1": site.currency,
            "CURLED2": GROUP_CURRENCY,
            "FNLPSTNUM1": f"{day[:4]}{index + 1:08d}" if index % 6 else "",
            "FNLPSTDAT": shift_date(day, 5) if index % 6 else SENTINEL_DATES[0],
            "ORIGIN": 2 if head.partner else 1, "DACDIA": "", **self._reversal(index, day),
        }  # fmt: skip

    def _reversal(self, index: int, day: str) -> Row:
        """Return the columns that tie a reversal and its original together."""
        if self._reversed(index - 1):
            kind, number_ = self.key(index - 1)
            return {"RVS": YES, "RVSDAT": day, "RVSORITYP": kind, "RVSORINUM": number_}
        done = self._reversed(index)
        return {
            "RVS": REVERSED if done else NO,
            "RVSDAT": self.stamps(index + 1)[0][:10] if done else SENTINEL_DATES[1],
            "RVSORITYP": "", "RVSORINUM": "",
        }  # fmt: skip

    def _match(self, index: int, lines: list[Document]) -> None:
        """Match the control lines of one entry in ten: the lines are stamped, the header is not."""
        changed = self.stamps(index)[1]
        late = min(shift_date(changed, 12) + changed[10:], self.world.last_stamp)
        for line in lines:
            matched = index % 10 == 3 and bool(line.row["SAC"])
            line.row["MTC"] = f"A{index % 1000:03d}" if matched else ""
            line.row["MTCDAT"] = late[:10] if matched else SENTINEL_DATES[0]
            line.row[STAMP] = late if matched else changed


def _parts(posting: Posting) -> list[Part]:
    """Return the lines of an entry: expense or revenue, tax, and the other side that balances them."""
    head = posting.head
    chart, sign = head.site.chart, head.sign
    taxed = TAX_CODE[chart] if head.control else ""
    parts = [Part(code, sign, amount, tax=taxed, text=head.text) for code, amount in posting.parts]
    if posting.tax:
        parts.append(Part(account(chart, "445", 0), sign, posting.tax, text="TVA"))
    owed = sum((part.amount for part in parts), ZERO)
    if head.control:
        other = account(chart, head.control, 0)
        parts.append(Part(other, -sign, owed, control_account(head.control), head.partner, text=head.text))
        return parts
    parts.append(Part(account(chart, "164", 0), -sign, owed, text=head.text))
    if head.currency != head.site.currency:  # what rounding leaves over: nothing in the entry's currency
        parts.append(Part(account(chart, "658", 0), sign, ZERO, text="Écart d'arrondi"))
    return parts


def _ledger_lines(
    head: Head, parts: list[Part], ledger: int, name: str, internal: int, rng: Random
) -> list[Document]:
    """Write the lines once more for a ledger; the last one takes what conversion leaves over."""
    site = head.site
    into = site.currency if ledger == 1 else GROUP_CURRENCY
    led = [converted(part.amount, head.currency, into) for part in parts]
    last = parts[-1].sign
    led[-1] = -last * sum(
        (part.sign * amount for part, amount in zip(parts[:-1], led[:-1], strict=True)), ZERO
    )
    day = head.stamps[0][:10]
    period: Row = {"FIY": int(day[:4]), "PER": int(day[5:7]), "ACCDAT": day}
    lines = []
    for place, (part, amount) in enumerate(zip(parts, led, strict=True)):
        sign = part.sign if amount >= 0 else -part.sign  # amounts have no sign of their own
        row: Row = {
            "LIN": place + 1, "LEDTYP": ledger, "LED": name, "CPY": site.company, "FCYLIN": site.code,
            "COA": site.chart, "ACC": part.account,
            "SAC": part.control, "BPR": part.partner, "SNS": sign, "AMTCUR": part.amount,
            "CUR": head.currency, "AMTLED": abs(amount),
            "CURLED": into, "DES": part.text, "FREREF": "", "QTY": ZERO, "UOM": "", "TAX": part.tax,
            "AMTVAT": ZERO,
            "OFFACC": parts[-1].account if place + 1 < len(parts) else parts[0].account,
            "ACCNUM": internal * 10 + place, "PJTLIN": "", **period,
        }  # fmt: skip
        lines.append(Document(row, {"DAEDAA": _allocations(row, rng) if part.account[0] in "67" else []}))
    return lines


def _allocations(line: Row, rng: Random) -> list[Document]:
    """Split a line over one to three cost centres; the last one takes the rest."""
    count = 1 + rng.randrange(3)
    total, total_led = Decimal(line["AMTCUR"]), Decimal(line["AMTLED"])
    found, left, left_led = [], total, total_led
    for place in range(count):
        last = place == count - 1
        amount = left if last else rounded(total / (count + 1), str(line["CUR"]))
        amount_led = left_led if last else rounded(total_led / (count + 1), str(line["CURLED"]))
        left, left_led = left - amount, left_led - amount_led
        row: Row = {"ANALIN": place + 1,
        "FCYLIN": line["FCYLIN"], "AMTCUR": amount, "CUR": line["CUR"], "AMTLED": amount_led,
                    "CURLED": line["CURLED"], "QTY": ZERO, "UOM": ""}  # fmt: skip
        row.update(_dimensions(line, place, rng))
        found.append(Document(row))
    return found


def _dimensions(line: Row, place: int, rng: Random) -> Row:
    """Return numbered pairs: cost centre and plant always; project and machine types may have no value."""
    row: Row = {"DIE1": "CCT",
    "CCE1": dimension_code("CCT", rng.randrange(20)), "DIE2": "PLT", "CCE2": line["FCYLIN"], "DIE3": "PRJ",
                "CCE3": dimension_code("PRJ", rng.randrange(15)) if rng.randrange(3) else ""}  # fmt: skip
    if place == 0:
        row |= {"DIE4": "MAC", "CCE4": dimension_code("MAC", rng.randrange(12)) if rng.randrange(2) else ""}
    if rng.randrange(4) == 0:
        row |= {"DIE6": "BUD", "CCE6": dimension_code("BUD", rng.randrange(4))}
    return row
