"""The local X3, started once for all tests of the tap, and configurations for it."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from processes import ROOT, Server
from tap_runs import config_for
from tap_sagex3 import transport
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_runs import Alter, Config
    from tap_sagex3.transport import Answer
    from tap_sagex3.web.body import Received

SCALE = "30"
APIS = ("rest", "graphql")


@pytest.fixture(scope="session")
def running_x3() -> Iterator[Server]:
    """A local X3 with generated data, shared; tests that change data change records of their own."""
    with local_x3("--port", "0", "--scale", SCALE, "--seed", "7") as running:
        yield running


@pytest.fixture(scope="session")
def fixture_x3() -> Iterator[Server]:
    """A local X3 that serves the hand-written fixture."""
    folder = ROOT / "tests" / "support" / "fixture"
    with local_x3("--port", "0", "--fixture", str(folder)) as running:
        yield running


@pytest.fixture
def x3(running_x3: Server) -> Iterator[X3Control]:
    """Control of the shared local X3; faults, exposed stamps and clock are reset afterwards."""
    with X3Control(running_x3.ready["url"]) as control:
        control.reset_counters()
        yield control
        control.faults()
        control.reset_clock()


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> str:
    """Each of the two APIs."""
    return t.cast("str", request.param)


@pytest.fixture
def config(running_x3: Server, api: str) -> Config:
    """Configuration of the shared local X3 for the API."""
    return config_for(running_x3, api)


@pytest.fixture
def rest_config(running_x3: Server) -> Config:
    """Configuration of the shared local X3 for REST."""
    return config_for(running_x3, "rest")


@pytest.fixture
def graphql_config(running_x3: Server) -> Config:
    """Configuration of the shared local X3 for GraphQL."""
    return config_for(running_x3, "graphql")


@pytest.fixture
def alter(monkeypatch: pytest.MonkeyPatch) -> Callable[[Alter], None]:
    """Change answers on their way to the tap, as servers do that the local X3 cannot play."""
    read = transport._read  # noqa: SLF001 - the one place that all answers pass

    def install(change: Alter) -> None:
        def altered(received: Received, url: str, _decode: object) -> Answer:
            answer = read(received, url, None)
            body = change(url, answer.body)
            return answer if body is None else dataclasses.replace(answer, body=body)

        monkeypatch.setattr(transport, "_read", altered)

    return install
