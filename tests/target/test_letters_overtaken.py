"""A letter that is refused again is done where the table holds a newer row of its key, and only there."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from letters import LONG, NEWER, by_day, letters_of, row, statuses, unstamped, wider
from target_snowflake_audit.replay import LetterRow, replay
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_snowflake_audit.replay import Outcome
    from target_world import World

SKIPPED, FAILED, REPLAYED = "replay_skipped", "replay_failed", "replayed"
OLDER = {"updatedDate": "2025-12-01T00:00:00Z"}


def again(world: World, **settings: Any) -> list[Outcome]:  # noqa: ANN401 - settings are of any JSON type
    return replay(world.settings(**settings), letters_of(world))


def events(world: World) -> list[str]:
    return [one.event for one in again(world)]


def test_a_newer_row_closes_a_letter_that_is_refused_again(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1, "1.005")])
    assert (events(world), statuses(world)) == ([FAILED], [FAILED])
    world.run([schema, world.line("A", 1, "9.00", **NEWER)])
    [done] = again(world)
    assert (done.event, done.errors, statuses(world)) == (SKIPPED, (), [SKIPPED])
    assert "the table holds a newer version of this row by now" in done.note
    assert "AMOUNT: too_many_decimals" in done.note


def test_the_row_of_another_key_closes_none(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1, text=LONG)])
    world.run([schema, world.line("A", 2, **NEWER), world.line("B", 1, **NEWER)])
    assert (events(world), statuses(world)) == ([FAILED], [FAILED])


def test_a_row_that_was_there_before_closes_no_newer_record(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1)])
    world.run([schema, world.line("A", 1, text=LONG, **NEWER)])
    assert events(world) == [FAILED]


def test_a_row_that_comes_later_with_an_older_stamp_closes_none(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1, text=LONG)])
    world.run([schema, world.line("A", 1, **OLDER)])
    assert events(world) == [FAILED]


def test_with_equal_stamps_the_later_arrival_closes(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1), world.line("A", 2, text=LONG)])
    world.run([schema, world.line("A", 1, text=LONG), world.line("A", 2)])
    assert sorted(events(world)) == [FAILED, SKIPPED]
    found = world.query(
        'SELECT "KEY":"LINE_NUMBER"::VARCHAR AS N, "STATUS" FROM ANALYTICS.AUDIT.DEAD_LETTERS_CURRENT WHERE '
        f"TARGET_TABLE = '{world.table}' ORDER BY 1"
    )
    assert [(one["N"], one["STATUS"]) for one in found] == [("1", FAILED), ("2", SKIPPED)]


@pytest.mark.parametrize("good_first", [True, False])
def test_within_a_batch_the_order_decides(world: World, *, good_first: bool) -> None:
    records = [row(world, "5.00", "ok"), row(world, "9.00", LONG)]
    world.run([unstamped(world), *(records if good_first else records[::-1])])
    assert events(world) == [FAILED if good_first else SKIPPED]


def test_a_record_that_is_refused_once_more_after_the_row_stays_open(world: World) -> None:
    schema, bad = unstamped(world), row(world, "5.00", LONG)
    world.run([schema, bad])
    world.run([schema, row(world, "9.00", "ok")])
    world.run([schema, bad])
    assert events(world) == [FAILED]


def test_a_letter_without_a_readable_key_or_stamp_stays(world: World) -> None:
    schema = world.schema_message()
    bad = world.line("A", 1, updatedDate="yesterday")
    lost = world.line("A", 1)
    lost["record"]["lineNumber"] = None
    world.run([schema, bad, lost])
    world.run([schema, world.line("A", 1, **NEWER)])
    assert events(world) == [FAILED, FAILED]


def test_a_row_that_another_letter_became_closes_none_that_came_after_it(world: World) -> None:
    schema = unstamped(world)
    world.run([schema, row(world, "5.00", LONG)])
    world.run([schema, row(world, "6.00", "y" * 50)])
    outcomes = again(world, column_types=wider(world))
    assert [one.event for one in outcomes] == [REPLAYED, FAILED]
    assert events(world)[-1] == FAILED


def test_a_mapped_record_that_cannot_be_mapped_stays(world: World) -> None:
    maps = {world.stream: {"amount": "1 / lineNumber"}}
    schema = world.schema_message()
    world.run([schema, world.line("A", 0, **OLDER)], stream_maps=maps)
    world.run([schema, world.line("A", 0)])
    assert [one.event for one in again(world, stream_maps=maps)] == [FAILED]


def test_a_record_that_the_second_net_refuses_is_closed_too(world: World) -> None:
    properties = {**LINE_SCHEMA["properties"], "at": {"type": ["string", "null"], "format": "time"}}
    schema = world.schema_message({**LINE_SCHEMA, "properties": properties})
    world.run([schema, world.line("A", 1, at="99:99:99x"), world.line("A", 2, at="99:99:99x", **NEWER)])
    world.run([schema, world.line("A", 1, at="12:00:00", **NEWER), world.line("A", 2, at="12:00:00")])
    assert sorted(events(world)) == [FAILED, SKIPPED]


def test_a_row_that_was_deleted_since_closes_too(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1, text=LONG)])
    world.run([schema, world.line("A", 1, **NEWER)])
    gone = {"documentId": "A", "lineNumber": 1, "_sdc_deleted_at": "2026-02-02T00:00:00Z"}
    world.run([schema, world.record({**gone, **NEWER})])
    [done] = again(world)
    assert (done.event, statuses(world)) == (SKIPPED, [SKIPPED])
    assert done.note.startswith("the table held a newer version of this row, which was deleted since")


def test_a_version_that_lacks_the_row_closes_none(world: World) -> None:
    """The letter's record may be of that version."""
    schema = unstamped(world)
    world.run([schema, row(world, "5.00", "ok")])
    world.run([schema, row(world, "5.00", LONG)])
    others = [world.line("B", number, version=2) for number in range(3)]
    activate = {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": 2}
    world.run([schema, *others, activate], max_deleted_percent=100)
    assert events(world) == [FAILED]


@pytest.mark.parametrize("good_first", [True, False])
def test_with_stamps_of_one_day_the_later_arrival_closes(world: World, *, good_first: bool) -> None:
    records = [world.line("A", 1), world.line("A", 1, text=LONG)]
    for record in records if good_first else records[::-1]:
        world.run([by_day(world), record])
    assert events(world) == [FAILED if good_first else SKIPPED]


def test_a_letter_that_lacks_values_is_closed_unless_maps_may_make_its_key_of_them(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1, text=LONG)])
    world.run([schema, world.line("A", 1, **NEWER)])
    letters = [dataclasses.replace(letter, redacted=("text",)) for letter in letters_of(world)]
    [failed] = replay(world.settings(stream_maps={world.stream: {"text": "text"}}), letters)
    [done] = replay(world.settings(), letters)
    assert (failed.event, done.event) == (FAILED, SKIPPED)
    assert "TEXT: redacted" in done.note


