"""A long REST list read in several places at once: nothing missing, nothing twice, resumable anywhere."""

from __future__ import annotations

import typing as t

import pytest
from tap_runs import Run, catalog_of, config_for, run_tap, run_tap_until_it_fails
from tap_sagex3.sync import context as pace
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from processes import Server
    from tap_runs import Config

STREAMS = ("products", "customers")
"""Numbered keys; the products have a few awkward ones before and behind them."""
LATENCY_MS = 10
PAGES = {"products": 20, "customers": 4}
BEGIN_OF_A_RANGE = "count=20&orderBy=ITMREF%20asc&key=ge."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with local_x3("--scale", "6000", "--x3-version", "V11") as running:
        yield running


@pytest.fixture
def control(server: Server) -> Iterator[X3Control]:
    with X3Control(server.ready["url"]) as found:
        yield found
        found.reset()


@pytest.fixture(scope="module")
def config(server: Server) -> Config:
    return {**config_for(server, "rest"), "page_size": 20}


@pytest.fixture(scope="module")
def one_piece(config: Config) -> Run:
    """What a read one page after the other gives."""
    return run_tap({**config, "detail_workers": 1}, catalog=catalog_of(config, *STREAMS))


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch, server: Server) -> Iterator[None]:
    """Write STATE often; a server that takes its time, so that a busy machine does not read all before."""
    monkeypatch.setattr(pace, "STATE_EVERY", 20)
    with X3Control(server.ready["url"]) as control:
        control.latency(LATENCY_MS)
        yield
        control.latency(0)


def ranges_of(message: dict[str, t.Any], stream: str) -> list[dict[str, t.Any]]:
    """The ranges in a STATE message; none when the stream is not being loaded."""
    bookmark = message["value"]["bookmarks"].get(stream) or {}
    found: list[dict[str, t.Any]] = bookmark.get("first_load", {}).get("ranges", [])
    return found


def most_ranges(run: Run, stream: str) -> int:
    return max(len(ranges_of(message, stream)) for message in run.of("STATE"))


def test_ranges_give_the_records_of_one_piece(config: Config, one_piece: Run) -> None:
    for stream in STREAMS:
        catalog = catalog_of(config, stream)
        for workers in (2, 4, 7):
            given = {**config, "detail_workers": workers, "page_size": PAGES[stream]}
            run = run_tap(given, catalog=catalog)
            assert most_ranges(run, stream) > 1
            assert run.counts()[stream] == one_piece.counts()[stream]
            assert run.by_key(stream) == one_piece.by_key(stream)
            assert run_tap(config, catalog=catalog, state=run.state).of("RECORD") == []


def test_a_load_in_ranges_goes_on_from_any_state(config: Config, one_piece: Run) -> None:
    catalog = catalog_of(config, "products")
    whole = run_tap(config, catalog=catalog)
    places = [
        place
        for place, message in enumerate(whole.messages)
        if message["type"] == "STATE" and ranges_of(message, "products")
    ]
    several = [place for place in places if len(ranges_of(whole.messages[place], "products")) > 1]
    assert len(several) > 5
    for place in (places[0], *several[:: len(several) // 5]):
        before = Run(whole.messages[: place + 1])
        after = run_tap(config, catalog=catalog, state=before.state)
        found = {**before.by_key("products"), **after.by_key("products")}
        assert found == one_piece.by_key("products")
        assert len(before.of("RECORD")) + len(after.of("RECORD")) == len(one_piece.records("products"))
        assert "first_load" not in str(after.state)


def test_a_load_in_ranges_that_goes_on_in_one_piece_begins_again(config: Config, one_piece: Run) -> None:
    catalog = catalog_of(config, "products")
    whole = run_tap(config, catalog=catalog)
    place = next(
        place
        for place, message in enumerate(whole.messages)
        if message["type"] == "STATE" and len(ranges_of(message, "products")) > 1
    )
    state = Run(whole.messages[: place + 1]).state
    after = run_tap({**config, "detail_workers": 1}, catalog=catalog, state=state)
    assert after.by_key("products") == one_piece.by_key("products")


def test_a_record_at_which_a_range_begins_may_be_deleted(
    config: Config, one_piece: Run, control: X3Control
) -> None:
    """It goes after the server was asked for it, and before the range is read."""
    catalog = catalog_of(config, "products")
    run = run_tap(config, catalog=catalog)
    state = next(message for message in run.of("STATE") if len(ranges_of(message, "products")) > 2)
    start = ranges_of(state, "products")[-1]["start"]
    control.reset()
    control.faults(
        {
            "fault": "none",
            "on": "rest_query",
            "path": BEGIN_OF_A_RANGE,
            "before": [{"do": "remove", "table": "ITMMASTER", "key": start[0]}],
        }
    )
    found = run_tap(config, catalog=catalog)
    expected = {key: row for key, row in one_piece.by_key("products").items() if key != tuple(start)}
    assert found.by_key("products") == expected


def test_a_fault_in_a_range_ends_the_run_and_the_next_one_completes_it(
    config: Config, one_piece: Run, control: X3Control
) -> None:
    catalog = catalog_of(config, "products")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tap_sagex3.transport.FIRST_WAIT", 0.01)
        control.faults(
            {"fault": "status", "on": "rest_query", "path": BEGIN_OF_A_RANGE, "nth": 3, "times": 9}
        )
        broken, error = run_tap_until_it_fails({**config, "max_retries": 1}, Exception, catalog=catalog)
    assert "503" in str(error)
    control.reset()
    state = broken.state
    assert len(ranges_of({"value": state}, "products")) > 1
    after = run_tap(config, catalog=catalog, state=state)
    found = {**broken.by_key("products"), **after.by_key("products")}
    assert found == one_piece.by_key("products")


def test_short_lists_are_read_in_one_piece_without_more_requests(config: Config, control: X3Control) -> None:
    catalog = catalog_of(config, "products")
    asked = []
    for workers in (1, 4):
        control.reset_counters()
        run = run_tap({**config, "page_size": 1000, "detail_workers": workers}, catalog=catalog)
        assert run.records("products")
        asked.append(control.counters()["rest_query"])
    assert asked[0] == asked[1]
