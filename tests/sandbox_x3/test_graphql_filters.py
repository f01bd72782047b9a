"""Xtrem filters: collections, references, system members, and what is refused."""

from __future__ import annotations

import json
import time
import typing as t

import pytest

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from x3_client import X3Client
    from x3_control import Record, X3Control

ORDER = ("x3Purchasing", "purchaseOrder")
SUPPLIER = ("x3MasterData", "supplier")


def found(x3: X3Client, node: tuple[str, str], text: str) -> list[str]:
    """The `_id` of what a filter finds."""
    return [item["_id"] for item in x3.nodes(*node, "_id", f"first: 1000, filter: {json.dumps(text)}")]


def refusal(x3: X3Client, node: tuple[str, str], argument: str) -> str:
    """The message with which an argument is refused."""
    answer = x3.post(f"{{ {node[0]} {{ {node[1]} {{ query({argument}) {{ totalCount }} }} }} }}")
    assert answer.status_code == 200
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    return str(error["message"])


def lines_of(truth: X3Control) -> dict[str, list[Record]]:
    lines: dict[str, list[Record]] = {row["POHNUM"]: [] for row in truth.rows("PORDER")}
    for row in truth.rows("PORDERQ"):
        lines[row["POHNUM"]].append(row)
    return lines


def in_units(lines: list[Record]) -> int:
    return sum(row["STU"] == "UN" for row in lines)


QUANTIFIED: list[tuple[str, Callable[[list[Record]], bool]]] = [
    ("{purchaseOrderLines:{_atLeast:3}}", lambda lines: len(lines) >= 3),
    ("{purchaseOrderLines:{_atMost:2}}", lambda lines: len(lines) <= 2),
    ("{purchaseOrderLines:{_atLeast:2,stockUnit:'UN'}}", lambda lines: in_units(lines) >= 2),
    ("{purchaseOrderLines:{stockUnit:{code:'UN'},_atMost:1}}", lambda lines: in_units(lines) <= 1),
    ("{purchaseOrderLines:{_every:true,lineNumber:{_lt:3000}}}",
     lambda lines: all(r["POPLIN"] < 3000 for r in lines)),
    ("{purchaseOrderLines:{_none:true,lineNumber:{_gt:2000}}}",
     lambda lines: not any(r["POPLIN"] > 2000 for r in lines)),
    ("{purchaseOrderLines:{_none:true,_or:[{lineNumber:2000},{lineNumber:3000}]}}",
     lambda lines: not any(r["POPLIN"] in {2000, 3000} for r in lines)),
    ("{_not:{purchaseOrderLines:{_atLeast:3}}}", lambda lines: len(lines) < 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), QUANTIFIED, ids=[case[0] for case in QUANTIFIED])
def test_quantifiers_count_the_items_that_meet_a_condition(
    x3: X3Client, truth: X3Control, text: str, wanted: Callable[[list[Record]], bool]
) -> None:
    lines = lines_of(truth)
    right = [number for number, rows in lines.items() if wanted(rows)]
    assert 0 < len(right) < len(lines)
    assert found(x3, ORDER, text) == right


def test_an_empty_collection_meets_every_and_none(own: X3Client, control: X3Control) -> None:
    control.add("PORDER", {"POHNUM": "BARE", "POHPOQ": []})
    for quantifier in ("_every:true", "_none:true", "_atMost:0", "_atLeast:0"):
        text = f"{{id:'BARE',purchaseOrderLines:{{{quantifier},lineNumber:1}}}}"
        assert found(own, ORDER, text) == ["BARE"], quantifier
    assert found(own, ORDER, "{id:'BARE',purchaseOrderLines:{_atLeast:1}}") == []


