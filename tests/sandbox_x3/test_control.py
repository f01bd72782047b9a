"""The control endpoint: changes, the truth, the clock, faults and counters."""

from __future__ import annotations

import json
import re
import time
import typing as t
from decimal import Decimal

import pytest
import requests
from processes import ROOT, SANDBOX
from x3_client import X3Client, decoded, diagnosis

if t.TYPE_CHECKING:
    from x3_control import X3Control

NOW = "2031-01-02T03:04:05Z"
COUNT = "{ x3MasterData { supplier { query { totalCount } } } }"


@pytest.fixture
def frozen(control: X3Control) -> X3Control:
    control.set_clock(NOW, frozen=True)
    return control


def test_set_changes_values_and_stamps_the_row(own: X3Client, frozen: X3Control) -> None:
    frozen.set(
        "BPSUPPLIER", "S00001", {"BPSNAM": "Né à Bézier", "OSTAUZAMT": Decimal("12345678901234567.8901")}
    )
    (row,) = own.rows("BPSUPPLIER", where=f"UPDDATTIM ge @{NOW}@")
    assert (row["BPSNAM"], row["OSTAUZAMT"]) == ("Né à Bézier", Decimal("12345678901234567.8901"))
    assert (row["UPDDATTIM"], row["UPDDAT"], row["$etag"]) == (NOW, NOW[:10], NOW)
    (record,) = [r for r in frozen.expected("suppliers") if r["code"] == "S00001"]
    assert record["authorizedCreditAmount"] == Decimal("12345678901234567.8901")
    assert record["updatedDate"] == NOW


def test_graphql_sees_a_change_at_once(own: X3Client, control: X3Control) -> None:
    assert len(own.nodes("x3MasterData", "supplier", "_id", "filter: \"{companyName1:'New'}\"")) == 0
    control.set("BPSUPPLIER", "S00002", {"BPSNAM": "New"})
    assert own.nodes("x3MasterData", "supplier", "_id", "filter: \"{companyName1:'New'}\"") == [
        {"_id": "S00002"}
    ]


def test_a_stamp_can_be_given_or_left(frozen: X3Control) -> None:
    before = frozen.rows("PORDER", limit=1)[0]
    left = frozen.set("PORDER", before["POHNUM"], {"ORDREF": "A"}, stamp=None)
    assert left["UPDDATTIM"] == before["UPDDATTIM"]
    given = frozen.set("PORDER", before["POHNUM"], {"ORDREF": "B"}, stamp="2025-05-05T05:05:05Z")
    assert (given["UPDDATTIM"], given["UPDDAT"]) == ("2025-05-05T05:05:05Z", "2025-05-05")
    assert frozen.touch("PORDER", before["POHNUM"])["UPDDATTIM"] == NOW


def test_a_line_is_stamped_apart_from_its_document(own: X3Client, frozen: X3Control) -> None:
    line = frozen.rows("GACCENTRYD", limit=1)[0]
    key = [line[c] for c in ("TYP", "NUM", "LIN", "LEDTYP")]
    frozen.set("GACCENTRYD", key, {"MTC": "ZZZ"})
    header = next(row for row in frozen.rows("GACCENTRY") if (row["TYP"], row["NUM"]) == (key[0], key[1]))
    assert header["UPDDATTIM"] < NOW
    details = decoded(
        own.get(f"/api1/x3/erp/SEED/GACCENTRY('{key[0]}~{key[1]}')?representation=GACCENTRY.$details")
    )
    assert [item["UPDDATTIM"] for item in details["HAEDAE"] if item["MTC"] == "ZZZ"] == [NOW]
    stamped = [r for r in frozen.expected("gl_entry_lines") if r["updatedDate"] == NOW]
    assert [(r["id"], r["lineNumber"], r["matching"]) for r in stamped] == [(key[1], key[2], "ZZZ")]


def test_a_header_change_restamps_flattened_rows_only(frozen: X3Control) -> None:
    row = frozen.rows("GACCENTRY", limit=1)[0]
    frozen.set("GACCENTRY", [row["TYP"], row["NUM"]], {"DESVCR": "changed"})
    changed = [r for r in frozen.expected("gl_entry_lines") if r["id"] == row["NUM"]]
    assert changed
    assert {(r["entryDescription"], r["updatedDate"]) for r in changed} == {("changed", NOW)}
    order = frozen.rows("PORDER", limit=1)[0]
    frozen.set("PORDER", order["POHNUM"], {"ORDREF": "changed"})
    lines = [r for r in frozen.expected("purchase_order_lines") if r["id"] == order["POHNUM"]]
    assert lines
    assert NOW not in {r["updatedDate"] for r in lines}


