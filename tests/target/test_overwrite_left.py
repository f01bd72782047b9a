"""Load method overwrite and properties that leave the SCHEMA: null in each row, and history tells of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_world import KEY, LINE_SCHEMA, state

if TYPE_CHECKING:
    from target_world import Message, Row, World

WAY: dict[str, Any] = {
    "load_method": "overwrite",
    "max_deleted_percent": 100,
    "max_dead_letter_percent": 100,
}
LEFT = {name: part for name, part in LINE_SCHEMA["properties"].items() if name not in ("text", "open")}


def overwrite(world: World, *messages: Message, **settings: Any) -> str:  # noqa: ANN401 - of any JSON type
    return world.run([*messages, state({})], **WAY, **settings).log


def short(world: World, key: list[str] | None = None) -> Message:
    """A SCHEMA without two of the properties."""
    return world.schema_message({**LINE_SCHEMA, "properties": LEFT}, key)


def stamped(world: World) -> list[Row]:
    """The rows with what the target says of each."""
    return world.query(f"SELECT * FROM {world.table} ORDER BY DOCUMENT_ID, LINE_NUMBER")


def updates(world: World) -> list[Row]:
    return world.audit("RECORD_HISTORY", '"LOADED_AT", "SEQ"', where="\"OPERATION\" = 'update'")


@pytest.mark.parametrize("after", ["overwrite", "upsert"])
def test_a_property_that_leaves_and_comes_back_as_null(world: World, after: str) -> None:
    both = [world.line("A", 1, text="old", open=True), world.line("A", 2, text=None)]
    overwrite(world, world.schema_message(), *both)
    world.query(f"ALTER TABLE {world.table} ADD COLUMN NOTE VARCHAR")
    world.query(f"UPDATE {world.table} SET NOTE = 'n' || LINE_NUMBER")
    log = overwrite(world, short(world), world.line("A", 1), world.line("A", 2))
    assert "no property for OPEN, TEXT" in log
    assert "keep" not in log
    assert [(row["TEXT"], row["OPEN"], row["NOTE"]) for row in world.rows()] == [
        (None, None, "n1"),
        (None, None, "n2"),
    ]
    [change] = updates(world)
    assert json.loads(change["CHANGED_COLUMNS"]) == ["OPEN", "TEXT"]
    before, now = json.loads(change["BEFORE"]), json.loads(change["AFTER"])
    assert (before["TEXT"], before["OPEN"], "TEXT" in now, "NOTE" in before) == ("old", True, False, False)
    counts = world.counts()[-1]
    assert (counts["updated"], counts["unchanged"]) == (1, 1)

    stored = stamped(world)
    again = [world.schema_message(), world.line("A", 1, text=None, open=None), world.line("A", 2)]
    world.run([*again, state({})], **{**WAY, "load_method": after})
    assert stamped(world) == stored
    assert world.counts()[-1]["unchanged"] == 2
    world.run(
        [*again[:1], world.line("A", 1, text="new"), again[2], state({})], **{**WAY, "load_method": after}
    )
    assert [(row["TEXT"], row["NOTE"]) for row in world.rows()] == [("new", "n1"), (None, "n2")]
    assert json.loads(updates(world)[-1]["CHANGED_COLUMNS"]) == ["TEXT"]


def test_a_value_that_the_stored_hash_does_not_cover_is_told_by_history(world: World) -> None:
    """As an earlier release has left it, or somebody has written it."""
    overwrite(world, world.schema_message(), world.line("A", 1), world.line("A", 2))
    world.query(f"UPDATE {world.table} SET TEXT = 'odd' WHERE LINE_NUMBER = 1")
    [first, second] = stamped(world)
    overwrite(world, short(world), world.line("A", 1), world.line("A", 2))
    rows = stamped(world)
    assert (rows[0]["TEXT"], rows[1]) == (None, second)
    assert rows[0]["_AUDIT_BATCH_ID"] != first["_AUDIT_BATCH_ID"]
    [change] = updates(world)
    assert json.loads(change["CHANGED_COLUMNS"]) == ["TEXT"]
    assert json.loads(change["BEFORE"])["TEXT"] == "odd"


def test_the_stored_row_of_a_dead_letter_stays_whole(world: World) -> None:
    overwrite(world, world.schema_message(), world.line("A", 1, text="old"), world.line("A", 2, text="old"))
    [stored, _] = stamped(world)
    refused = [world.line("A", 1, "1.005"), world.line("A", 2), world.line("A", 3)]
    overwrite(world, short(world), *refused)
    rows = stamped(world)
    assert rows[0] == stored
    assert [row["TEXT"] for row in rows] == ["old", None, None]
    whole = [world.line("A", 1, text="old"), world.line("A", 2), world.line("A", 3)]
    overwrite(world, world.schema_message(), *whole)
    assert stamped(world) == rows
    assert world.counts()[-1]["unchanged"] == 3


@pytest.mark.parametrize("key", [KEY, []])
def test_rows_of_a_left_column_that_change_or_go(world: World, key: list[str]) -> None:
    whole = world.schema_message(key=key)
    overwrite(world, whole, world.line("A", 1, text="old"), world.line("A", 2, text="gone"))
    overwrite(world, short(world, key), world.line("A", 1, "2.00"))
    assert [(str(row["AMOUNT"]), row["TEXT"]) for row in world.rows()] == [("2.00", None)]
    told = [before["TEXT"] for _, before, _ in world.history('"BEFORE" IS NOT NULL')]
    assert sorted(told) == ["gone", "old"]
    overwrite(world, whole, world.line("A", 1, "2.00", text=None))
    assert [(str(row["AMOUNT"]), row["TEXT"]) for row in world.rows()] == [("2.00", None)]
