from __future__ import annotations

import copy
import json
import typing as t
from decimal import Decimal

import pytest
from processes import ROOT
from streams import STREAMS
from tap_runs import Record, Run, catalog_of, config_for, run_tap
from x3_control import X3Control

if t.TYPE_CHECKING:
    from processes import Server

FIXTURE = ROOT / "tests" / "support" / "fixture"
NO_TIME_IN_REST = {"gl_accounts", "stock"}
"""The local X3 shows the day of a change, or nothing, for these classes."""


@pytest.fixture(scope="module")
def runs(running_x3: Server) -> dict[str, Run]:
    return {api: run_tap(config_for(running_x3, api)) for api in ("rest", "graphql")}


@pytest.fixture(scope="module")
def fixture_runs(fixture_x3: Server) -> dict[str, Run]:
    return {api: run_tap(config_for(fixture_x3, api)) for api in ("rest", "graphql")}


def by_key(records: list[Record], key: tuple[str, ...]) -> dict[tuple[t.Any, ...], Record]:
    return {tuple(record[name] for name in key): record for record in records}


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("api", ["rest", "graphql"])
def test_each_stream_is_what_the_instance_holds(
    runs: dict[str, Run], running_x3: Server, stream: str, api: str
) -> None:
    with X3Control(running_x3.ready["url"]) as control:
        expected = by_key(control.expected(stream, api), STREAMS[stream].key)
    assert expected
    assert runs[api].by_key(stream) == expected
    assert len(runs[api].records(stream)) == len(expected)


@pytest.mark.parametrize("stream", STREAMS)
def test_both_apis_give_the_same_schema_and_records(runs: dict[str, Run], stream: str) -> None:
    rest, graphql = copy.deepcopy([runs["rest"].by_key(stream), runs["graphql"].by_key(stream)])
    schemas = copy.deepcopy([run.of("SCHEMA", stream)[0]["schema"] for run in runs.values()])
    if stream in NO_TIME_IN_REST:
        for schema in schemas:
            schema["properties"]["updatedDate"].pop("x-precision", None)
        for record in (*rest.values(), *graphql.values()):
            del record["updatedDate"]
    assert schemas[0] == schemas[1]
    assert rest == graphql


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("api", ["rest", "graphql"])
def test_each_stream_equals_the_hand_written_fixture(
    fixture_runs: dict[str, Run], stream: str, api: str
) -> None:
    files = list(FIXTURE.glob(f"*/expected/{stream}.jsonl"))
    assert len(files) == 1
    lines = files[0].read_text(encoding="utf-8").splitlines()
    expected = by_key([json.loads(line, parse_float=Decimal) for line in lines], STREAMS[stream].key)
    found = fixture_runs[api].by_key(stream)
    assert found.keys() == expected.keys()
    for key, record in expected.items():
        if api == "rest" and stream in NO_TIME_IN_REST:
            record["updatedDate"] = found[key]["updatedDate"]
        assert found[key] == record


def test_rows_of_a_document_are_contiguous_and_no_state_comes_between(runs: dict[str, Run]) -> None:
    for run in runs.values():
        finished: set[tuple[str, str, str]] = set()
        current: tuple[str, str, str] | None = None
        for message in run.messages:
            if message["type"] == "STATE":
                current = None
            elif message["type"] == "RECORD" and message["stream"].startswith("gl_entry_lines"):
                document = (message["stream"], message["record"]["entryType"], message["record"]["id"])
                if document != current:
                    assert document not in finished
                    finished.add(document)
                    current = document
        assert finished


def test_line_streams_say_which_rows_a_document_replaces(runs: dict[str, Run]) -> None:
    for run in runs.values():
        scopes = {m["stream"]: m["schema"].get("x-replace-scope") for m in run.of("SCHEMA")}
        assert scopes["gl_entry_lines"] == scopes["gl_cost_allocations"] == ["entryType", "id"]
        assert scopes["purchase_order_lines"] == scopes["supplier_invoice_lines"] == ["id"]
        assert scopes["gl_entries"] is None


def test_day_precision_is_told_where_rest_only_shows_the_day(runs: dict[str, Run]) -> None:
    day = runs["rest"].of("SCHEMA", "gl_accounts")[0]["schema"]["properties"]["updatedDate"]
    time = runs["rest"].of("SCHEMA", "suppliers")[0]["schema"]["properties"]["updatedDate"]
    assert day["x-precision"] == "day"
    assert "x-precision" not in time
    assert all(record["updatedDate"].endswith("T00:00:00Z") for record in runs["rest"].records("gl_accounts"))


def test_a_whole_table_ends_with_activate_version(runs: dict[str, Run]) -> None:
    for run in runs.values():
        versions = {message["version"] for message in run.of("RECORD", "stock")}
        activated = run.of("ACTIVATE_VERSION")
        assert [(m["stream"], {m["version"]}) for m in activated] == [("stock", versions)]
        last = max(
            i for i, m in enumerate(run.messages) if m.get("stream") == "stock" and m["type"] == "RECORD"
        )
        assert run.messages[last + 1] == activated[0]


@pytest.mark.parametrize(
    ("stream", "table"), [("supplier_invoices", "PINVOICE"), ("sales_invoices", "SINVOICE")]
)
def test_a_financial_invoice_of_an_unexpected_module_is_not_lost(
    running_x3: Server, stream: str, table: str
) -> None:
    with X3Control(running_x3.ready["url"]) as control:
        financial = next(r for r in control.expected(stream) if r["invoiceKind"] == "financial")
        control.set(table, financial["id"], {"ORIMOD": 9})
        try:
            for api in ("rest", "graphql"):
                config = config_for(running_x3, api)
                run = run_tap(config, catalog=catalog_of(config, stream))
                found = [r for r in run.records(stream) if r["id"] == financial["id"]]
                assert [(r["invoiceKind"], r["sourceModule"]) for r in found] == [
                    ("financial", "fixedAssets")
                ]
                assert len(run.by_key(stream)) == len(control.expected(stream))
        finally:
            control.reset()
