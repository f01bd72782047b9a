"""Dead letters of a test's stream, for tests that replay them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from target_snowflake_audit.replay import LetterRow
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_world import Message, World

LONG = "x" * 11
NEWER = {"updatedDate": "2026-02-01T00:00:00Z"}


def letters_of(world: World) -> list[LetterRow]:
    return [
        LetterRow(
            row["DEAD_LETTER_ID"],
            row["STREAM"],
            row["RECORD_TEXT"],
            json.loads(row["SINGER_SCHEMA"], parse_float=Decimal),
        )
        for row in world.letters()
    ]


def wider(world: World, size: int = 40) -> Message:
    return {f"{world.stream}*": {"text": f"VARCHAR({size})"}}


def by_day(world: World) -> Message:
    """A SCHEMA whose stamps say nothing about the time of day."""
    properties = dict(LINE_SCHEMA["properties"])
    properties["updatedDate"] = {**properties["updatedDate"], "x-precision": "day"}
    return world.schema_message({**LINE_SCHEMA, "properties": properties})


def unstamped(world: World) -> Message:
    properties = {name: part for name, part in LINE_SCHEMA["properties"].items() if name != "updatedDate"}
    return world.schema_message({**LINE_SCHEMA, "properties": properties}, bookmark_properties=[])


def row(world: World, amount: str, text: str) -> Message:
    body = {"documentId": "A", "lineNumber": 1, "amount": Decimal(amount), "text": text}
    return world.record(body)


def statuses(world: World) -> list[str]:
    view = "ANALYTICS.AUDIT.DEAD_LETTERS_CURRENT"
    found = world.query(f"SELECT STATUS FROM {view} WHERE TARGET_TABLE = '{world.table}'")
    return [one["STATUS"] for one in found]
