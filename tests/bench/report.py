"""What a benchmark run leaves: a table for people and `build/bench.json` for programs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pinned_environment
from rich.console import Console
from rich.table import Table

from . import environments
from .measure import MB
from .options import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .figures import Figure
    from .options import Options

OUR_PACKAGES = ("tap-sagex3", "target-snowflake-audit", "singer-sdk", "snowflake-connector-python")
PEER_PACKAGES = ("meltanolabs-target-snowflake", "singer-sdk", "snowflake-connector-python")


def write(path: Path, figures: Sequence[Figure], options: Options, failures: dict[str, str]) -> None:
    """Write the figures, each under its own name, then `about`: machine, versions, commit, date, options."""
    content: dict[str, Any] = {figure.name: figure.as_json() for figure in figures}
    content["about"] = about(options, failures)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def show(figures: Sequence[Figure], failures: dict[str, str]) -> None:
    """Print the figures with their spread, below them what each was made from, and what was not measured."""
    table = Table(title="Benchmarks: one run on this machine", title_justify="left")
    table.add_column("Figure", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True)
    for heading in ("Unit", "Runs"):
        table.add_column(heading)
    for figure in figures:
        shown = figure.as_json()
        table.add_row(figure.name, f"{shown['value']:g}", figure.unit, spread(shown["runs"]))
    console = Console()
    console.print(table)
    # Not a column: in a narrow terminal or a log it would be cut.
    for figure in figures:
        if figure.basis:
            basis = _plain(figure.basis)
            console.print(f"{figure.name}: {basis}", markup=False, highlight=False, soft_wrap=True)
    for name, reason in failures.items():
        console.print(f"not measured: {name}: {reason}", style="red", markup=False, highlight=False)


def _plain(value: object) -> str:
    """Give a value of `basis` as a person reads it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def spread(runs: Sequence[float]) -> str:
    """Give the number of runs with the lowest and highest of them."""
    if len(runs) == 1:
        return "1"
    return f"{len(runs)}: {min(runs):g} to {max(runs):g}"


def about(options: Options, failures: dict[str, str]) -> dict[str, Any]:
    """Tell what the figures were measured on, with what, and when."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain")),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MB,
            "system": platform.platform(),
            "python": platform.python_version(),
            "load_average_at_end": round(os.getloadavg()[0], 2),
        },
        "versions": {"ours": _versions("ours", OUR_PACKAGES), "peer": _versions("peer", PEER_PACKAGES)},
        "options": {
            "rows": options.rows,
            "scale": options.scale,
            "our_rounds": options.our_rounds,
            "peer_rounds": options.peer_rounds,
        },
        "not_measured": failures,
    }


def _versions(name: str, packages: Sequence[str]) -> dict[str, str]:
    folder = environments.HOME / "environments" / name
    return {package: pinned_environment.version(folder, package) for package in packages}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _git(*arguments: str) -> str:
    """Give git's answer, or nothing where the sources are not in a repository."""
    try:
        told = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    except OSError:
        return ""
    return told.stdout.strip()
