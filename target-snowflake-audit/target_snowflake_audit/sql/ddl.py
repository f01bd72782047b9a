"""DDL of target tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.naming import AUDIT_COLUMNS
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, words

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import Column, StreamPlan


def create_schema(table: TableName) -> str:
    """CREATE SCHEMA of a table's schema."""
    return f"CREATE SCHEMA IF NOT EXISTS {table.schema_sql}"


def show_schemas(table: TableName) -> str:
    """SHOW SCHEMAS of the database; needs no warehouse."""
    return f"SHOW SCHEMAS IN DATABASE {identifier(table.database)}"


def describe(table: TableName) -> str:
    """DESCRIBE TABLE; needs no warehouse."""
    return f"DESCRIBE TABLE {table.sql}"


def create_table(plan: StreamPlan) -> str:
    """CREATE TABLE with the stream's columns, then the audit columns, then the key.

    The key is not enforced by Snowflake; it tells people and later runs what a row is.
    """
    columns = [_column(column) for column in plan.columns]
    columns += [
        f"{identifier(name)} {kind} COMMENT {literal(comment)}"
        for name, (kind, comment) in AUDIT_COLUMNS.items()
    ]
    if not plan.append:
        columns.append(f"PRIMARY KEY ({', '.join(identifier(plan.columns[at].name) for at in plan.key)})")
    comment = literal(f"Singer stream {plan.stream}; loaded by target-snowflake-audit")
    return words(
        f"CREATE {'TRANSIENT ' if plan.storage.transient else ''}TABLE IF NOT EXISTS",
        f"{plan.table.sql} ({', '.join(columns)})",
        "" if plan.storage.days is None else f"DATA_RETENTION_TIME_IN_DAYS = {plan.storage.days}",
        f"COMMENT = {comment}",
    )


def add_columns(table: TableName, columns: list[str]) -> str:
    """ALTER TABLE ADD COLUMN of several columns at once."""
    return f"ALTER TABLE {table.sql} ADD COLUMN {', '.join(columns)}"


def column(column: Column) -> str:
    """A column's definition."""
    return _column(column)


def audit_column(name: str) -> str:
    """An audit column's definition, for a table that somebody else made."""
    kind, comment = AUDIT_COLUMNS[name]
    return f"{identifier(name)} {kind} COMMENT {literal(comment)}"


def widen(table: TableName, name: str, kind: str) -> str:
    """ALTER COLUMN to a wider type of the same family."""
    return f"ALTER TABLE {table.sql} ALTER COLUMN {identifier(name)} SET DATA TYPE {kind}"


def drop_not_null(table: TableName, name: str) -> str:
    """ALTER COLUMN so that it takes null."""
    return f"ALTER TABLE {table.sql} ALTER COLUMN {identifier(name)} DROP NOT NULL"


def comment(table: TableName, name: str, text: str) -> str:
    """COMMENT ON COLUMN."""
    return f"COMMENT ON COLUMN {table.sql}.{identifier(name)} IS {literal(text)}"


def _column(column: Column) -> str:
    about = f" COMMENT {literal(column.comment)}" if column.comment else ""
    return f"{identifier(column.name)} {column.type.sql}{about}"