def test_a_change_of_a_line_changes_what_a_quantifier_finds(own: X3Client, control: X3Control) -> None:
    control.add("PORDER", {"POHNUM": "ONE", "POHPOQ": [{"POPLIN": 1000, "POQSEQ": 1, "UOM": "KG"}]})
    text = "{purchaseOrderLines:{_atLeast:1,orderUnit:'ZZZ'}}"
    assert found(own, ORDER, text) == []
    control.set("PORDERQ", ["ONE", 1000, 1], {"UOM": "ZZZ"})
    assert found(own, ORDER, text) == ["ONE"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{purchaseOrderLines:{lineNumber:1}}", "exactly one of"),
        ("{purchaseOrderLines:{_atLeast:1,_atMost:2}}", "exactly one of"),
        ("{purchaseOrderLines:'X'}", "needs an object"),
        ("{purchaseOrderLines:{_atLeast:-1}}", "whole number"),
        ("{purchaseOrderLines:{_atLeast:1.5}}", "whole number"),
        ("{purchaseOrderLines:{_atLeast:'1'}}", "whole number"),
        ("{purchaseOrderLines:{_every:false}}", "needs true"),
        ("{purchaseOrderLines:{_none:1}}", "needs true"),
        ("{purchaseOrderLines:{_every:true,nope:1}}", "property nope does not exist"),
        ("{_atLeast:1}", "property _atLeast does not exist"),
        ("{supplierCompanyNames:{_atLeast:1}}", "property supplierCompanyNames does not exist"),
        ("{purchaseOrderLines:{_atLeast:1,taxes:{_atLeast:1}}}", "property taxes does not exist"),
        ("{id:{_regex:'a',_options:'i'}}", "unknown operator _options"),
        ("{id:{_contains:'a'}}", "unknown operator _contains"),
        ("{_or:[]}", "at least one condition"),
        ("{_and:{}}", "needs an array"),
        ("{id:{_gt:null}}", "_gt null"),
        ("{taxExcludedTotalAmount:{_gt:'NaN'}}", "not a value of type Decimal"),
        ("{taxExcludedTotalAmount:{_gt:'1_000'}}", "not a value of type Decimal"),
        ("{orderDate:'2024W05-3'}", "not a value of type Date"),
        ("{orderDate:'2025-02-30'}", "not a value of type Date"),
        ("{orderFromSupplier:{nope:1}}", "property nope does not exist on Supplier"),
        ("[[{id:'A'}]]", "expected an object"),
    ],
)
def test_what_is_not_documented_is_refused(x3: X3Client, text: str, message: str) -> None:
    assert message in refusal(x3, ORDER, f"filter: {json.dumps(text)}")


def test_text_streams_are_shown_but_not_compared(x3: X3Client, truth: X3Control) -> None:
    customer = ("x3MasterData", "customer")
    shown = {item["_id"]: item["notes"] for item in x3.nodes(*customer, "_id notes { value }")}
    assert shown == {row["BPCNUM"]: {"value": row["BPCREM"]} for row in truth.rows("BPCUSTOMER")}
    assert "text stream" in refusal(x3, customer, "filter: \"{notes:'x'}\"")
    assert "text stream" in refusal(x3, customer, 'orderBy: "{notes:1}"')


