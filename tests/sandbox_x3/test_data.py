"""The generated dataset: an auditor's rules hold, a seed gives the same data, awkward values are there."""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from processes import server
from x3_control import X3Control

if t.TYPE_CHECKING:
    from x3_control import Record

TABLES = (
    *("BPSUPPLIER", "BPCUSTOMER", "ITMMASTER", "STOCK", "GACCOUNT", "GDIE", "CACCE", "PORDER", "PORDERQ"),
    *("PINVOICE", "PINVOICED", "BPSINVLIG", "SINVOICEV", "SINVOICED", "SINVOICE", "BPCINVLIG"),
    *("GACCENTRY", "GACCENTRYD", "GACCENTRYA"),
)
Tables = dict[str, list["Record"]]


def load(seed: int, scale: int) -> Tables:
    with (
        server("local_x3", "--scale", str(scale), "--seed", str(seed)) as running,
        X3Control(running.ready["url"]) as control,
    ):
        return {table: control.rows(table) for table in TABLES}


@pytest.fixture(scope="module")
def data() -> Tables:
    return load(seed=7, scale=600)


def key(row: Record, *columns: str) -> tuple[t.Any, ...]:
    return tuple(row[column] for column in columns)


def test_the_same_seed_gives_the_same_data_and_another_one_does_not() -> None:
    first = load(seed=3, scale=30)
    assert load(seed=3, scale=30) == first
    assert load(seed=4, scale=30) != first


def test_sizes_follow_the_scale(data: Tables) -> None:
    sizes = {table: len(rows) for table, rows in data.items()}
    assert sizes["GACCENTRY"] == 600
    assert sizes["BPSUPPLIER"] == sizes["BPCUSTOMER"] == 50
    assert sizes["ITMMASTER"] == 80
    assert sizes["PORDER"] == 150
    assert sizes["PINVOICE"] == pytest.approx(200, abs=2)
    assert sizes["SINVOICEV"] + sizes["SINVOICE"] == 150
    assert sizes["STOCK"] == 120
    assert (sizes["GACCOUNT"], sizes["GDIE"], sizes["CACCE"]) == (128, 6, 62)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("PORDER", ("POHNUM",)),
        ("PORDERQ", ("POHNUM", "POPLIN", "POQSEQ")),
        ("PINVOICE", ("NUM",)),
        ("PINVOICED", ("NUM", "PIDLIN")),
        ("BPSINVLIG", ("NUM", "LIG")),
        ("SINVOICED", ("NUM", "SIDLIN")),
        ("GACCENTRY", ("TYP", "NUM")),
        ("GACCENTRYD", ("TYP", "NUM", "LIN", "LEDTYP")),
        ("GACCENTRYA", ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN")),
        ("STOCK", ("STOFCY", "STOCOU")),
        ("GACCOUNT", ("COA", "ACC")),
        ("CACCE", ("DIE", "CCE")),
    ],
)
def test_keys_are_unique(data: Tables, table: str, columns: tuple[str, ...]) -> None:
    assert max(Counter(key(row, *columns) for row in data[table]).values()) == 1


@pytest.mark.parametrize("amount", ["AMTCUR", "AMTLED"])
def test_every_entry_balances_in_every_ledger(data: Tables, amount: str) -> None:
    sums: dict[tuple[t.Any, ...], Decimal] = defaultdict(Decimal)
    for row in data["GACCENTRYD"]:
        sums[key(row, "TYP", "NUM", "LEDTYP")] += row["SNS"] * Decimal(row[amount])
    assert len(sums) == 2 * len(data["GACCENTRY"])
    assert set(sums.values()) == {Decimal(0)}


@pytest.mark.parametrize("amount", ["AMTCUR", "AMTLED"])
def test_cost_allocations_add_up_to_their_line(data: Tables, amount: str) -> None:
    line = ("TYP", "NUM", "LIN", "LEDTYP")
    sums: dict[tuple[t.Any, ...], Decimal] = defaultdict(Decimal)
    for row in data["GACCENTRYA"]:
        sums[key(row, *line)] += Decimal(row[amount])
    lines = {key(row, *line): Decimal(row[amount]) for row in data["GACCENTRYD"]}
    assert len(sums) > 100
    assert {place: lines[place] for place in sums} == sums


def test_invoices_add_up_to_their_header(data: Tables) -> None:
    for header, lines in (
        ("PINVOICE", "PINVOICED"),
        ("PINVOICE", "BPSINVLIG"),
        ("SINVOICEV", "SINVOICED"),
        ("SINVOICE", "BPCINVLIG"),
    ):
        totals = {row["NUM"]: (Decimal(row["AMTNOT"]), Decimal(row["AMTATI"])) for row in data[header]}
        sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for row in data[lines]:
            sums[row["NUM"]][0] += Decimal(row["AMTNOTLIN"])
            sums[row["NUM"]][1] += Decimal(row["AMTATILIN"])
        assert sums
        assert {number: tuple(found) for number, found in sums.items()} == {
            number: totals[number] for number in sums
        }


