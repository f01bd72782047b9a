"""DDL of target tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.naming import AUDIT_COLUMNS
from target_snowflake_audit.sql.quoting import TableName, identifier, literal

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
    """CREATE TABLE with the stream's columns, then the audit columns."""
    columns = [_column(column) for column in plan.columns]
    columns += [
        f"{identifier(name)} {kind} COMMENT {literal(comment)}"
        for name, (kind, comment) in AUDIT_COLUMNS.items()
    ]
    comment = literal(f"Singer stream {plan.stream}; loaded by target-snowflake-audit")
    return f"CREATE TABLE IF NOT EXISTS {plan.table.sql} ({', '.join(columns)}) COMMENT = {comment}"


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


def _column(column: Column) -> str:
    comment = f" COMMENT {literal(column.comment)}" if column.comment else ""
    return f"{identifier(column.name)} {column.type.sql}{comment}"
