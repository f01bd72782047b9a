"""Pages that shrink, come twice or lead nowhere, bodies that trickle or end early: no silent loss."""

from __future__ import annotations

import typing as t

import pytest
from tap_runs import Config, Run, catalog_of, config_for, run_tap
from tap_sagex3 import transport
from tap_sagex3.errors import IncompleteAnswerError

if t.TYPE_CHECKING:
    from processes import Server
    from x3_control import Record, X3Control

STREAMS = ("suppliers", "stock")
HARMLESS: list[Record] = [
    {"fault": "shrink", "keep": 3, "times": 3},
    {"fault": "next_host", "times": 99},
    {"fault": "chunked", "times": 99},
    {"fault": "gzip", "times": 99},
    {"fault": "closed", "times": 99},
    {"fault": "truncated"},
    {"fault": "trickle", "pieces": 6, "seconds": 0.5},
]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.02)


def small_pages(config: Config) -> Config:
    return {**config, "page_size": 7, "max_retries": 2, "request_timeout": 2}


@pytest.fixture(scope="module")
def clean(running_x3: Server) -> dict[str, Run]:
    """What each API gives without faults."""
    found = {}
    for api in ("rest", "graphql"):
        config = config_for(running_x3, api)
        found[api] = run_tap(config, catalog=catalog_of(config, *STREAMS))
    return found


def on(api: str) -> str:
    return "graphql" if api == "graphql" else "rest_query"


@pytest.mark.parametrize("fault", HARMLESS, ids=lambda fault: str(fault["fault"]))
def test_no_record_is_lost(
    config: Config, api: str, clean: dict[str, Run], x3: X3Control, fault: Record
) -> None:
    catalog = catalog_of(config, *STREAMS)
    x3.faults({**fault, "on": on(api), "nth": 2})
    found = run_tap(small_pages(config), catalog=catalog)
    assert found.counts() == clean[api].counts()
    for stream in STREAMS:
        assert found.by_key(stream) == clean[api].by_key(stream)


@pytest.mark.parametrize("fault", ["repeat", "loop"])
@pytest.mark.parametrize("stream", STREAMS)
def test_a_page_that_comes_twice_ends_the_run(
    config: Config, api: str, x3: X3Control, fault: str, stream: str
) -> None:
    catalog = catalog_of(config, stream)
    x3.faults({"fault": fault, "on": on(api), "times": 99})
    with pytest.raises(IncompleteAnswerError, match=r"on two pages|does not move on"):
        run_tap(small_pages(config), catalog=catalog)


def test_a_record_that_changes_while_its_list_is_read_may_come_twice(
    config: Config, api: str, x3: X3Control
) -> None:
    """It moves to the end of the list with a new stamp; both versions are right, and the last one stays."""
    config = {**config, "start_date": "2001-01-01T00:00:00Z"}
    catalog = catalog_of(config, "suppliers")
    first = next(iter(run_tap(config, catalog=catalog).records("suppliers")))
    change = {"do": "set", "table": "BPSUPPLIER", "key": first["code"], "values": {"BPSNAM": "Moved"}}
    path = "" if api == "graphql" else "BPSUPPLIER?"
    text = "$first" if api == "graphql" else ""
    x3.faults({"fault": "none", "on": on(api), "path": path, "text": text, "nth": 3, "before": [change]})
    records = run_tap(small_pages(config), catalog=catalog).records("suppliers")
    names = [record["companyName"] for record in records if record["code"] == first["code"]]
    x3.set("BPSUPPLIER", first["code"], {"BPSNAM": first["companyName"]}, stamp=first["updatedDate"])
    assert names == [first["companyName"], "Moved"]