def test_add_and_remove_documents(own: X3Client, frozen: X3Control) -> None:
    frozen.add(
        "PORDER", {"POHNUM": "NEW", "CUR": "EUR", "POHPOQ": [{"POPLIN": 1000, "POQSEQ": 1, "ITMREF": "X"}]}
    )
    details = decoded(own.get("/api1/x3/erp/SEED/PORDER('NEW')?representation=PORDER.$details"))
    assert (details["UPDDATTIM"], details["POHPOQ"][0]["ITMREF"]) == (NOW, "X")
    with pytest.raises(ValueError, match="already"):
        frozen.add("PORDER", {"POHNUM": "NEW"})
    frozen.remove("PORDER", "NEW")
    answer = own.get("/api1/x3/erp/SEED/PORDER('NEW')?representation=PORDER.$details")
    assert diagnosis(answer).startswith("721")


def test_add_and_remove_lines(frozen: X3Control) -> None:
    number = frozen.rows("PORDER", limit=1)[0]["POHNUM"]
    frozen.add_line("PORDERQ", "PORDER", number, {"POPLIN": 99000, "POQSEQ": 1})
    line = next(row for row in frozen.rows("PORDERQ") if row["POPLIN"] == 99000)
    assert (line["POHNUM"], line["UPDDATTIM"]) == (number, NOW)
    assert next(row for row in frozen.rows("PORDER") if row["POHNUM"] == number)["UPDDATTIM"] < NOW
    frozen.remove("PORDERQ", [number, 99000, 1])
    assert not [row for row in frozen.rows("PORDERQ") if row["POPLIN"] == 99000]
    assert next(row for row in frozen.rows("PORDER") if row["POHNUM"] == number)["UPDDATTIM"] == NOW


def test_bad_values_come_out_as_they_are(own: X3Client, control: X3Control) -> None:
    number = control.rows("PORDER", limit=1)[0]["POHNUM"]
    control.bad_value("PORDER", number, "TOTORD", "12,5x")
    control.bad_value("PORDER", number, "ORDDAT", "2026-02-30")
    control.bad_value("PORDER", number, "RCPFLG", 17)
    control.bad_value("PORDER", number, "REVNUM", "two")
    control.bad_value("PORDER", number, "BUY", "LONGER THAN ITS COLUMN")
    details = decoded(own.get(f"/api1/x3/erp/SEED/PORDER('{number}')?representation=PORDER.$details"))
    shown = [details[c] for c in ("TOTORD", "ORDDAT", "RCPFLG", "REVNUM", "BUY")]
    assert shown == ["12,5x", "2026-02-30", 17, "two", "LONGER THAN ITS COLUMN"]
    names = "taxExcludedTotalAmount orderDate receiptStatus revisionNumber buyer { code }"
    (node,) = own.nodes("x3Purchasing", "purchaseOrder", names, f"filter: \"{{id:'{number}'}}\"")
    assert list(node.values()) == ["12,5x", "2026-02-30", 17, "two", {"code": "LONGER THAN ITS COLUMN"}]
    record = next(r for r in control.expected("purchase_orders") if r["id"] == number)
    assert (record["taxExcludedTotalAmount"], record["orderDate"], record["receiptStatus"]) == (
        "12,5x",
        "2026-02-30",
        17,
    )


def test_a_bad_value_neither_matches_nor_breaks_filters_and_orders(own: X3Client, control: X3Control) -> None:
    control.bad_value("BPSUPPLIER", "S00003", "OSTAUZAMT", "12,5x")
    rows = own.rows("BPSUPPLIER", where="OSTAUZAMT ge 0", orderBy="OSTAUZAMT", count="100")
    assert len(rows) == 21
    assert len(own.rows("BPSUPPLIER", orderBy="OSTAUZAMT", count="100")) == 22
    assert (
        len(
            own.nodes(
                "x3MasterData", "supplier", "_id", 'first: 50, filter: "{authorizedCreditAmount:{_gte:0}}"'
            )
        )
        == 21
    )


def test_stamps_shown_by_a_class_can_be_chosen(own: X3Client, control: X3Control) -> None:
    control.expose("PORDER", "UPDDAT")
    assert "UPDDATTIM" not in own.rows("PORDER", count="1")[0]
    assert {r["updatedDate"][10:] for r in control.expected("purchase_orders", "rest")} == {"T00:00:00Z"}
    control.expose("PORDER")
    assert not {"UPDDAT", "UPDDATTIM"} & set(own.rows("PORDER", count="1")[0])
    assert {r["updatedDate"] for r in control.expected("purchase_orders", "rest")} == {None}
    assert None not in {r["updatedDate"] for r in control.expected("purchase_orders", "graphql")}


