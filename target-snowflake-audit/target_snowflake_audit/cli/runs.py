"""`runs` and `batches`: what was loaded, when, and with which counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_snowflake_audit.cli import workspace
from target_snowflake_audit.cli.errors import FINE, FOUND_SOMETHING
from target_snowflake_audit.cli.options import configured, limited
from target_snowflake_audit.cli.output import Column, line, lower, print_all, print_json, table
from target_snowflake_audit.cli.reader import audit_rows
from target_snowflake_audit.cli.sql import runs as sql

if TYPE_CHECKING:
    from pathlib import Path

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
_BATCHES = [
    Column("Loaded (UTC)", "LOADED_AT"),
    Column("Table", "TARGET_TABLE"),
    Column("Operation", "OPERATION"),
    *(
        Column(name.capitalize(), name, right=True)
        for name in (
            "RECEIVED",
            "INSERTED",
            "UPDATED",
            "UNCHANGED",
            "DEDUPLICATED",
            "DELETED",
            "DEAD",
            "STALE",
            "REMOVED",
            "ATTEMPT",
        )
    ),
    Column("Run", "RUN_ID"),
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
        print_all([table("Batches", _BATCHES, rows) if rows else line("No batches.")])
    return FINE
