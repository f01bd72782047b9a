"""Stamps as sites have them: thousands of documents in one second, and rows without a stamp."""

from __future__ import annotations

import typing as t
from collections import Counter

import pytest
from tap_runs import catalog_of, config_for, run_tap
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from tap_runs import Run

STREAMS = ("gl_entries", "suppliers")


@pytest.mark.parametrize("api", ["rest", "graphql"])
@pytest.mark.parametrize(
    "options", [("--mass-update", "250"), ("--unstamped",)], ids=["one second", "no stamp"]
)
def test_nothing_is_missed_and_nothing_sent_again(api: str, options: tuple[str, ...]) -> None:
    with (
        local_x3("--scale", "400", *options) as running,
        X3Control(running.ready["url"]) as control,
    ):
        config = {**config_for(running, api), "page_size": 60}
        catalog = catalog_of(config, *STREAMS)
        first = run_tap(config, catalog=catalog)
        for stream in STREAMS:
            assert sent(first, stream) == Counter(map(stamp_and_key, control.expected(stream, api)))
        again = run_tap(config, catalog=catalog, state=first.state)
        assert again.of("RECORD") == []


def sent(run: Run, stream: str) -> Counter[tuple[object, ...]]:
    return Counter(map(stamp_and_key, run.records(stream)))


def stamp_and_key(record: dict[str, t.Any]) -> tuple[object, ...]:
    return record["updatedDate"], record.get("entryType"), record.get("id"), record.get("code")
