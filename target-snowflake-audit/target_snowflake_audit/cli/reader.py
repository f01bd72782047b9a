"""What the commands need of a connection, and how rows from it become values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from target_snowflake_audit.audit.tables import JSON, TABLES
from target_snowflake_audit.cli.text import exact_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_snowflake_audit.cli.sql.statement import Statement

Row = dict[str, Any]

AUDIT_JSON = frozenset(column.name for table in TABLES for column in table.columns if column.type == JSON)
"""VARIANT columns of the audit tables; the connector gives them as JSON text."""

SEMI_STRUCTURED = ("VARIANT", "OBJECT", "ARRAY")


class Reader(Protocol):
    """Runs statements one by one in a session of its own."""

    def rows(self, statement: Statement) -> list[Row]:
        """Run a statement and give its rows by column name as stored.

        Raises:
            CommandError: Snowflake refused it.
        """


def audit_rows(reader: Reader, statement: Statement) -> list[Row]:
    """Read rows of audit tables, JSON columns decoded with exact numbers."""
    return [decoded(row, AUDIT_JSON) for row in reader.rows(statement)]


def decoded(row: Mapping[str, Any], columns: Iterable[str]) -> Row:
    """Decode the JSON text of some columns; text that is not JSON stays as it is."""
    values = dict(row)
    for column in columns:
        if isinstance(values.get(column), str):
            values[column] = _json(values[column])
    return values


def _json(text: str) -> object:
    try:
        return exact_json(text)
    except ValueError:
        return text
