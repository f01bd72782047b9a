"""`runs` and `batches`: what was loaded, when, and with which counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from target_snowflake_audit.cli import workspace
from target_snowflake_audit.cli.errors import FINE, FOUND_SOMETHING
from target_snowflake_audit.cli.options import configured, limited
from target_snowflake_audit.cli.output import SHORT_ID, Column, line, lower, print_all, print_json, table
from target_snowflake_audit.cli.reader import audit_rows
from target_snowflake_audit.cli.sql import runs as sql

if TYPE_CHECKING:
    from pathlib import Path

    from target_snowflake_audit.cli.reader import Row

_RUNS = [
    Column("Run", "RUN_ID"),
    Column("Started (UTC)", "STARTED_AT"),
    Column("Status", "STATUS"),
    Column("Batches", "BATCHES", right=True),
    Column("Records", "RECORDS", right=True),
    Column("Dead letters", "DEAD_LETTERS", right=True),
    Column("By", "ACTOR"),
    Column("Error", "ERROR"),
]
_COUNTS = (
    "INSERTED",
    "UPDATED",
    "UNCHANGED",
    "DEDUPLICATED",
    "DELETED",
    "DEAD",
    "STALE",
    "REMOVED",
)
_BATCHES = [
    Column("Loaded (UTC)", "LOADED_AT"),
    Column("Table", "TARGET_TABLE"),
    Column("Operation", "OPERATION"),
    Column("Received", "RECEIVED", right=True),
    Column("Of them", "counts"),
    Column("Attempt", "ATTEMPT", right=True),
    Column("Batch", "batch"),
    Column("Run", "run"),
]


@click.command("runs")
@limited(20)
@configured
def runs(*, limit: int, config: tuple[Path, ...], as_json: bool) -> int:
    """List runs, newest first.

    Ends with code 1 when a listed run failed or was interrupted.
    """
    with workspace.opened(config) as (reader, audit):
        rows = audit_rows(reader, sql.runs(audit, limit))
    if as_json:
        print_json({"runs": [lower(row) for row in rows]})
    else:
        print_all([table("Runs", _RUNS, rows) if rows else line("No runs.")])
    return FOUND_SOMETHING if any(row["STATUS"] in {"failed", "interrupted"} for row in rows) else FINE


@click.command("batches")
@click.option("--run", default="", help="Only batches of this run.")
@click.option("--stream", default="", help="Only batches of this Singer stream.")
@limited(50)
@configured
def batches(*, run: str, stream: str, limit: int, config: tuple[Path, ...], as_json: bool) -> int:
    """List committed batches with their counts, newest first.

    Received = inserted + updated + unchanged + deduplicated + deleted + dead.
    """
    with workspace.opened(config) as (reader, audit):
        rows = audit_rows(reader, sql.batches(audit, run=run, stream=stream, limit=limit))
    if as_json:
        print_json({"batches": [lower(row) for row in rows]})
    else:
        print_all([table("Batches", _BATCHES, map(_batch_row, rows)) if rows else line("No batches.")])
    return FINE


def _batch_row(row: Row) -> dict[str, Any]:
    """Only counts above zero: most batches have one or two."""
    counts = ", ".join(f"{row[name]} {name.lower()}" for name in _COUNTS if row[name])
    short = {"batch": row["BATCH_ID"][:SHORT_ID], "run": row["RUN_ID"][:SHORT_ID]}
    return {**row, **short, "counts": counts}
