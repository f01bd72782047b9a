"""What a test reads from the local Snowflake, over the real connector."""

from __future__ import annotations

import datetime as dt
import json
import re
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import snowflake.connector
from snowflake_account import key_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.connector import SnowflakeConnection

Row = dict[str, Any]


def administrator(ready: Mapping[str, Any], **details: Any) -> SnowflakeConnection:  # noqa: ANN401
    """Open a session as the administrator of the local Snowflake whose ready line this is.

    Or of an account: then host, port and protocol may be missing, and a key may stand for the password.
    """
    names = {"host": "host", "port": "port", "protocol": "protocol", "admin_password": "password"}
    given = {theirs: ready[ours] for ours, theirs in names.items() if ready.get(ours)}
    for ours, theirs in (("admin_private_key_path", "private_key"), ("admin_role", "role")):
        if ready.get(ours):
            given[theirs] = key_bytes(ready[ours]) if theirs == "private_key" else ready[ours]
    return snowflake.connector.connect(
        account=ready["account"],
        user=ready["admin_user"],
        **given,
        # Said, since 5.x warns when it is not, and a filter of warnings is not safe in threads.
        enable_server_session_keep_alive_auto_detection=False,
        platform_detection_timeout_seconds=0,  # no look-ups of a cloud machine's metadata
        **details,
    )


def connect(environment: Mapping[str, str]) -> SnowflakeConnection:
    """Open a session as the warehouse's administrator, who may read everything."""
    ready = {
        "account": environment["TARGET_SNOWFLAKE_AUDIT_ACCOUNT"],
        "host": environment["SANDBOX_SNOWFLAKE_HOST"],
        "port": int(environment["SANDBOX_SNOWFLAKE_PORT"]),
        "protocol": "http",
        "admin_user": "ADMIN",
        "admin_password": environment["SANDBOX_SNOWFLAKE_ADMIN_PASSWORD"],
    }
    database = environment["TARGET_SNOWFLAKE_AUDIT_DATABASE"]
    return administrator(ready, database=database, session_parameters={"TIMEZONE": "UTC"})


def select(environment: Mapping[str, str], sql: str) -> list[Row]:
    """Run one query in a session of its own and give its rows by column name."""
    with connect(environment) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def live_rows(environment: Mapping[str, str], table: str) -> list[Row]:
    """Give the rows of a target table that are not soft-deleted, without the audit columns."""
    rows = select(environment, f'SELECT * FROM {table} WHERE "_AUDIT_DELETED_AT" IS NULL')
    return [{name: value for name, value in row.items() if not name.startswith("_AUDIT_")} for row in rows]


def column_name(field: str) -> str:
    """Give the column a camelCase field is loaded into: `orderDate` -> `ORDER_DATE`."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", field)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", words).upper()


def comparable(value: object, stored: object) -> object:
    """Give an emitted JSON value in the form in which the warehouse gives it back.

    Args:
        value: as decoded from JSON with Decimal numbers.
        stored: what the warehouse holds, whose type tells the column's type.
    """
    if isinstance(value, str) and isinstance(stored, dt.datetime):
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, str) and isinstance(stored, dt.date):
        return dt.date.fromisoformat(value)
    if isinstance(value, (list, dict)) and isinstance(stored, str):
        return value if json.loads(stored, parse_float=Decimal) == value else json.dumps(value, default=str)
    return value


def differences(expected: Sequence[Row], stored: Sequence[Row], key: Sequence[str]) -> list[str]:
    """Compare emitted records with rows of a table, value by value; an empty answer means equal.

    Args:
        expected: records with camelCase names and Decimal numbers.
        stored: rows of the table, by column name.
        key: camelCase names of the key.
    """
    want = {tuple(str(record[name]) for name in key): record for record in expected}
    have = {tuple(str(row[column_name(name)]) for name in key): row for row in stored}
    found = [f"missing in the table: {k}" for k in want.keys() - have.keys()]
    found += [f"not in X3: {k}" for k in have.keys() - want.keys()]
    if len(have) != len(stored):
        found.append(f"{len(stored) - len(have)} rows of the table share a key")
    for k in want.keys() & have.keys():
        found += [f"{k}: {text}" for text in _row_differences(want[k], have[k])]
    return sorted(found)


def _row_differences(record: Row, row: Row) -> list[str]:
    columns = {column_name(name): value for name, value in record.items()}
    found = [f"{name} is not in the record" for name in row.keys() - columns.keys() if row[name] is not None]
    for name, value in columns.items():
        stored = row.get(name)
        expected = comparable(value, stored)
        is_json = isinstance(value, (list, dict)) and expected is value
        if not is_json and expected != stored:
            found.append(f"{name} is {stored!r}, X3 has {value!r}")
    return found
