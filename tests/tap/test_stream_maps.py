"""Stream maps, filters and flattening through the tap's command line: nothing is lost, state stays right."""

from __future__ import annotations

import json
import typing as t

import pytest
from singer_upsert import comparable
from streams import STREAMS
from tap_cli import TapProgram, assert_refused, select

if t.TYPE_CHECKING:
    from pathlib import Path

    from tap_runs import Config, Record
    from x3_control import X3Control

FLAT: dict[str, t.Any] = {"flattening_enabled": True, "flattening_max_depth": 2}
ONLY_TWO: dict[str, t.Any] = {
    "__else__": "__NULL__",
    "suppliers": {
        "__alias__": "vendors",
        "__else__": "__NULL__",
        "code": "code",
        "vendor": "record['companyName'].upper()",
    },
    "gl_entry_lines": {
        "__alias__": "ledger",
        "__filter__": "record['ledgerType'] == 'legal'",
        "account": "record['account'] + '/' + record['site']",
        "description": None,
    },
}


@pytest.fixture
def tap(config: Config, tmp_path: Path) -> TapProgram:
    """The tap's program for the shared local X3, through each API."""
    return TapProgram(tmp_path, config)


def legal_lines(x3: X3Control, api: str) -> dict[tuple[t.Any, ...], Record]:
    """What the map of ledger lines must let through."""
    found = {}
    for record in x3.expected("gl_entry_lines", api):
        if record["ledgerType"] == "legal":
            mapped = {**record, "account": f"{record['account']}/{record['site']}"}
            del mapped["description"]
            found[tuple(record[name] for name in STREAMS["gl_entry_lines"].key)] = mapped
    return found


def test_maps_leave_only_what_they_say(tap: TapProgram, api: str, x3: X3Control) -> None:
    run = tap.run(stream_maps=ONLY_TWO)
    assert set(run.keys) == {"vendors", "ledger"}
    vendors = {r["code"]: r["companyName"].upper() for r in x3.expected("suppliers", api)}
    assert run.records("vendors") == [
        {"code": r["code"], "vendor": vendors[r["code"]]} for r in run.records("vendors")
    ]
    assert {r["code"] for r in run.records("vendors")} == vendors.keys()
    assert len(run.records("vendors")) == len(vendors)
    expected = legal_lines(x3, api)
    assert 0 < len(expected) < len(x3.expected("gl_entry_lines", api))
    assert len(run.records("ledger")) == len(expected)
    found = run.by_key("ledger")
    assert {key: comparable(record) for key, record in found.items()} == {
        key: comparable(record) for key, record in expected.items()
    }
    for stream in ("vendors", "ledger"):
        (message,) = run.of("SCHEMA", stream)
        properties = set(message["schema"]["properties"])
        assert properties == set(run.records(stream)[0])
        assert set(message.get("bookmark_properties") or ()) <= properties
    assert run.of("SCHEMA", "ledger")[0]["schema"]["x-replace-scope"] == ["entryType", "id"]


def test_state_counts_what_left_and_the_next_run_is_quiet(tap: TapProgram) -> None:
    first = tap.run(stream_maps=ONLY_TWO)
    bookmarks = first.state["bookmarks"]
    assert bookmarks["suppliers"]["control"]["records"] == {"vendors": first.counts()["vendors"]}
    assert bookmarks["gl_entry_lines"]["control"]["records"] == {"ledger": first.counts()["ledger"]}
    assert tap.run(stream_maps=ONLY_TWO, state=first.state).of("RECORD") == []


def test_streams_that_maps_remove_are_not_read_and_miss_nothing_later(
    tap: TapProgram, api: str, x3: X3Control
) -> None:
    x3.reset_counters()
    everything = tap.run()
    whole = sum(x3.counters().values())
    x3.reset_counters()
    first = tap.run(stream_maps=ONLY_TWO)
    assert sum(x3.counters().values()) < whole
    assert first.state["bookmarks"].keys() == {"suppliers", "gl_entry_lines"}
    later = tap.run(state=first.state)
    for stream in STREAMS.keys() - {"suppliers", "gl_entry_lines"}:
        assert later.counts()[stream] == everything.counts()[stream] == len(x3.expected(stream, api)), stream


def test_control_streams_leave_out_what_maps_remove(tap: TapProgram, api: str, x3: X3Control) -> None:
    catalog = select(tap.discover(), dict.fromkeys(("suppliers", "customers", "live_keys")))
    maps = {"customers": None, "live_keys": {"__alias__": "keys", "kind": "record['stream']"}}
    run = tap.run(catalog=catalog, stream_maps=maps)
    assert run.counts() == dict.fromkeys(("suppliers", "keys"), len(x3.expected("suppliers", api)))
    assert {(r["stream"], r["kind"]) for r in run.records("keys")} == {("suppliers", "suppliers")}
    assert tap.run(catalog=catalog, stream_maps=maps, state=run.state).counts() == {}
    maps["live_keys"] = {"__alias__": "keys", "kind": "'other'"}
    assert set(tap.run(catalog=catalog, stream_maps=maps, state=run.state).counts()) >= {"keys"}
    without = {"customers": None, "live_keys": None}
    assert set(tap.run(catalog=catalog, stream_maps=without).counts()) == {"suppliers"}


