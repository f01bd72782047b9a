"""Reading ahead: order, bound, errors in their place, and a thread that ends."""

from __future__ import annotations

import itertools
import threading
import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_runs import catalog_of, config_for, run_tap, run_tap_until_it_fails
from tap_sagex3.errors import ConnectionFailedError
from tap_sagex3.prefetch import Fetches, ahead
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FULL_PAGES = 3


class PageError(Exception):
    """A page that cannot be had."""


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def _threads() -> int:
    return sum(thread.name == "read-ahead" for thread in threading.enumerate())


@given(st.integers(0, 4), st.integers(0, 30))
def test_all_items_come_in_order(depth: int, count: int) -> None:
    assert list(ahead(iter(range(count)), depth)) == list(range(count))


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_no_more_than_depth_items_are_got_ahead(depth: int) -> None:
    got: list[int] = []

    def pages() -> Iterator[int]:
        for number in itertools.count():
            got.append(number)
            yield number

    reading = ahead(pages(), depth)
    for number in range(4):
        assert next(reading) == number
        assert _until(lambda number=number: len(got) == number + 1 + depth)  # type: ignore[misc]
        time.sleep(0.02)
        assert len(got) == number + 1 + depth
    t.cast("t.Any", reading).close()


def test_the_next_item_is_got_while_the_consumer_works() -> None:
    asked = threading.Event()

    def pages() -> Iterator[int]:
        yield 1
        asked.set()
        yield 2

    reading = ahead(pages(), 1)
    assert next(reading) == 1
    assert asked.wait(5)  # nobody asked for the second one yet


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_an_error_is_raised_where_its_item_would_be(depth: int) -> None:
    def pages() -> Iterator[int]:
        yield 1
        yield 2
        raise PageError

    reading = ahead(pages(), depth)
    assert [next(reading), next(reading)] == [1, 2]
    with pytest.raises(PageError):
        next(reading)
    with pytest.raises(StopIteration):
        next(reading)


def test_the_thread_ends_when_the_consumer_stops() -> None:
    assert _until(lambda: _threads() == 0)
    reading = ahead(itertools.count(), 2)
    assert next(reading) == 0
    assert _threads() == 1
    t.cast("t.Any", reading).close()
    assert _until(lambda: _threads() == 0)


def test_the_thread_ends_after_the_last_item() -> None:
    assert list(ahead(iter("abc"), 2)) == ["a", "b", "c"]
    assert _until(lambda: _threads() == 0)


@pytest.mark.parametrize("api", ["rest", "graphql"])
def test_records_do_not_depend_on_pages_read_ahead(api: str) -> None:
    with local_x3("--scale", "40") as running:
        config = {**config_for(running, api), "page_size": 7, "detail_workers": 1}
        catalog = catalog_of(config, "purchase_orders", "purchase_order_lines", "stock", "suppliers")
        runs = [run_tap({**config, "prefetch_pages": pages}, catalog=catalog) for pages in (0, 1, 4)]
    sent = [[(message["stream"], message["record"]) for message in run.of("RECORD")] for run in runs]
    assert sent[0]
    assert sent[0] == sent[1] == sent[2]


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_a_page_that_cannot_be_had_ends_the_run_after_those_before_it(pages: int) -> None:
    with local_x3("--scale", "4000") as running, X3Control(running.ready["url"]) as control:
        config = {
            **config_for(running, "rest"),
            "page_size": 50,
            "max_retries": 0,
            "prefetch_pages": pages,
            "detail_workers": 1,
        }
        catalog = catalog_of(config, "suppliers")
        control.faults(
            {"fault": "status", "status": 503, "on": "rest_query", "text": "", "nth": 5, "times": 99}
        )
        run, error = run_tap_until_it_fails(config, ConnectionFailedError, catalog=catalog)
    assert "503" in str(error)
    assert len(run.records("suppliers")) == 50 * FULL_PAGES


def test_what_comes_first_is_handed_over_first_and_an_error_where_it_would_come() -> None:
    fetches: Fetches[str] = Fetches(2)
    release = threading.Event()

    def slow() -> str:
        assert release.wait(5)
        return "slow"

    def broken() -> str:
        raise PageError

    fetches.ask(0, slow)
    fetches.ask(1, lambda: "fast")
    assert fetches.next() == (1, "fast")
    release.set()
    assert fetches.next() == (0, "slow")
    fetches.ask(2, broken)
    with pytest.raises(PageError):
        fetches.next()
    fetches.close()
    assert _until(lambda: not any(thread.name == "fetch" for thread in threading.enumerate()))
