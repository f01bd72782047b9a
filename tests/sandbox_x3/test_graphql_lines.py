"""Nodes of lines: the items of collections asked for without their documents."""

from __future__ import annotations

import json
import typing as t
from collections import defaultdict
from decimal import Decimal

import pytest
from processes import server
from x3_client import JsonObject, X3Client, decoded
from x3_control import X3Control

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LEDGER = "x3FinanceData"
LINES = {  # package, node -> package, document, collections
    (LEDGER, "journalEntryLine"): (LEDGER, "journalEntry", "lines"),
    (LEDGER, "journalEntryAnalyticalLine"): (LEDGER, "journalEntry", "lines", "analyticalLines"),
    ("x3Purchasing", "purchaseOrderLine"): ("x3Purchasing", "purchaseOrder", "purchaseOrderLines"),
    ("x3Purchasing", "purchaseInvoiceLine"): (
        "x3InvoicingData",
        "supplierInvoiceHeader",
        "purchaseInvoiceLines",
    ),
    ("x3InvoicingData", "supplierInvoiceLine"): ("x3InvoicingData", "supplierInvoiceHeader", "lines"),
    ("x3Sales", "salesInvoiceLine"): ("x3Sales", "salesInvoice", "salesInvoiceLines"),
    ("x3InvoicingData", "customerInvoiceLine"): ("x3InvoicingData", "customerInvoiceHeader", "lines"),
    ("precisionPartsYquality", "qualityReportDefect"): (
        "precisionPartsYquality",
        "qualityReport",
        "defects",
    ),
}
SORTS = ("{_id:1}", "{_updateStamp:-1}", "{amountInLedgerCurrency:1,sign:-1}", "{journalEntry:{id:-1}}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "graphql.toml"
    path.write_text("line_nodes = true")
    return path


@pytest.fixture(scope="module")
def lined(site: Path) -> Iterator[X3Client]:
    """A server with nodes of lines that no test changes."""
    with server("local_x3", "--scale", "60", "--graphql-site", str(site)) as running:
        yield X3Client(running.ready)


@pytest.fixture(scope="module")
def lined_truth(lined: X3Client) -> Iterator[X3Control]:
    with X3Control(lined.url) as control:
        yield control


def below(node: JsonObject, collections: t.Sequence[str]) -> list[JsonObject]:
    if not collections:
        return [node]
    inner = (edge["node"] for edge in node[collections[0]]["query"]["edges"])
    return [found for child in inner for found in below(child, collections[1:])]


def nested(collections: t.Sequence[str], selection: str) -> str:
    for name in reversed(collections):
        selection = f"{name} {{ query(first: 100) {{ edges {{ node {{ {selection} }} }} }} }}"
    return selection


def all_pages(x3: X3Client, node: tuple[str, str], selection: str, arguments: str) -> list[JsonObject]:
    found: list[JsonObject] = []
    after = ""
    while True:
        inner = f"totalCount edges {{ node {{ {selection} }} }} pageInfo {{ hasNextPage endCursor }}"
        page = x3.query(*node, inner, arguments + after)
        found.extend(edge["node"] for edge in page["edges"])
        if not page["pageInfo"]["hasNextPage"]:
            assert len(found) == page["totalCount"]
            return found
        after = f", after: {json.dumps(page['pageInfo']['endCursor'])}"


@pytest.mark.parametrize("node", LINES, ids=[".".join(node) for node in LINES])
def test_every_collection_is_a_node_of_its_items(lined: X3Client, node: tuple[str, str]) -> None:
    package, document, *collections = LINES[node]
    selection = "_id _updateStamp _createUser { _id } _sortValue"
    documents = lined.nodes(package, document, nested(collections, selection))
    right = [item for each in documents for item in below(each, collections)]
    found = all_pages(lined, node, selection, "first: 700")
    assert len(found) > 5
    assert sorted(found, key=lambda item: str(item["_id"])) == sorted(
        right, key=lambda item: str(item["_id"])
    )


def test_lines_have_the_values_of_the_collection_and_lead_to_their_document(lined: X3Client) -> None:
    inner = "account { code } amountInLedgerCurrency fiscalYear period accountingDate"
    header = "_id id entryType company { code } fiscalYear description"
    documents = lined.nodes(LEDGER, "journalEntry", f"{header} {nested(['lines'], f'_id {inner}')}")
    right = {
        line["_id"]: {**line, "journalEntry": {name: each[name] for name in each if name != "lines"}}
        for each in documents
        for line in below(each, ["lines"])
    }
    found = all_pages(
        lined, (LEDGER, "journalEntryLine"), f"_id {inner} journalEntry {{ {header} }}", "first: 900"
    )
    assert {line["_id"]: line for line in found} == right
    analytical = lined.nodes(
        LEDGER,
        "journalEntryAnalyticalLine",
        "_id journalEntry { _id } journalEntryLine { _id lineNumber ledgerTypeNumber account { code } }",
    )
    assert analytical
    for item in analytical:
        line = item["journalEntryLine"]
        assert item["_id"].rpartition("|")[0] == line["_id"]
        assert line["account"] == right[line["_id"]]["account"]
        assert item["journalEntry"]["_id"] == "|".join(item["_id"].split("|")[:2])


def test_lines_carry_period_and_date_of_their_entry(lined_truth: X3Control) -> None:
    columns = ("FIY", "PER", "ACCDAT")
    entries = {
        (row["TYP"], row["NUM"]): [row[name] for name in columns] for row in lined_truth.rows("GACCENTRY")
    }
    lines = lined_truth.rows("GACCENTRYD")
    assert len(lines) > len(entries)
    for line in lines:
        assert [line[name] for name in columns] == entries[line["TYP"], line["NUM"]]


@pytest.mark.parametrize("order", SORTS)
def test_lines_page_and_sort_like_any_node(lined: X3Client, lined_truth: X3Control, order: str) -> None:
    rows = lined_truth.rows("GACCENTRYD")
    keys: dict[str, Callable[[JsonObject], t.Any]] = {
        "{_id:1}": lambda _: (),
        "{_updateStamp:-1}": lambda row: [-ord(char) for char in row["UPDDATTIM"]],
        "{amountInLedgerCurrency:1,sign:-1}": lambda row: (Decimal(row["AMTLED"]), -row["SNS"]),
        "{journalEntry:{id:-1}}": lambda row: [-ord(char) for char in row["NUM"].ljust(20, "\0")],
    }
    by_key = sorted(rows, key=lambda row: (row["TYP"], row["NUM"], row["LIN"], row["LEDTYP"]))
    right = [
        f"{row['TYP']}|{row['NUM']}|{row['LIN']}|{row['LEDTYP']}" for row in sorted(by_key, key=keys[order])
    ]
    node = (LEDGER, "journalEntryLine")
    assert [item["_id"] for item in all_pages(lined, node, "_id", f'first: 77, orderBy: "{order}"')] == right
    backwards = lined.nodes(*node, "_id", f'last: 5, orderBy: "{order}"')
    assert [item["_id"] for item in backwards] == right[-5:]


FILTERS: dict[str, Callable[[JsonObject], bool]] = {
    "{sign:1}": lambda row: row["SNS"] == 1,
    "{ledger:'ANA',amountInLedgerCurrency:{_gt:'1000'}}": lambda row: (
        row["LED"] == "ANA" and Decimal(row["AMTLED"]) > 1000
    ),
    "{journalEntry:{entryType:'BAN'}}": lambda row: row["TYP"] == "BAN",
    "{journalEntry:{company:'PP20'}}": lambda row: row["CPY"] == "PP20",
    "{analyticalLines:{_atLeast:2}}": lambda row: row["allocations"] >= 2,
    "{_updateStamp:{_gte:'2026-01-01T00:00:00Z'}}": lambda row: row["UPDDATTIM"] >= "2026-01-01",
}


@pytest.mark.parametrize("text", FILTERS)
def test_lines_are_filtered_like_any_node(lined: X3Client, lined_truth: X3Control, text: str) -> None:
    allocations: dict[tuple[t.Any, ...], int] = defaultdict(int)
    for row in lined_truth.rows("GACCENTRYA"):
        allocations[row["TYP"], row["NUM"], row["LIN"], row["LEDTYP"]] += 1
    rows = lined_truth.rows("GACCENTRYD")
    for row in rows:
        row["allocations"] = allocations[row["TYP"], row["NUM"], row["LIN"], row["LEDTYP"]]
    right = sum(FILTERS[text](row) for row in rows)
    assert 0 < right < len(rows)
    arguments = f"first: 1, filter: {json.dumps(text)}"
    assert lined.query(LEDGER, "journalEntryLine", "totalCount", arguments)["totalCount"] == right


def test_one_entry_is_found_by_its_id_or_by_both_parts(lined: X3Client) -> None:
    (line, *_) = lined.nodes(LEDGER, "journalEntryLine", "journalEntry { _id id entryType }", "first: 1")
    entry = line["journalEntry"]
    texts = [
        f"{{journalEntry:'{entry['_id']}'}}",
        f"{{journalEntry:{{_id:'{entry['_id']}'}}}}",
        f"{{journalEntry:{{_id:{{_in:['{entry['_id']}']}}}}}}",
        f"{{journalEntry:{{entryType:'{entry['entryType']}',id:'{entry['id']}'}}}}",
    ]
    for text in texts:
        found = lined.nodes(
            LEDGER,
            "journalEntryLine",
            "journalEntry { _id id entryType }",
            f"first: 99, filter: {json.dumps(text)}",
        )
        assert found
        assert {json.dumps(item["journalEntry"]) for item in found} == {json.dumps(entry)}


def test_lines_of_one_document_build_no_other(own: X3Client, control: X3Control) -> None:
    control.graphql_site(line_nodes=True)
    entry = control.rows("GACCENTRY")[-1]
    control.reset()
    control.graphql_site(line_nodes=True)

    def built() -> int:
        answer = t.cast("dict[str, dict[str, int]]", control.call("rest_site"))
        return answer["documents_built"]["GACCENTRY"]

    before = built()
    text = json.dumps(f"{{journalEntry:{{entryType:'{entry['TYP']}',id:'{entry['NUM']}'}}}}")
    found = own.nodes(LEDGER, "journalEntryLine", "journalEntry { id }", f"first: 99, filter: {text}")
    assert {line["journalEntry"]["id"] for line in found} == {entry["NUM"]}
    assert built() - before == 1


def test_read_finds_one_line(lined: X3Client) -> None:
    for node in ("journalEntryLine", "journalEntryAnalyticalLine"):
        (item, *_) = lined.nodes(LEDGER, node, "_id _updateStamp", "first: 3")
        for identifier, right in ((item["_id"], item), (item["_id"] + "0", None), ("x", None)):
            answer = decoded(
                lined.post(
                    f'{{ {LEDGER} {{ {node} {{ read(_id: "{identifier}") {{ _id _updateStamp }} }} }} }}'
                )
            )
            assert answer["data"][LEDGER][node]["read"] == right


def test_ledger_totals_come_from_one_aggregate(lined: X3Client, lined_truth: X3Control) -> None:
    sums: dict[tuple[t.Any, ...], Decimal] = defaultdict(Decimal)
    for row in lined_truth.rows("GACCENTRYD"):
        place = (row["LEDTYP"], row["LED"], row["CPY"], row["FIY"], row["PER"], row["SNS"])
        sums[place] += Decimal(row["AMTLED"])
    group = "ledgerTypeNumber ledger { code } company { code } fiscalYear period sign"
    inner = f"group {{ {group} }} values {{ amountInLedgerCurrency {{ sum }} }}"
    query = f"queryAggregate(first: 1000) {{ edges {{ node {{ {inner} }} }} pageInfo {{ hasNextPage }} }}"
    answer = decoded(lined.post(f"{{ {LEDGER} {{ journalEntryLine {{ {query} }} }} }}"))
    found = answer["data"][LEDGER]["journalEntryLine"]["queryAggregate"]
    assert not found["pageInfo"]["hasNextPage"]
    ledgers = {"legal": 1, "analytical": 2}
    assert {
        (
            ledgers[item["group"]["ledgerTypeNumber"]],
            item["group"]["ledger"]["code"],
            item["group"]["company"]["code"],
            item["group"]["fiscalYear"],
            item["group"]["period"],
            item["group"]["sign"],
        ): Decimal(item["values"]["amountInLedgerCurrency"]["sum"])
        for item in (edge["node"] for edge in found["edges"])
    } == sums
    total = "readAggregate { amountInLedgerCurrency { sum } journalEntry { entryType { distinctCount } } }"
    answer = decoded(lined.post(f"{{ {LEDGER} {{ journalEntryLine {{ {total} }} }} }}"))
    read = answer["data"][LEDGER]["journalEntryLine"]["readAggregate"]
    assert Decimal(read["amountInLedgerCurrency"]["sum"]) == sum(sums.values())
    types = {row["TYP"] for row in lined_truth.rows("GACCENTRY")}
    assert read["journalEntry"]["entryType"]["distinctCount"] == len(types)


def test_a_line_that_changed_without_its_document_is_found(own: X3Client, control: X3Control) -> None:
    control.graphql_site(line_nodes=True)
    now = control.now()
    (line,) = control.rows("GACCENTRYD", limit=1)
    key = [line["TYP"], line["NUM"], line["LIN"], line["LEDTYP"]]
    control.set("GACCENTRYD", key, {"MTC": "NEW"})
    arguments = f"first: 9, filter: \"{{_updateStamp:{{_gte:'{now}'}}}}\""
    found = own.nodes(LEDGER, "journalEntryLine", "matching journalEntry { id }", arguments)
    assert found == [{"matching": "NEW", "journalEntry": {"id": line["NUM"]}}]
    assert own.nodes(LEDGER, "journalEntry", "id", arguments) == []
    control.remove("GACCENTRYD", key)
    assert own.nodes(LEDGER, "journalEntryLine", "matching", arguments) == []
    assert [item["id"] for item in own.nodes(LEDGER, "journalEntry", "id", arguments)] == [line["NUM"]]


def test_without_the_option_there_is_no_node_of_lines(own: X3Client, control: X3Control) -> None:
    query = f"{{ {LEDGER} {{ journalEntryLine {{ query {{ totalCount }} }} }} }}"
    answer = own.post(query)
    assert answer.status_code == 400
    assert 'Cannot query field "journalEntryLine"' in answer.json()["errors"][0]["message"]
    control.graphql_site(line_nodes=True)
    assert own.post(query).status_code == 200
    control.reset()
    assert own.post(query).status_code == 400