def test_a_filter_that_lets_nothing_through_keeps_state_right(tap: TapProgram, x3: X3Control) -> None:
    code = x3.rows("BPSUPPLIER")[6]["BPSNUM"]
    maps = {"__else__": "__NULL__", "suppliers": {"__filter__": "record['companyName'] == 'Wanted'"}}
    names: list[list[tuple[str, str]]] = []
    state: dict[str, t.Any] = {}
    for name in ("Other", "Wanted", "Wanted", "Other", "Wanted"):
        x3.set("BPSUPPLIER", code, {"BPSNAM": name})
        run = tap.run(stream_maps=maps, state=state)
        assert [m["stream"] for m in run.of("SCHEMA")] == ["suppliers"]
        names.append([(r["code"], r["companyName"]) for r in run.records("suppliers")])
        state = run.state
        assert state["bookmarks"]["suppliers"]["replication_key_value"]
    wanted = [(code, "Wanted")]
    assert names[0] == names[3] == []
    assert names[1] == names[4] == wanted
    assert names[2] in ([], wanted)  # stamped anew, which may fall into the same second


def test_a_whole_table_of_which_nothing_is_left_is_activated(tap: TapProgram) -> None:
    maps = {"__else__": "__NULL__", "stock": {"__filter__": "False"}}
    run = tap.run(stream_maps=maps)
    assert run.of("RECORD") == []
    assert [message["stream"] for message in run.of("ACTIVATE_VERSION")] == ["stock"]
    assert "control" not in run.state["bookmarks"]["stock"]
    again = tap.run(stream_maps={"__else__": "__NULL__", "stock": {"__filter__": "True"}}, state=run.state)
    assert again.records("stock")


def test_a_column_can_be_renamed_and_other_maps_of_the_stream_keep_it(
    tap: TapProgram, api: str, x3: X3Control
) -> None:
    maps = {
        "suppliers": {"companyName": None, "name": "record['companyName']"},
        "copy": {"__source__": "suppliers"},
    }
    run = tap.run(stream_maps=maps)
    expected = {record["code"]: record for record in x3.expected("suppliers", api)}
    assert run.counts()["suppliers"] == run.counts()["copy"] == len(expected)
    for record in run.records("copy"):
        assert comparable(record) == comparable(expected[record["code"]])
    for record in run.records("suppliers"):
        renamed = {**expected[record["code"]], "name": expected[record["code"]]["companyName"]}
        del renamed["companyName"]
        assert comparable(record) == comparable(renamed)
    for stream in ("suppliers", "copy"):
        properties = run.of("SCHEMA", stream)[0]["schema"]["properties"]
        assert set(properties) == set(run.records(stream)[0])
    assert run.state["bookmarks"]["suppliers"]["control"]["records"] == {
        "suppliers": len(expected),
        "copy": len(expected),
    }


@pytest.mark.parametrize("expression", ["record['noSuchColumn']", "record['companyName'] + 5", "1 / 0"])
def test_an_expression_that_fails_for_a_record_is_told_in_one_line(tap: TapProgram, expression: str) -> None:
    maps = {"__else__": "__NULL__", "suppliers": {"computed": expression}}
    ended = tap.started(stream_maps=maps)
    assert_refused(ended, "stream_maps", "suppliers", "code=")
    assert b'"replication_key_value"' not in ended.stdout


def test_flattening_keeps_every_row_and_every_digit(tap: TapProgram, api: str, x3: X3Control) -> None:
    maps = {"gl_cost_allocations": {"nested": "record"}}
    run = tap.run(stream_maps=maps, flattening_separator="_of_", **FLAT)
    for stream, place in STREAMS.items():
        expected = {tuple(r[name] for name in place.key): r for r in x3.expected(stream, api)}
        found = run.by_key(stream)
        assert len(run.records(stream)) == len(found) == len(expected)
        for key, record in found.items():
            flat = {name: value for name, value in record.items() if "_of_" not in name}
            assert comparable(flat) == comparable(expected[key]), (stream, key)
    for record in run.records("gl_cost_allocations"):
        assert record["nested_of_amountInCurrency"] == record["amountInCurrency"]
        assert "nested" not in record
    properties = run.of("SCHEMA", "gl_cost_allocations")[0]["schema"]["properties"]
    assert set(properties) == set(run.records("gl_cost_allocations")[0])
    assert tap.run(stream_maps=maps, flattening_separator="_of_", state=run.state, **FLAT).counts() == {}
    other = tap.run(stream_maps=maps, flattening_separator="__", state=run.state, **FLAT)
    assert other.counts()["stock"] == run.counts()["stock"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"batch_config": {"encoding": {"format": "jsonl"}, "storage": {"root": "file://x"}}},
            "batch_config",
        ),
        ({"flattening_enabled": True}, "flattening_max_depth"),
        ({"stream_maps": {"suppliers": {"__else__": "__NULL__"}}}, "code"),
        ({"stream_maps": {"suppliers": {"code": None}}}, "code"),
        ({"stream_maps": {"suppliers": {"__else__": "keep", "code": "code"}}}, "__else__"),
        ({"stream_maps": {"__else__": "keep"}}, "__else__"),
        ({"stream_maps": {"suppliers": "keep"}}, "suppliers"),
        ({"stream_maps": {"suppliers": {"__filter__": "record["}}}, "record["),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:40],
)
def test_settings_that_cannot_be_used_are_refused_by_name(
    rest_config: Config, tmp_path: Path, settings: dict[str, t.Any], words: str
) -> None:
    ended = TapProgram(tmp_path, rest_config).started(**settings)
    assert_refused(ended, words)
    assert b'"RECORD"' not in ended.stdout