def test_the_clock_goes_on_unless_frozen(control: X3Control) -> None:
    control.set_clock("2030-01-01T00:00:00Z")
    time.sleep(1.1)
    assert control.now() > "2030-01-01T00:00:00Z"
    control.set_clock("2030-01-01T00:00:00Z", frozen=True)
    assert control.advance(3600) == "2030-01-01T01:00:00Z"
    assert control.now() == "2030-01-01T01:00:00Z"
    assert control.reset_clock() < "2030"


def test_reset_undoes_everything(own: X3Client, control: X3Control) -> None:
    before = {
        stream: control.expected(stream)
        for stream in ("suppliers", "purchase_order_lines", "gl_cost_allocations")
    }
    entry = control.rows("GACCENTRY", limit=1)[0]
    control.set_clock(NOW, frozen=True)
    control.set("BPSUPPLIER", "S00001", {"BPSNAM": "changed"})
    control.add("PORDER", {"POHNUM": "NEW", "POHPOQ": [{"POPLIN": 1, "POQSEQ": 1}]})
    control.remove("GACCENTRY", [entry["TYP"], entry["NUM"]])
    control.expose("PORDER")
    control.faults({"fault": "status"})
    assert {stream: control.expected(stream) for stream in before} != before
    control.reset()
    assert {stream: control.expected(stream) for stream in before} == before
    assert control.counters() == {}
    assert control.now() != NOW
    assert "UPDDATTIM" in own.rows("PORDER", count="1")[0]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ({"do": "nope"}, "do must be one of"),
        ({"do": "rows", "table": "NOPE"}, "not found"),
        ({"do": "set", "table": "PORDER", "key": "NOPE", "values": {}}, "no row with key"),
        ({"do": "set", "table": "GDIE", "key": "CCT", "values": {"NOPE": 1}}, "no column NOPE"),
        ({"do": "add", "table": "GDIE", "values": {"NOPE": 1}}, "no column NOPE"),
        ({"do": "add", "table": "GDIE", "values": {"DES": "x"}}, "lack the key column DIE"),
        ({"do": "bad_value", "table": "GDIE", "key": "CCT"}, "missing required field `column`"),
        ({"do": "touch", "table": "GDIE", "key": "CCT", "stmap": None}, "unknown field `stmap`"),
        ({"do": "rows", "table": 7}, "rows: Expected `str`, got `int` - at `$.table`"),
        ({"do": "expected", "stream": "nope"}, "stream must be one of"),
        ({"do": "clock", "set": "noon"}, "noon"),
        ({"do": "clock", "advance": 1e300}, "1970 to 2199"),
        ({"do": "clock", "set": "9999-12-31T23:59:59Z"}, "1970 to 2199"),
        ({"do": "touch", "table": "GDIE", "key": "CCT", "stamp": "noon"}, "$.stamp"),
        ({"do": "set", "table": "GDIE", "key": "CCT", "values": {"DIE": "X"}}, "DIE is part of the key"),
        ({"do": "mass_update", "table": "GDIE", "values": {"DIE": "X"}}, "DIE is part of the key"),
        ({"do": "set", "table": "GDIE", "key": "CCT", "values": {"DES": None}}, "a text or a number"),
        ({"do": "add", "table": "PORDER", "values": {"POHNUM": "N", "POHPOQ": 5}}, "a list of lines"),
        ({"do": "add", "table": "PORDER", "values": {"POHNUM": "N", "POHPOQ": ["x"]}}, "a list of lines"),
        ({"do": "add", "table": "PORDER", "values": {"POHNUM": ["N"]}}, "a text or a number"),
        ({"do": "rows", "table": "GDIE", "limit": -1}, "$.limit"),
        ({"do": "expose", "class": "GDIE", "stamps": ["NOPE"]}, "$.stamps[0]"),
        ({"do": "faults", "rules": [{"fault": "nope"}]}, "nope"),
        ([], "do must be one of"),
    ],
)
def test_commands_that_make_no_sense_are_refused(x3: X3Client, call: t.Any, text: str) -> None:  # noqa: ANN401 - JSON
    answer = requests.post(f"{x3.url}/_control", json=call, timeout=10)
    assert answer.status_code == 400
    assert text in answer.json()["error"]


def test_help_lists_every_command_with_its_arguments(truth: X3Control) -> None:
    found = truth.help()
    assert {"set", "clock", "faults", "reset", "help"} <= set(found)
    for name, entry in found.items():
        assert entry["what"], name
    assert found["touch"]["arguments"]["key"].endswith("required")
    page = (SANDBOX / "local_x3" / "README.md").read_text()
    table = page[page.index("## Control") :]
    named = "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", named)) == set(found)
    client = (ROOT / "tests" / "support" / "x3_control.py").read_text()
    assert set(re.findall(r'self\.call\(\s*"(\w+)"', client)) == set(found)
    assert "class" in found["expose"]["arguments"]


