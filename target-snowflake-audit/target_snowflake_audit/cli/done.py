"""Shows what `purge` and `erase` did, or would do; and turns their errors into one line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.output import Column, line, print_all, print_json, table
from target_snowflake_audit.errors import TargetError
from target_snowflake_audit.retry_classes import AUTHORISATION
from target_snowflake_audit.sql.quoting import TableName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_snowflake_audit.cli.sql.statement import Audit
    from target_snowflake_audit.purging import Done

_COLUMNS = [
    Column("Audit table", "audit_table"),
    Column("Table", "target_table"),
    Column("Rows", "rows", right=True),
    Column("Oldest (UTC)", "first"),
    Column("Newest (UTC)", "last"),
]


def names(audit: Audit) -> Callable[[str], TableName]:
    """Full names of audit tables."""
    return lambda table: TableName(audit.database, audit.schema, table)


@contextmanager
def told(command: str) -> Iterator[None]:
    """Name the command in what goes wrong, and say who may run it.

    Raises:
        CommandError: Snowflake refused a statement, or rows changed meanwhile.
    """
    from target_snowflake_audit.session import StatementError  # noqa: PLC0415 - costs what the connector costs

    try:
        yield
    except TargetError as error:
        refused = isinstance(error, StatementError) and error.error_class is AUTHORISATION
        hint = "; it needs the rights of role PURGER (setting `role`)" if refused else ""
        message = f"{command}: nothing was changed: {error}{hint}"
        raise CommandError(message) from None


def print_done(done: Done, what: str, *, as_json: bool) -> None:
    """Print the counts, and whether anything was changed; `what` is `deleted` or `blanked`."""
    parts = [vars(part) for part in done.parts]
    if as_json:
        print_json(_document(done, parts))
        return
    if not parts:
        print_all([line(f"Nothing to be {what}.")])
        return
    total = sum(part.rows for part in done.parts)
    if done.committed:
        title, last = what.capitalize(), f"{total} rows {what}; checkpoint {done.checkpoint}."
    else:
        title = f"Would be {what}"
        last = f"Nothing was changed: a dry run. With --yes, {total} rows are {what}."
    print_all([table(title, _COLUMNS, parts), line(last)])


def _document(done: Done, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "dry_run": not done.committed,
        "checkpoint_id": done.checkpoint if done.committed else None,
        "rows": sum(part.rows for part in done.parts),
        "parts": parts,
    }
