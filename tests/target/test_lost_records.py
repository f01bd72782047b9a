"""A run that ends because records were lost before it takes no row for gone that may only have been lost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import CompletenessError
from target_world import LINE_SCHEMA, state

if TYPE_CHECKING:
    from target_world import Message, World

SCOPED = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}
DOCUMENTS = [("A", 1), ("A", 2), ("A", 3), ("B", 1)]


def counted(world: World, told: int) -> Message:
    """A STATE with the tap's count."""
    return state({"bookmarks": {world.stream: {"control": {"run": "r1", "records": {world.stream: told}}}}})


def activate(world: World, version: int) -> Message:
    return {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": version}


def versioned(world: World, version: int, count: int) -> list[Message]:
    return [world.line("A", n, f"{version}.00", version=version) for n in range(count)]


def keys(world: World) -> list[tuple[str, int]]:
    return [(row["DOCUMENT_ID"], int(row["LINE_NUMBER"])) for row in world.rows()]


def lost(world: World, *messages: Message, **settings: Any) -> None:  # noqa: ANN401 - of any JSON type
    """Run to the STATE that counts a record more than came."""
    told = sum(message["type"] == "RECORD" for message in messages) + 1
    with pytest.raises(CompletenessError) as caught:
        world.run([*messages, counted(world, told)], **settings)
    assert caught.value.__notes__ == [""]


@pytest.mark.parametrize("hard", [True, False])
def test_line_that_was_lost_is_not_taken_for_gone(world: World, *, hard: bool) -> None:
    """What came is loaded; `hard_delete` would take what an owner wrote beside the line, too."""
    schema = world.schema_message(SCOPED)
    world.run([schema, *(world.line(*key) for key in DOCUMENTS)])
    rest = [world.line(*key, "2.00") for key in DOCUMENTS if key != ("A", 2)]
    lost(world, schema, *rest, hard_delete=hard)
    assert keys(world) == DOCUMENTS
    assert [row["AMOUNT"] for row in world.rows()] == [Decimal(n) for n in (2, 1, 2, 2)]
    assert world.audit("RECORD_HISTORY", where="OPERATION = 'delete'") == []


def test_batch_that_is_being_loaded_removes_nothing_any_more(world: World) -> None:
    schema = world.schema_message(SCOPED)
    world.run([schema, *(world.line(*key) for key in DOCUMENTS)])
    fault = world.control.fault("slow", pattern="^COPY INTO", seconds=5, user="LOADER", times=1)
    rest = [world.line(*key, "2.00") for key in DOCUMENTS if key != ("A", 2)]
    lost(world, schema, *rest, batch_size_rows=2)
    assert world.control.struck(fault) == 1
    assert (keys(world), len(world.audit("BATCHES"))) == (DOCUMENTS, 3)


@pytest.mark.parametrize(("size", "times"), [(3, 1), (100, 1), (100, 2)])
def test_version_is_not_activated_before_its_records_are_counted(world: World, size: int, times: int) -> None:
    world.run([world.schema_message(), *versioned(world, 1, 6), activate(world, 1), counted(world, 6)])
    settings: dict[str, Any] = {"batch_size_rows": size, "hard_delete": True}
    ends = [activate(world, 2)] * times
    lost(world, world.schema_message(), *versioned(world, 2, 5), *ends, **settings)
    assert len(keys(world)) == 6
    again = [world.schema_message(), *versioned(world, 3, 5), activate(world, 3), counted(world, 5)]
    assert world.run(again, **settings).states == [counted(world, 5)["value"]]
    assert len(keys(world)) == 5


def test_document_of_a_version_that_lost_a_line_keeps_it(world: World) -> None:
    schema = world.schema_message(SCOPED)
    world.run([schema, *versioned(world, 1, 6), activate(world, 1), counted(world, 6)])
    lost(world, schema, *versioned(world, 2, 5), activate(world, 2))
    assert len(keys(world)) == 6


@pytest.mark.parametrize("ended", [True, False])
def test_table_is_not_replaced_by_what_lost_a_record(world: World, *, ended: bool) -> None:
    world.run([world.schema_message(), *versioned(world, 1, 6), counted(world, 6)], load_method="overwrite")
    end = [activate(world, 2)] if ended else []
    lost(world, world.schema_message(), *versioned(world, 2, 5), *end, load_method="overwrite")
    assert {row["AMOUNT"] for row in world.rows()} == {Decimal(1)}
    assert len(keys(world)) == 6


def test_version_waits_for_no_count_once_its_stream_goes_on(world: World) -> None:
    """Another record, or SCHEMA, finds the stream as it was where each is done at once."""
    world.run([world.schema_message(), *versioned(world, 1, 6), activate(world, 1)])
    rest = [world.line("A", n, "3.00", version=3) for n in range(4)]
    wider = world.schema_message(
        {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "more": {"type": ["null", "string"]}}}
    )
    second = [*versioned(world, 2, 5), activate(world, 2)]
    world.run([world.schema_message(), *second, *rest, activate(world, 3), wider])
    assert len(keys(world)) == 4
    noted = world.audit("BATCHES", '"STARTED_AT"', where="OPERATION = 'activate_version'")
    assert [row["NOTE"] for row in noted] == ["version 1", "version 2", "version 3"]
