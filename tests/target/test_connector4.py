"""The target under the connector's older line (4.8): tests of this folder run again, with that connector.

`.venv` has 5.x; a folder with 4.8 and what it needs comes before it on the path of a process of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from pinned_environment import overlay
from processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PINS = ROOT / "requirements" / "connector4.txt"
_PACKAGE = "snowflake-connector-python"


@pytest.fixture(scope="module")
def connector4() -> Path:
    return overlay(ROOT / "build" / "connector4", PINS)


def passed(folder: Path, tests: Sequence[str], *options: str) -> int:
    """Run tests with the older connector and give how many passed; none may fail or be skipped."""
    left_out = ("PYTEST_", "COV_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *options]
        + [f"tests/target/{name}" for name in tests],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**clean, "PYTHONPATH": str(folder), "EXPECTED_CONNECTOR": "4.8"},
        timeout=900,
        check=False,
    )
    last = ended.stdout.strip().splitlines()[-1]
    found = re.fullmatch(r"(\d+) passed(?:, \d+ deselected)? in .*", last)
    assert found, f"{ended.stdout[-6000:]}\n{ended.stderr[-2000:]}"
    return int(found[1])


def test_the_older_connector_comes_first(connector4: Path) -> None:
    [found] = metadata.distributions(name=_PACKAGE, path=[str(connector4)])
    assert found.version.startswith("4.8.")
    assert metadata.version(_PACKAGE).startswith("5.")
    code = "import snowflake.connector as c; print(c.__version__)"
    environment = {**os.environ, "PYTHONPATH": str(connector4)}
    out = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert out.strip() == found.version


def test_logins_and_a_load(connector4: Path) -> None:
    tests = [
        "test_logins.py::test_every_way_to_log_in",
        "test_logins.py::test_an_identity_that_cannot_be_shown_names_its_setting",
        "test_query_tag.py::test_the_statements_of_a_batch_name_run_stream_and_batch",
    ]
    assert passed(connector4, tests) == len(tests)


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("file", "least"),
    [
        ("test_sdk_suite.py", 16),
        ("test_logins.py", 12),
        ("test_query_tag.py", 10),
        ("test_loading.py", 20),
        ("test_interruptions.py", 10),
        ("test_long_runs.py", 5),
    ],
)
def test_a_file_of_tests(connector4: Path, file: str, least: int) -> None:
    assert passed(connector4, [file], "-m", "not full") >= least
