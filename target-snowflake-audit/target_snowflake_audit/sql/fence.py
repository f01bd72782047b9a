"""Fences: one tiny table per target table; a batch updates its row, so writers of the table take turns.

A table of its own, not a row in a shared one: a standard table is locked as a whole until COMMIT, so a shared
fence would make all streams wait for each other.
"""

from __future__ import annotations

from hashlib import sha256

from target_snowflake_audit.sql.quoting import TableName, words

_DIGITS = 16


def fence_of(target: TableName, locks: TableName) -> TableName:
    """Name of a target table's fence; `locks` names database and lock schema (its table is ignored)."""
    digest = sha256(str(target).encode()).hexdigest()[:_DIGITS].upper()
    return TableName(locks.database, locks.schema, f"FENCE_{digest}")


def create(fence: TableName) -> str:
    """CREATE TABLE AS SELECT with its one row: table and row appear together or not at all."""
    return words("CREATE TABLE", fence.sql, 'AS SELECT CAST(0 AS NUMBER(38,0)) AS "EPOCH"')


def take(fence: TableName) -> str:
    """UPDATE that waits for the writer before us and holds the fence until COMMIT.

    The value says nothing, and must fit for ever: a column that was made of the literal 0 has one digit.
    """
    return words("UPDATE", fence.sql, 'SET "EPOCH" = 1 - "EPOCH"')
