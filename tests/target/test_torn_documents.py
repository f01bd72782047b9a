"""Documents that another SCHEMA of their stream comes into: no line that came is taken for gone."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_world import LINE_SCHEMA, state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_world import Message, World

SCOPED = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}


def wider(name: str, scope: tuple[str, ...] = ("documentId",)) -> Message:
    properties = {**SCOPED["properties"], name: {"type": ["string", "null"]}}
    return {**SCOPED, "properties": properties, "x-replace-scope": list(scope)}


def send(world: World, *parts: Message | str | int, **settings: Any) -> None:  # noqa: ANN401
    """Run with lines (`A1`), SCHEMAs and STATEs (numbers), after a first run of A1 to A4 and B1 to B2."""
    first = [line(world, name) for name in ("A1", "A2", "A3", "A4", "B1", "B2")]
    world.run([world.schema_message(SCOPED), *first, state(0)], **settings)
    world.run([world.schema_message(SCOPED), *_messages(world, parts)], **settings)


def line(world: World, name: str) -> Message:
    return world.line(name[0], int(name[1]), open=True)


def _messages(world: World, parts: Iterable[Message | str | int]) -> Iterable[Message]:
    for part in parts:
        if isinstance(part, int):
            yield state(part)
        else:
            yield line(world, part) if isinstance(part, str) else part


def left(world: World) -> list[str]:
    return [f"{row['DOCUMENT_ID']}{row['LINE_NUMBER']}" for row in world.rows()]


def deleted(world: World) -> list[str]:
    keys = [before for operation, before, _ in world.history() if operation == "delete"]
    return sorted(f"{key['DOCUMENT_ID']}{key['LINE_NUMBER']}" for key in keys)


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_only_the_lines_that_came_in_neither_part_are_gone(world: World, *, hard: bool) -> None:
    more = world.schema_message(wider("more"))
    send(world, "A1", "A2", more, "A3", "B1", 1, hard_delete=hard)
    assert (left(world), deleted(world)) == (["A1", "A2", "A3", "B1"], ["A4", "B2"])
    assert world.counts()[1:] == [
        {"received": 2, "unchanged": 2},
        {"received": 2, "unchanged": 2, "removed": 2},
    ]


def test_document_torn_twice(world: World) -> None:
    first, second = (world.schema_message(wider(name)) for name in ("a_first", "z_second"))
    send(world, "A1", first, "A2", second, "A3", 1)
    assert (left(world), deleted(world)) == (["A1", "A2", "A3", "B1", "B2"], ["A4"])


def test_two_schemas_with_nothing_between(world: World) -> None:
    first, second = (world.schema_message(wider(name)) for name in ("a_first", "z_second"))
    send(world, "A1", "A2", first, second, "A3", 1)
    assert (left(world), deleted(world)) == (["A1", "A2", "A3", "B1", "B2"], ["A4"])


@pytest.mark.parametrize("rest", [["B1", 1], [1], [1, "B1", "B2", 2]], ids=["document", "end", "state"])
def test_schema_between_two_documents_spares_no_line_that_is_gone(world: World, rest: list[Any]) -> None:
    send(world, "A1", "A2", world.schema_message(wider("more")), *rest)
    assert deleted(world) == sorted(["A3", "A4", *(["B2"] if rest == ["B1", 1] else [])])


def test_document_ended_where_a_state_came_before_the_schema(world: World) -> None:
    send(world, "A1", "A2", 1, world.schema_message(wider("more")), "B1", "B2", 2)
    assert deleted(world) == ["A3", "A4"]
    assert world.counts()[1] == {"received": 2, "unchanged": 2, "removed": 2}


def test_no_state_leaves_before_the_torn_document_is_settled(world: World) -> None:
    more = world.schema_message(wider("more"))
    world.run([world.schema_message(SCOPED), *(line(world, name) for name in ("A1", "A2", "A3"))])
    fault = world.control.fault("error", pattern="^MERGE INTO", code=904, sqlstate="42000", user="LOADER")
    with pytest.raises(Exception, match="compilation") as raised:
        world.run([world.schema_message(SCOPED), line(world, "A1"), more, state({"n": 1})])
    assert world.control.struck(fault) == 1
    assert [json.loads(text) for note in raised.value.__notes__ for text in note.splitlines()] == []
    world.control.clear_faults()
    world.run([more, line(world, "A1"), state({"n": 1})])
    assert left(world) == ["A1"]


def test_input_that_ends_inside_a_torn_document_takes_nothing_for_gone(world: World) -> None:
    send(world, "B1", "B2", 1, "A1", world.schema_message(wider("more")), "A2")
    assert (len(left(world)), deleted(world)) == (6, [])


def test_line_that_does_not_fit_in_the_first_part_is_not_gone(world: World) -> None:
    bad = world.line("A", 2, text="x" * 11)
    send(world, "A1", bad, world.schema_message(wider("more")), "A3", 1)
    assert (left(world), deleted(world)) == (["A1", "A2", "A3", "B1", "B2"], ["A4"])
    assert len(world.letters()) == 1


def test_torn_document_that_is_older_than_the_stored_one_removes_nothing(world: World) -> None:
    newer = [world.line("A", n, "9.00", updatedDate="2026-03-01T00:00:00Z") for n in (1, 2, 3, 4)]
    world.run([world.schema_message(SCOPED), *newer])
    late = [world.line("A", n, "2.00", updatedDate="2026-02-01T00:00:00Z") for n in (1, 2)]
    end = world.line("A", 2, "3.00", updatedDate="2026-04-01T00:00:00Z")
    world.run([world.schema_message(SCOPED), *late, world.schema_message(wider("more")), end, state(1)])
    assert left(world) == ["A1", "A2", "A3", "A4"]
    assert [row["AMOUNT"] for row in world.rows()][:2] == [Decimal(9), Decimal(3)]


@pytest.mark.parametrize("before", [SCOPED, LINE_SCHEMA], ids=["another", "none"])
def test_where_the_scope_changes_nothing_of_the_document_at_hand_is_gone(
    world: World, before: Message
) -> None:
    other = world.schema_message(wider("more", ("documentId", "open")))
    send(world, world.schema_message(before), "A1", "A2", other, "A3", "B1", 1)
    assert (left(world), deleted(world)) == (["A1", "A2", "A3", "A4", "B1"], ["B2"])


def test_torn_document_of_a_version(world: World) -> None:
    more = world.schema_message(wider("more"))
    first = [world.line("A", n, version=1) for n in (1, 2, 3, 4)]
    world.run([world.schema_message(SCOPED), *first, state(0)])
    second = [world.line("A", n, version=2) for n in (1, 2, 3)]
    activate = {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": 2}
    world.run([world.schema_message(SCOPED), *second[:2], more, second[2], activate, state(1)])
    assert (left(world), deleted(world)) == (["A1", "A2", "A3"], ["A4"])


def test_torn_document_of_partial_records(world: World) -> None:
    more = world.schema_message(wider("more"))
    send(world, "A1", "A2", more, "A3", 1, absent_fields="keep")
    assert (left(world), deleted(world)) == (["A1", "A2", "A3", "B1", "B2"], ["A4"])


@pytest.mark.parametrize(
    ("number", "gone"),
    [("lineNumber + 10", "A14"), ("int(10 / (lineNumber - 2))", "A5")],
    ids=["well", "badly"],
)
def test_first_part_is_mapped_again(world: World, number: str, gone: str) -> None:
    """A record that cannot be mapped (A2 and B2 by the second map) is a letter, as everywhere."""
    maps = {world.stream: {"lineNumber": number}}
    send(world, "A1", "A2", world.schema_message(wider("more")), "A3", 1, stream_maps=maps)
    assert deleted(world) == [gone]
    assert len(world.letters()) == (0 if gone == "A14" else 2)


@pytest.mark.parametrize("last", ["no object", 5, [1], None])
def test_torn_document_whose_last_record_is_no_object(world: World, last: Any) -> None:  # noqa: ANN401
    more = world.schema_message(wider("more"))
    send(world, "A1", "A2", world.record(last), more, "A3", "B1", 1, max_dead_letter_percent=100)
    assert left(world) == ["A1", "A2", "A3", "A4", "B1", "B2"]
    assert len(world.letters()) == 1
