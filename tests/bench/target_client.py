"""How fast our target is by itself: every statement is answered at once by a stand-in for the connector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import environments, lines, time_split
from .candidates import SCHEMA
from .figures import Figure, median
from .measure import run_measured

if TYPE_CHECKING:
    from .options import Options

NAME = "target_client_rows_per_s"
_CONFIG = {
    "account": "stand-in",
    "user": "LOADER",
    "password": "none",
    "database": "ANALYTICS",
    "warehouse": "LOAD_WH",
    "default_target_schema": SCHEMA,
    "number_type": "NUMBER(38,4)",
}


def measure(options: Options, folder: Path) -> Figure:
    """Run the client alone, validation on; once more with its stack sampled, to tell where the time goes."""
    file = folder / "lines.jsonl"
    lines.write(file, options.rows)
    config = folder / "config.json"
    config.write_text(json.dumps(_CONFIG))
    runs = [_run(file, config, folder) for _ in range(options.our_rounds)]
    samples = _run(file, config, folder, sampled=True)["samples"]
    lines.write(file, options.rows, documents=True)
    scoped = [_run(file, config, folder) for _ in range(options.our_rounds)]
    time_split.show("client, % of samples", samples)
    return median(
        NAME,
        [options.rows / run["seconds"] for run in runs],
        cpu_s=[round(run["cpu_seconds"], 2) for run in runs],
        of_documents=[round(options.rows / run["seconds"]) for run in scoped],
        percent={name: round(value) for name, value in samples.items()},
    )


def _run(file: Path, config: Path, folder: Path, *, sampled: bool = False) -> dict[str, Any]:
    """Run it once and give its figures.

    Raises:
        BenchError: it failed.
    """
    figures = folder / "figures.json"
    wrapper = Path(__file__).with_name("client_wrapper.py")
    python = environments.ours() / "bin" / "python"
    command: list[str | Path] = [python, wrapper, config, figures, *(["sample"] if sampled else [])]
    run_measured(command, stdin=file, stdout=folder / "state.jsonl", log=folder / "log.txt")
    found: dict[str, Any] = json.loads(figures.read_text())
    return found
