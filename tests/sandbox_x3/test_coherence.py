"""The generated dataset hangs together at any seed and scale: an auditor's rules hold."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from decimal import Decimal

import pytest
from x3_tables import key, load_tables, shared_tables

if t.TYPE_CHECKING:
    from x3_tables import Tables

ENTRY = ("TYP", "NUM")
LINE = (*ENTRY, "LIN", "LEDTYP")
ORDER_LINE = ("POHNUM", "POPLIN", "POQSEQ")
NO, IN_FULL, REVERSAL, REVERSED = 1, 3, 2, 3
INVOICES = (
    ("PINVOICE", "PINVOICED"),
    ("PINVOICE", "BPSINVLIG"),
    ("SINVOICEV", "SINVOICED"),
    ("SINVOICE", "BPCINVLIG"),
)
Sums = dict[tuple[t.Any, ...], Decimal]


@pytest.fixture(scope="module", params=[(7, 600), (23, 240), (1, 40)], ids=str)
def data(request: pytest.FixtureRequest) -> Tables:
    seed, scale = request.param
    return shared_tables(seed, scale)


@pytest.mark.parametrize("amount", ["AMTCUR", "AMTLED"])
def test_every_entry_balances_in_every_ledger(data: Tables, amount: str) -> None:
    sums: Sums = defaultdict(Decimal)
    for row in data["GACCENTRYD"]:
        assert row[amount] >= 0
        sums[key(row, *ENTRY, "LEDTYP")] += row["SNS"] * Decimal(row[amount])
    assert len(sums) == 2 * len(data["GACCENTRY"])
    assert set(sums.values()) == {Decimal(0)}


@pytest.mark.parametrize("amount", ["AMTCUR", "AMTLED"])
def test_cost_allocations_add_up_to_their_line(data: Tables, amount: str) -> None:
    sums: Sums = defaultdict(Decimal)
    for row in data["GACCENTRYA"]:
        sums[key(row, *LINE)] += Decimal(row[amount])
    lines = {key(row, *LINE): Decimal(row[amount]) for row in data["GACCENTRYD"]}
    assert len(sums) > len(data["GACCENTRY"])
    assert {place: lines[place] for place in sums} == sums


def test_every_ledger_has_every_line_in_its_own_currency(data: Tables) -> None:
    headers = {key(row, *ENTRY): row for row in data["GACCENTRY"]}
    lines: dict[tuple[t.Any, ...], set[int]] = defaultdict(set)
    for row in data["GACCENTRYD"]:
        header = headers[key(row, *ENTRY)]
        lines[key(row, *ENTRY, "LIN")].add(row["LEDTYP"])
        assert key(row, "CUR", "CPY") == key(header, "CUR", "CPY")
        assert row["CURLED"] == header[f"CURLED{row['LEDTYP']}"]
        if row["CUR"] == row["CURLED"]:
            assert row["AMTCUR"] == row["AMTLED"]
    assert set(map(frozenset, lines.values())) == {frozenset({1, 2})}


def test_rounding_differences_have_a_line_of_no_amount_in_the_entrys_currency(data: Tables) -> None:
    lines = [row for row in data["GACCENTRYD"] if row["ACC"].startswith("658")]
    assert lines
    assert {row["AMTCUR"] for row in lines} == {0}
    assert max(row["AMTLED"] for row in lines) > 0
    assert max(row["AMTLED"] for row in lines) < Decimal("0.001")


def test_there_is_no_part_of_a_yen(data: Tables) -> None:
    checked = 0
    for table, currency, columns in (
        ("PORDERQ", None, ("LINAMT", "LINATIAMT", "AMTTAXLIN1")),
        ("PINVOICE", "CUR", ("AMTNOT", "AMTATI", "AMTTAX1")),
        ("SINVOICEV", "CUR", ("AMTNOT", "AMTATI")),
        ("GACCENTRYD", "CUR", ("AMTCUR",)),
        ("GACCENTRYA", "CUR", ("AMTCUR",)),
    ):
        orders = {row["POHNUM"]: row["CUR"] for row in data["PORDER"]}
        for row in data[table]:
            if (row[currency] if currency else orders[row["POHNUM"]]) == "JPY":
                checked += 1
                assert all(Decimal(row[column]) % 1 == 0 for column in columns)
    assert checked > 10


@pytest.mark.parametrize(("header", "lines"), INVOICES)
def test_invoices_add_up_to_their_header(data: Tables, header: str, lines: str) -> None:
    totals = {row["NUM"]: (Decimal(row["AMTNOT"]), Decimal(row["AMTATI"])) for row in data[header]}
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in data[lines]:
        sums[row["NUM"]][0] += Decimal(row["AMTNOTLIN"])
        sums[row["NUM"]][1] += Decimal(row["AMTATILIN"])
    assert sums
    assert {number: tuple(found) for number, found in sums.items()} == {
        number: totals[number] for number in sums
    }


def test_orders_say_what_was_invoiced(data: Tables) -> None:
    credit_memos = {row["NUM"] for row in data["PINVOICE"] if row["SNS"] < 0}
    invoiced: Sums = defaultdict(Decimal)
    orders = {key(row, *ORDER_LINE): row for row in data["PORDERQ"]}
    for row in data["PINVOICED"]:
        order = orders[key(row, *ORDER_LINE)]
        assert key(row, "ITMREF", "QTYUOM", "NETPRI") == key(order, "ITMREF", "QTYUOM", "NETPRI")
        if row["NUM"] not in credit_memos:
            invoiced[key(row, *ORDER_LINE)] += row["QTYPUU"]
    assert {place: Decimal(row["INVQTYPUU"]) for place, row in orders.items() if row["INVQTYPUU"]} == invoiced
    flags = {row["POHNUM"]: row["INVFLG"] for row in data["PORDER"]}
    assert {place[0] for place in invoiced} == {number for number, flag in flags.items() if flag == IN_FULL}
    assert set(flags.values()) == {NO, IN_FULL}


def test_the_ledger_posts_what_the_invoice_says(data: Tables) -> None:
    control = {key(row, *ENTRY): row for row in data["GACCENTRYD"] if row["LEDTYP"] == 1 and row["SAC"]}
    for table, partner, side in (("PINVOICE", "BPR", -1), ("SINVOICEV", "BPCINV", 1), ("SINVOICE", "BPR", 1)):
        for invoice in data[table]:
            line = control[key(invoice, "GTE", "NUM")]
            assert (line["BPR"], line["CUR"]) == (invoice[partner], invoice["CUR"])
            assert line["SNS"] == side * invoice["SNS"]
            assert Decimal(line["AMTCUR"]) == Decimal(invoice["AMTATI"])


def test_the_costs_of_a_financial_invoice_are_posted_and_allocated(data: Tables) -> None:
    """From the invoice's lines over the ledger's lines to the cost centres, by account."""
    wanted: Sums = defaultdict(Decimal)
    for row in data["BPSINVLIG"]:
        wanted[row["NUM"], row["ACC1"]] += Decimal(row["AMTNOTLIN"])
    numbers = {number for number, _ in wanted}
    accounts = {key(row, *LINE): row["ACC"] for row in data["GACCENTRYD"]}
    posted: Sums = defaultdict(Decimal)
    for row in data["GACCENTRYA"]:
        if row["LEDTYP"] == 1 and row["NUM"] in numbers:
            posted[row["NUM"], accounts[key(row, *LINE)]] += Decimal(row["AMTCUR"])
    assert posted == wanted


def test_codes_exist(data: Tables) -> None:
    suppliers = {row["BPSNUM"] for row in data["BPSUPPLIER"]}
    customers = {row["BPCNUM"] for row in data["BPCUSTOMER"]}
    products = {row["ITMREF"] for row in data["ITMMASTER"]}
    accounts = {key(row, "COA", "ACC") for row in data["GACCOUNT"]}
    entries = {key(row, *ENTRY) for row in data["GACCENTRY"]}
    assert {key(row, "GTE", "NUM") for table, _ in INVOICES for row in data[table]} <= entries
    assert {row["BPSNUM"] for row in data["PORDER"]} | {row["BPR"] for row in data["PINVOICE"]} <= suppliers
    assert {row["BPCINV"] for row in data["SINVOICEV"]} <= customers
    assert {row["ITMREF"] for table in ("PORDERQ", "SINVOICED", "STOCK") for row in data[table]} <= products
    assert {key(row, "COA", "ACC") for row in data["GACCENTRYD"]} <= accounts
    assert {(row["COA"], row["OFFACC"]) for row in data["GACCENTRYD"]} <= accounts
    assert {row["BPR"] for row in data["GACCENTRYD"]} <= {"", *suppliers, *customers}


def test_there_are_five_plants_and_a_warehouse_that_they_share(data: Tables) -> None:
    plants = {row["FCY"] for row in data["GACCENTRY"]}
    assert len(plants) == 5
    assert {row["POHFCY"] for row in data["PORDER"]} | {row["FCYLIN"] for row in data["GACCENTRYD"]} == plants
    (warehouse,) = {row["STOFCY"] for row in data["STOCK"]} - plants
    assert warehouse in {row["STOFCY"] for row in data["SINVOICEV"]}


def test_dimensions_exist(data: Tables) -> None:
    known = {key(row, "DIE", "CCE") for row in data["CACCE"]}
    types = {row["DIE"] for row in data["GDIE"]}
    used = {
        (row[f"DIE{n}"], row[f"CCE{n}"]) for row in data["GACCENTRYA"] for n in range(1, 10) if row[f"DIE{n}"]
    }
    assert {kind for kind, _ in known} == types
    assert {kind for kind, _ in used} <= types
    assert {pair for pair in used if pair[1]} <= known
    assert len({kind for kind, _ in used}) >= 4


def test_reversals_mirror_their_original() -> None:
    data = load_tables(seed=5, scale=300)
    headers = {key(row, *ENTRY): row for row in data["GACCENTRY"]}
    lines: dict[tuple[t.Any, ...], list[tuple[t.Any, ...]]] = defaultdict(list)
    for row in data["GACCENTRYD"]:
        signed = (row["SNS"] * row["AMTCUR"], row["SNS"] * row["AMTLED"])
        lines[key(row, *ENTRY)].append((row["LIN"], row["LEDTYP"], row["ACC"], row["BPR"], *signed))
    reversals = [row for row in data["GACCENTRY"] if row["RVS"] == REVERSAL]
    assert reversals
    for row in reversals:
        original = headers[row["RVSORITYP"], row["RVSORINUM"]]
        assert original["RVS"] == REVERSED
        assert original["RVSDAT"] == row["RVSDAT"] == row["ACCDAT"] >= original["ACCDAT"]
        mirrored = [(*line[:4], -line[4], -line[5]) for line in lines[key(original, *ENTRY)]]
        assert lines[key(row, *ENTRY)] == mirrored
    assert len(reversals) == sum(row["RVS"] == REVERSED for row in data["GACCENTRY"])
