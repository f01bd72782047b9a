"""Statements that follow one record, or one document, through the audit tables and the target tables."""

from __future__ import annotations

from dataclasses import replace
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
from target_snowflake_audit.redaction import HASHED, MASKED
from target_snowflake_audit.sql.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from target_snowflake_audit.sql.quoting import TableName

NOT_DELETED = Condition('"_AUDIT_DELETED_AT" IS NULL')


def loaded_tables(audit: Audit) -> Statement:
    """Each stream and table that a batch was ever loaded into."""
    columns = ("STREAM", "TARGET_TABLE")
    return select(columns, audit.name("BATCHES"), order=listed(columns), distinct=True)


def a_key(audit: Audit, source: str, table: str) -> Statement:
    """The key of any record of a table, from RECORD_HISTORY or DEAD_LETTERS."""
    present = Condition('"KEY_HASH" IS NOT NULL AND "KEY" IS NOT NULL')  # the key of an erased record is null
    conditions = [equals("TARGET_TABLE", table), present]
    return select(("KEY", "KEY_HASH"), audit.name(source), conditions, limit=1)


def key_columns(audit: Audit, source: str, table: str) -> Statement:
    """Names of the key columns of records that are not erased, from RECORD_HISTORY or DEAD_LETTERS."""
    return _of_keys(audit, source, table, "f.KEY")


def key_values(audit: Audit, source: str, table: str, column: str) -> Statement:
    """Values of a key column of a table's records that are not erased, as text."""
    return _of_keys(audit, source, table, "f.VALUE::VARCHAR", Condition("f.KEY = %s", (column,)))


def redacted_key(audit: Audit, source: str, table: str, column: str) -> Statement:
    """A redacted value of a key column, where there is one."""
    looks_so = Condition("(f.VALUE::VARCHAR = %s OR STARTSWITH(f.VALUE::VARCHAR, %s))", (MASKED, HASHED))
    of_column = Condition("f.KEY = %s", (column,))
    return _of_keys(audit, source, table, "f.VALUE::VARCHAR", of_column, looks_so, limit=1)


def _of_keys(
    audit: Audit, source: str, table: str, what: str, *more: Condition, limit: int | None = None
) -> Statement:
    """Distinct values out of KEY, member by member; the KEY of an erased record is null."""
    conditions = [Condition('r."TARGET_TABLE" = %s', (table,)), *more]
    parts = ["SELECT DISTINCT", what, 'AS "FOUND" FROM', audit.name(source)]
    parts += ['AS r, LATERAL FLATTEN(INPUT => r."KEY") AS f WHERE']
    parts += [" AND ".join(condition.text for condition in conditions)]
    parts += [f"LIMIT {int(limit)}"] if limit is not None else []
    values = tuple(value for condition in conditions for value in condition.values)
    return Statement(" ".join(parts), values, ("FOUND",))


def history(audit: Audit, table: str, key_hash: str) -> Statement:
    """Versions of a record, oldest first."""
    conditions = [equals("TARGET_TABLE", table), equals("KEY_HASH", key_hash)]
    source = audit.name("RECORD_HISTORY")
    return select(RECORD_HISTORY.names, source, conditions, order='"LOADED_AT", "SEQ"')


def batches(audit: Audit, identifiers: Sequence[str]) -> Statement:
    """Batches by identifier."""
    return select(BATCHES.names, audit.name("BATCHES"), [one_of("BATCH_ID", identifiers)])


def retries(audit: Audit, identifiers: Sequence[str]) -> Statement:
    """Failed attempts of batches, in order."""
    conditions = [one_of("BATCH_ID", identifiers)]
    return select(RETRIES.names, audit.name("RETRIES"), conditions, order='"BATCH_ID", "ATTEMPT"')


def rows(
    table: TableName,
    columns: Sequence[str],
    key: Mapping[str, str | int],
    *,
    order: Sequence[str] = (),
    stamps: Collection[str] = (),
) -> Statement:
    """Rows of a target table by the values of some columns, soft-deleted ones included.

    `stamps` are columns of times without a zone that come as text: the connector cuts off nanoseconds.
    """
    conditions = [equals(column, value) for column, value in key.items()]
    made = select(columns, table.sql, conditions, order=listed(order))
    what = ", ".join(_stamp(name) if name in stamps else identifier(name) for name in columns)
    return replace(made, text=f"SELECT {what}{made.text.removeprefix(f'SELECT {listed(columns)}')}")


def _stamp(column: str) -> str:
    return f"TO_VARCHAR({identifier(column)}, 'YYYY-MM-DD HH24:MI:SS.FF9')"


def live_rows(
    table: TableName, columns: Sequence[str], key: Mapping[str, str | int], *, order: Sequence[str] = ()
) -> Statement:
    """Rows of a target table by the values of some columns, without soft-deleted ones."""
    conditions = [*(equals(column, value) for column, value in key.items()), NOT_DELETED]
    return select(columns, table.sql, conditions, order=listed(order))


def columns(table: TableName) -> Statement:
    """Columns and types of a table; SHOW and DESCRIBE need no warehouse."""
    return Statement(f"DESCRIBE TABLE {table.sql}", columns=("name", "type"))
