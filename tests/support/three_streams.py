"""A load of three streams in three batches each, what a tap sends after it was cut, and what is stored."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import settings
from target_world import LINE_SCHEMA, state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_world import Message, Row, World

PARTS = ("lines", "docs", "stock")
ROWS = 4
"""Records of a batch."""
_OWN = {"RUN_ID", "BATCH_ID", "SEQ", "QUERY_ID", "_AUDIT_BATCH_ID", "_AUDIT_SEQ", "DEAD_LETTER_ID"}
_OWN |= {"ROW_DIGEST", "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST"}
_TIMES = {"LOADED_AT", "AT", "_AUDIT_LOADED_AT"}
"""What may differ between an uninterrupted run and one that was cut and done again."""


def options(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - settings are of any JSON type
    """Settings of the load: statements come in one order, so that they can be counted."""
    known = settings.jsonschema()["properties"]
    alone = {"max_parallelism": 1} if "max_parallelism" in known else {}
    return {"batch_size_rows": ROWS, "max_deleted_percent": 60, **alone, **more}


def messages(world: World, parts: Sequence[str] = PARTS, batches: int = 3) -> list[Message]:
    """The whole load: rows that a later batch updates, a dead letter, documents that lose lines, versions.

    Args:
        world: whose names the streams have.
        parts: streams to send.
        batches: how many of each.
    """
    made = {"lines": _lines, "docs": _documents, "stock": _stock}
    found = _schemas(world, parts)
    for number in range(1, batches + 1):
        for part in parts:
            found += made[part](world, number)
            found.append(state({"bookmarks": {}, "at": len(found) + 1}))
    return found


def rest(whole: Sequence[Message], states: Sequence[Message]) -> list[Message]:
    """What a tap sends of a load when it starts again from the last STATE that left."""
    schemas = [message for message in whole if message["type"] == "SCHEMA"]
    return [*schemas, *whole[states[-1]["at"] :]] if states else list(whole)


def stored(world: World) -> dict[str, list[str]]:
    """Tables, history and dead letters of a view, in an order that no time decides."""
    there = world.query(f'SHOW TABLES IN SCHEMA "ANALYTICS"."{world.schema}"')
    found = {}
    for name in sorted(row["name"] for row in there):
        found[_plain(world, name)] = _texts(world, world.query(f"SELECT * FROM {_table(world, name)}"))
    for name in ("RECORD_HISTORY", "DEAD_LETTERS"):
        rows = world.query(f'SELECT * FROM ANALYTICS.AUDIT."{name}" WHERE {of_view(world)}')
        found[name] = _texts(world, rows)
    return found


def of_view(world: World) -> str:
    """Condition on audit rows of a view's tables."""
    return f"STARTSWITH(\"TARGET_TABLE\", 'ANALYTICS.{world.schema}.')"


def check_trail(world: World) -> None:
    """Every row and every history row belongs to a batch that is told, and the counts of all add up."""
    batches = world.query(f"SELECT * FROM ANALYTICS.AUDIT.BATCHES WHERE {of_view(world)}")
    ids = [row["BATCH_ID"] for row in batches]
    assert len(set(ids)) == len(ids)
    for row in world.query(f'SHOW TABLES IN SCHEMA "ANALYTICS"."{world.schema}"'):
        held = world.query(f'SELECT DISTINCT "_AUDIT_BATCH_ID" AS B FROM {_table(world, row["name"])}')
        assert {one["B"] for one in held} <= set(ids)
    for name in ("RECORD_HISTORY", "DEAD_LETTERS"):
        told = world.query(
            f'SELECT DISTINCT BATCH_ID AS B FROM ANALYTICS.AUDIT."{name}" WHERE {of_view(world)}'
        )
        assert {one["B"] for one in told} <= set(ids)
    [history] = world.query(
        f"SELECT COUNT(*) AS N FROM ANALYTICS.AUDIT.RECORD_HISTORY WHERE {of_view(world)}"
    )
    # What is gathered is no change yet: the replacement of the table tells of it.
    changes = [row for row in batches if row["OPERATION"] != "gather"]
    written = sum(row[n] for row in changes for n in ("INSERTED", "UPDATED", "DELETED", "REMOVED"))
    assert history["N"] == written
    accounted = ("INSERTED", "UPDATED", "UNCHANGED", "DEDUPLICATED", "DELETED", "DEAD")
    assert all(row["RECEIVED"] == sum(row[name] for name in accounted) for row in batches)


def _schemas(world: World, parts: Sequence[str]) -> list[Message]:
    scoped = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}
    more: dict[str, Any] = {"docs": {"schema": scoped}, "stock": {"bookmark_properties": []}}
    return [world.schema_message(**{"stream": f"{world.stream}_{p}", **more.get(p, {})}) for p in parts]


def _record(world: World, part: str, key: tuple[str, int], amount: int, **more: Any) -> Message:  # noqa: ANN401
    stamp = {"updatedDate": f"2026-01-{amount:02d}T00:00:00Z"}
    made = world.line(*key, str(Decimal(amount)), **{**stamp, **more})
    return {**made, "stream": f"{world.stream}_{part}"}


def _lines(world: World, number: int) -> list[Message]:
    """Three rows that every batch changes and one that is new; in the second batch that one is bad."""
    bad = {"text": "x" * 11, "postedOn": "2026-02-30"} if number == 2 else {}
    changed = [_record(world, "lines", ("L", n), number) for n in range(3)]
    return [*changed, _record(world, "lines", ("N", number), number, **bad)]


def _documents(world: World, number: int) -> list[Message]:
    """Documents by batch: A loses a line in the second, B gets one in the third."""
    held = {
        1: [("A", 1), ("A", 2), ("A", 3), ("B", 1)],
        2: [("A", 1), ("A", 3), ("C", 1), ("C", 2)],
        3: [("B", 1), ("B", 2), ("D", 1), ("D", 2)],
    }
    return [_record(world, "docs", key, number) for key in held[number]]


def _stock(world: World, number: int) -> list[Message]:
    """Versions of a table that is read in full: each has lost a row and has a new one."""
    records = [
        _record(world, "stock", ("S", n), number if n % 2 else 1, version=number, updatedDate=None)
        for n in range(number, number + ROWS)
    ]
    stream = f"{world.stream}_stock"
    return [*records, {"type": "ACTIVATE_VERSION", "stream": stream, "version": number}]


def _table(world: World, name: str) -> str:
    return f'"ANALYTICS"."{world.schema}"."{name}"'


def _texts(world: World, rows: Sequence[Row]) -> list[str]:
    return sorted(_text(world, row) for row in rows)


def _text(world: World, row: Row) -> str:
    kept = {name: value for name, value in row.items() if name not in _OWN | _TIMES}
    if "_AUDIT_DELETED_AT" in kept:
        kept["_AUDIT_DELETED_AT"] = kept["_AUDIT_DELETED_AT"] is not None
    return _plain(world, json.dumps(kept, default=str, sort_keys=True))


def _plain(world: World, text: str) -> str:
    """Leave out the view's own names."""
    for own in (world.schema, world.stream, world.stream.upper()):
        text = text.replace(own, "*")
    return text
