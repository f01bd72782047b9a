"""Records that come again after a newer version: what the table held once is no dead letter."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import DeadLetterLimitError
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_world import Message, World


def version(world: World, day: int, number: int = 1, **more: Any) -> Message:  # noqa: ANN401
    return world.line("A", number, f"{day}.00", updatedDate=f"2026-01-{day:02d}T00:00:00Z", **more)


def gone(world: World, day: int) -> Message:
    return version(world, day, _sdc_deleted_at=f"2026-01-{day:02d}T00:00:00Z")


def run(world: World, *messages: Message, **settings: Any) -> None:  # noqa: ANN401
    world.run([world.schema_message(), *messages], **settings)


@pytest.mark.parametrize("mode", ["all", "changes"])
def test_run_that_starts_from_an_older_state_makes_no_letters(world: World, mode: str) -> None:
    """Every version comes again, each in a batch of its own, as it did before."""
    versions = [version(world, day) for day in (1, 2, 3)]
    for again in ({}, {"unchanged": 1}):
        for message in versions:
            run(world, message, history=mode)
        expected = {"received": 1, **(again or {"updated": 1})}
        assert world.counts()[-2:] == [expected, expected]
    assert world.letters() == []
    assert [row["AMOUNT"] for row in world.rows()] == [Decimal(3)]
    run(world, version(world, 2, text="unseen"), history=mode)
    assert [letter["REASON"] for letter in world.letters()] == ["stale"]


@pytest.mark.parametrize("absent", ["null", "keep"])
def test_versions_from_before_a_deletion_that_the_source_told_of(world: World, absent: str) -> None:
    for message in (version(world, 1), gone(world, 2)):
        run(world, message, absent_fields=absent)
    run(world, version(world, 1), absent_fields=absent)
    assert (world.rows(), world.letters()) == ([], [])
    assert world.counts()[-1] == {"received": 1, "unchanged": 1}
    unseen = world.line("A", 1, "7.00", updatedDate="2026-01-01T12:00:00Z")
    run(world, unseen, absent_fields=absent)
    assert [letter["REASON"] for letter in world.letters()] == ["stale"]


def test_deletion_that_comes_again_after_the_row_came_back(world: World) -> None:
    messages = [version(world, 1), gone(world, 2), version(world, 3)]
    for message in (*messages, *messages):
        run(world, message)
    assert [row["AMOUNT"] for row in world.rows()] == [Decimal(3)]
    assert world.letters() == []
    assert world.counts()[-3:] == [{"received": 1, "unchanged": 1}] * 3


def test_share_of_dead_letters_leaves_out_what_is_only_too_late(world: World) -> None:
    newer = [version(world, 5, n) for n in range(60)]
    run(world, *newer)
    late = [version(world, 1, n) for n in range(60)]
    good = [version(world, 1, n) for n in range(100, 138)]
    bad = [version(world, 1, n, text="x" * 11) for n in range(200, 206)]
    run(world, *late, *good, *bad[:2])
    assert world.counts()[-1] == {"received": 100, "inserted": 38, "dead": 62, "stale": 60}
    with pytest.raises(DeadLetterLimitError, match=r"6 dead letters of 104 records.*\(5 %\)"):
        run(world, *late, *good, *bad)


def test_most_dead_letters_count_what_is_too_late(world: World) -> None:
    run(world, *(version(world, 5, n) for n in range(4)))
    with pytest.raises(DeadLetterLimitError, match=r"4 dead letters.*`max_dead_letters` \(3\)"):
        run(world, *(version(world, 1, n) for n in range(4)), max_dead_letters=3)


def test_row_that_was_gone_with_its_version_and_comes_back_older_is_said_so(world: World) -> None:
    """No deletion was told of, so it may be live again under its old stamp."""
    schema = world.schema_message({**LINE_SCHEMA, "x-replace-scope": ["documentId"]})
    world.run([schema, version(world, 1), version(world, 1, 2)])
    world.run([schema, version(world, 1), version(world, 3, 2)])
    world.run([schema, version(world, 1)])
    world.run([schema, version(world, 1), version(world, 1, 2)])
    assert [letter["REASON"] for letter in world.letters()] == ["stale"]
