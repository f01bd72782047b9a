"""A document that was read before the stored one, and comes after it: it tells nothing of what is there now.

As when two runs overlap: the one that read first loads last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from letters import LONG, letters_of, wider
from target_snowflake_audit.replay import replay
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_world import Message, World

SCOPED = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}
T1, T2, T3 = (f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3))


def document(world: World, *lines: tuple[int, str, str], name: str = "A") -> list[Message]:
    """Lines of a document: number, stamp, amount."""
    return [world.line(name, number, amount, updatedDate=stamp) for number, stamp, amount in lines]


def live(world: World) -> list[int]:
    return [int(row["LINE_NUMBER"]) for row in world.rows()]


OLD = [(1, T1, "1.00"), (2, T1, "1.00"), (3, T1, "1.00")]
NEW = [(1, T2, "5.00"), (2, T1, "1.00")]


@pytest.fixture
def replaced(world: World) -> World:
    """The third line is gone, and the first one changed."""
    for lines in (OLD, NEW):
        world.run([world.schema_message(SCOPED), *document(world, *lines)])
    assert live(world) == [1, 2]
    return world


def test_it_brings_no_line_back_to_life(replaced: World) -> None:
    world = replaced
    other = document(world, (1, T1, "7.00"), name="B")
    world.run([world.schema_message(SCOPED), *document(world, *OLD), *other])
    assert [str(row["AMOUNT"]) for row in world.rows()] == ["5.00", "1.00", "7.00"]
    assert live(world) == [1, 2, 1]
    last = world.counts()[-1]
    assert last == {"received": 4, "unchanged": 3, "inserted": 1}
    assert world.letters() == []


def test_what_the_table_never_held_of_it_is_a_letter(replaced: World) -> None:
    world = replaced
    changed = [*OLD[:2], (3, T1, "3.00")]
    world.run([world.schema_message(SCOPED), *document(world, *changed)], max_dead_letter_percent=100)
    assert live(world) == [1, 2]
    assert [letter["REASON"] for letter in world.letters()] == ["stale"]


def test_a_line_comes_back_with_a_newer_document_whatever_its_own_stamp(replaced: World) -> None:
    world = replaced
    again = [(1, T3, "6.00"), (2, T1, "1.00"), (3, T1, "1.00")]
    world.run([world.schema_message(SCOPED), *document(world, *again)])
    assert live(world) == [1, 2, 3]


def test_a_line_comes_back_beside_an_outdated_document(replaced: World) -> None:
    """Each document is judged by its own lines."""
    world = replaced
    message = world.schema_message(SCOPED)
    both = [
        document(world, *lines, name="B") for lines in ([(1, T1, "1.00"), (2, T1, "1.00")], [(1, T1, "1.00")])
    ]
    for lines in both:
        world.run([message, *lines])
    world.run([message, *document(world, *OLD), *both[0]])
    assert live(world) == [1, 2, 1, 2]


def replayed(world: World, **settings: Any) -> list[str]:  # noqa: ANN401 - settings are of any JSON type
    """What becomes of the letters, in the order in which they were refused; the column is wide enough now."""
    changed = world.settings(column_types=wider(world), **settings)
    return [one.event for one in replay(changed, letters_of(world))]


@pytest.mark.parametrize("settings", [{}, {"hard_delete": True}], ids=["soft", "hard"])
def test_it_brings_no_line_that_the_newer_one_came_without(world: World, settings: dict[str, Any]) -> None:
    """The third line was there between the two reads, and no load has seen it."""
    message = world.schema_message(SCOPED)
    settings = {**settings, "max_dead_letter_percent": 100}
    for lines in (OLD[:2], [(1, T3, "6.00"), OLD[1]]):
        world.run([message, *document(world, *lines)], **settings)
    between = [*NEW, (3, T2, "3.00")]
    beside = document(world, (1, T1, "7.00"), name="B")
    world.run([message, *document(world, *between), *beside], **settings)
    assert live(world) == [1, 2, 1]
    assert [letter["REASON"] for letter in world.letters()] == ["stale", "stale"]
    assert replayed(world, **settings) == ["replay_skipped", "replay_failed"], "it stays open"
    assert live(world) == [1, 2, 1]


def test_a_refused_line_tells_that_its_document_is_outdated(world: World) -> None:
    message = world.schema_message(SCOPED)
    world.run([message, *document(world, (1, T2, "1.00"), (2, T2, "1.00"))])
    late = [world.line("A", 1, updatedDate=T1, text=LONG), *document(world, (3, T1, "3.00"))]
    world.run([message, *late], max_dead_letter_percent=100)
    assert live(world) == [1, 2]
    assert {letter["REASON"] for letter in world.letters()} == {"too_long", "stale"}


def test_letters_of_several_reads_are_replayed_each_by_itself(world: World) -> None:
    """One is overtaken; the other holds the newest version of its line, which is deleted in the table."""
    message = world.schema_message(SCOPED)
    world.run([message, *document(world, (1, T1, "1.00"), (2, T1, "1.00"))])
    world.run([message, world.line("A", 1, updatedDate=T2, text=LONG), world.line("B", 1)])
    world.run(
        [message, *document(world, (1, T3, "3.00")), world.line("A", 2, "9.00", updatedDate=T3, text=LONG)]
    )
    assert live(world) == [1, 1]
    assert replayed(world) == ["replay_skipped", "replayed"]
    assert [(row["LINE_NUMBER"], str(row["AMOUNT"])) for row in world.rows()] == [
        (1, "3.00"),
        (2, "9.00"),
        (1, "1.00"),
    ]
