"""Sandboxes for the end-to-end tests: each test that changes data gets one of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sandboxes import Sandbox, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def v12() -> Iterator[Sandbox]:
    """X3 V12: GraphQL with a connected application."""
    with sandbox("--scale", "12", "--x3-version", "V12") as running:
        yield running


@pytest.fixture
def v11() -> Iterator[Sandbox]:
    """X3 V11: REST with Basic."""
    with sandbox("--scale", "12", "--x3-version", "V11") as running:
        yield running


@pytest.fixture(params=["V12", pytest.param("V11", marks=pytest.mark.full)])
def either(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Both versions in turn, the older one in `make test-full` only: what holds must hold through both."""
    with sandbox("--scale", "12", "--x3-version", request.param) as running:
        yield running


def pytest_configure() -> None:
    """Keep Meltano's own messages short and its tracking off."""
    os.environ.setdefault("MELTANO_SEND_ANONYMOUS_USAGE_STATS", "false")
