"""The benchmark program runs from end to end and leaves its file; no time is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .options import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.alone


def _bench(output: Path, *only: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--rows", "300", "--scale", "50"]
    ended = subprocess.run(
        [*command, "--only", ",".join(only), "--output", str(output)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests/support"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for name in only:
        assert name in ended.stdout
    written: dict[str, Any] = json.loads(output.read_text())
    return written


def _assert_figures(written: dict[str, Any], *names: str) -> None:
    assert set(written) == {*names, "about"}
    for name in names:
        assert set(written[name]) >= {"value", "unit", "runs"}
        assert written[name]["runs"]
    assert set(written["about"]) >= {"date", "commit", "machine", "versions", "options"}
    assert written["about"]["not_measured"] == {}


def test_loads_side_by_side_with_the_peer(tmp_path: Path) -> None:
    names = (
        "target_vs_meltanolabs_new",
        "target_vs_meltanolabs_unchanged",
        "target_vs_meltanolabs_changed",
        "target_vs_meltanolabs_tuned",
        "target_peak_mb",
        "statements_per_batch",
        "warehouse_statements_when_empty",
    )
    written = _bench(tmp_path / "bench.json", *names)
    _assert_figures(written, *names)
    assert written["warehouse_statements_when_empty"]["value"] == 0
    assert written["statements_per_batch"]["value"] <= 16
    assert written["about"]["versions"]["peer"]["meltanolabs-target-snowflake"] == "0.20.4"


def test_figures_of_the_target_alone(tmp_path: Path) -> None:
    names = (
        "target_vs_meltanolabs_20_streams",
        "dirty_vs_clean",
        "target_memory_1m_vs_100k",
        "target_client_rows_per_s",
    )
    written = _bench(tmp_path / "bench.json", *names)
    _assert_figures(written, *names)
    assert written["dirty_vs_clean"]["basis"]["ways"] == 6  # 1 % of 600
    assert written["target_client_rows_per_s"]["basis"]["percent"]


def test_figures_of_the_sandbox_the_tap_and_the_main_job(tmp_path: Path) -> None:
    names = (
        "first_record_s",
        "tap_peak_mb",
        "pipeline_rows_per_s",
        "cli_start_s",
        "x3_rest_rows_per_s",
        "x3_graphql_rows_per_s",
    )
    _assert_figures(_bench(tmp_path / "bench.json", *names), *names)


def test_figures_of_the_tap_beside_a_plain_one(tmp_path: Path) -> None:
    names = (
        "tap_vs_sdk_0ms",
        "tap_vs_sdk_20ms",
        "tap_details_16_vs_sequential",
        "tap_graphql_docs_per_s",
        "tap_memory_1m_vs_100k",
    )
    written = _bench(tmp_path / "bench.json", *names)
    _assert_figures(written, *names)
    assert written["tap_vs_sdk_0ms"]["basis"]["rows"] == 1_120
