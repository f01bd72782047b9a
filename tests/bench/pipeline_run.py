"""The main job, `meltano run tap-sagex3 target-snowflake-audit`, over REST, from server to warehouse."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from warehouse import select

from . import environments
from .figures import Figure, median
from .measure import BenchError, run_measured
from .options import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from sandboxes import Sandbox

    from .options import Options

NAME = "pipeline_rows_per_s"
NOT_LOADED = ("AUDIT", "AUDIT_LOCK", "INFORMATION_SCHEMA", "PUBLIC")


def measure(options: Options, sandbox: Sandbox, folder: Path) -> Figure:
    """Load everything once into an empty warehouse; rows are counted in its tables afterwards."""
    project = _project(folder / "project")
    measured = run_measured(
        [ROOT / ".venv" / "bin" / "meltano", "run", "tap-sagex3", "target-snowflake-audit"],
        directory=project,
        log=folder / "meltano.log",
        environment={**os.environ, **sandbox.environment, "MELTANO_ENVIRONMENT": "sandbox", "NO_COLOR": "1"},
    )
    rows = _rows(sandbox)
    if (entries := rows.get("GL_ENTRIES")) != options.scale:
        message = f"the local X3 has {options.scale} GL entries, the warehouse {entries}"
        raise BenchError(message)
    total = sum(rows.values())
    return median(
        NAME,
        [total / measured.seconds],
        rows=total,
        tables=len(rows),
        seconds=round(measured.seconds, 1),
        peak_mb=round(measured.peak_mb),
    )


def _project(folder: Path) -> Path:
    """Make a Meltano project like ours, with the plugins of the clean environment instead of `-e ./...`."""
    yaml = YAML()
    project = yaml.load((ROOT / "meltano.yml").read_text())
    binaries = environments.ours() / "bin"
    for group in ("extractors", "loaders"):
        for plugin in project["plugins"][group]:
            del plugin["pip_url"]
            plugin["executable"] = str(binaries / plugin["executable"])
    folder.mkdir()
    with (folder / "meltano.yml").open("w") as file:
        yaml.dump(project, file)
    return folder


def _rows(sandbox: Sandbox) -> dict[str, int]:
    """Give the rows of each loaded table."""
    tables = select(
        sandbox.environment,
        f'SHOW TABLES IN DATABASE "{sandbox.environment["TARGET_SNOWFLAKE_AUDIT_DATABASE"]}"',
    )
    names = [
        (table["schema_name"], table["name"]) for table in tables if table["schema_name"] not in NOT_LOADED
    ]
    counts = {}
    for schema, name in names:
        (row,) = select(sandbox.environment, f'SELECT COUNT(*) AS "N" FROM "{schema}"."{name}"')
        counts[name] = int(row["N"])
    return counts
