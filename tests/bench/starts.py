"""How long a person waits before anything happens: the commands' start and the sandbox's."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from sandboxes import sandbox

from . import environments
from .figures import Figure, median
from .measure import run_measured

if TYPE_CHECKING:
    from pathlib import Path

    from .options import Options

CLI = "cli_start_s"
SANDBOX = "sandbox_start_s"
COMMANDS = ("tap-sagex3", "target-snowflake-audit", "snowflake-audit")
SANDBOX_SCALE = 2_000


def measure_cli(options: Options, folder: Path) -> Figure:
    """Start each command with `--version` and `--help`; the figure is the slowest pair's median."""
    binaries = environments.ours() / "bin"
    seconds: dict[str, list[float]] = {}
    for command, flag in itertools.product(COMMANDS, ("--version", "--help")):
        runs = [
            run_measured([binaries / command, flag], log=folder / "cli.log").seconds
            for _ in range(options.repeats)
        ]
        seconds[f"{command} {flag}"] = runs
    figures = [median(CLI, runs, slowest=name) for name, runs in seconds.items()]
    return max(figures, key=lambda figure: figure.value)


def measure_sandbox(options: Options) -> Figure:
    """Start the sandbox with 2,000 GL entries until it says `ready`."""
    runs = []
    for _ in range(min(options.repeats, 3)):
        started = time.perf_counter()
        with sandbox("--scale", str(SANDBOX_SCALE)):
            runs.append(time.perf_counter() - started)
    return median(SANDBOX, runs, scale=SANDBOX_SCALE)
