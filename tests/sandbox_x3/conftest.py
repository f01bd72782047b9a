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


@pytest.fixture(scope="session")
def changing() -> Iterator[tuple[X3Client, X3Control]]:
    """A small server that tests change, one after the other."""
    with server("local_x3", "--scale", "40") as running, X3Control(running.ready["url"]) as control:
        client = X3Client(running.ready)
        yield client, control
        client.close()


@pytest.fixture
def own(changing: tuple[X3Client, X3Control]) -> X3Client:
    """The changing server, as it was at its start."""
    client, control = changing
    control.reset()
    return client


@pytest.fixture
def control(own: X3Client, changing: tuple[X3Client, X3Control]) -> X3Control:
    """The control endpoint of the changing server."""
    assert own is changing[0]
    return changing[1]