def test_system_members_and_filters_on_them(x3: X3Client, truth: X3Control) -> None:
    rows = truth.rows("BPSUPPLIER")
    nodes = x3.nodes(*SUPPLIER, "_id _createStamp _createUser { _id } _updateUser { _id } _etag")
    assert [(n["_createUser"]["_id"], n["_updateUser"]["_id"]) for n in nodes] == [
        (row["CREUSR"], row["UPDUSR"]) for row in rows
    ]
    user = rows[0]["CREUSR"]
    right = [row["BPSNUM"] for row in rows if row["CREUSR"] == user]
    assert 0 < len(right) < len(rows)
    assert found(x3, SUPPLIER, f"{{_createUser:'{user}'}}") == right
    assert found(x3, SUPPLIER, f"{{_createUser:{{_id:{{_in:['{user}']}}}}}}") == right
    middle = sorted(row["CREDATTIM"] for row in rows)[len(rows) // 2]
    assert found(x3, SUPPLIER, f"{{_createStamp:{{_lt:'{middle}'}}}}") == [
        row["BPSNUM"] for row in rows if row["CREDATTIM"] < middle
    ]
    lines = x3.nodes(
        *ORDER, "purchaseOrderLines { query { edges { node { lineNumber _sortValue } } } }", "first: 5"
    )
    for line in (edge["node"] for node in lines for edge in node["purchaseOrderLines"]["query"]["edges"]):
        assert line["_sortValue"] == line["lineNumber"]


def test_references_lead_to_the_record(x3: X3Client, truth: X3Control) -> None:
    names = {row["BPSNUM"]: row["BPSNAM"] for row in truth.rows("BPSUPPLIER")}
    texts = {row["ITMREF"]: row["ITMDES1"] for row in truth.rows("ITMMASTER")}
    orders = {row["POHNUM"]: row["BPSNUM"] for row in truth.rows("PORDER")}
    line = "query { edges { node { product { code description1 } } } }"
    supplier = "orderFromSupplier { _id companyName1 code { code companyName1 } }"
    for node in x3.nodes(*ORDER, f"id {supplier} purchaseOrderLines {{ {line} }}", "first: 30"):
        code = orders[node["id"]]
        partner = {"code": code, "companyName1": names[code]}
        assert node["orderFromSupplier"] == {"_id": code, "companyName1": names[code], "code": partner}
        for edge in node["purchaseOrderLines"]["query"]["edges"]:
            product = edge["node"]["product"]
            assert product["description1"] == texts[product["code"]]


def test_filters_follow_references(x3: X3Client, truth: X3Control) -> None:
    dollars = {row["BPSNUM"] for row in truth.rows("BPSUPPLIER") if row["CUR"] == "USD"}
    right = [row["POHNUM"] for row in truth.rows("PORDER") if row["BPSNUM"] in dollars]
    assert right
    assert found(x3, ORDER, "{orderFromSupplier:{currency:{code:'USD'}}}") == right
    assert found(x3, ORDER, "{orderFromSupplier:{currency:'USD'}}") == right


def test_a_change_behind_a_reference_changes_what_is_found(own: X3Client, control: X3Control) -> None:
    text = "{orderFromSupplier:{companyName1:'Renamed'}}"
    assert found(own, ORDER, text) == []
    code = control.rows("PORDER", limit=1)[0]["BPSNUM"]
    control.set("BPSUPPLIER", code, {"BPSNAM": "Renamed"})
    right = [row["POHNUM"] for row in control.rows("PORDER") if row["BPSNUM"] == code]
    assert found(own, ORDER, text) == right


def test_business_partners_change_with_suppliers(own: X3Client, control: X3Control) -> None:
    node = ("x3MasterData", "businessPartner")
    code = control.rows("BPSUPPLIER", limit=1)[0]["BPSNUM"]
    text = "{companyName1:'Renamed'}"
    assert found(own, node, text) == []
    control.set("BPSUPPLIER", code, {"BPSNAM": "Renamed"})
    assert found(own, node, text) == [code]
    control.add("BPCUSTOMER", {"BPCNUM": "C9", "BPCNAM": "Renamed"})
    assert found(own, node, text) == ["C9", code]


def test_a_dangling_reference_shows_its_key_only(own: X3Client, control: X3Control) -> None:
    control.add("PORDER", {"POHNUM": "LOST", "BPSNUM": "NOBODY", "POHPOQ": []})
    (node,) = own.nodes(*ORDER, "orderFromSupplier { _id isActive companyName1 }", "filter: \"{id:'LOST'}\"")
    assert node["orderFromSupplier"] == {"_id": "NOBODY", "isActive": None, "companyName1": None}


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(x+x+)+y", r"^(([a-z0-9])+.)+[A-Z]([a-z])+$", "a{9999999999999999999}"]
)
def test_a_regular_expression_cannot_hang_the_server(own: X3Client, control: X3Control, pattern: str) -> None:
    control.set("BPSUPPLIER", "S00001", {"BPSNAM": "a" * 40 + "x" * 35 + "!"})
    start = time.monotonic()
    message = refusal(
        own, SUPPLIER, "filter: " + json.dumps(f"{{companyName1:{{_regex:{json.dumps(pattern)}}}}}")
    )
    assert "regular expression" in message
    assert time.monotonic() - start < 50  # a busy machine takes its time
    assert found(own, SUPPLIER, "{companyName1:{_regex:'^a{40}x'}}") == ["S00001"]
