from __future__ import annotations

import os
import warnings
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from audited_server import audited_server
from service_worker import service_worker
from target_snowflake_audit.reading import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service_worker import Worker
    from target_world import World

SMALL_BLOCK = 800

# The connector announces changes of its own defaults; the target passes what it relies on.
warnings.filterwarnings("ignore", category=FutureWarning, module=r"snowflake\.connector.*")


@pytest.fixture(scope="session", autouse=True)
def _connector_is_the_one_meant() -> None:
    """Tests that run again under another connector must not run under the same one."""
    meant = os.environ.get("EXPECTED_CONNECTOR", "5.")
    assert metadata.version("snowflake-connector-python").startswith(meant)


@pytest.fixture(scope="session")
def _snowflake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One local Snowflake for all tests here, set up as an owner would."""
    with audited_server(tmp_path_factory.mktemp("snowflake")) as found:
        yield found


@pytest.fixture
def world(
    _snowflake: World, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """The local Snowflake, with a stream name and a schema that no other test uses.

    Input of a run in this process is read in small blocks: few records come in several, as many do.
    """
    monkeypatch.setattr(blocks, "BLOCK", SMALL_BLOCK)
    own = _snowflake.for_test(request.node.name)
    yield own
    _snowflake.control.clear_faults()
    _snowflake.tidy()


@pytest.fixture
def worker(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A service user with every kind of login."""
    # The connectors show a workload's token to Snowflake's own hosts only, unless this says otherwise.
    monkeypatch.setenv("SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES", "127.0.0.1")
    with service_worker(world, tmp_path) as made:
        yield made