def test_documents_hang_together(data: Tables) -> None:
    orders = {key(row, "POHNUM", "POPLIN", "POQSEQ"): row for row in data["PORDERQ"]}
    for row in data["PINVOICED"]:
        order = orders[key(row, "POHNUM", "POPLIN", "POQSEQ")]
        assert key(row, "ITMREF", "QTYUOM", "NETPRI") == key(order, "ITMREF", "QTYUOM", "NETPRI")
    entries = {key(row, "TYP", "NUM") for row in data["GACCENTRY"]}
    for table in ("PINVOICE", "SINVOICEV", "SINVOICE"):
        assert {key(row, "GTE", "NUM") for row in data[table]} <= entries
    suppliers = {row["BPSNUM"] for row in data["BPSUPPLIER"]}
    customers = {row["BPCNUM"] for row in data["BPCUSTOMER"]}
    products = {row["ITMREF"] for row in data["ITMMASTER"]}
    accounts = {key(row, "COA", "ACC") for row in data["GACCOUNT"]}
    assert {row["BPSNUM"] for row in data["PORDER"]} | {row["BPR"] for row in data["PINVOICE"]} <= suppliers
    assert {row["BPCINV"] for row in data["SINVOICEV"]} <= customers
    assert {row["ITMREF"] for table in ("PORDERQ", "SINVOICED", "STOCK") for row in data[table]} <= products
    assert {key(row, "COA", "ACC") for row in data["GACCENTRYD"]} <= accounts


def test_dimensions_exist(data: Tables) -> None:
    known = {key(row, "DIE", "CCE") for row in data["CACCE"]}
    types = {row["DIE"] for row in data["GDIE"]}
    used = {
        (row[f"DIE{n}"], row[f"CCE{n}"]) for row in data["GACCENTRYA"] for n in range(1, 10) if row[f"DIE{n}"]
    }
    assert {kind for kind, _ in used} <= types
    assert {pair for pair in used if pair[1]} <= known


def test_the_ledger_posts_what_the_invoice_says(data: Tables) -> None:
    control = {key(row, "TYP", "NUM"): row for row in data["GACCENTRYD"] if row["LEDTYP"] == 1 and row["SAC"]}
    for invoice in data["PINVOICE"]:
        line = control[key(invoice, "GTE", "NUM")]
        assert (line["BPR"], line["CUR"]) == (invoice["BPR"], invoice["CUR"])
        assert -line["SNS"] * Decimal(line["AMTCUR"]) == invoice["SNS"] * Decimal(invoice["AMTATI"])


def test_awkward_values_are_there(data: Tables) -> None:
    assert any("~" in row["NUM"] for row in data["GACCENTRY"])
    assert any("~" in row["BPSNUM"] for row in data["BPSUPPLIER"])
    assert {"'", '"'} <= set("".join(row["ITMREF"] for row in data["ITMMASTER"]))
    assert any("\n" in row["BPSREM"] and "\\" in row["BPSREM"] for row in data["BPSUPPLIER"])
    dates = {row["LIFENDDAT"] for row in data["ITMMASTER"]}
    assert {"1599-12-31", "1753-01-01", "2028-02-29"} <= dates
    assert len({row["CUR"] for row in data["GACCENTRY"]}) >= 4
    assert {row["SNS"] for row in data["PINVOICE"]} == {1, -1}
    assert any(row["AMTCUR"] == Decimal("123456789012345.67") for row in data["GACCENTRYD"])
    assert any(row["DISCRGVAL2"] < 0 for row in data["SINVOICED"])


def test_stamps_are_whole_seconds_shared_and_of_two_years(data: Tables) -> None:
    stamps = Counter(row["UPDDATTIM"] for row in data["GACCENTRY"])
    assert max(stamps.values()) >= 3
    assert "2024-10-01" < min(stamps) < "2024-12-31"
    assert "2026-10-30" < max(stamps) <= "2026-10-31T18:00:00Z"


def test_lines_may_be_newer_than_their_document(data: Tables) -> None:
    for header, lines, columns in (
        ("PORDER", "PORDERQ", ("POHNUM",)),
        ("GACCENTRY", "GACCENTRYD", ("TYP", "NUM")),
    ):
        stamps = {key(row, *columns): row["UPDDATTIM"] for row in data[header]}
        newer = [row for row in data[lines] if row["UPDDATTIM"] > stamps[key(row, *columns)]]
        assert 0 < len(newer) < len(data[lines])


def test_a_large_dataset_has_a_long_invoice() -> None:
    with server("local_x3", "--scale", "2000") as running, X3Control(running.ready["url"]) as control:
        lines = Counter(row["NUM"] for row in control.rows("PINVOICED"))
        assert max(lines.values()) == 1500
