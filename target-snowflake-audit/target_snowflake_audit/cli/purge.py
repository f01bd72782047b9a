"""`purge`: retention of the audit tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_snowflake_audit.audit.rights import PURGED
from target_snowflake_audit.cli import workspace
from target_snowflake_audit.cli.done import names, print_done, told
from target_snowflake_audit.cli.errors import FINE
from target_snowflake_audit.cli.options import configured

if TYPE_CHECKING:
    from pathlib import Path

_TABLES = [table.name.lower() for table in PURGED]


@click.command("purge")
@click.option(
    "--older-than", "days", type=click.IntRange(min=1), required=True, metavar="DAYS", help="Age in days."
)
@click.option("--reason", required=True, help="Why, for example the rule; kept in CHECKPOINTS.")
@click.option(
    "--only", multiple=True, type=click.Choice(_TABLES), help="Only this audit table; may be repeated."
)
@click.option("--yes", is_flag=True, help="Delete. Without it, nothing is changed and the counts are shown.")
@configured
def purge(
    *, days: int, reason: str, only: tuple[str, ...], yes: bool, config: tuple[Path, ...], as_json: bool
) -> int:
    """Delete old rows of the audit tables, after writing down in CHECKPOINTS what they were.

    The latest state of each thing stays whatever its age: the newest version of each record that is not
    deleted, open dead letters, the last batch and watermark of each table. Target tables are not touched.
    Needs the rights of role PURGER; everything is one transaction.
    """
    from target_snowflake_audit import purging  # noqa: PLC0415 - needs the connector, which costs a second

    with workspace.opened(config) as (reader, audit), told("purge"):
        done = purging.purge(
            reader.session,
            names(audit),
            days=days,
            reason=reason,
            only=[name.upper() for name in only],
            commit=yes,
        )
    print_done(done, "deleted", as_json=as_json)
    return FINE
