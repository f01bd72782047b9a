"""Runs the standard suite of the peer's SDK in the peer's environment and reads what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import contents, exceptions

if TYPE_CHECKING:
    from .exceptions import Exempt
    from .servers import Warehouse

IN_PEER = Path(__file__).with_name("in_peer")
TIMEOUT_SECONDS = 600
NOT_FAILED = {0, 1}  # pytest's exit codes for "all passed" and "some failed"


@dataclass(frozen=True)
class Outcome:
    """What came of one test: whether it passed, why not, and what is wrong with the rows that it left."""

    test: str
    passed: bool
    code: int | None = None
    sqlstate: str | None = None
    message: str = ""
    statement: str = ""
    wrong: str = ""

    @property
    def good(self) -> bool:
        """Whether it passed and left what it should."""
        return self.passed and not self.wrong


def run(environment: Path, warehouse: Warehouse) -> dict[str, Outcome]:
    """Run every test that the SDK in `environment` lists, and compare the rows with its streams.

    Raises:
        RuntimeError: pytest did not run, or ran none.
    """
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        folder = Path(name)
        results, tables = folder / "results.jsonl", folder / "tables.jsonl"
        settings = folder / "settings.json"
        settings.touch(mode=0o600)
        settings.write_text(
            json.dumps(
                {
                    "config": warehouse.config,
                    "address": warehouse.address,
                    "results": str(results),
                    "tables": str(tables),
                }
            )
        )
        _pytest(environment, settings)
        streams = contents.streams(environment)
        left = {line["test"]: line for line in _lines(tables)}
        return {line["test"]: _outcome(line, left.get(line["test"], {}), streams) for line in _lines(results)}


def _pytest(environment: Path, settings: Path) -> None:
    command: list[str | Path] = [
        environment / "bin" / "python", "-m", "pytest", "-q", "-p", "peer_plugin", "-p", "no:cacheprovider",
        "--config-file", os.devnull, "--rootdir", IN_PEER, IN_PEER / "standard_suite.py",
    ]  # fmt: skip
    ended = subprocess.run(
        command,
        cwd=settings.parent,
        env={**os.environ, "PYTHONPATH": str(IN_PEER), "PEER_SETTINGS": str(settings)},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    if ended.returncode not in NOT_FAILED:
        message = f"pytest in {environment} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}"
        raise RuntimeError(message)


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line, object_hook=_decoded) for line in file.read_text(encoding="utf-8").splitlines()]


def _decoded(value: dict[str, Any]) -> Any:  # noqa: ANN401 - what `peer_tables.encoded` marked
    if value.keys() == {"$decimal"}:
        return Decimal(value["$decimal"])
    return value["$time"] if value.keys() == {"$time"} else value


def _outcome(line: dict[str, Any], left: dict[str, Any], streams: dict[str, str]) -> Outcome:
    test = line["test"]
    wrong = ""
    if line["passed"]:
        wrong = contents.differences(test, streams, left)
    return Outcome(
        test,
        bool(line["passed"]),
        line.get("code"),
        line.get("sqlstate"),
        line.get("message") or "",
        line.get("statement") or "",
        wrong,
    )


def listed(environment: Path) -> set[str]:
    """The names of the tests that the SDK in `environment` lists for targets, asked from the SDK itself."""
    code = "from singer_sdk.testing.suites import target_tests as s; print(*(t.name for t in s.tests))"
    asked = subprocess.run(
        [environment / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    )
    return {contents.PREFIX + name for name in asked.stdout.split()}


def problems(outcomes: dict[str, Outcome], known: dict[str, Exempt], wanted: set[str]) -> dict[str, str]:
    """What is not as it must be on our local Snowflake, by test."""
    found = {test: exceptions.complaint(outcome, known) for test, outcome in outcomes.items()}
    missing = dict.fromkeys(
        (wanted | known.keys()) - {test.partition("[")[0] for test in outcomes}, "did not run"
    )
    return {test: problem for test, problem in (found | missing).items() if problem}