def test_letters_of_a_table_that_cannot_take_them_fail_and_others_are_replayed(world: World) -> None:
    schema = world.schema_message()
    world.run([schema, world.line("A", 1, "1.005"), world.line("A", 2, text=LONG)])
    letters = letters_of(world)
    other = LetterRow("f" * 64, f"{world.stream}_b", letters[1].record_text, letters[1].singer_schema)
    types = {world.stream: {"amount": "NUMBER(38,4)"}, f"{world.stream}_b": {"text": "VARCHAR(40)"}}
    outcomes = replay(world.settings(column_types=types), [*letters, other], "as asked")
    assert [one.event for one in outcomes] == [FAILED, FAILED, REPLAYED]
    assert "the column is NUMBER(38,2), the schema needs NUMBER(38,4)" in outcomes[0].note
    assert statuses(world) == [FAILED, FAILED]
    kept = world.query(
        'SELECT e."NOTE", e."CHAIN", r."STATUS" FROM ANALYTICS.AUDIT.DEAD_LETTER_EVENTS AS e '
        'JOIN ANALYTICS.AUDIT.RUNS_CURRENT AS r ON r."RUN_ID" = e."RUN_ID" '
        f"WHERE e.\"DEAD_LETTER_ID\" = '{letters[0].letter_id}'"
    )
    assert [(one["CHAIN"][:4], one["STATUS"]) for one in kept] == [("run:", "failed")]
    assert kept[0]["NOTE"].endswith("as asked")
