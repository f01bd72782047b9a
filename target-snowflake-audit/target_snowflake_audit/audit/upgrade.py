"""Brings an audit schema that an earlier version made up to date: the one place that knows what is missing.

`init-sql` prints the same statements for the owner; the target runs them itself where its role may, and else
says which table or column is missing and who adds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.audit.setup_sql import add_column, create_table
from target_snowflake_audit.audit.tables import TABLES
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.session import StatementError
from target_snowflake_audit.sql.quoting import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_snowflake_audit.session import Session

_SETTING = "audit_schema"


def complete(session: Session, database: str, schema: str) -> None:
    """Make the audit tables and columns that are missing. SHOW needs no warehouse.

    Raises:
        SettingError: something is missing and the role may not make it.
    """
    where = TableName(database, schema, "RUNS").schema_sql
    answer = session.execute(f"SHOW COLUMNS IN SCHEMA {where}", "show audit columns")
    table_at, column_at = (answer.columns.index(name) for name in ("table_name", "column_name"))
    found = by_table((str(row[table_at]), str(row[column_at])) for row in answer.rows)
    lacking = list(missing(found, database, schema))
    for what, sql in lacking:
        try:
            session.execute(sql, f"add {what}")
        except StatementError as error:
            rest = ", ".join(name for name, _ in lacking)
            problem = (
                f"{database}.{schema} lacks {rest}, and the role may not add it ({error.reason}); an owner "
                "runs what `snowflake-audit init-sql` prints, after an upgrade once more: it adds what is "
                "missing and changes nothing else"
            )
            raise SettingError(_SETTING, problem) from None


def by_table(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Gather (table, column) pairs."""
    found: dict[str, set[str]] = {}
    for table, column in pairs:
        found.setdefault(table, set()).add(column)
    return found


def missing(found: Mapping[str, set[str]], database: str, schema: str) -> Iterator[tuple[str, str]]:
    """Give what `found` (columns by table) lacks: its name for people, and the statement that adds it."""
    for table in TABLES:
        if table.name not in found:
            yield table.name, create_table(database, schema, table)
            continue
        for column in table.columns:
            if column.name not in found[table.name]:
                yield f"{table.name}.{column.name}", add_column(database, schema, table, column)
