"""Fields and entities of a site's own come in by settings, through both APIs, without code."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import replace
from decimal import Decimal

import pytest
from own_entity import quality_report
from tap_runs import catalog_of, run_tap, run_tap_until_it_fails
from tap_sagex3 import transport
from tap_sagex3.errors import ApiError, IncompleteAnswerError, NotReadableError, SettingsError

if t.TYPE_CHECKING:
    from tap_runs import Config, Record
    from tap_sagex3.transport import Answer, Decode
    from tap_sagex3.web.body import Received
    from x3_control import X3Control

RATINGS = ["excellent", "good", "sufficient", "insufficient"]
FIELDS: list[Record] = [
    {"name": "qualityScore", "type": "decimal", "scale": 2, "x3": "YQUASCORE", "graphql": "qualityScore"},
    {"name": "lastAuditDate", "type": "date", "x3": "YAUDDAT", "graphql": "lastAuditDate"},
    {
        "name": "isCertified",
        "type": "boolean",
        "x3": "YISO9001",
        "graphql": "isCertified",
        "text": "ISO 9001",
    },
]


def test_fields_of_a_site_are_added_to_a_stream(config: Config, x3: X3Control) -> None:
    config = {**config, "stream_options": {"suppliers": {"fields": FIELDS}}}
    run = run_tap(config, catalog=catalog_of(config, "suppliers"))
    rows = {row["BPSNUM"]: row for row in x3.rows("BPSUPPLIER")}
    found = {record["code"]: record for record in run.records("suppliers")}
    assert found.keys() == rows.keys()
    for code, row in rows.items():
        assert Decimal(found[code]["qualityScore"]) == Decimal(row["YQUASCORE"])
        assert found[code]["isCertified"] == {1: False, 2: True}.get(row["YISO9001"])
    assert len({record["qualityScore"] for record in found.values()}) > 3
    properties = run.of("SCHEMA", "suppliers")[0]["schema"]["properties"]
    assert properties["qualityScore"]["multipleOf"] == Decimal("0.01")
    assert properties["isCertified"]["description"] == "ISO 9001 (BPSUPPLIER.YISO9001)"


def test_an_entity_of_a_site_is_read_like_a_built_in_one(config: Config, x3: X3Control) -> None:
    config = {**config, "custom_streams": [quality_report()]}
    streams = ("quality_reports", "quality_report_defects")
    run = run_tap(config, catalog=catalog_of(config, *streams))
    rows, defects = x3.rows("YQUAREP"), x3.rows("YQUAREPD")
    assert {(r["site"], r["id"]) for r in run.records(streams[0])} == {
        (row["YFCY"], row["YREPNUM"]) for row in rows
    }
    assert len(run.records(streams[1])) == len(defects) > 0
    assert sorted(str(Decimal(r["deviation"]).normalize()) for r in run.records(streams[1])) == sorted(
        str(Decimal(row["YDEV"]).normalize()) for row in defects
    )
    assert run.of("SCHEMA", streams[1])[0]["schema"]["x-replace-scope"] == ["site", "id"]
    assert run_tap(config, catalog=catalog_of(config, *streams), state=run.state).of("RECORD") == []
    keys = run_tap(config, catalog=catalog_of(config, "live_keys", "quality_reports")).records("live_keys")
    assert len(keys) == len(rows)


def test_collections_under_other_names(graphql_config: Config, x3: X3Control) -> None:
    x3.graphql_site(renamed={"x3Purchasing.purchaseOrder.purchaseOrderLines": "orderRows"})
    try:
        options = {"purchase_order_lines": {"collections": {"graphql": ["orderRows"]}}}
        config = {**graphql_config, "stream_options": options}
        run = run_tap(config, catalog=catalog_of(config, "purchase_order_lines"))
        assert len(run.records("purchase_order_lines")) == len(x3.expected("purchase_order_lines"))
    finally:
        x3.reset()


def test_details_of_another_representation(rest_config: Config, x3: X3Control) -> None:
    x3.rest_site(representations={"SINVOICEV": {"SINVOICEV": ["$query"], "EDISIHTR": ["$details"]}})
    try:
        options = {"sales_invoices": {"sales": {"details_representation": "EDISIHTR"}}}
        config = {**rest_config, "stream_options": options}
        run = run_tap(config, catalog=catalog_of(config, "sales_invoices"))
        assert len(run.records("sales_invoices")) == len(x3.expected("sales_invoices", "rest"))
    finally:
        x3.reset()


BAD: list[tuple[Config, str]] = [
    (
        {"stream_options": {"suppliers": {"fields": [{"name": "x"}]}}},
        "suppliers: field x: 'type' is missing",
    ),
    ({"stream_options": {"suppliers": {"fields": "YQUASCORE"}}}, "suppliers: fields must be a list"),
    (
        {"stream_options": {"suppliers": {"fields": [{**FIELDS[0], "type": "enum", "menu": "Rating"}]}}},
        "no menu 'Rating': give a list of the names of its values, or one of .* AbcClass, .* NoYes, ",
    ),
    (
        {"stream_options": {"suppliers": {"fields": [{**FIELDS[0], "name": "code"}]}}},
        "suppliers: the stream has a field code already",
    ),
    (
        {"stream_options": {"purchase_order_lines": {"collections": {"rest": []}}}},
        "purchase_order_lines: collections.rest must name its 1",
    ),
    ({"custom_streams": [{"name": "x"}]}, "custom_streams, entity 1 .x.: .source. is missing"),
    (
        {"custom_streams": [{**quality_report(), "colour": "red"}]},
        "custom_streams, entity 1 .quality_report.: unknown keys",
    ),
    ({"custom_streams": [quality_report(), quality_report()]}, "entity 2: there is a stream quality_reports"),
]


@pytest.mark.parametrize(("settings", "message"), BAD, ids=lambda value: str(value)[:40])
def test_a_wrong_declaration_is_named(rest_config: Config, settings: Config, message: str) -> None:
    _, error = run_tap_until_it_fails({**rest_config, **settings}, SettingsError)
    assert re.search(message, str(error)), str(error)


def test_lines_that_only_the_record_has_ask_for_details(rest_config: Config) -> None:
    entity = quality_report()
    del entity["source"][0]["rest"]["details"]
    config = {**rest_config, "custom_streams": [entity]}
    expected = r"YQUAREP\.\$query has no collection YQRYQD: set details: true in rest of custom_streams"
    with pytest.raises(ApiError, match=expected):
        run_tap(config, catalog=catalog_of(config, "quality_report_defects"))


@pytest.mark.parametrize("given", [5, None])
def test_a_collection_of_a_list_that_is_no_list_is_an_incomplete_answer(
    rest_config: Config, monkeypatch: pytest.MonkeyPatch, given: object
) -> None:
    """The bytes are changed: what decodes them must not drop the collection."""
    entity = quality_report()
    del entity["source"][0]["rest"]["details"]
    config = {**rest_config, "custom_streams": [entity]}
    catalog = catalog_of(config, "quality_report_defects")

    read = transport._read  # noqa: SLF001 - the one place that all answers pass

    def spoilt(received: Received, url: str, decode: Decode | None) -> Answer:
        if "YQUAREP?" in url:
            body = json.loads(received.body)
            rows = [{**row, "YQRYQD": given} for row in body["$resources"]]
            received = replace(received, body=json.dumps({**body, "$resources": rows}).encode())
        return read(received, url, decode)

    monkeypatch.setattr(transport, "_read", spoilt)
    with pytest.raises(IncompleteAnswerError, match="Collection YQRYQD is not a list of rows"):
        run_tap(config, catalog=catalog)


def test_a_key_that_the_list_lacks_is_told_before_anything_is_read(
    rest_config: Config, x3: X3Control
) -> None:
    entity = quality_report()
    entity["source"][0]["rest"]["key"] = ["YFCY", "YREPNO"]
    config = {**rest_config, "custom_streams": [entity]}
    catalog = catalog_of(config, "quality_reports")
    x3.reset_counters()
    expected = (
        r"REST YQUAREP\.\$query has no column YREPNO, which is part of the key: "
        r"correct key in custom_streams \(or stream_options\)"
    )
    run, error = run_tap_until_it_fails(config, NotReadableError, catalog=catalog)
    assert re.search(expected, str(error)), str(error)
    assert run.messages == []
    assert x3.counters()["rest_query"] == 1  # of the dimension types


def told(caplog: pytest.LogCaptureFixture, text: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


def test_a_key_of_the_document_among_the_lines_asks_for_level_0(
    config: Config, api: str, caplog: pytest.LogCaptureFixture
) -> None:
    entity = quality_report()
    del entity["stream"][1]["fields"][0]["level"]
    config = {**config, "custom_streams": [entity]}
    catalog = catalog_of(config, "quality_report_defects")
    hint = 'field site is not in the lines but on the document: add "level": 0 in custom_streams'
    assert len(told(caplog, f"quality_report_defects: {hint}")) == 1
    _, error = run_tap_until_it_fails(config, NotReadableError, catalog=catalog)
    if api == "rest":
        expected = (
            'no column YFCY, part of the key of quality_report_defects: it is on the document, so add "'
        )
        assert f'{expected}level": 0 to its field in custom_streams' in str(error)


def test_a_field_of_the_document_among_the_lines_asks_for_level_0(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    field = {"name": "buyer", "type": "text", "x3": "BUY", "graphql": "buyer.code"}
    options = {"purchase_order_lines": {"fields": [field]}}
    catalog_of({**config, "stream_options": options})
    expected = 'field buyer is not in the lines but on the document: add "level": 0 in stream_options.'
    assert told(caplog, "buyer") == [f"purchase_order_lines: {expected}"]
    caplog.clear()
    catalog_of({**config, "stream_options": {"purchase_order_lines": {"fields": [{**field, "level": 0}]}}})
    assert not told(caplog, "buyer")


def test_fields_without_a_name_in_the_api_are_told(
    config: Config, api: str, caplog: pytest.LogCaptureFixture
) -> None:
    name, other = ("x3", "graphql") if api == "rest" else ("graphql", "x3")
    fields = [{**field, name: None} for field in FIELDS[:2]]
    config = {**config, "stream_options": {"suppliers": {"fields": [*fields, FIELDS[2]]}}}
    run = run_tap(config, catalog=catalog_of(config, "suppliers"))
    assert {record["qualityScore"] for record in run.records("suppliers")} == {None}
    found = told(caplog, "null through")
    shown = {"rest": "REST", "graphql": "GraphQL"}[api]
    expected = (
        f"stream suppliers: fields qualityScore, lastAuditDate have no `{name}` name, so they stay null "
        f"through {shown}: add it in stream_options."
    )
    assert set(found) == {expected}
    assert len(found) == 2  # once for the catalog, once for the run
    assert not told(caplog, f"`{other}` name")


def test_a_wrong_class_of_a_custom_entity_names_its_setting(rest_config: Config) -> None:
    entity = quality_report()
    entity["source"][0]["rest"]["class"] = "YNOPE"
    config = {**rest_config, "custom_streams": [entity]}
    catalog = catalog_of(config, "quality_reports")
    _, error = run_tap_until_it_fails(config, NotReadableError, catalog=catalog)
    assert re.search(r"no class YNOPE .* in custom_streams \(or stream_options\)\.", str(error)), str(error)


def test_a_wrong_name_of_a_custom_entity_in_graphql_names_its_setting(
    graphql_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    entity = quality_report()
    entity["source"][0]["graphql"]["node"] = "nope"
    catalog_of({**graphql_config, "custom_streams": [entity]})
    (guess,) = told(caplog, "no node precisionPartsYquality.nope")
    assert "as package and node in custom_streams (or stream_options)" in guess
    entity = quality_report()
    entity["stream"][0]["fields"][1] |= {"x3": "YNOPE", "graphql": "nope"}
    config = {**graphql_config, "custom_streams": [entity]}
    catalog = catalog_of(config, "quality_reports")
    _, error = run_tap_until_it_fails(config, NotReadableError, catalog=catalog)
    assert re.search(r"precisionPartsYquality\.qualityReport in custom_streams", str(error)), str(error)
