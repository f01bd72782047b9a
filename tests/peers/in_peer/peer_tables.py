"""What a schema of the warehouse holds, read in the peer's environment with its own connector."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import snowflake.connector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.connector import SnowflakeConnection


def connect(settings: Mapping[str, Any]) -> SnowflakeConnection:
    """Open a session like the peer's."""
    config = settings["config"]
    names = ("account", "user", "password", "database", "warehouse")
    return snowflake.connector.connect(**{name: config[name] for name in names}, **settings["address"])


def read(settings: Mapping[str, Any], schema: str) -> dict[str, Any]:
    """Give `tables`: types by column and rows by table; or `unreadable` with the error."""
    try:
        with connect(settings) as connection:
            return {"tables": {name: _table(connection, schema, name) for name in _names(connection, schema)}}
    except snowflake.connector.errors.Error as error:
        return {"unreadable": str(error)[:500]}


def _rows(connection: SnowflakeConnection, sql: str) -> list[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _names(connection: SnowflakeConnection, schema: str) -> list[str]:
    listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = "
    return [str(row[0]) for row in _rows(connection, f"{listed}'{schema}' ORDER BY 1")]


def _table(connection: SnowflakeConnection, schema: str, name: str) -> dict[str, Any]:
    full = f'"{schema}"."{name}"'
    types = {row[0]: row[1] for row in _rows(connection, f"DESCRIBE TABLE {full}")}
    return {
        "types": types,
        "rows": [dict(zip(types, row, strict=True)) for row in _rows(connection, f"SELECT * FROM {full}")],
    }


def encoded(value: object) -> dict[str, str]:
    """Give a value that JSON lacks, marked with its kind."""
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, dt.date | dt.time):
        return {"$time": value.isoformat()}
    message = f"a {type(value).__name__} in a row"
    raise TypeError(message)
