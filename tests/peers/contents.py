"""What the SDK's own streams must leave in the tables: the suite itself only sees that nothing is raised."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from singer_upsert import Row, comparable, in_order, upserted

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "test_target_"
# The loader must stop there, so these leave no rows.
STOPPED = {"invalid_schema", "record_before_schema"}
# What the peer adds to each table, and with which type.
METADATA = {
    "_SDC_EXTRACTED_AT": "TIMESTAMP_NTZ",
    "_SDC_RECEIVED_AT": "TIMESTAMP_NTZ",
    "_SDC_BATCHED_AT": "TIMESTAMP_NTZ",
    "_SDC_DELETED_AT": "TIMESTAMP_NTZ",
    "_SDC_SEQUENCE": "NUMBER",
    "_SDC_TABLE_VERSION": "NUMBER",
    "_SDC_SYNC_STARTED_AT": "NUMBER",
}
FILLED = ("_SDC_RECEIVED_AT", "_SDC_BATCHED_AT", "_SDC_SEQUENCE", "_SDC_SYNC_STARTED_AT")
# [C] The types that the peer's own tests read back from the real Snowflake (tests/core.py of its repository).
_FORMATS = {"date-time": "TIMESTAMP_NTZ", "date": "DATE", "time": "TIME", "uuid": "UUID"}
_KINDS = {
    "integer": "NUMBER",
    "number": "FLOAT",
    "boolean": "BOOLEAN",
    "object": "VARIANT",
    "array": "VARIANT",
}


def streams(environment: Path) -> dict[str, str]:
    """Give the SDK's test streams by name, as they are installed."""
    files = environment.glob("lib/python*/site-packages/singer_sdk/testing/target_test_streams/*.singer")
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def differences(test: str, known: dict[str, str], left: dict[str, Any]) -> str:
    """Say what is wrong with the tables that a passed test left; nothing for none."""
    if "unreadable" in left:
        return f"unreadable: {left['unreadable']}"
    tables: dict[str, dict[str, Any]] = left.get("tables", {})
    name = test.removeprefix(PREFIX)
    if name in STOPPED or name not in known:
        rows = sum(len(table["rows"]) for table in tables.values())
        return f"{rows} rows where none must be" if rows else ""
    schemas, expected = upserted(known[name].splitlines())
    found = {plain(table): content for table, content in tables.items()}
    problems = [
        _table(schemas[stream], expected[stream], found.pop(plain(stream), None)) for stream in schemas
    ]
    problems += [f"a table {table} that no stream has" for table in found]
    return "; ".join(problem for problem in problems if problem)


def plain(name: str) -> str:
    """A stream's or a table's name without what a loader may replace."""
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def _table(schema: dict[str, Any], expected: list[Row], found: dict[str, Any] | None) -> str:
    if found is None:
        return "no table"
    properties = schema["properties"]
    wanted = {name.upper(): kind(described) for name, described in properties.items()} | METADATA
    types = {name: text.partition("(")[0] for name, text in found["types"].items()}
    if types != wanted:
        return f"columns {dict(sorted(types.items() ^ wanted.items()))}"
    stored = [{name: row[name.upper()] for name in properties} for row in found["rows"]]
    right = [
        {name: value_of(value, kind(properties[name])) for name, value in row.items()} for row in expected
    ]
    if in_order(stored) != in_order(right):
        only = [row for row in in_order(stored) if row not in in_order(right)][:1]
        return f"{len(stored)} rows for {len(right)}, such as {only}"
    empty = [name for name in FILLED if any(row[name] is None for row in found["rows"])]
    deleted = any(row["_SDC_DELETED_AT"] is not None for row in found["rows"])
    return f"empty {empty}" if empty else "rows marked as deleted" if deleted else ""


def kind(described: dict[str, Any]) -> str:
    """The Snowflake type that the peer gives a property."""
    choices = described.get("anyOf", [described])
    formats = [choice["format"] for choice in choices if "format" in choice]
    types = {name for choice in choices for name in _listed(choice.get("type", "string"))}
    if formats:
        return _FORMATS.get(formats[0], "VARCHAR")
    return next((_KINDS[name] for name in _KINDS if name in types), "VARCHAR")


def _listed(types: str | list[str]) -> list[str]:
    return [types] if isinstance(types, str) else types


def value_of(value: Any, kind: str) -> Any:  # noqa: ANN401 - any value of a record
    """A record's value as the peer's connector reads it back from a column of this type."""
    if value is None:
        return None
    if kind == "TIMESTAMP_NTZ":
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC).replace(tzinfo=None).isoformat()
    if kind == "VARIANT":
        return comparable(value)
    return value
