"""pytest plugin for the peer's environment: where the warehouse is, and what came of each test.

`PEER_SETTINGS` names a JSON file with `config` (the loader's), `address` (host, port and more for its
connector), `results` and `tables` (files to append a line of JSON to for each test).
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peer_tables
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

SETTINGS: dict[str, Any] = json.loads(Path(os.environ["PEER_SETTINGS"]).read_text())


def pytest_configure() -> None:
    """Point the peer's connector to the local warehouse; it has no setting for that."""
    connector = importlib.import_module("target_snowflake.connector").SnowflakeConnector
    original = connector.get_connect_args

    def with_address(self: object) -> dict[str, Any]:
        return {**original(self), **SETTINGS["address"]}

    connector.get_connect_args = with_address


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write down how the test ended, with the statement and the number of the error behind a failure."""
    report = yield
    if call.when == "call" or report.failed:
        error = call.excinfo.value if call.excinfo else None
        append("results", {"test": item.name, "passed": report.passed, "when": call.when, **_told(error)})
    return report


def _told(error: BaseException | None) -> dict[str, Any]:
    if error is None:
        return {}
    origin = getattr(error, "orig", None) or error
    return {
        "kind": type(error).__name__,
        "code": getattr(origin, "errno", None),
        "sqlstate": getattr(origin, "sqlstate", None),
        "message": str(origin)[:2000],
        "statement": getattr(error, "statement", None),
    }


def append(name: str, line: dict[str, Any]) -> None:
    """Add a line to one of the files."""
    with Path(SETTINGS[name]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, default=peer_tables.encoded) + "\n")


@pytest.fixture
def in_own_schema(request: pytest.FixtureRequest) -> Generator[None]:
    """Let the test load into a schema of its own, and write down what is in it afterwards."""
    schema = "T_" + "".join(c if c.isalnum() else "_" for c in request.node.name).upper()
    SETTINGS["config"]["default_target_schema"] = schema
    yield
    found = peer_tables.read(SETTINGS, schema)
    append("tables", {"test": request.node.name, **found})
