"""The tap alone against the local X3: time to the first record, and peak memory of a whole run."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from . import environments
from .figures import Figure, highest, median
from .measure import BenchError, run_measured, tail

if TYPE_CHECKING:
    from pathlib import Path

    from sandboxes import Sandbox

    from .options import Options

FIRST = "first_record_s"
PEAK = "tap_peak_mb"
RECORD = b'"RECORD"'


def measure_first(options: Options, sandbox: Sandbox, folder: Path) -> Figure:
    """Start the tap on a V12 (GraphQL, discovery included) until its first RECORD is on standard output."""
    runs = [_first_record(sandbox, folder) for _ in range(options.repeats)]
    return median(FIRST, runs, api="graphql")


def measure_peak(sandbox: Sandbox, folder: Path) -> Figure:
    """Read all default streams of a V12 and take the highest memory."""
    output = folder / "records.jsonl"
    measured = run_measured(
        [_tap(), "--config", "ENV"],
        stdout=output,
        log=folder / "tap.log",
        environment={**os.environ, **sandbox.environment},
    )
    with output.open("rb") as messages:
        records = sum(RECORD in line[:40] for line in messages)
    if not records:
        message = f"the tap sent no record:\n{tail(folder / 'tap.log')}"
        raise BenchError(message)
    return highest(
        PEAK,
        [measured.peak_mb],
        api="graphql",
        records=records,
        seconds=round(measured.seconds, 1),
        cpu_s=round(measured.cpu_seconds, 1),
    )


def _tap() -> Path:
    return environments.ours() / "bin" / "tap-sagex3"


def _first_record(sandbox: Sandbox, folder: Path) -> float:
    log = folder / "first.log"
    command: list[str | Path] = [_tap(), "--config", "ENV"]
    with log.open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, **sandbox.environment}
        )
    with process:
        if process.stdout is None:
            message = "the tap has no standard output"
            raise BenchError(message)
        for line in process.stdout:
            if RECORD in line[:40]:
                seconds = time.perf_counter() - started
                process.kill()
                return seconds
    message = f"the tap sent no record:\n{tail(log)}"
    raise BenchError(message)
