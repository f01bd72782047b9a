"""Sites differ: what is absent, what has another name, and how the schema says so."""

from __future__ import annotations

import typing as t

import pytest
from processes import server, start_server
from x3_client import X3Client
from x3_control import X3Control
from x3_schema import columns_of, field, name_of, types_of

if t.TYPE_CHECKING:
    from pathlib import Path

ABSENT = {  # path -> what is asked for, from name to name
    "x3FinanceData.journalEntry": "x3FinanceData journalEntry query totalCount",
    "x3Purchasing.purchaseOrder.internalOrderReference": (
        "x3Purchasing purchaseOrder query edges node internalOrderReference"
    ),
    "x3Sales.salesInvoice.salesInvoiceLines": (
        "x3Sales salesInvoice query edges node salesInvoiceLines query totalCount"
    ),
    "x3Purchasing.purchaseOrder.purchaseOrderLines.netPrice": (
        "x3Purchasing purchaseOrder query edges node purchaseOrderLines query edges node netPrice"
    ),
    "x3FinanceData.journalEntry.lines.analyticalLines.dimensions": (
        "x3FinanceData journalEntry query edges node lines query edges node analyticalLines query edges node "
        "dimensions query totalCount"
    ),
}


def asking(names: str) -> str:
    """A query that goes down from name to name."""
    found = names.split()
    return "{ " + " { ".join(found) + " }" * len(found)


