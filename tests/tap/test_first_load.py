"""A first load goes on from any STATE, sees documents without stamp, and leaves a bookmark that holds."""

from __future__ import annotations

import typing as t

import pytest
from tap_runs import Run, catalog_of, config_for, copy_of, run_tap, run_tap_until_it_fails
from tap_sagex3.errors import SettingsError, TapError
from tap_sagex3.sync import context as pace
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from processes import Server
    from tap_runs import Config

STREAMS = ("gl_entries", "gl_entry_lines", "supplier_invoices", "supplier_invoice_lines", "dimensions")


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "STATE_EVERY", 25)


@pytest.fixture(scope="module")
def unstamped() -> Iterator[Server]:
    """A site where one document in 31 has no change stamp."""
    with local_x3("--port", "0", "--scale", "60", "--unstamped") as running:
        yield running


def middle_states(run: Run) -> list[int]:
    """Places of the STATE messages that leave in the middle of a first load."""
    return [
        place for place, message in enumerate(run.messages) if "'first_load'" in str(message.get("value"))
    ]


def test_a_first_load_goes_on_from_any_state(config: Config) -> None:
    config = {**config, "page_size": 10}
    catalog = catalog_of(config, *STREAMS)
    whole = run_tap(config, catalog=catalog)
    places = middle_states(whole)
    assert len(places) > 5
    for place in places[:: len(places) // 5]:
        before = Run(whole.messages[: place + 1])
        after = run_tap(config, catalog=catalog, state=before.state)
        for stream in whole.keys:
            found = {**(before.by_key(stream) if stream in before.keys else {}), **after.by_key(stream)}
            assert found == whole.by_key(stream)
        assert len(before.of("RECORD")) + len(after.of("RECORD")) == len(whole.of("RECORD"))
        assert "first_load" not in str(after.state)
        again = run_tap(
            config, catalog=catalog, state=after.state
        )  # may send the look-back of the first part
        assert run_tap(config, catalog=catalog, state=again.state).of("RECORD") == []


@pytest.mark.parametrize("api", ["rest", "graphql"])
def test_documents_without_stamp_are_loaded_once(unstamped: Server, api: str) -> None:
    config = config_for(unstamped, api)
    catalog = catalog_of(config, *STREAMS)
    run = run_tap(config, catalog=catalog)
    with X3Control(unstamped.ready["url"]) as control:
        for stream in STREAMS:
            assert run.counts()[stream] == len(control.expected(stream, api))
    assert None in {record["updatedDate"] for record in run.records("gl_entries")}
    assert run_tap(config, catalog=catalog, state=run.state).of("RECORD") == []


def test_what_changes_between_the_parts_of_a_first_load_is_read_by_the_next_run(
    config: Config, x3: X3Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first part ends, a document that it sent changes, the second part completes the load."""
    monkeypatch.setattr(pace, "STATE_EVERY", 4)
    config = {**config, "page_size": 5, "auth": "basic"}
    x3.advance(-10 * 86_400)
    catalog = catalog_of(config, "purchase_orders")
    whole = run_tap(config, catalog=catalog)
    before = Run(whole.messages[: middle_states(whole)[0] + 1])
    number = before.records("purchase_orders")[0]["id"]
    bookmark = before.state["bookmarks"]["purchase_orders"]
    assert "replication_key_value" not in bookmark
    assert bookmark["first_load"]["ranges"][0]["after"] == [before.records("purchase_orders")[-1]["id"]]
    x3.advance(3 * 86_400)
    x3.set("PORDER", number, {"ORDREF": "MEANWHILE"})
    x3.advance(3 * 86_400)
    after = run_tap(config, catalog=catalog, state=before.state)
    assert number not in {record["id"] for record in after.records("purchase_orders")}
    value = after.state["bookmarks"]["purchase_orders"]["replication_key_value"]
    assert value <= bookmark["first_load"]["started"]
    third = run_tap(config, catalog=catalog, state=after.state)
    assert third.by_key("purchase_orders")[(number,)]["internalOrderReference"] == "MEANWHILE"
    x3.reset()


def test_a_stream_that_is_selected_later_gets_a_first_load_of_its_own(config: Config) -> None:
    first = run_tap(config, catalog=catalog_of(config, "gl_entries"))
    both = catalog_of(config, "gl_entries", "gl_entry_lines")
    second = run_tap(config, catalog=both, state=first.state)
    assert second.records("gl_entries") == []
    assert second.counts() == run_tap(config, catalog=catalog_of(config, "gl_entry_lines")).counts()


@pytest.mark.parametrize(
    "broken", [7, {}, {"started": "yesterday", "source": 0, "ranges": [], "latest": None}], ids=str
)
def test_a_state_that_is_not_ours_is_refused_clearly(rest_config: Config, broken: object) -> None:
    state = {"bookmarks": {"suppliers": {"first_load": broken}}}
    with pytest.raises(TapError, match="State of stream suppliers: first_load"):
        run_tap(rest_config, catalog=catalog_of(rest_config, "suppliers"), state=copy_of(state))


def test_end_date_limits_first_loads_and_increments(config: Config) -> None:
    stream = "dimensions"
    catalog = catalog_of(config, stream)
    stamps = sorted(record["updatedDate"] for record in run_tap(config, catalog=catalog).records(stream))
    middle, late = stamps[len(stamps) // 2], stamps[-3]
    first = run_tap({**config, "end_date": middle}, catalog=catalog)
    assert sorted(r["updatedDate"] for r in first.records(stream)) == [s for s in stamps if s < middle]
    ranged = run_tap({**config, "start_date": middle, "end_date": late}, catalog=catalog)
    assert sorted(r["updatedDate"] for r in ranged.records(stream)) == [
        s for s in stamps if middle <= s < late
    ]
    assert ranged.state["bookmarks"][stream]["replication_key_value"] < late
    rest = run_tap(config, catalog=catalog, state=ranged.state)
    assert {s for s in stamps if s >= late} <= {r["updatedDate"] for r in rest.records(stream)}


def test_end_date_must_be_later_than_start_date(config: Config) -> None:
    wrong = {**config, "start_date": "2026-02-01", "end_date": "2026-01-31T23:00:00Z"}
    _, error = run_tap_until_it_fails(wrong, SettingsError)
    assert "end_date (2026-01-31T23:00:00+00:00) must be later than start_date" in str(error)
