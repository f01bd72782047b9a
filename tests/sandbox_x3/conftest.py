"""Local X3 servers for the tests of this folder."""

from __future__ import annotations

import typing as t

import pytest
from processes import server
from x3_client import X3Client
from x3_control import X3Control

if t.TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def x3() -> Iterator[X3Client]:
    """A server of 300 GL entries that no test changes."""
    with server("local_x3", "--scale", "300") as running:
        client = X3Client(running.ready)
        yield client
        client.close()


@pytest.fixture(scope="session")
def truth(x3: X3Client) -> Iterator[X3Control]:
    """The control endpoint of the unchanged server, for reading."""
    with X3Control(x3.url) as control:
        yield control


@pytest.fixture
def own() -> Iterator[X3Client]:
    """A small server of one test's own, to change."""
    with server("local_x3", "--scale", "40") as running:
        client = X3Client(running.ready)
        yield client
        client.close()


@pytest.fixture
def control(own: X3Client) -> Iterator[X3Control]:
    """The control endpoint of the test's own server."""
    with X3Control(own.url) as found:
        yield found
