from __future__ import annotations

import typing as t
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tap_runs import catalog_of, copy_of, run_tap
from tap_sagex3.values import format_time

if t.TYPE_CHECKING:
    from tap_runs import Config, Record, Run
    from x3_control import X3Control

AMOUNTS = [
    Decimal("12345678901234.1234"),
    Decimal("0.0001"),
    Decimal("-7.5"),
    Decimal(1000000),
    Decimal(0),
]
FINAL = {"STA": 2}


def oldest(records: list[Record]) -> list[Record]:
    """Records that no test has changed in this very second come first."""
    return sorted(records, key=lambda record: record["updatedDate"] or "")


def changed_streams(run: Run) -> set[str]:
    return set(run.counts())


def test_a_second_run_without_changes_sends_no_record(config: Config) -> None:
    first = run_tap(config)
    second = run_tap(config, state=first.state)
    assert len(first.of("RECORD")) > 500
    assert second.of("RECORD") == []
    assert second.of("ACTIVATE_VERSION") == []
    assert second.settled_state == first.settled_state
    third = run_tap(config, state=second.state)
    assert third.state == second.state
    assert {m["stream"] for m in second.of("SCHEMA")} == {m["stream"] for m in first.of("SCHEMA")}


def test_only_changed_documents_are_sent_each_with_all_its_lines(config: Config, x3: X3Control) -> None:
    first = run_tap(config)
    entries = oldest(first.records("gl_entries"))[:5]
    for entry, amount in zip(entries, AMOUNTS, strict=True):
        key = [entry["entryType"], entry["id"]]
        line = next(r for r in first.records("gl_entry_lines") if [r["entryType"], r["id"]] == key)
        ledger_type = 1
        x3.set("GACCENTRYD", [*key, line["lineNumber"], ledger_type], {"AMTCUR": amount})
        x3.touch("GACCENTRY", key)
    second = run_tap(config, state=first.state)
    keys = {(entry["entryType"], entry["id"]) for entry in entries}
    lines = [r for r in x3.expected("gl_entry_lines", "graphql") if (r["entryType"], r["id"]) in keys]
    assert changed_streams(second) <= {"gl_entries", "gl_entry_lines", "gl_cost_allocations"}
    assert {(r["entryType"], r["id"]) for r in second.records("gl_entries")} == keys
    assert len(second.records("gl_entry_lines")) == len(lines)
    expected = {tuple(r[k] for k in second.keys["gl_entry_lines"]): r for r in lines}
    assert second.by_key("gl_entry_lines") == expected
    assert set(AMOUNTS) <= {r["amountInCurrency"] for r in second.records("gl_entry_lines")}
    assert run_tap(config, state=second.state).of("RECORD") == []


def test_a_b_a_with_equal_stamps_ends_with_a(config: Config, x3: X3Control) -> None:
    code, stamp = x3.rows("BPSUPPLIER", limit=1)[0]["BPSNUM"], x3.now()
    names = []
    state: dict[str, t.Any] = {}
    for name in ("A", "B", "A", "A"):
        x3.set("BPSUPPLIER", code, {"BPSNAM": name}, stamp=stamp)
        run = run_tap(config, state=state)
        state = run.state
        names.append([r["companyName"] for r in run.records("suppliers") if r["code"] == code])
    assert names == [["A"], ["B"], ["A"], []]


def test_a_b_a_of_a_whole_table_ends_with_a_and_new_versions(config: Config, x3: X3Control) -> None:
    row = x3.rows("STOCK", limit=1)[0]
    key = [row["STOFCY"], row["STOCOU"]]
    sent = []
    versions: list[int] = []
    state: dict[str, t.Any] = {}
    for lot in ("LOT-A", "LOT-B", "LOT-A", "LOT-A"):
        x3.set("STOCK", key, {"LOT": lot}, stamp=row["UPDDATTIM"])
        run = run_tap(config, state=state)
        state = run.state
        sent.append([r["lot"] for r in run.records("stock") if [r["stockSite"], r["stockId"]] == key])
        versions += [m["version"] for m in run.of("ACTIVATE_VERSION", "stock")]
    assert sent == [["LOT-A"], ["LOT-B"], ["LOT-A"], []]
    assert versions == sorted(set(versions))
    assert len(versions) == 3


def test_a_stock_row_that_x3_deleted_is_not_in_the_next_version(config: Config, x3: X3Control) -> None:
    first = run_tap(config)
    row = x3.rows("STOCK")[-1]
    x3.remove("STOCK", [row["STOFCY"], row["STOCOU"]])
    second = run_tap(config, state=first.state)
    gone = set(first.by_key("stock")) - set(second.by_key("stock"))
    assert gone == {(row["STOFCY"], row["STOCOU"])}
    assert len(second.of("ACTIVATE_VERSION", "stock")) == 1