@pytest.mark.parametrize("path", ABSENT)
def test_what_is_absent_cannot_be_queried(own: X3Client, control: X3Control, path: str) -> None:
    query, name = asking(ABSENT[path]), path.rsplit(".", maxsplit=1)[-1]
    assert own.post(query).status_code == 200
    assert control.graphql_site(absent=[path])["absent"] == [path]
    answer = own.post(query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith(f'Cannot query field "{name}" on type ')
    control.graphql_site(absent=[])
    assert own.post(query).status_code == 200


def test_what_is_absent_cannot_be_filtered_or_sorted_by(own: X3Client, control: X3Control) -> None:
    control.graphql_site(absent=["x3Purchasing.purchaseOrder.orderDate"])
    for argument in ("filter: \"{orderDate:'2026-01-01'}\"", 'orderBy: "{orderDate:1}"'):
        answer = own.post(f"{{ x3Purchasing {{ purchaseOrder {{ query({argument}) {{ totalCount }} }} }} }}")
        assert "orderDate does not exist" in answer.json()["errors"][0]["message"]


def test_a_package_without_nodes_is_gone(own: X3Client, control: X3Control) -> None:
    control.graphql_site(absent=["x3Sales.salesInvoice"])
    answer = own.post("{ x3Sales { __typename } }")
    assert answer.status_code == 400
    assert 'Cannot query field "x3Sales"' in answer.json()["errors"][0]["message"]


def test_what_is_renamed_is_found_by_its_column(own: X3Client, control: X3Control) -> None:
    right = own.nodes("x3Purchasing", "purchaseOrder", "orderDate purchaseSite { code name }", "first: 3")
    renamed = {
        "x3FinanceData.journalEntry": "x3Finance.accountingEntry",
        "x3FinanceData.journalEntry.lines": "entryLines",
        "x3FinanceData.journalEntry.lines.analyticalLines.dimensions": "axes",
        "x3Purchasing.purchaseOrder.orderDate": "dateOfOrder",
        "x3Purchasing.purchaseOrder.purchaseSite": "buyingPlace",
    }
    assert control.graphql_site(renamed=renamed)["renamed"] == renamed
    types = types_of(own)
    package = field(types, "RootQuery", "x3Finance")
    node = next(item for item in types[package]["fields"] if item["name"] == "accountingEntry")
    assert node["description"] == "Accounting entry (AccountingEntry)"
    assert columns_of(types, "AccountingEntry")["ACCDAT"] == ["accountingDate"]
    lines = name_of(next(f["type"] for f in types["AccountingEntry"]["fields"] if f["name"] == "entryLines"))
    assert lines.endswith("_Collection")
    order = columns_of(types, "PurchaseOrder")
    assert (order["ORDDAT"], order["POHFCY"]) == (["dateOfOrder"], ["buyingPlace"])
    inner = "query { edges { node { axes { query { edges { node { denormalizedIndex } } } } } } }"
    lines = f"entryLines {{ query {{ edges {{ node {{ analyticalLines {{ {inner} }} }} }} }} }}"
    assert len(own.nodes("x3Finance", "accountingEntry", f"id {lines}", "first: 4")) == 4
    found = own.nodes("x3Purchasing", "purchaseOrder", "dateOfOrder buyingPlace { code name }", "first: 3")
    assert [(item["dateOfOrder"], item["buyingPlace"]["code"]) for item in found] == [
        (item["orderDate"], item["purchaseSite"]["code"]) for item in right
    ]
    for gone in (
        "x3FinanceData journalEntry query totalCount",
        "x3Purchasing purchaseOrder query edges node orderDate",
    ):
        assert own.post(asking(gone)).status_code == 400
    control.reset()
    assert own.nodes("x3FinanceData", "journalEntry", "id", "first: 1")


def test_lines_are_renamed_with_their_node(own: X3Client, control: X3Control) -> None:
    renamed = {
        "x3FinanceData.journalEntryLine": "x3Finance.entryLine",
        "x3FinanceData.journalEntryLine.journalEntry": "entry",
        "x3FinanceData.journalEntry.lines.fiscalYear": "year",
    }
    control.graphql_site(
        line_nodes=True, renamed=renamed, absent=["x3FinanceData.journalEntryAnalyticalLine"]
    )
    (line,) = own.nodes("x3Finance", "entryLine", "year entry { _id }", "first: 1")
    assert line["year"] > 2000
    answer = own.post("{ x3FinanceData { journalEntryAnalyticalLine { query { totalCount } } } }")
    assert answer.status_code == 400


def test_a_site_may_have_the_names_of_an_old_release(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        "line_nodes = true\n"
        'absent = ["xtremX3Purchasing.purchaseOrder.purchaseOrderQuantityLines.netPrice"]\n'
        '[renamed]\n"xtremX3MasterData.supplier" = "xtremX3MasterData.vendor"\n'
    )
    options = ("--scale", "9", "--graphql-names", "old", "--graphql-site", str(site))
    with server("local_x3", *options) as running, X3Control(running.ready["url"]) as control:
        x3 = X3Client(running.ready)
        (vendor,) = x3.nodes("xtremX3MasterData", "vendor", "companyName", "first: 1")
        assert vendor["companyName"]
        (line,) = x3.nodes(
            "xtremX3Purchasing", "purchaseOrderQuantityLine", "_id purchaseOrder { id }", "first: 1"
        )
        assert line["_id"].startswith(line["purchaseOrder"]["id"] + "|")
        control.graphql_site(renamed={})
        control.reset()
        assert x3.nodes("xtremX3MasterData", "vendor", "_id", "first: 1")
        x3.close()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"absent": ["x3FinanceData.nothing"]}, "there is no node x3FinanceData.nothing"),
        ({"absent": ["x3FinanceData"]}, "there is no node x3FinanceData"),
        ({"absent": ["x3Sales.salesInvoice.nothing"]}, "SalesInvoice has no property or collection nothing"),
        ({"absent": ["x3Sales.salesInvoice.id.x"]}, "id is no collection of SalesInvoice"),
        ({"absent": ["x3Sales.salesInvoice._updateStamp"]}, "no property or collection _updateStamp"),
        ({"absent": ["x3FinanceData.journalEntryLine"]}, "there is no node"),
        ({"renamed": {"x3Sales.salesInvoice": "invoice"}}, "'invoice' is no package.node"),
        ({"renamed": {"x3Sales.salesInvoice": "x3Sales.customer"}}, "there is a node customer already"),
        ({"renamed": {"x3Sales.salesInvoice.id": "a.b"}}, "'a.b' is no name"),
        ({"renamed": {"x3Sales.salesInvoice.id": "_id"}}, "'_id' is no name"),
        ({"renamed": {"x3Sales.salesInvoice.id": "company"}}, "SalesInvoice has company already"),
        (
            {"absent": ["x3Sales.salesInvoice"], "renamed": {"x3Sales.salesInvoice": "a.b"}},
            "both absent and renamed",
        ),
        ({"line_nodes": 1}, "line_nodes"),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_a_site_that_makes_no_sense_is_refused(
    own: X3Client, control: X3Control, given: dict[str, t.Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        control.graphql_site(**given)
    assert control.graphql_site() == {"line_nodes": False, "absent": [], "renamed": {}}
    assert own.nodes("x3Sales", "salesInvoice", "id", "first: 1")


@pytest.mark.parametrize("text", ['absent = ["x3Sales.nothing"]', "absent = 1", "absent ="])
def test_a_wrong_file_ends_the_start_with_a_reason(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(RuntimeError, match="--graphql-site"):
        start_server("local_x3", "--scale", "5", "--graphql-site", str(path))


def test_a_release_without_graphql_has_no_such_site() -> None:
    with (
        server("local_x3", "--scale", "5", "--x3-version", "V11") as running,
        X3Control(running.ready["url"]) as control,
    ):
        with pytest.raises(ValueError, match="no GraphQL API"):
            control.graphql_site(line_nodes=True)
        control.reset()
        assert control.streams()["gl_entries"] == 5
