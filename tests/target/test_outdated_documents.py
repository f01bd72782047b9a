"""A document that was read before the stored one, and comes after it: it tells nothing of what is there now.

As when two runs overlap: the one that read first loads last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
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
