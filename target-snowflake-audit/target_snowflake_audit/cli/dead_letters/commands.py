"""The commands of `dead-letters`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_snowflake_audit.cli import workspace
from target_snowflake_audit.cli.dead_letters import render
from target_snowflake_audit.cli.dead_letters.lookup import one_letter
from target_snowflake_audit.cli.errors import FINE, FOUND_SOMETHING
from target_snowflake_audit.cli.options import configured, limited
from target_snowflake_audit.cli.output import print_all, print_json
from target_snowflake_audit.cli.reader import audit_rows
from target_snowflake_audit.cli.sql import dead_letters as sql
from target_snowflake_audit.cli.trace.lookup import readable_types
from target_snowflake_audit.cli.trace.names import full_name

if TYPE_CHECKING:
    from pathlib import Path


STATUSES = ("open", "replayed", "skipped", "all")


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that were refused: list them, look at one, load them again."""


@dead_letters.command("list")
@click.option("--stream", default="", help="Only letters of this Singer stream.")
@click.option("--reason", default="", help="Only letters with this reason code.")
@click.option("--column", default="", help="Only letters in which this column or property is bad.")
@click.option("--run", default="", help="Only letters of this run.")
@click.option(
    "--status", type=click.Choice(STATUSES), default="open", show_default=True, help="What became of them."
)
@limited(50)
@configured
def list_(
    *,
    stream: str,
    reason: str,
    column: str,
    run: str,
    status: str,
    limit: int,
    config: tuple[Path, ...],
    as_json: bool,
) -> int:
    """List dead letters, newest first.

    Ends with code 1 when a listed letter still waits for somebody.
    """
    wanted = sql.Filter(status=status, stream=stream, reason=reason, column=column, run=run)
    with workspace.opened(config) as (reader, audit):
        rows = audit_rows(reader, sql.list_letters(audit, wanted, limit))
        total = len(rows) if len(rows) < limit else reader.rows(sql.count_letters(audit, wanted))[0]["TOTAL"]
    if as_json:
        print_json(render.list_json(rows, total))
    else:
        print_all(render.list_parts(rows, total, status))
    return FOUND_SOMETHING if any(row["STATUS"] not in sql.CLOSED for row in rows) else FINE


@dead_letters.command("show")
@click.argument("letter")
@configured
def show(*, letter: str, config: tuple[Path, ...], as_json: bool) -> int:
    """Show one dead letter: the record with its bad values marked, why, and what was done about it.

    LETTER is its identifier, or the first 6 or more characters of it.
    """
    with workspace.opened(config) as (reader, audit):
        found = one_letter(reader, audit, letter)
        events = audit_rows(reader, sql.events(audit, [found["DEAD_LETTER_ID"]]))
        types = readable_types(reader, full_name(found["TARGET_TABLE"]))
    if as_json:
        print_json(render.letter_json(found, events, types))
    else:
        print_all(render.letter_parts(found, events, types))
    return FINE
