"""The generated dataset: a seed gives the same data, sizes follow the scale, awkward values are there."""

from __future__ import annotations

import typing as t
from collections import Counter
from decimal import Decimal

import pytest
from processes import server
from x3_client import X3Client
from x3_control import X3Control
from x3_tables import key, load_tables, shared_tables

if t.TYPE_CHECKING:
    from x3_control import Record
    from x3_tables import Tables


@pytest.fixture(scope="module")
def data() -> Tables:
    return shared_tables(7, 600)


def test_the_same_seed_gives_the_same_data_and_another_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    first = load_tables(seed=3, scale=30)
    monkeypatch.setenv("PYTHONHASHSEED", "2")
    assert load_tables(seed=3, scale=30) == first
    other = load_tables(seed=4, scale=30)
    fixed = {
        "GACCOUNT",
        "GDIE",
        "CACCE",
    }  # the same everywhere but for their stamps
    assert {table for table in first if contents(other[table]) == contents(first[table])} <= fixed


def contents(rows: list[Record]) -> list[Record]:
    return [
        {name: value for name, value in row.items() if "DAT" not in name and name != "AUUID"} for row in rows
    ]


def test_master_data_of_a_small_scale_are_the_first_of_a_larger_one(data: Tables) -> None:
    small = load_tables(seed=7, scale=60)
    for table, column in (("BPSUPPLIER", "BPSNUM"), ("ITMMASTER", "ITMREF")):
        few, many = ({row[column]: row for row in tables[table]} for tables in (small, data))
        assert len(few) < len(many)
        assert contents([many[code] for code in few]) == contents(list(few.values()))


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


def test_awkward_values_are_there(data: Tables) -> None:
    assert any("~" in row["NUM"] for row in data["GACCENTRY"])
    assert any("~" in row["BPSNUM"] for row in data["BPSUPPLIER"])
    assert {"'", '"'} <= set("".join(row["ITMREF"] for row in data["ITMMASTER"]))
    assert any(set('\n;\\"') <= set(row["BPSREM"]) for row in data["BPSUPPLIER"])
    assert any(ord(letter) > 0xFFFF for row in data["BPSUPPLIER"] for letter in row["BPSREM"])
    assert any(ord(letter) > 0xFFFF for row in data["GACCENTRY"] for letter in row["DESVCR"])
    assert {"é", "Ł", "ü", "日"} <= set("".join(row["BPSNAM"] for row in data["BPSUPPLIER"]))
    assert "" in {row["BPSREM"] for row in data["BPSUPPLIER"]}
    dates = {row["LIFENDDAT"] for row in data["ITMMASTER"]}
    assert {"1599-12-31", "1753-01-01", "2028-02-29"} <= dates
    assert {row["CUR"] for row in data["GACCENTRY"]} == {"EUR", "USD", "GBP", "CHF", "JPY"}
    assert {row["SNS"] for row in data["PINVOICE"]} == {1, -1}
    assert any(row["AMTCUR"] == Decimal("123456789012345.67") for row in data["GACCENTRYD"])
    assert any(row["DISCRGVAL2"] < 0 for row in data["SINVOICED"])
    free = [row for row in data["SINVOICED"] if row["FOCFLG"] == 3]
    assert free
    assert {row["AMTATILIN"] for row in free} == {0}


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


@pytest.mark.parametrize("options", [("--scale", "2000"), ("--scale", "12", "--long-invoice")])
def test_a_large_dataset_has_a_long_invoice_and_a_small_one_on_demand(options: tuple[str, ...]) -> None:
    with server("local_x3", *options) as running, X3Control(running.ready["url"]) as control:
        lines = Counter(row["NUM"] for row in control.rows("PINVOICED"))
        assert max(lines.values()) == 1500


def test_a_mass_update_stamps_its_entries_with_one_second() -> None:
    with server("local_x3", "--scale", "400", "--mass-update", "250") as running:
        with X3Control(running.ready["url"]) as control:
            headers, lines = control.rows("GACCENTRY"), control.rows("GACCENTRYD")
        client = X3Client(running.ready)
        moved = [row for row in headers if row["UPDDATTIM"] == "2026-10-31T18:00:00Z"]
        assert 250 <= len(moved) < 255  # some were changed in that second anyway
        numbers = {row["NUM"] for row in moved}
        assert {row["UPDDATTIM"] for row in lines if row["NUM"] in numbers} == {"2026-10-31T18:00:00Z"}
        parameters = {"where": "UPDDATTIM ge @2026-10-31T18:00:00Z@", "count": "1000"}
        assert len(client.rows("GACCENTRY", **parameters)) == len(moved)
        client.close()


def test_unstamped_rows_are_found_by_no_filter_on_the_stamp() -> None:
    with server("local_x3", "--scale", "200", "--unstamped") as running:
        with X3Control(running.ready["url"]) as control:
            rows = control.rows("GACCENTRY")
        empty = {"", "1599-12-31T00:00:00Z", "1753-01-01T00:00:00Z"}
        unstamped = {row["NUM"] for row in rows if row["UPDDATTIM"] in empty}
        assert len(unstamped) == 6
        assert {row["UPDDATTIM"] for row in rows} > empty
        client = X3Client(running.ready)
        parameters = {"where": "UPDDATTIM ge @2000-01-01T00:00:00Z@", "count": "1000"}
        shown = {row["NUM"] for row in client.rows("GACCENTRY", **parameters)}
        assert shown == {row["NUM"] for row in rows} - unstamped
        nodes = client.nodes("x3FinanceData", "journalEntry", "id _updateStamp")
        assert {node["id"] for node in nodes if node["_updateStamp"] is None} == unstamped
        client.close()


def test_lists_and_details_agree_when_nothing_is_kept_in_memory() -> None:
    """A list makes a document's own row without its lines; the details make the whole document."""
    with server("local_x3", "--scale", "60", "--cached-values", "1") as running:
        client = X3Client(running.ready)
        for rest_class in ("GACCENTRY", "PORDER", "PINVOICE", "SINVOICEV", "YQUAREP"):
            rows = client.all_rows(rest_class, count="50")
            assert len(rows) > 5
            for row in rows[:20]:
                details = client.details(row)
                assert {name: details[name] for name in row} == row
        client.close()