def test_a_removed_line_is_missing_from_its_document_which_is_sent_whole(
    config: Config, x3: X3Control
) -> None:
    first = run_tap(config)
    counts: dict[str, int] = {}
    for record in first.records("purchase_order_lines"):
        counts[record["id"]] = counts.get(record["id"], 0) + 1
    order = max(counts, key=lambda key: counts[key])
    removed = next(r for r in first.records("purchase_order_lines") if r["id"] == order)
    x3.remove("PORDERQ", [order, removed["lineNumber"], removed["sequenceNumber"]])
    second = run_tap(config, state=first.state)
    lines = second.records("purchase_order_lines")
    assert {r["id"] for r in lines} == {order}
    assert len(lines) == counts[order] - 1
    assert removed["lineNumber"] not in {r["lineNumber"] for r in lines}


def test_the_bookmark_is_capped_by_the_clock_of_the_server(config: Config, x3: X3Control) -> None:
    code = x3.rows("BPCUSTOMER", limit=1)[0]["BPCNUM"]
    before = x3.now()
    x3.set("BPCUSTOMER", code, {"BPCNAM": "From the future"}, stamp="2099-01-01T00:00:00Z")
    first = run_tap(config)
    bookmark = first.state["bookmarks"]["customers"]["replication_key_value"]
    assert before <= bookmark <= x3.now()
    assert run_tap(config, state=first.state).records("customers") == []
    x3.set("BPCUSTOMER", code, {"BPCNAM": "Changed again"}, stamp="2099-01-01T00:00:00Z")
    second = run_tap(config, state=first.state)
    assert [r["companyName"] for r in second.records("customers")] == ["Changed again"]
    x3.touch("BPCUSTOMER", code)


def test_a_late_commit_within_the_lookback_is_found(config: Config, x3: X3Control) -> None:
    codes = [row["BPSNUM"] for row in x3.rows("BPSUPPLIER")[1:3]]
    now = x3.now()
    x3.set("BPSUPPLIER", codes[0], {"BPSNAM": "On time"}, stamp=now)
    first = run_tap(config)
    early = format_time(datetime.fromisoformat(now) - timedelta(minutes=50))
    name = f"Committed late, read by {config['auth']}"
    x3.set("BPSUPPLIER", codes[1], {"BPSNAM": name}, stamp=early)
    second = run_tap(config, state=first.state)
    assert [(r["code"], r["companyName"]) for r in second.records("suppliers")] == [(codes[1], name)]


def test_start_date_leaves_older_documents_out(config: Config) -> None:
    everything = run_tap(config).records("purchase_orders")
    stamps = sorted(record["updatedDate"] for record in everything)
    start = stamps[len(stamps) // 2]
    found = run_tap({**config, "start_date": start}).records("purchase_orders")
    assert {r["id"] for r in found} == {r["id"] for r in everything if r["updatedDate"] >= start}


def test_overlap_memory_is_bounded_and_losing_it_only_sends_again(config: Config) -> None:
    no_memory = {**config, "overlap_memory": 0}
    first = run_tap(no_memory)
    assert all(not s.get("overlap") for s in first.state["bookmarks"].values())
    again = run_tap(no_memory, state=first.state)
    assert again.of("RECORD")
    assert len(again.of("RECORD")) < len(first.of("RECORD"))
    small = run_tap({**config, "overlap_memory": 2, "lookback_seconds": 10**9})
    assert all(len(s.get("overlap", {})) <= 2 for s in small.state["bookmarks"].values())


def test_a_stream_selected_later_starts_from_the_beginning(config: Config) -> None:
    headers = run_tap(config, catalog=catalog_of(config, "gl_entries"))
    both = run_tap(config, state=headers.state, catalog=catalog_of(config, "gl_entries", "gl_entry_lines"))
    assert set(headers.counts()) == {"gl_entries"}
    assert both.records("gl_entries") == []
    assert both.counts()["gl_entry_lines"] == run_tap(config).counts()["gl_entry_lines"]


def test_deselected_properties_leave_schema_and_records(config: Config) -> None:
    catalog = catalog_of(config, "suppliers")
    entry = next(e for e in catalog["streams"] if e["stream"] == "suppliers")
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] == ["properties", "companyName"]:
            metadata["metadata"]["selected"] = False
    run = run_tap(config, catalog=catalog)
    assert "companyName" not in run.of("SCHEMA", "suppliers")[0]["schema"]["properties"]
    assert run.records("suppliers")
    assert all("companyName" not in record for record in run.records("suppliers"))
    assert all(record["code"] for record in run.records("suppliers"))


