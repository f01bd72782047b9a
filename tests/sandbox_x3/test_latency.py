"""A server that answers late: each request waits for itself only."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from x3_client import X3Client
    from x3_control import X3Control

LATENCY = 250
PATH = "/api1/x3/erp/SEED/GDIE?representation=GDIE.$query&count=1"


@pytest.fixture
def late(control: X3Control) -> Iterator[X3Control]:
    control.latency(LATENCY)
    yield control
    control.latency(0)


def _seconds(own: X3Client) -> float:
    started = time.perf_counter()
    assert own.get(PATH).status_code == 200
    return time.perf_counter() - started


@pytest.mark.usefixtures("late")
def test_requests_wait_side_by_side(own: X3Client) -> None:
    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        each = list(pool.map(lambda _: _seconds(own), range(8)))
    assert min(each) >= LATENCY / 1000
    assert time.perf_counter() - started < 4 * LATENCY / 1000


def test_latency_ends(own: X3Client, late: X3Control) -> None:
    late.latency(0)
    assert _seconds(own) < LATENCY / 1000
