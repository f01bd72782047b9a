"""Dead letters met again: by the breaker, a second replay, a newer load, the same record."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from letters import LONG, NEWER, by_day, letters_of, row, statuses, unstamped, wider
from target_snowflake_audit.errors import DeadLetterLimitError
from target_snowflake_audit.replay import replay
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_world import World


def test_breaker_keeps_stale_letters(world: World) -> None:
    newer = [world.line("A", n, updatedDate="2026-02-01T00:00:00Z") for n in range(40)]
    world.run([world.schema_message(), *newer])
    older = [world.line("A", n, "7.00") for n in range(40)]
    bad = world.line("B", 1, text=LONG)
    with pytest.raises(DeadLetterLimitError):
        world.run([world.schema_message(), *older, bad], error_tolerance="none")
    assert sorted(letter["REASON"] for letter in world.letters()) == ["stale"] * 40 + ["too_long"]


def test_breaker_keeps_letters_of_the_second_net(world: World) -> None:
    properties = {**LINE_SCHEMA["properties"], "at": {"type": ["string", "null"], "format": "time"}}
    schema = world.schema_message({**LINE_SCHEMA, "properties": properties})
    with pytest.raises(DeadLetterLimitError):
        world.run([schema, world.line("A", 1, at="99:99:99x")], error_tolerance="none")
    assert len(world.letters()) == 1


def test_record_refused_again_after_its_replay_is_open_and_can_be_replayed(world: World) -> None:
    schema = unstamped(world)
    world.run([schema, row(world, "5.00", LONG)])
    maps = {world.stream: {"text": "text[:5]"}}
    assert [one.event for one in replay(world.settings(stream_maps=maps), letters_of(world))] == ["replayed"]
    world.run([schema, row(world, "9.00", "ok")])
    assert statuses(world) == ["replayed"]
    world.run([schema, row(world, "5.00", LONG)])
    assert statuses(world) == ["refused_again"]
    world.run([schema, row(world, "5.00", LONG)])
    assert statuses(world) == ["refused_again"]
    [done] = replay(world.settings(stream_maps=maps), letters_of(world))
    assert (done.event, statuses(world)) == ("replayed", ["replayed"])
    assert [one["AMOUNT"] for one in world.rows()] == [Decimal("5.00")]


def test_open_letter_that_comes_again_stays_open(world: World) -> None:
    for _ in range(2):
        world.run([world.schema_message(), world.line("A", 1, text=LONG)])
    assert statuses(world) == ["open"]
    assert len(world.letters()) == 1


def test_replay_reaches_every_stream_that_the_maps_make_of_one(world: World) -> None:
    maps = {world.stream: {}, f"{world.stream}_b": {"__source__": world.stream}}
    # Letters of two streams at once are more than the local Snowflake can do: it says so.
    world.run([world.schema_message(), world.line("A", 1, text=LONG)], stream_maps=maps, max_parallelism=1)
    [done] = replay(world.settings(stream_maps=maps, column_types=wider(world)), letters_of(world))
    assert done.event == "replayed"
    assert [len(world.rows(table)) for table in (world.table, f"{world.table}_B")] == [1, 1]
    assert (
        len(
            world.query(
                "SELECT 1 FROM ANALYTICS.AUDIT.DEAD_LETTER_EVENTS WHERE "
                f"\"DEAD_LETTER_ID\" = '{done.letter_id}' AND EVENT = 'replayed'"
            )
        )
        == 1
    )


def test_replay_spares_a_row_loaded_later_that_has_no_stamp(world: World) -> None:
    schema = unstamped(world)
    world.run([schema, row(world, "5.00", LONG)])
    world.run([schema, row(world, "9.00", "ok")])
    [done] = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert (done.event, [one["AMOUNT"] for one in world.rows()]) == ("replay_skipped", [Decimal("9.00")])


def test_replay_spares_a_row_loaded_later_with_a_stamp_of_the_same_day(world: World) -> None:
    schema = by_day(world)
    world.run([schema, world.line("A", 1, "5.00", text=LONG)])
    world.run([schema, world.line("A", 1, "9.00")])
    [done] = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert (done.event, [one["AMOUNT"] for one in world.rows()]) == ("replay_skipped", [Decimal("9.00")])


def test_replay_spares_a_later_row_of_the_letters_own_batch(world: World) -> None:
    schema = unstamped(world)
    world.run([schema, row(world, "5.00", LONG), row(world, "9.00", "ok")])
    [done] = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert (done.event, [one["AMOUNT"] for one in world.rows()]) == ("replay_skipped", [Decimal("9.00")])


def test_replay_overwrites_a_row_of_the_letters_own_batch_that_came_before_it(world: World) -> None:
    schema = unstamped(world)
    world.run([schema, row(world, "5.00", "ok"), row(world, "9.00", LONG)])
    [done] = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert (done.event, [one["AMOUNT"] for one in world.rows()]) == ("replayed", [Decimal("9.00")])


def test_replay_of_a_newer_stamp_overwrites_a_row_loaded_later(world: World) -> None:
    newer = world.line("A", 1, "5.00", text=LONG, updatedDate="2026-02-01T00:00:00Z")
    world.run([world.schema_message(), newer])
    world.run([world.schema_message(), world.line("A", 1, "9.00")])
    [done] = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert (done.event, [one["AMOUNT"] for one in world.rows()]) == ("replayed", [Decimal("5.00")])


SCOPED = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}


def lines_of(world: World) -> list[int]:
    return [one["LINE_NUMBER"] for one in world.rows()]


def test_replay_brings_no_line_back_that_its_document_lost_since(world: World) -> None:
    schema = world.schema_message(SCOPED)
    world.run([schema, world.line("A", 1), world.line("A", 2, "100.00", text=LONG)])
    world.run([schema, world.line("A", 1, **NEWER), world.line("A", 3, "100.00", **NEWER)])
    [done] = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert (done.event, lines_of(world)) == ("replay_skipped", [1, 3])


def test_replay_loads_a_line_that_its_document_had_to_the_last(world: World) -> None:
    schema, bad = world.schema_message(SCOPED), world.line("A", 2, "100.00", text=LONG)
    world.run([schema, world.line("A", 1), bad, world.line("A", 3, text=LONG)])
    world.run([schema, world.line("A", 1, **NEWER), bad, world.line("A", 4)])
    outcomes = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert [one.event for one in outcomes] == ["replayed", "replay_skipped"]
    assert lines_of(world) == [1, 2, 4]


def test_replay_brings_no_row_back_that_a_later_version_has_not(world: World) -> None:
    schema = world.schema_message(bookmark_properties=[])
    for version in (1, 2):
        good = [world.line("A", n, version=version) for n in range(5)]
        bad = [world.line("A", n, text=LONG, version=version) for n in (5, 6)[: 3 - version]]
        activate = {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": version}
        world.run([schema, *good, *bad, activate])
    outcomes = replay(world.settings(column_types=wider(world)), letters_of(world))
    assert [one.event for one in outcomes] == ["replayed", "replay_skipped"]
    assert lines_of(world) == [0, 1, 2, 3, 4, 5]
