"""Statements that follow one record, or one document, through the audit tables and the target tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.audit.tables import BATCHES, RECORD_HISTORY, RETRIES
from target_snowflake_audit.cli.sql.statement import (
    Audit,
    Condition,
    Statement,
    equals,
    listed,
    one_of,
    select,
)
from target_snowflake_audit.sql.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_snowflake_audit.sql.quoting import TableName

NOT_DELETED = Condition('"_AUDIT_DELETED_AT" IS NULL')


def loaded_tables(audit: Audit) -> Statement:
    """Each stream and table that a batch was ever loaded into."""
    return select(
        'DISTINCT "STREAM", "TARGET_TABLE"', audit.name("BATCHES"), order='"STREAM", "TARGET_TABLE"'
    )


def a_key(audit: Audit, table: str) -> Statement:
    """The key of any record of a table, for the names of the key columns."""
    conditions = [equals("TARGET_TABLE", table), Condition('"KEY" IS NOT NULL')]
    return select('"KEY"', audit.name("RECORD_HISTORY"), conditions, limit=1)


def a_refused_key(audit: Audit, table: str) -> Statement:
    """The key of any refused record of a table: there may be nothing else yet."""
    conditions = [equals("TARGET_TABLE", table), Condition('"KEY" IS NOT NULL')]
    return select('"KEY"', audit.name("DEAD_LETTERS"), conditions, limit=1)


def history(audit: Audit, table: str, key_hash: str) -> Statement:
    """Versions of a record, oldest first."""
    conditions = [equals("TARGET_TABLE", table), equals("KEY_HASH", key_hash)]
    return select(
        listed(RECORD_HISTORY.names), audit.name("RECORD_HISTORY"), conditions, order='"LOADED_AT", "SEQ"'
    )


def batches(audit: Audit, identifiers: Sequence[str]) -> Statement:
    """Batches by identifier."""
    return select(listed(BATCHES.names), audit.name("BATCHES"), [one_of("BATCH_ID", identifiers)])


def retries(audit: Audit, identifiers: Sequence[str]) -> Statement:
    """Failed attempts of batches, in order."""
    conditions = [one_of("BATCH_ID", identifiers)]
    return select(listed(RETRIES.names), audit.name("RETRIES"), conditions, order='"BATCH_ID", "ATTEMPT"')


def rows(
    table: TableName, columns: Sequence[str], key: Mapping[str, str | int], *, order: Sequence[str] = ()
) -> Statement:
    """Rows of a target table by the values of some columns, soft-deleted ones included."""
    conditions = [equals(column, value) for column, value in key.items()]
    return select(listed(columns), table.sql, conditions, order=listed(order))


def live_rows(
    table: TableName, columns: Sequence[str], key: Mapping[str, str | int], *, order: Sequence[str] = ()
) -> Statement:
    """Rows of a target table by the values of some columns, without soft-deleted ones."""
    conditions = [*(equals(column, value) for column, value in key.items()), NOT_DELETED]
    return select(listed(columns), table.sql, conditions, order=listed(order))


def columns(table: TableName) -> Statement:
    """Columns and types of a table; SHOW and DESCRIBE need no warehouse."""
    return Statement(f"DESCRIBE TABLE {table.sql}")


def use_database(database: str) -> Statement:
    """Make a database the session's own; fails when it does not exist or may not be used."""
    return Statement(f"USE DATABASE {identifier(database)}")
