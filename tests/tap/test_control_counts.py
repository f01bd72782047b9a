"""STATE tells how many records were sent before it, so that a target can compare."""

from __future__ import annotations

import typing as t
from collections import Counter

from tap_runs import catalog_of, run_tap
from tap_sagex3.sync import context as pace

if t.TYPE_CHECKING:
    import pytest
    from tap_runs import Config, Run

STREAMS = ("suppliers", "stock", "purchase_orders", "purchase_order_lines")


def check_counts(run: Run) -> int:
    """Compare each STATE with the records before it; gives the number of counts that were compared."""
    sent: Counter[str] = Counter()
    compared = 0
    for message in run.messages:
        if message["type"] == "RECORD":
            sent[message["stream"]] += 1
        elif message["type"] == "STATE":
            controls = [
                b["control"] for b in message["value"].get("bookmarks", {}).values() if "control" in b
            ]
            told: Counter[str] = Counter()
            for control in controls:
                told.update(control["records"])
            assert told == sent
            assert len({control["run"] for control in controls}) <= 1
            compared += len(controls)
    return compared


def test_each_state_counts_the_records_before_it(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "STATE_EVERY", 10)
    catalog = catalog_of(config, *STREAMS)
    first = run_tap(config, catalog=catalog)
    assert check_counts(first) > len(STREAMS)
    quiet = run_tap(config, catalog=catalog, state=first.state)
    assert quiet.of("RECORD") == []
    assert "control" not in str(quiet.of("STATE"))


def test_counts_go_by_the_names_that_records_are_sent_under(config: Config) -> None:
    maps: dict[str, t.Any] = {
        "suppliers": {"__alias__": "vendors", "__filter__": "code < 'M'"},
        "copy": {"__source__": "purchase_orders"},
    }
    config = {**config, "stream_maps": maps}
    run = run_tap(config, catalog=catalog_of(config, *STREAMS))
    assert check_counts(run)
    assert "vendors" in run.counts()


def test_runs_have_ids_of_their_own(config: Config) -> None:
    catalog = catalog_of(config, "suppliers")
    ids = {
        run_tap(config, catalog=catalog).state["bookmarks"]["suppliers"]["control"]["run"] for _ in range(2)
    }
    assert len(ids) == 2
