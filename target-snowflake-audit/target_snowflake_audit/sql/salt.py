"""The salt of redacted values: one row, made by Snowflake, in a table that readers of the trail cannot read.

It never stands in a statement's text, so the query history does not show it either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.sql.quoting import words

if TYPE_CHECKING:
    from target_snowflake_audit.sql.quoting import TableName


def create(table: TableName) -> str:
    """CREATE TABLE AS SELECT with its one row: two random UUIDs are 244 random bits."""
    return words(
        "CREATE TABLE", table.sql, 'AS SELECT SHA2(CONCAT(UUID_STRING(), UUID_STRING()), 256) AS "SALT"'
    )


def read(table: TableName) -> str:
    """SELECT of the salt."""
    return words('SELECT x."SALT" FROM', table.sql, "AS x")
