from __future__ import annotations

from typing import TYPE_CHECKING

import live_account
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_world import World


@pytest.fixture(scope="session")
def _account() -> Iterator[World]:
    """The account that the environment names; without one every test is skipped, with what to set."""
    found = live_account.world()
    yield found
    found.close()


@pytest.fixture
def world(_account: World, request: pytest.FixtureRequest) -> World:
    """The account, with a stream name and a schema that no other test uses."""
    return _account.for_test(f"live {request.node.name}")
