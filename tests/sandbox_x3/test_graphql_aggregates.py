"""Xtrem aggregates: `readAggregate` and `queryAggregate`, checked against sums made here, digit by digit."""

from __future__ import annotations

import json
import typing as t
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from x3_client import JsonObject, X3Client, decoded

if t.TYPE_CHECKING:
    from x3_control import Record, X3Control

SUPPLIER = "x3MasterData { supplier"
ORDER = "x3Purchasing { purchaseOrder"
ALL = "min max sum avg distinctCount"


def ask(x3: X3Client, node: str, call: str) -> JsonObject:
    """What an operation of a node gives; fails on errors."""
    answer = decoded(x3.post(f"{{ {node} {{ {call} }} }} }}"))
    assert "errors" not in answer, answer["errors"]
    package, name = node.split(" { ")
    return t.cast("JsonObject", answer["data"][package][name])


def refusal(x3: X3Client, node: str, call: str) -> str:
    answer = x3.post(f"{{ {node} {{ {call} }} }} }}")
    return str(answer.json()["errors"][0]["message"])


def text(value: Decimal) -> str:
    """A decimal as Xtrem writes it."""
    shown = format(value, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def average(values: list[Decimal]) -> str:
    exact = Context(prec=300).divide(sum(values, Decimal(0)), Decimal(len(values)))
    return text(exact.quantize(Decimal("1e-13"), ROUND_HALF_UP))


def expected(values: list[Decimal]) -> JsonObject:
    return {
        "min": text(min(values)),
        "max": text(max(values)),
        "sum": text(sum(values, Decimal(0))),
        "avg": average(values),
        "distinctCount": len(set(values)),
    }


def test_read_aggregate_gives_exact_texts(x3: X3Client, truth: X3Control) -> None:
    rows = [row for row in truth.rows("BPSUPPLIER") if row["CUR"] == "EUR"]
    call = f"readAggregate(filter: \"{{currency:'EUR'}}\") {{ authorizedCreditAmount {{ {ALL} }} }}"
    found = ask(x3, SUPPLIER, call)
    assert found == {
        "readAggregate": {"authorizedCreditAmount": expected([Decimal(row["OSTAUZAMT"]) for row in rows])}
    }


def test_sums_keep_every_digit(own: X3Client, control: X3Control) -> None:
    for number, amount in enumerate(["9999999999999999.0001", "0.0002", "-123456789012345678901.5"]):
        control.add("PORDER", {"POHNUM": f"SUM{number}", "TOTORD": Decimal(amount), "POHPOQ": []})
    call = "readAggregate(filter: \"{id:{_regex:'^SUM'}}\") { taxExcludedTotalAmount { sum avg } }"
    found = ask(own, ORDER, call)["readAggregate"]["taxExcludedTotalAmount"]
    assert found == {"sum": "-123446789012345678902.4997", "avg": "-41148929670781892967.4999"}


def test_no_rows_have_no_values(x3: X3Client) -> None:
    values = f"authorizedCreditAmount {{ {ALL} }} _updateStamp {{ max }}"
    call = f"readAggregate(filter: \"{{code:'none'}}\") {{ {values} }}"
    nothing = {"min": None, "max": None, "sum": None, "avg": None, "distinctCount": 0}
    assert ask(x3, SUPPLIER, call)["readAggregate"] == {
        "authorizedCreditAmount": nothing,
        "_updateStamp": {"max": None},
    }


def test_other_types_have_their_own_aggregates(x3: X3Client, truth: X3Control) -> None:
    rows = truth.rows("BPSUPPLIER")
    currency = "currency { code { distinctCount } }"
    call = f"readAggregate {{ _updateStamp {{ min max }} supplierABCClass {{ distinctCount }} {currency} }}"
    stamps = [row["UPDDATTIM"].replace("Z", ".000Z") for row in rows]
    assert ask(x3, SUPPLIER, call)["readAggregate"] == {
        "_updateStamp": {"min": min(stamps), "max": max(stamps)},
        "supplierABCClass": {"distinctCount": len({row["ABCCLS"] for row in rows} - {0})},
        "currency": {"code": {"distinctCount": len({row["CUR"] for row in rows})}},
    }
    for member in ("companyName1 { sum }", "companyName1 { min }", "isActive { max }", "notesX { sum }"):
        answer = x3.post(f"{{ {SUPPLIER} {{ readAggregate {{ {member} }} }} }} }}")
        assert answer.status_code == 400, member


def groups_of(rows: list[Record], *columns: str) -> dict[tuple[t.Any, ...], list[Record]]:
    found: dict[tuple[t.Any, ...], list[Record]] = {}
    for row in rows:
        found.setdefault(tuple(row[column] for column in columns), []).append(row)
    return dict(sorted(found.items()))


def test_query_aggregate_groups_as_documented(x3: X3Client, truth: X3Control) -> None:
    node = f"group {{ currency {{ code }} isActive }} values {{ authorizedCreditAmount {{ {ALL} }} }}"
    call = f"queryAggregate {{ edges {{ node {{ {node} }} }} pageInfo {{ hasNextPage }} }}"
    found = ask(x3, SUPPLIER, call)["queryAggregate"]
    right = [
        {
            "node": {
                "group": {"currency": {"code": currency}, "isActive": active == 2},
                "values": {"authorizedCreditAmount": expected([Decimal(row["OSTAUZAMT"]) for row in rows])},
            }
        }
        for (currency, active), rows in groups_of(truth.rows("BPSUPPLIER"), "CUR", "ENAFLG").items()
    ]
    assert len(right) > 4
    assert found == {"edges": right, "pageInfo": {"hasNextPage": False}}


def test_groups_page_and_sort(x3: X3Client, truth: X3Control) -> None:
    right = sorted(groups_of(truth.rows("PORDER"), "BPSNUM"), reverse=True)
    order = json.dumps("{orderFromSupplier:{code:{code:-1}}}")
    found: list[str] = []
    after = ""
    while True:
        node = "group { orderFromSupplier { code { code } } }"
        call = f"queryAggregate(first: 4, orderBy: {order}{after})"
        info = "pageInfo { hasNextPage endCursor }"
        page = ask(x3, ORDER, f"{call} {{ edges {{ node {{ {node} }} }} {info} }}")
        edges = page["queryAggregate"]["edges"]
        assert len(edges) <= 4
        found.extend(edge["node"]["group"]["orderFromSupplier"]["code"]["code"] for edge in edges)
        if not page["queryAggregate"]["pageInfo"]["hasNextPage"]:
            break
        after = f", after: {json.dumps(page['queryAggregate']['pageInfo']['endCursor'])}"
    assert [(code,) for code in found] == right


def test_groups_are_seen_through_fragments_aliases_and_directives(x3: X3Client, truth: X3Control) -> None:
    query = """query($no: Boolean!) { x3MasterData { supplier { queryAggregate { edges { ...item } } } } }
    fragment item on Supplier_AggregateEdge { node { ... on Supplier_AggregateNode {
      group { money: currency { code } isActive @include(if: $no) __typename }
      values { authorizedCreditAmount { distinctCount } } } } }"""
    answer = decoded(x3.post(query, variables={"no": False}))
    edges = answer["data"]["x3MasterData"]["supplier"]["queryAggregate"]["edges"]
    assert [edge["node"]["group"]["money"]["code"] for edge in edges] == [
        code for (code,) in groups_of(truth.rows("BPSUPPLIER"), "CUR")
    ]


def test_collections_aggregate_their_items(x3: X3Client, truth: X3Control) -> None:
    lines: dict[str, list[Record]] = {}
    for row in truth.rows("PORDERQ"):
        lines.setdefault(row["POHNUM"], []).append(row)
    total = "readAggregate { lineAmountExcludingTax { sum } }"
    grouped = (
        "queryAggregate { edges { node { group { orderUnit { code } } values { lineNumber { max } } } } }"
    )
    one = 'filtered: readAggregate(filter: "{lineNumber:1000}") { lineNumber { sum distinctCount } }'
    inner = f"id purchaseOrderLines {{ {total} {grouped} {one} }}"
    for node in x3.nodes("x3Purchasing", "purchaseOrder", inner, "first: 40"):
        rows = lines[node["id"]]
        found = node["purchaseOrderLines"]
        right = text(sum((Decimal(row["LINAMT"]) for row in rows), Decimal(0)))
        assert found["readAggregate"]["lineAmountExcludingTax"]["sum"] == right
        assert found["filtered"]["lineNumber"] == {"sum": "1000", "distinctCount": 1}
        groups = [edge["node"] for edge in found["queryAggregate"]["edges"]]
        shown = {
            (item["group"]["orderUnit"] or {"code": ""})["code"]: item["values"]["lineNumber"]["max"]
            for item in groups
        }
        assert shown == {
            unit: max(row["POPLIN"] for row in alike) for (unit,), alike in groups_of(rows, "UOM").items()
        }


ONE = "{ edges { node { group { isActive } } } }"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            "queryAggregate { edges { node { values { authorizedCreditAmount { sum } } } } }",
            "at least one property",
        ),
        (f'queryAggregate(orderBy: "{{currency:1}}") {ONE}', "in group only"),
        (f"queryAggregate(first: -1) {ONE}", "must be positive"),
        (f'queryAggregate(filter: "{{nope:1}}") {ONE}', "nope does not exist"),
        ('readAggregate(filter: "{nope:1}") { isActive { distinctCount } }', "nope does not exist"),
        (f'queryAggregate(after: "[true]#67") {ONE}', "Invalid cursor"),  # with the right check number
    ],
)
def test_wrong_aggregates_are_errors(x3: X3Client, call: str, message: str) -> None:
    assert message in refusal(x3, SUPPLIER, call)
