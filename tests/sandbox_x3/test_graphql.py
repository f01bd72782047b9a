"""Xtrem: schema, paging, values, filters, errors."""

from __future__ import annotations

import json
import re
import typing as t
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x3_client import JsonObject, X3Client, decoded

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from x3_control import Record, X3Control

ORDER = ("x3Purchasing", "purchaseOrder")
ENTRY = ("x3FinanceData", "journalEntry")
SUPPLIER = ("x3MasterData", "supplier")


def errors_of(answer: t.Any) -> list[JsonObject]:  # noqa: ANN401 - a response
    return t.cast("list[JsonObject]", answer.json()["errors"])


def test_default_page_holds_20_nodes_and_counts_all(x3: X3Client, truth: X3Control) -> None:
    page = x3.query(*ORDER, "totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage }")
    assert len(page["edges"]) == 20
    assert page["totalCount"] == len(truth.rows("PORDER"))
    assert page["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}


def test_pages_lead_through_every_node_once(x3: X3Client, truth: X3Control) -> None:
    found: list[tuple[str, str]] = []
    after = ""
    while True:
        call = f'first: 9, orderBy: "{{_updateStamp:-1}}"{after}'
        page = x3.query(*ENTRY, "edges { node { entryType id } } pageInfo { hasNextPage endCursor }", call)
        found.extend((edge["node"]["entryType"], edge["node"]["id"]) for edge in page["edges"])
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = f", after: {json.dumps(page['pageInfo']['endCursor'])}"
    rows = sorted(truth.rows("GACCENTRY"), key=lambda r: r["UPDDATTIM"], reverse=True)
    assert sorted(found) == sorted((row["TYP"], row["NUM"]) for row in rows)
    stamps = {(row["TYP"], row["NUM"]): row["UPDDATTIM"] for row in rows}
    assert [stamps[key] for key in found] == [row["UPDDATTIM"] for row in rows]


def test_last_and_before_page_backwards(x3: X3Client, truth: X3Control) -> None:
    ids = [row["POHNUM"] for row in truth.rows("PORDER")]
    page = x3.query(*ORDER, "edges { cursor node { id } } pageInfo { hasNextPage }", "last: 3")
    assert [edge["node"]["id"] for edge in page["edges"]] == ids[-3:]
    before = json.dumps(page["edges"][0]["cursor"])
    earlier = x3.query(
        *ORDER, "edges { node { id } } pageInfo { hasPreviousPage }", f"last: 2, before: {before}"
    )
    assert [edge["node"]["id"] for edge in earlier["edges"]] == ids[-5:-3]


def test_a_page_is_capped(x3: X3Client) -> None:
    page = x3.query(*SUPPLIER, "edges { node { _id } } totalCount", "first: 100000")
    assert len(page["edges"]) == page["totalCount"] == 35


def test_cursors_look_as_documented_and_are_checked(x3: X3Client) -> None:
    page = x3.query(*ORDER, "edges { cursor node { id } }", "first: 1")
    cursor = page["edges"][0]["cursor"]
    assert re.fullmatch(r'\["PO\w+"\]#\d\d', cursor)
    wrong = json.dumps(cursor.replace("PO", "PX"))
    answer = x3.post(f"{{ x3Purchasing {{ purchaseOrder {{ query(after: {wrong}) {{ totalCount }} }} }} }}")
    assert "Invalid cursor" in errors_of(answer)[0]["message"]


def test_nested_collections_page_by_themselves(own: X3Client, control: X3Control) -> None:
    lines = [{"POPLIN": n, "POQSEQ": 1} for n in range(1, 151)]
    control.add("PORDER", {"POHNUM": "BIG", "POHPOQ": lines})
    inner = "totalCount edges {{ node {{ lineNumber }} }} pageInfo {{ hasNextPage endCursor }}"
    query = f"id purchaseOrderLines {{{{ query{{}} {{{{ {inner} }}}} }}}}"

    def page(arguments: str) -> JsonObject:
        (node,) = own.nodes(*ORDER, query.format(arguments), "filter: \"{id:'BIG'}\"")
        return t.cast("JsonObject", node["purchaseOrderLines"]["query"])

    assert len(page("")["edges"]) == 20
    first = page("(first: 1000)")
    assert len(first["edges"]) == 100
    assert first["pageInfo"]["hasNextPage"] is True
    assert first["totalCount"] == 150
    rest = page(f"(first: 100, after: {json.dumps(first['pageInfo']['endCursor'])})")
    assert [edge["node"]["lineNumber"] for edge in rest["edges"]] == list(range(101, 151))
    filtered = page('(first: 5, filter: "{lineNumber:{_gt:148}}", orderBy: "{lineNumber:-1}")')
    assert [edge["node"]["lineNumber"] for edge in filtered["edges"]] == [150, 149]


def test_read_finds_one_record_by_its_natural_key(x3: X3Client, truth: X3Control) -> None:
    row = truth.rows("GACCENTRY", limit=1)[0]
    key = json.dumps(f"{row['TYP']}|{row['NUM']}")
    answer = decoded(x3.post(f"{{ x3FinanceData {{ journalEntry {{ read(_id: {key}) {{ _id id }} }} }} }}"))
    assert answer["data"]["x3FinanceData"]["journalEntry"]["read"]["id"] == row["NUM"]
    missing = decoded(x3.post('{ x3FinanceData { journalEntry { read(_id: "no") { id } } } }'))
    assert missing["data"]["x3FinanceData"]["journalEntry"]["read"] is None


def test_values_have_xtrems_forms(x3: X3Client, truth: X3Control) -> None:
    names = "id isClosed orderType revisionNumber taxExcludedTotalAmount orderDate expectedReceiptDate"
    nodes = x3.nodes(*ORDER, f"{names} currency {{ _id code }} project {{ id }} _createStamp _updateStamp")
    rows = {row["POHNUM"]: row for row in truth.rows("PORDER")}
    for node in nodes:
        row = rows[node["id"]]
        assert node["isClosed"] == {1: "no", 2: "yes"}[row["CLEFLG"]]
        assert node["orderType"] == "order"
        assert node["revisionNumber"] == row["REVNUM"]
        assert isinstance(node["taxExcludedTotalAmount"], str)
        assert Decimal(node["taxExcludedTotalAmount"]) == row["TOTORD"]
        assert node["orderDate"] == row["ORDDAT"]
        assert node["currency"] == {"_id": row["CUR"], "code": row["CUR"]}
        assert node["project"] == ({"id": row["PJTH"]} if row["PJTH"] else None)
        assert node["_updateStamp"] == row["UPDDATTIM"].replace("Z", ".000Z")
    assert {node["isClosed"] for node in nodes} == {"no", "yes"}
    assert {node["project"] is None for node in nodes} == {True, False}


def test_sentinel_dates_and_unset_menus_are_null(x3: X3Client, truth: X3Control) -> None:
    nodes = x3.nodes("x3MasterData", "product", "code lifeStartDate lifeEndDate")
    rows = {row["ITMREF"]: row for row in truth.rows("ITMMASTER")}
    empty = {node["code"] for node in nodes if node["lifeEndDate"] is None}
    assert empty == {code for code, row in rows.items() if row["LIFENDDAT"] in {"1599-12-31", "1753-01-01"}}
    assert 0 < len(empty) < len(rows)
    suppliers = x3.nodes(*SUPPLIER, "_id supplierABCClass isActive")
    unset = {node["_id"] for node in suppliers if node["supplierABCClass"] is None}
    assert unset == {row["BPSNUM"] for row in truth.rows("BPSUPPLIER") if row["ABCCLS"] == 0}
    assert {node["isActive"] for node in suppliers} == {True, False}


def test_dimensions_are_a_denormalized_collection(x3: X3Client, truth: X3Control) -> None:
    inner = "denormalizedIndex dimensionType { code } dimension { code }"
    pairs = f"dimensions {{ query {{ edges {{ node {{ {inner} }} }} }} }}"
    allocations = f"analyticalLines {{ query {{ edges {{ node {{ _id {pairs} }} }} }} }}"
    lines = f"query(first: 100) {{ edges {{ node {{ {allocations} }} }} }}"
    nodes = x3.nodes(*ENTRY, f"lines {{ {lines} }}")
    shown = {
        item["node"]["_id"]: [
            (
                d["node"]["denormalizedIndex"],
                d["node"]["dimensionType"]["code"],
                (d["node"]["dimension"] or {}).get("code", ""),
            )
            for d in item["node"]["dimensions"]["query"]["edges"]
        ]
        for node in nodes
        for line in node["lines"]["query"]["edges"]
        for item in line["node"]["analyticalLines"]["query"]["edges"]
    }
    native = {
        "|".join(str(row[c]) for c in ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN")): [
            (n, row[f"DIE{n}"], row[f"CCE{n}"]) for n in range(1, 10) if row[f"DIE{n}"]
        ]
        for row in truth.rows("GACCENTRYA")
    }
    assert shown == native
    assert any(value == "" for found in native.values() for _, _, value in found)


def test_two_kinds_share_a_node(x3: X3Client, truth: X3Control) -> None:
    nodes = x3.nodes(
        "x3InvoicingData",
        "supplierInvoiceHeader",
        "id sourceModule lines { query { totalCount } } purchaseInvoiceLines { query { totalCount } }",
    )
    assert sorted(node["id"] for node in nodes) == sorted(row["NUM"] for row in truth.rows("PINVOICE"))
    for node in nodes:
        counts = (
            node["lines"]["query"]["totalCount"] > 0,
            node["purchaseInvoiceLines"]["query"]["totalCount"] > 0,
        )
        assert (
            counts
            == {"purchasing": (False, True), "accountsPayableReceivable": (True, False)}[node["sourceModule"]]
        )


def test_a_joined_node_holds_the_accounting_side(x3: X3Client, truth: X3Control) -> None:
    nodes = x3.nodes("x3InvoicingData", "customerInvoiceHeader", "id totalAmountExcludingTax sourceModule")
    rows = {row["NUM"]: row for table in ("SINVOICEV", "SINVOICE") for row in truth.rows(table)}
    assert {node["id"]: Decimal(node["totalAmountExcludingTax"]) for node in nodes} == {
        number: row["AMTNOT"] for number, row in rows.items()
    }
    main = x3.post("{ x3Sales { salesInvoice { query { edges { node { totalAmountExcludingTax } } } } } }")
    assert main.status_code == 400
    assert "Cannot query field" in errors_of(main)[0]["message"]


FILTERS: list[tuple[str, Callable[[Record], bool]]] = [
    ("{currency:'EUR'}", lambda r: r["CUR"] == "EUR"),
    ("{currency:{code:'EUR'}}", lambda r: r["CUR"] == "EUR"),
    ("{currency:{_id:{_in:['USD','CHF']}}}", lambda r: r["CUR"] in {"USD", "CHF"}),
    ("{currency:{_nin:['EUR']}}", lambda r: r["CUR"] != "EUR"),
    ('{"currency":{"_ne":"EUR"}}', lambda r: r["CUR"] != "EUR"),
    ("[{currency:'EUR'},{isActive:true},]", lambda r: r["CUR"] == "EUR" and r["ENAFLG"] == 2),
    ("{_or:[{currency:'USD'},{isActive:false}]}", lambda r: r["CUR"] == "USD" or r["ENAFLG"] == 1),
    ("{_and:[{currency:'EUR'},{_not:{isActive:true}}]}", lambda r: r["CUR"] == "EUR" and r["ENAFLG"] == 1),
    ("{authorizedCreditAmount:{_gt:5000000.5,_lte:9000000}}",
     lambda r: Decimal("5000000.5") < r["OSTAUZAMT"] <= 9000000),
    ("{authorizedCreditAmount:{_lt:'5000000'}}", lambda r: r["OSTAUZAMT"] < 5000000),
    ("{supplierABCClass:'classA'}", lambda r: r["ABCCLS"] == 1),
    ("{supplierABCClass:null}", lambda r: r["ABCCLS"] == 0),
    ("{companyName1:{_regex:'^S.*Söhne'}}", lambda r: r["BPSNAM"].startswith("Schäfer & Söhne")),
    ("{companyName1:'O\\'Brien \"Precision\"'}", lambda r: r["BPSNAM"] == "O'Brien \"Precision\""),
    ("{_id:{_gte:'S00010'}}", lambda r: r["BPSNUM"] >= "S00010"),
    ("{code:{code:'FR~0007'}}", lambda r: r["BPSNUM"] == "FR~0007"),
    ("{_updateStamp:{_gte:'2025-03-01T00:00:00.000Z'}}", lambda r: r["UPDDATTIM"] >= "2025-03-01T00:00:00Z"),
    ("{_updateStamp:{_lt:'2025-03-01T02:00:00+02:00'}}", lambda r: r["UPDDATTIM"] < "2025-03-01T00:00:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), FILTERS, ids=[case[0] for case in FILTERS])
def test_filters_find_what_they_say(
    x3: X3Client, truth: X3Control, text: str, wanted: Callable[[Record], bool]
) -> None:
    rows = truth.rows("BPSUPPLIER")
    right = [row["BPSNUM"] for row in rows if wanted(row)]
    found = [node["_id"] for node in x3.nodes(*SUPPLIER, "_id", f"first: 100, filter: {json.dumps(text)}")]
    assert 0 < len(right) < len(rows)
    assert found == right


@pytest.mark.parametrize(
    ("stamp", "included"), [("00", True), ("00.000", True), ("00.001", False), ("00.5", False), ("01", False)]
)
def test_stamps_compare_by_time_not_by_text(
    own: X3Client, control: X3Control, stamp: str, *, included: bool
) -> None:
    control.touch("GDIE", "CCT", stamp="2030-01-01T00:00:00Z")
    text = json.dumps(f"{{_updateStamp:{{_gte:'2030-01-01T00:00:{stamp}Z'}}}}")
    assert bool(own.nodes("x3FinanceData", "dimensionType", "code", f"filter: {text}")) is included
    assert bool(own.rows("GDIE", where=f"UPDDATTIM ge @2030-01-01T00:00:{stamp}Z@")) is included


def test_order_by_several_properties(x3: X3Client, truth: X3Control) -> None:
    order = json.dumps("{currency:{code:-1}, _updateStamp:1, _id:-1}")
    found = [node["_id"] for node in x3.nodes(*SUPPLIER, "_id", f"first: 100, orderBy: {order}")]
    rows = sorted(truth.rows("BPSUPPLIER"), key=lambda r: r["BPSNUM"], reverse=True)
    rows.sort(key=lambda r: r["UPDDATTIM"])
    rows.sort(key=lambda r: r["CUR"], reverse=True)
    assert found == [row["BPSNUM"] for row in rows]


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ('filter: "{nope:1}"', "property nope does not exist"),
        ('filter: "{currency:{nope:1}}"', "nope"),
        ("filter: \"{currency:'EUR'\"", "syntax error"),
        ('filter: "{currency:1}"', "not a value of type String"),
        ("filter: \"{isActive:'yes'}\"", "not a value of type Boolean"),
        ("filter: \"{supplierABCClass:'classZ'}\"", "not one of"),
        ("filter: \"{authorizedCreditAmount:{_gt:'x'}}\"", "not a value of type Decimal"),
        ("filter: \"{_updateStamp:{_gte:'2025-03-01'}}\"", "not a value of type Datetime"),
        ("filter: \"{currency:{_in:'EUR'}}\"", "needs an array"),
        ("filter: \"{currency:'EUR',currency:'USD'}\"", "given twice"),
        ("filter: \"'EUR'\"", "expected an object"),
        ("filter: \"{companyName1:{_regex:'('}}\"", "not a regular expression"),
        ('orderBy: "{nope:1}"', "property nope does not exist"),
        ('orderBy: "{currency:2}"', "must be 1 or -1"),
        ('orderBy: "{currency:{a:1}}"', "does not exist"),
        ("first: 0", "first must be positive"),
        ("first: 1, last: 1", "cannot both be given"),
    ],
)
def test_wrong_arguments_are_errors(x3: X3Client, argument: str, text: str) -> None:
    answer = x3.post(f"{{ x3MasterData {{ supplier {{ query({argument}) {{ totalCount }} }} }} }}")
    (error,) = errors_of(answer)
    assert answer.status_code == 200
    assert text in error["message"]
    assert error["extensions"]["diagnoses"][0]["severity"] == 4
    assert error["path"] == ["x3MasterData", "supplier", "query"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("{ x3Nope { query { totalCount } } }", 'Cannot query field "x3Nope" on type "RootQuery"'),
        ("{ x3MasterData { supplier { query { edges { node { nope } } } } } }", 'Cannot query field "nope"'),
        ("{ x3MasterData", "Syntax Error"),
        (
            "mutation { x3MasterData { supplier { create(data: {}) { _id } } } }",
            "not configured for mutations",
        ),
        ("query($f: Int!) { x3MasterData { supplier { query(first: $f) { totalCount } } } }", "$f"),
    ],
)
def test_schema_errors_have_status_400(x3: X3Client, query: str, text: str) -> None:
    answer = x3.post(query)
    assert answer.status_code == 400
    assert text in errors_of(answer)[0]["message"]
    assert errors_of(answer)[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "data" not in answer.json()


def test_mutations_are_counted_as_refused_writes(own: X3Client, control: X3Control) -> None:
    own.post("mutation { x3MasterData { supplier { delete(_id: 1) } } }")
    assert control.counters()["writes_refused"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"query": 1}'])
def test_a_body_that_is_no_request_is_refused(x3: X3Client, body: bytes) -> None:
    headers = {**x3.graphql_headers(), "Content-Type": "application/json"}
    answer = x3.session.post(f"{x3.url}/xtrem/api", data=body, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert "Invalid request body" in errors_of(answer)[0]["message"]


def test_introspection_names_the_columns(x3: X3Client) -> None:
    query = '{ __type(name: "PurchaseOrder") { description fields { name description type { name kind } } } }'
    found = decoded(x3.post(query))["data"]["__type"]
    fields = {item["name"]: item for item in found["fields"]}
    assert found["description"] == "Purchase order (PurchaseOrder)"
    assert fields["id"]["description"] == "Purchase order number (POHNUM)"
    assert fields["currency"]["description"].endswith("(CUR)")
    assert fields["isClosed"]["type"] == {"name": "NoYesEnum", "kind": "ENUM"}
    assert fields["taxExcludedTotalAmount"]["type"]["name"] == "Decimal"
    assert {"_id", "_createStamp", "_updateStamp", "_etag", "purchaseOrderLines"} <= set(fields)


def test_an_answer_has_the_documented_envelope(x3: X3Client) -> None:
    answer = decoded(x3.post("{ x3MasterData { supplier { query { totalCount } } } }"))
    assert answer["extensions"] == {"diagnoses": []}


PIECES = st.sampled_from(
    [
        *[
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "currency",
            "code",
            "_id",
            "_updateStamp",
            "_in",
            "_gte",
            "_or",
            "_not",
        ],
        *["_regex", "'EUR'", '"x"', "1", "-1.5", "true", "null", "'2025-01-01T00:00:00Z'", "'", "\\"],
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, min_size=1, max_size=9))
def test_no_filter_breaks_the_server(x3: X3Client, pieces: list[str]) -> None:
    call = "query(first: 1, filter: $f, orderBy: $f) { totalCount }"
    query = f"query($f: String) {{ x3MasterData {{ supplier {{ {call} }} }} }}"
    answer = x3.post(query, variables={"f": "".join(pieces)})
    assert answer.status_code == 200
    for error in answer.json().get("errors", []):
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