def test_help_and_the_readme_tell_of_every_argument_of_a_fault(truth: X3Control) -> None:
    (rule,) = truth.help()["faults"]["arguments"]["rules"]
    assert rule["fault"].endswith("required")
    assert "rest_query" in rule["on"]
    page = (SANDBOX / "local_x3" / "README.md").read_text()
    table = page[page.index("## Faults") : page.index("## Control")]
    named = "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", named)) == set(rule)


def test_requests_are_counted_by_kind(own: X3Client, control: X3Control) -> None:
    row = own.rows("PORDER", count="1")[0]
    own.details(row)
    own.get("/api1/x3/erp/SEED/$prototypes('PORDER.$query')")
    own.post(COUNT)
    own.get("/nowhere")
    counters = control.counters()
    kinds = (
        "rest_query",
        "rest_details",
        "rest_prototypes",
        "graphql",
        "unknown",
        "requests",
        "status_200",
        "status_404",
    )
    assert {kind: counters[kind] for kind in kinds} == dict(zip(kinds, (1, 1, 1, 1, 1, 5, 4, 1), strict=True))
    control.reset_counters()
    assert control.counters() == {}


def test_a_fault_strikes_at_the_nth_request_of_its_kind(own: X3Client, control: X3Control) -> None:
    control.faults(
        {
            "fault": "status",
            "on": "rest_query",
            "nth": 2,
            "times": 2,
            "status": 429,
            "retry_after": "7",
            "body": "slow down",
        }
    )
    own.post(COUNT)
    answers = [own.rest("PORDER") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert (answers[1].headers["Retry-After"], answers[1].text) == ("7", "slow down")
    control.faults({"fault": "status", "path": "GDIE"})
    assert own.rest("PORDER").status_code == 200
    assert own.rest("GDIE").status_code == 503
    control.faults()
    assert own.rest("GDIE").status_code == 200


def test_connections_can_be_reset_before_and_within_an_answer(own: X3Client, control: X3Control) -> None:
    for fault in ("reset", "cut"):
        control.faults({"fault": fault})
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            own.rest("PORDER")
        assert own.rest("PORDER").status_code == 200


def test_answers_can_be_spoilt(own: X3Client, control: X3Control) -> None:
    control.faults(
        {"fault": "malformed"},
        {"fault": "html", "nth": 2},
        {"fault": "diagnoses", "nth": 3},
        {"fault": "unauthorized", "nth": 4},
    )
    malformed = own.rest("PORDER")
    with pytest.raises(json.JSONDecodeError):
        json.loads(malformed.text)
    html = own.rest("PORDER")
    assert (html.status_code, html.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    soft = own.rest("PORDER")
    assert (soft.status_code, diagnosis(soft)) == (200, "4GL session was interrupted")
    refused = own.post(COUNT)
    assert (refused.status_code, refused.text) == (401, "Error 50: Invalid token")


def test_xtrem_can_answer_data_together_with_errors(own: X3Client, control: X3Control) -> None:
    lines = "purchaseOrderLines { query { totalCount } }"
    orders = f"query(first: 2) {{ edges {{ node {{ id {lines} }} }} }}"
    query = f"{{ x3Purchasing {{ purchaseOrder {{ {orders} }} }} }}"
    control.faults({"fault": "partial", "on": "graphql"})
    answer = own.post(query)
    found = answer.json()
    (error,) = found["errors"]
    assert answer.status_code == 200
    value = found["data"]
    for part in error["path"]:
        value = value[part]
    assert value is None
    assert error["path"][-1] == "purchaseOrderLines"
    second = found["data"]["x3Purchasing"]["purchaseOrder"]["query"]["edges"][1]["node"]
    assert second["purchaseOrderLines"]["query"]["totalCount"] > 0


def test_links_can_name_another_host(own: X3Client, control: X3Control) -> None:
    control.link_origin("https://erp.example.com:8124")
    answer = decoded(own.rest("PORDER", count="2"))
    assert answer["$links"]["$next"]["$url"].startswith(
        "https://erp.example.com:8124/api1/x3/erp/SEED/PORDER?"
    )
    assert answer["$resources"][0]["$url"].startswith("https://erp.example.com:8124/")
    control.link_origin()
    assert decoded(own.rest("PORDER", count="2"))["$links"]["$next"]["$url"].startswith(own.url)


def test_an_answer_can_be_slow(own: X3Client, control: X3Control) -> None:
    control.faults({"fault": "slow", "seconds": 1.0})
    with pytest.raises(requests.ReadTimeout):
        own.get("/api1/x3/erp/SEED/GDIE?representation=GDIE.$query", timeout=0.3)
    assert own.rest("GDIE").status_code == 200
