"""What a Singer file must leave: an upsert in plain Python, and values in one comparable form."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]


def upserted(lines: Iterable[str]) -> tuple[dict[str, dict[str, Any]], dict[str, list[Row]]]:
    """Give the last schema of each stream, and its rows: the last record of a key wins, no key keeps all."""
    tables: dict[str, dict[Any, Row]] = {}
    messages: dict[str, dict[str, Any]] = {}
    for line in lines:
        message = json.loads(line, parse_float=Decimal)
        if message["type"] == "SCHEMA":
            messages[message["stream"]] = message
            tables.setdefault(message["stream"], {})
        elif message["type"] == "RECORD":
            rows, record = tables[message["stream"]], message["record"]
            key = tuple(record[name] for name in messages[message["stream"]].get("key_properties") or [])
            rows[key or len(rows)] = record
    schemas = {stream: message["schema"] for stream, message in messages.items()}
    whole = {
        stream: [{name: row.get(name) for name in schemas[stream]["properties"]} for row in rows.values()]
        for stream, rows in tables.items()
    }
    return schemas, whole


def comparable(value: Any) -> Any:  # noqa: ANN401 - any value of a row
    """One form for a value of the file and of the table: JSON text read, numbers by value, names sorted."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return comparable(json.loads(value, parse_float=Decimal))
    if isinstance(value, dict):
        return {name: comparable(part) for name, part in sorted(value.items())}
    if isinstance(value, list):
        return [comparable(part) for part in value]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(Decimal(str(value)).normalize())
    return value


def in_order(rows: Iterable[Row]) -> list[str]:
    """Rows as texts, sorted, to compare two sets of them."""
    return sorted(str(comparable(row)) for row in rows)
