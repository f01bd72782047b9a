"""History per stream: which versions are kept, and which columns an update changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_world import World

SCOPED = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}
LATER = "2026-02-01T00:00:00Z"


def changed(world: World) -> list[tuple[str, list[str] | None]]:
    rows = world.audit("RECORD_HISTORY", '"LOADED_AT", "SEQ"')
    return [(row["OPERATION"], _list(row["CHANGED_COLUMNS"])) for row in rows]


def _list(text: str | None) -> list[str] | None:
    return None if text is None else sorted(json.loads(text))


def operations(world: World) -> list[str]:
    return sorted(operation for operation, _, _ in world.history())


def test_changed_columns_of_an_update(world: World) -> None:
    first = world.line("A", 1, text="a", extra={"b": 1, "a": [1, 2]}, postedOn="2026-01-01", open=None)
    world.run([world.schema_message(), first])
    again: dict[str, Any] = {"extra": {"a": [1, 2], "b": 1}, "postedOn": "2026-01-01", "open": False}
    world.run([world.schema_message(), world.line("A", 1, "2.00", text=None, updatedDate=LATER, **again)])
    again |= {"extra": {"a": [1, 3], "b": 1}}
    world.run([world.schema_message(), world.line("A", 1, "2.00", text=None, updatedDate=LATER, **again)])
    assert changed(world) == [
        ("insert", None),
        ("update", ["AMOUNT", "OPEN", "TEXT", "UPDATED_DATE"]),
        ("update", ["EXTRA"]),
    ]


def test_changed_columns_of_deletes_and_of_a_row_that_came_back(world: World) -> None:
    both = [world.line("A", 1), world.line("A", 2)]
    world.run([world.schema_message(SCOPED), *both])
    world.run([world.schema_message(SCOPED), both[0]])
    world.run([world.schema_message(SCOPED), *both])
    assert changed(world)[2:] == [("delete", None), ("update", [])]


def test_changed_columns_leave_out_how_a_record_came(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)], add_record_metadata=True)
    world.run([world.schema_message(), world.line("A", 1, "2.00")], add_record_metadata=True)
    assert changed(world)[1] == ("update", ["AMOUNT"])
    [_, (_, before, after)] = world.history()
    assert before["_SDC_RECEIVED_AT"] != after["_SDC_RECEIVED_AT"]


def test_changed_columns_of_a_column_that_is_new(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    more = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "more": {"type": ["string", "null"]}}}
    world.run([world.schema_message(more), world.line("A", 1, more="x")])
    assert changed(world)[1] == ("update", ["MORE"])


def test_a_stream_of_keys_alone_has_no_changed_columns(world: World) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "x-replace-scope": ["a"],
    }
    start = world.schema_message(schema, key=["a", "b"], bookmark_properties=[])
    both = [world.record({"a": "A", "b": n}) for n in (1, 2)]
    for records in (both, both[:1], both):
        world.run([start, *records])
    assert changed(world)[-1] == ("update", [])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param("all", ["delete", "insert", "insert", "update"], marks=pytest.mark.full),
        ("changes", ["delete", "update"]),
        pytest.param("off", [], marks=pytest.mark.full),
    ],
)
def test_history_of_a_stream(world: World, mode: str, expected: list[str]) -> None:
    """Whether it is said for the stream or for all."""
    other = "all" if mode == "off" else "off"
    mapping = [{"stream": "nothing*", "history": other}, {"stream": "lines_*", "history": mode}]
    for settings in ({"history": mode}, {"history": other, "schema_mapping": mapping}):
        schema = world.schema_message(SCOPED, stream=f"{world.stream}{len(settings)}")

        def line(number: int, amount: str, stream: str = schema["stream"]) -> dict[str, Any]:
            return {**world.line("A", number, amount), "stream": stream}

        world.run([schema, line(1, "1.00"), line(2, "1.00")], **settings)
        world.run([schema, line(1, "2.00")], **settings)
        where = f"\"TARGET_TABLE\" = '{world.table}{len(settings)}'"
        rows = world.query(f'SELECT "OPERATION" FROM ANALYTICS.AUDIT.RECORD_HISTORY WHERE {where}')
        assert sorted(row["OPERATION"] for row in rows) == expected


def test_a_wrong_history_of_a_stream_is_refused(world: World) -> None:
    mapping = [{"stream": "*", "history": "some"}]
    with pytest.raises(ConfigValidationError) as caught:
        world.run([world.schema_message()], schema_mapping=mapping)
    assert any('is "some", expected one of all, changes, off' in error for error in caught.value.errors)


def test_history_of_an_append_only_stream_has_inserts(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1), world.line("A", 1)], load_method="append-only")
    assert changed(world) == [("insert", None), ("insert", None)]
    assert operations(world) == ["insert", "insert"]
