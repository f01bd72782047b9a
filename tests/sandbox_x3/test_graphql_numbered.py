"""Numbered X3 columns FIELD(n) in Xtrem: denormalized collections, one item a number."""

from __future__ import annotations

import json
import tomllib
import typing as t
from decimal import Decimal

import pytest
from processes import SANDBOX
from x3_client import JsonObject, X3Client, decoded
from x3_schema import name_of, types_of

if t.TYPE_CHECKING:
    from x3_control import Record, X3Control

ORDERS = ("x3Purchasing", "purchaseOrder")


def asked(name: str, members: str, arguments: str = "") -> str:
    inner = f"edges {{ cursor node {{ denormalizedIndex {members} }} }}"
    return f"{name} {{ query{arguments} {{ totalCount {inner} pageInfo {{ hasNextPage endCursor }} }} }}"


def items(node: JsonObject, name: str) -> list[JsonObject]:
    return [edge["node"] for edge in node[name]["query"]["edges"]]


def text(value: t.Any) -> str:  # noqa: ANN401 - JSON number
    shown = format(Decimal(value), "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def test_columns_of_one_number_are_one_item(x3: X3Client, truth: X3Control) -> None:
    inner = f"{asked('taxes', 'tax { code _id } taxAmount')} {asked('discounts', 'discountValue')}"
    lines = f"purchaseOrderLines {{ query(first: 100) {{ edges {{ node {{ lineNumber {inner} }} }} }} }}"
    rows: dict[tuple[str, int], Record] = {
        (row["POHNUM"], row["POPLIN"]): row for row in truth.rows("PORDERQ")
    }
    checked = 0
    for order in x3.nodes(*ORDERS, f"id {lines}"):
        for edge in order["purchaseOrderLines"]["query"]["edges"]:
            line = edge["node"]
            row = rows[order["id"], line["lineNumber"]]
            assert items(line, "discounts") == [
                {"denormalizedIndex": n, "discountValue": text(row[f"DISCRGVAL{n}"])} for n in (1, 2, 3)
            ]
            assert items(line, "taxes") == [
                {
                    "denormalizedIndex": n,
                    "tax": {"code": row[f"VAT{n}"], "_id": row[f"VAT{n}"]} if row[f"VAT{n}"] else None,
                    "taxAmount": text(row[f"AMTTAXLIN{n}"]),
                }
                for n in (1, 2, 3)
            ]
            checked += 1
    assert checked == len(rows)


def test_an_item_of_empty_texts_is_left_out(x3: X3Client, truth: X3Control) -> None:
    rows = {row["BPCNUM"]: row for row in truth.rows("BPCUSTOMER")}
    counts = set()
    for node in x3.nodes("x3MasterData", "customer", f"_id {asked('salesReps', 'salesRep { code }')}"):
        row = rows[node["_id"]]
        found = items(node, "salesReps")
        assert found == [
            {"denormalizedIndex": n, "salesRep": {"code": row[f"REP{n}"]}} for n in (1, 2) if row[f"REP{n}"]
        ]
        assert node["salesReps"]["query"]["totalCount"] == len(found)
        counts.add(tuple(item["denormalizedIndex"] for item in found))
    assert {(1, 2), (1,), (2,)} <= counts


def test_items_have_pages_of_their_own(x3: X3Client) -> None:
    call = asked("currencyRates", "rateMultiplier", "(first: 1)")
    (first,) = x3.nodes("x3FinanceData", "journalEntry", f"_id {call}", "first: 1")
    page = first["currencyRates"]["query"]
    assert [item["denormalizedIndex"] for item in items(first, "currencyRates")] == [1]
    assert page["pageInfo"]["hasNextPage"]
    after = json.dumps(page["pageInfo"]["endCursor"])
    call = asked("currencyRates", "rateMultiplier", f"(first: 1, after: {after})")
    (second,) = x3.nodes("x3FinanceData", "journalEntry", f"_id {call}", "first: 1")
    assert [item["denormalizedIndex"] for item in items(second, "currencyRates")] == [2]
    assert not second["currencyRates"]["query"]["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("argument", ['filter: "{denormalizedIndex:1}"', 'orderBy: "{denormalizedIndex:1}"'])
def test_items_are_neither_filtered_nor_sorted(x3: X3Client, argument: str) -> None:
    call = asked("taxes", "taxAmount", f"({argument})")
    lines = f"purchaseOrderLines {{ query {{ edges {{ node {{ {call} }} }} }} }}"
    orders = f"purchaseOrder {{ query {{ edges {{ node {{ {lines} }} }} }} }}"
    answer = x3.post(f"{{ x3Purchasing {{ {orders} }} }}")
    assert "not supported on a denormalized collection" in answer.json()["errors"][0]["message"]


def test_numbered_columns_are_nowhere_flat(x3: X3Client) -> None:
    declared = tomllib.loads((SANDBOX / "local_x3" / "standard" / "numbered.toml").read_text("utf-8"))
    bases = {column for found in declared.values() for columns in found.values() for column in columns}
    seen = set()
    for name, type_ in types_of(x3).items():
        for member in type_["fields"] or ():
            column = (member["description"] or "").rpartition("(")[2].rstrip(")")
            if member["name"] != "companyName1":  # a first element that is known to be flattened [C]
                assert not any(column.removeprefix(base).isdigit() for base in bases), (name, member["name"])
            if column in bases:
                seen.add(column)
    assert seen == bases


def test_items_can_be_absent_or_renamed_at_a_site(own: X3Client, control: X3Control) -> None:
    lines = "x3Purchasing.purchaseOrder.purchaseOrderLines"
    control.graphql_site(
        absent=[f"{lines}.discounts", f"{lines}.taxes.taxAmount"], renamed={f"{lines}.taxes.tax": "taxCode"}
    )
    types = types_of(own)
    line = types["PurchaseOrderPurchaseOrderLines"]["fields"]
    record = {member["name"]: name_of(member["type"]) for member in line}
    assert "discounts" not in record
    item = types[record["taxes"].removesuffix("_Collection")]
    assert {member["name"]: member["description"] for member in item["fields"]} == {
        "denormalizedIndex": None,
        "taxCode": "Tax code (VAT)",
    }
    node = "query edges node"
    path = f"x3Purchasing purchaseOrder {node} purchaseOrderLines {node} taxes {node} taxCode code"
    names = path.split()
    assert decoded(own.post("{ " + " { ".join(names) + " }" * len(names)))
