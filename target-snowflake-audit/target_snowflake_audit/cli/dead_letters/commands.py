"""The commands of `dead-letters`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_snowflake_audit.cli import settings, workspace
from target_snowflake_audit.cli.dead_letters import render, replaying
from target_snowflake_audit.cli.dead_letters.lookup import one_letter, open_identifiers
from target_snowflake_audit.cli.errors import FINE, FOUND_SOMETHING, CommandError
from target_snowflake_audit.cli.options import configured, limited
from target_snowflake_audit.cli.output import print_all, print_json
from target_snowflake_audit.cli.reader import audit_rows
from target_snowflake_audit.cli.sql import dead_letters as sql
from target_snowflake_audit.cli.trace.lookup import readable_types
from target_snowflake_audit.cli.trace.names import full_name

if TYPE_CHECKING:
    from pathlib import Path

    from target_snowflake_audit.cli.reader import Reader, Row
    from target_snowflake_audit.cli.sql.statement import Audit


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


@dead_letters.command("replay")
@click.argument("letters", nargs=-1, metavar="[LETTER]...")
@click.option("--stream", default="", help="Every open letter of this Singer stream.")
@click.option("--all-open", is_flag=True, help="Every open letter.")
@click.option("--note", default="", help="What was mended; kept in the letter's events.")
@click.option(
    "--redacted-as-null",
    is_flag=True,
    help="Load null in place of values that `redact_columns` keeps out of the letters; without it such "
    "letters are not loaded.",
)
@click.option("--dry-run", is_flag=True, help="Show which letters would be loaded again; load nothing.")
@configured
def replay(
    *,
    letters: tuple[str, ...],
    stream: str,
    all_open: bool,
    note: str,
    redacted_as_null: bool,
    dry_run: bool,
    config: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Load refused records again, after their cause is mended.

    The records go the way of every record: the same checks, one transaction with their events. A record whose
    row is newer in the table by now is skipped, also when it would be refused again. Mend a cause with
    `column_types`, `stream_maps` or `schema_mapping`, with a wider column, or in the source.

    Ends with code 1 when a letter is still refused, or its table cannot take its stream.
    """
    if sum((bool(letters), bool(stream), all_open)) != 1:
        message = "dead-letters replay: give letters, or --stream, or --all-open"
        raise CommandError(message)
    with workspace.opened(config) as (reader, audit):
        chosen = _chosen(reader, audit, letters, stream)
        rows = replaying.letters(reader, audit, chosen, dry_run=dry_run)
    if dry_run or not rows:
        _print_dry_run(rows, as_json=as_json)
        return FINE
    outcomes = replaying.replay_letters(settings.read(config), rows, note, redacted_as_null=redacted_as_null)
    if as_json:
        print_json(render.outcomes_json(outcomes))
    else:
        print_all(render.outcome_parts(outcomes))
    return FOUND_SOMETHING if any(one.event == "replay_failed" for one in outcomes) else FINE


def _chosen(reader: Reader, audit: Audit, letters: tuple[str, ...], stream: str) -> list[str]:
    if letters:
        return [str(one_letter(reader, audit, letter)["DEAD_LETTER_ID"]) for letter in letters]
    return open_identifiers(reader, audit, sql.Filter(stream=stream))


def _print_dry_run(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": True, "letters": [row["DEAD_LETTER_ID"] for row in rows]})
    else:
        print_all(render.dry_run_parts(rows))