def test_stream_maps_of_the_sdk_work(config: Config) -> None:
    maps = {
        "suppliers": {"__alias__": "vendors", "companyName": None, "upper": "record['code'].lower()"},
        "customers": None,
        "stock": {"__filter__": "record['quantityInStockUnit'] > 0", "__alias__": "inventory"},
    }
    run = run_tap({**config, "stream_maps": maps})
    counts = run.counts()
    assert counts["vendors"] > 0
    assert "suppliers" not in counts
    assert "customers" not in counts
    assert run.of("SCHEMA", "customers") == []
    assert all(r["upper"] == r["code"].lower() and "companyName" not in r for r in run.records("vendors"))
    assert [m["stream"] for m in run.of("ACTIVATE_VERSION")] == ["inventory"]
    assert run_tap({**config, "stream_maps": maps}, state=run.state).of("RECORD") == []


def test_a_changed_stream_map_sends_the_whole_table_again(config: Config) -> None:
    catalog = catalog_of(config, "stock")
    first = run_tap(config, catalog=catalog)
    mapped = {**config, "stream_maps": {"stock": {"site": "record['stockSite']"}}}
    second = run_tap(mapped, catalog=catalog, state=first.state)
    assert len(second.records("stock")) == len(first.records("stock")) > 0
    assert run_tap(mapped, catalog=catalog, state=second.state).records("stock") == []


def test_flattening_of_the_sdk_works(config: Config) -> None:
    run = run_tap({**config, "flattening_enabled": True, "flattening_max_depth": 1})
    assert run.counts()["gl_entry_lines"] == run_tap(config).counts()["gl_entry_lines"]


def test_forced_full_table_reads_everything_and_activates_a_version(config: Config) -> None:
    catalog = catalog_of(config, "dimensions")
    entry = next(e for e in catalog["streams"] if e["stream"] == "dimensions")
    entry["replication_method"] = "FULL_TABLE"
    first = run_tap(config, catalog=catalog)
    assert [m["stream"] for m in first.of("ACTIVATE_VERSION")] == ["dimensions"]
    assert run_tap(config, catalog=catalog, state=first.state).of("RECORD") == []


def test_dimension_columns_follow_the_types_of_the_instance(config: Config) -> None:
    run = run_tap({**config, "dimension_names": {"CCT": "costCenter"}})
    types = {record["code"] for record in run.records("dimension_types")}
    properties = run.of("SCHEMA", "gl_cost_allocations")[0]["schema"]["properties"]
    assert "CCT" in types
    assert {"costCenter"} | {f"dimension{code.capitalize()}" for code in types - {"CCT"}} <= set(properties)
    for record in run.records("gl_cost_allocations"):
        by_type = {item["type"]: item["value"] for item in record["dimensions"]}
        assert record["costCenter"] == by_type.get("CCT")


def test_nested_collections_are_read_to_their_end(config: Config, x3: X3Control) -> None:
    lines = [{"POPLIN": 1000 * n, "POQSEQ": 1} for n in range(1, 251)]
    number = f"LONG-{config['auth'][:5]}"
    x3.add("PORDER", {"POHNUM": number, "POHPOQ": lines})
    run = run_tap(config, catalog=catalog_of(config, "purchase_order_lines"))
    found = [r["lineNumber"] for r in run.records("purchase_order_lines") if r["id"] == number]
    assert sorted(found) == [1000 * n for n in range(1, 251)]


def test_small_pages_give_the_same_records(config: Config) -> None:
    small = run_tap({**config, "page_size": 7, "detail_workers": 1})
    large = run_tap(config)
    assert small.counts() == large.counts()
    for stream in large.keys:
        assert small.by_key(stream) == large.by_key(stream)


@pytest.mark.parametrize("stamps", [(), ("UPDDAT",), ("UPDDATTIM", "UPDDAT")])
def test_change_stamps_that_a_class_shows(
    rest_config: Config, x3: X3Control, stamps: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    x3.expose("BPCUSTOMER", *stamps)
    try:
        first = run_tap(rest_config)
        second = run_tap(rest_config, state=first.state)
        bookmark = first.state["bookmarks"]["customers"].get("replication_key_value")
        warned = any("customers" in r.message and "no change stamp" in r.message for r in caplog.records)
        updated = {record["updatedDate"] for record in first.records("customers")}
        x3.touch("BPCUSTOMER", oldest(first.records("customers"))[0]["code"])
        third = run_tap(rest_config, state=first.state)
    finally:
        x3.expose("BPCUSTOMER", "UPDDATTIM", "UPDDAT")
    assert first.records("customers")
    assert second.records("customers") == []
    assert warned is (not stamps)
    assert (updated == {None}) is (not stamps)
    assert (bookmark is None) is (not stamps)
    if "UPDDATTIM" in stamps:
        assert len(third.records("customers")) == 1


def test_state_of_an_unknown_form_is_refused_clearly(config: Config) -> None:
    state = {
        "bookmarks": {"suppliers": {"replication_key": "updatedDate", "replication_key_value": "yesterday"}}
    }
    with pytest.raises(Exception, match="State of stream suppliers: replication_key_value 'yesterday'"):
        run_tap(config, state=copy_of(state))
