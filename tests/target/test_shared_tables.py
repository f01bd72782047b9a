"""Streams that share a table by `schema_mapping`: none deletes rows of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import SchemaError
from target_world import LINE_SCHEMA, state

if TYPE_CHECKING:
    from target_world import Message, World

SCOPED = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}


def keys(world: World) -> list[tuple[str, int]]:
    return [(row["DOCUMENT_ID"], row["LINE_NUMBER"]) for row in world.rows()]


def shared(world: World, **more: object) -> dict[str, Any]:
    mapping = {"stream": f"{world.stream}*", "table": world.stream.upper(), **more}
    return {"schema_mapping": [mapping]}


def of(world: World, other: str, message: Message) -> Message:
    """A message of another stream, whose name ends so."""
    return {**message, "stream": world.stream + other}


@pytest.mark.parametrize("scopes", [(SCOPED, LINE_SCHEMA), (LINE_SCHEMA, SCOPED), (SCOPED, SCOPED)])
def test_streams_of_one_run_do_not_delete_lines_of_each_other(
    world: World, scopes: tuple[Message, Message]
) -> None:
    first, second = scopes
    messages = [world.schema_message(first), world.line("A", 1), world.line("A", 2), state({"at": 1})]
    messages += [of(world, "_b", world.schema_message(second)), of(world, "_b", world.line("A", 3))]
    messages += [world.schema_message(first), world.line("A", 4), state({"at": 2})]
    named = world.stream if first is SCOPED else f"{world.stream}_b"
    with pytest.raises(SchemaError, match=f"x-replace-scope of .*{named}.*would delete lines") as caught:
        world.run(messages, **shared(world))
    assert '"at": 2' not in "".join(caught.value.__notes__)
    assert ("A", 3) not in keys(world)


def test_lines_of_a_stream_of_an_earlier_run_are_not_deleted(world: World) -> None:
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)], **shared(world))
    schema = of(world, "_b", world.schema_message(SCOPED))
    world.run([schema, of(world, "_b", world.line("B", 1))], **shared(world))
    with pytest.raises(
        SchemaError, match=f"x-replace-scope would delete rows of other streams.*{world.stream}"
    ):
        world.run([schema, of(world, "_b", world.line("A", 3))], **shared(world))
    assert keys(world) == [("A", 1), ("A", 2), ("B", 1)]


def test_streams_that_delete_no_lines_share_a_table(world: World) -> None:
    """Under append-only no line is gone."""
    messages = [world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)]
    messages += [of(world, "_b", world.schema_message(SCOPED)), of(world, "_b", world.line("A", 3))]
    world.run(messages, **shared(world, load_method="append-only"))
    assert keys(world) == [("A", 1), ("A", 2), ("A", 3)]
