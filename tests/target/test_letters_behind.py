"""What came later: than letters that were replayed, refused again, partial, or of several tables."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from letters import LONG, NEWER, by_day, letters_of, row, statuses, unstamped, wider
from target_snowflake_audit.overtaken import PARTIAL, UNSURE
from target_snowflake_audit.replay import replay

if TYPE_CHECKING:
    from target_world import Message, World

SKIPPED, FAILED, REPLAYED = "replay_skipped", "replay_failed", "replayed"
LONGER = "y" * 50
KEEP: dict[str, Any] = {"absent_fields": "keep", "max_dead_letter_percent": 100}


def events(world: World, size: int, **settings: Any) -> list[str]:  # noqa: ANN401 - of any JSON type
    found = replay(world.settings(column_types=wider(world, size), **settings), letters_of(world))
    return [one.event for one in found]


def amounts(world: World) -> list[Decimal]:
    return [one["AMOUNT"] for one in world.rows()]


def refuse(world: World, schema: Message, first: Message, second: Message, *, together: bool) -> None:
    for records in [[first, second]] if together else [[first], [second]]:
        world.run([schema, *records])


@pytest.mark.parametrize("together", [True, False])
def test_a_letter_overwrites_a_row_of_a_letter_that_came_before_it(world: World, *, together: bool) -> None:
    first, second = row(world, "5.00", LONG), row(world, "6.00", LONGER)
    refuse(world, unstamped(world), first, second, together=together)
    assert events(world, 40) == [REPLAYED, FAILED]
    assert events(world, 60) == [SKIPPED, REPLAYED]  # the first one is done already
    assert amounts(world) == [Decimal("6.00")]


@pytest.mark.parametrize("together", [True, False])
def test_a_letter_spares_a_row_of_a_letter_that_came_after_it(world: World, *, together: bool) -> None:
    first, second = row(world, "5.00", LONGER), row(world, "6.00", LONG)
    refuse(world, unstamped(world), first, second, together=together)
    assert events(world, 40) == [FAILED, REPLAYED]
    assert events(world, 60) == [SKIPPED, SKIPPED]
    assert amounts(world) == [Decimal("6.00")]


def test_stamps_of_one_day_do_not_tell_either(world: World) -> None:
    first, second = world.line("A", 1, "5.00", text=LONG), world.line("A", 1, "6.00", text=LONGER)
    refuse(world, by_day(world), first, second, together=False)
    assert events(world, 40) == [REPLAYED, FAILED]
    assert events(world, 60) == [SKIPPED, REPLAYED]
    assert amounts(world) == [Decimal("6.00")]


def test_a_row_whose_letter_cannot_be_told_is_kept_and_the_letter_stays_open(world: World) -> None:
    """Both versions had one key when they were refused, and maps gave the first another one."""
    first, second = row(world, "5.00", LONG), row(world, "6.00", LONGER)
    first["record"]["documentId"] = "B"
    refuse(world, unstamped(world), first, second, together=False)
    maps = {world.stream: {"documentId": "'A'"}}
    assert events(world, 40, stream_maps=maps) == [REPLAYED, FAILED]
    outcomes = replay(world.settings(column_types=wider(world, 60)), letters_of(world))
    assert (outcomes[1].event, outcomes[1].note, amounts(world)) == (FAILED, UNSURE, [Decimal("5.00")])
    assert sorted(statuses(world)) == [FAILED, REPLAYED]


@pytest.mark.parametrize("good_first", [True, False])
def test_order_in_a_batch_is_unknown_of_a_record_that_was_refused_before(
    world: World, *, good_first: bool
) -> None:
    bad, good = row(world, "5.00", LONG), row(world, "9.00", "ok")
    schema = unstamped(world)
    world.run([schema, bad])
    world.run([schema, *((good, bad) if good_first else (bad, good))])
    [outcome] = replay(world.settings(), letters_of(world))
    assert outcome.note.startswith("still refused")
    [outcome] = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert (outcome.event, outcome.note, amounts(world)) == (FAILED, UNSURE, [Decimal("9.00")])
    assert statuses(world) == [FAILED]
    world.run([schema, row(world, "9.50", "ok")])
    assert events(world, 40) == [SKIPPED]


def test_a_refusal_by_another_table_does_not_count(world: World) -> None:
    schema, bad = unstamped(world), row(world, "5.00", LONG)
    world.run([schema, bad])
    world.run([schema, row(world, "9.00", "ok")])
    other = f"{world.stream}_b"
    maps = {world.stream: {"__filter__": "amount > 100"}, other: {"__source__": world.stream}}
    world.run([schema, bad], stream_maps=maps, max_parallelism=1)
    assert events(world, 40) == [SKIPPED]
    assert amounts(world) == [Decimal("9.00")]


@pytest.mark.parametrize("later", [{}, NEWER])
def test_a_partial_record_closes_no_letter_of_its_key(world: World, later: Message) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1, "5.00")], **KEEP)
    part = {"documentId": "A", "lineNumber": 1, "updatedDate": "2026-01-31T00:00:00Z"}
    world.run([schema, world.record({**part, "text": LONG})], **KEEP)
    world.run([schema, world.record({**part, "amount": Decimal("9.00"), **later})], **KEEP)
    [outcome] = replay(world.settings(**KEEP), letters_of(world))
    assert outcome.note.startswith("still refused")
    [outcome] = replay(world.settings(column_types=wider(world), **KEEP), letters_of(world))
    assert (outcome.event, outcome.note, amounts(world)) == (FAILED, PARTIAL, [Decimal("9.00")])
    assert statuses(world) == [FAILED]


def test_a_partial_letter_of_a_row_that_was_deleted_since_is_closed(world: World) -> None:
    schema = world.schema_message()
    part = {"documentId": "A", "lineNumber": 1}
    world.run([schema, world.line("A", 1, "5.00")], **KEEP)
    world.run([schema, world.record({**part, "text": LONG, **NEWER})], **KEEP)
    gone = {**part, **NEWER, "_sdc_deleted_at": "2026-02-02T00:00:00Z"}
    world.run([schema, world.record(gone)], **KEEP)
    assert events(world, 40, **KEEP) == [SKIPPED]


def test_a_partial_letter_is_laid_over_the_row_that_was_there_before(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1, "5.00")], **KEEP)
    part = {"documentId": "A", "lineNumber": 1, "text": LONG, **NEWER}
    world.run([schema, world.record(part)], **KEEP)
    assert events(world, 40, **KEEP) == [REPLAYED]
    assert [(one["AMOUNT"], one["TEXT"]) for one in world.rows()] == [(Decimal("5.00"), LONG)]
