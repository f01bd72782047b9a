"""Writes rows into audit tables and target tables by hand, for tests of what reads them."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import BY_NAME, JSON
from target_snowflake_audit.sql.quoting import identifier, literal
from warehouse import administrator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Writer:
    """A session of the administrator in the local Snowflake."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        """`ready` is the server's ready line."""
        self._connection = administrator(ready, database=ready["database"], warehouse=ready["warehouse"])

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement."""
        with closing(self._connection.cursor()) as cursor:
            return list(cursor.execute(sql).fetchall())

    def audit(self, table: str, **values: object) -> None:
        """Insert one row; columns that may not be null and are not given get a plain value."""
        columns = {column.name: column for column in BY_NAME[table].columns}
        defaults = {name: _plain(column.type) for name, column in columns.items() if column.required}
        given = {**defaults, **values}
        json_columns = {name for name, column in columns.items() if column.type == JSON}
        self._insert(f'"AUDIT".{identifier(table)}', given, json_columns)

    def target(self, table: str, json_columns: Sequence[str] = (), **values: object) -> None:
        """Insert one row into a target table; `table` is SQL."""
        self._insert(table, values, set(json_columns))

    def _insert(self, table: str, values: Mapping[str, object], json_columns: set[str]) -> None:
        names = ", ".join(identifier(name) for name in values)
        texts = ", ".join(_sql(value, as_json=name in json_columns) for name, value in values.items())
        self.run(f"INSERT INTO {table} ({names}) SELECT {texts}")


def _plain(column_type: str) -> object:
    if column_type.startswith("NUMBER"):
        return 0
    if column_type.startswith("TIMESTAMP"):
        return dt.datetime(2026, 1, 1)  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone
    return [] if column_type == JSON else ""


def _sql(value: object, *, as_json: bool) -> str:
    if value is None:
        return "NULL"
    if as_json:
        return f"PARSE_JSON({literal(json.dumps(value))})"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return f"{literal(value.isoformat(sep=' '))}::TIMESTAMP_NTZ"
    return literal(str(value))
