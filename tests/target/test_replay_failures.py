"""Letters whose stream cannot be loaded: all fail for one reason, but for those that are done."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from letters import LONG, letters_of, statuses, wider
from target_snowflake_audit import replay as replaying
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.loader import StreamLoader
from target_snowflake_audit.replay import LetterRow, replay
from target_snowflake_audit.replay_target import loaders_of, target_of
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_snowflake_audit.counts import Counts
    from target_snowflake_audit.work import Work
    from target_world import World

FINER = "the schema needs NUMBER(38,4)"


def finer(letter: LetterRow) -> LetterRow:
    """The letter, with a schema that the table cannot take."""
    properties = {**LINE_SCHEMA["properties"], "amount": {"type": "number", "multipleOf": 0.0001}}
    schema = {**letter.singer_schema, "schema": {**LINE_SCHEMA, "properties": properties}}
    return dataclasses.replace(letter, singer_schema=schema)


def refused(world: World, count: int) -> list[LetterRow]:
    bad = [world.line("A", number, text=LONG) for number in range(count)]
    world.run([world.schema_message(), *bad])
    return letters_of(world)


def test_once_a_part_failed_the_rest_of_the_group_fails_for_the_same_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST_AT_ONCE", 1)
    good, *others = refused(world, 4)
    outcomes = replay(world.settings(column_types=wider(world)), [good, *map(finer, others)])
    assert [one.event for one in outcomes] == ["replayed", *["replay_failed"] * 3]
    assert [FINER in one.note for one in outcomes[1:]] == [True] * 3
    assert len({one.note for one in outcomes[1:]}) == 1
    assert len(world.rows()) == 1


def test_a_schema_that_could_not_be_taken_is_refused_again(world: World) -> None:
    good, other = refused(world, 2)
    target = target_of(world.settings(column_types=wider(world)))
    assert loaders_of(target, world.stream, good.singer_schema)
    for _ in range(2):
        with pytest.raises(SchemaError, match="NUMBER"):
            loaders_of(target, world.stream, finer(other).singer_schema)
    assert loaders_of(target, world.stream, good.singer_schema)
    target.run.end("completed")


def test_a_letter_that_somebody_else_replayed_meanwhile_stays_closed(world: World) -> None:
    good, other = refused(world, 2)
    settings = world.settings(column_types=wider(world))
    assert [one.event for one in replay(settings, [good])] == ["replayed"]
    outcomes = replay(settings, [finer(good), finer(other)])
    assert [one.event for one in outcomes] == ["replay_skipped", "replay_failed"]
    assert sorted(statuses(world)) == ["replay_failed", "replayed"]
    assert [one.event for one in replay(settings, [finer(good)])] == ["replay_skipped"]
    assert sorted(statuses(world)) == ["replay_failed", "replayed"]


def test_an_attempt_that_was_rolled_back_decides_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt decides and is rolled back; then one letter is somebody else's, and the table fails."""
    first, second = refused(world, 2)
    turns: list[int] = []

    def commit(self: StreamLoader, work: Work) -> Counts:
        turns.append(1)
        if len(turns) > 1:
            message = "the table went away"
            raise SchemaError(message)
        decide = work.before_commit

        def torn(*arguments: Any) -> None:  # noqa: ANN401 - as they come
            decide(*arguments)
            raise replaying._AlreadyReplayedError({first.letter_id})  # noqa: SLF001 - what a rival causes

        work.before_commit = torn
        return original(self, work)

    original = StreamLoader.commit
    monkeypatch.setattr(StreamLoader, "commit", commit)
    outcomes = replay(world.settings(column_types=wider(world)), [first, second])
    assert [(one.event, one.note) for one in outcomes] == [
        ("replay_skipped", "already replayed by somebody else"),
        ("replay_failed", "the table went away"),
    ]
    assert world.rows() == []


def test_streams_that_the_maps_leave_out_are_left_out_of_every_replay(world: World) -> None:
    letters = refused(world, 1)
    maps: dict[str, Any] = {"another": {}, "__else__": None}
    settings = world.settings(column_types=wider(world), stream_maps=maps)
    for _ in range(2):
        [outcome] = replay(settings, letters)
        assert (outcome.event, "`stream_maps` leave it out" in outcome.note) == ("replay_failed", True)
    assert maps == {"another": {}, "__else__": None}


def test_letter_that_maps_leave_out_of_every_table_is_closed(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text=LONG), world.line("A", 2, text=LONG)])
    maps = {world.stream: {"__filter__": "lineNumber > 1"}}
    outcomes = replay(world.settings(stream_maps=maps, column_types=wider(world)), letters_of(world))
    assert [(one.event, one.note) for one in outcomes] == [
        ("replay_skipped", "`stream_maps` leave this record out"),
        ("replayed", "inserted"),
    ]
    assert sorted(statuses(world)) == ["replay_skipped", "replayed"]


@pytest.mark.parametrize("first", [True, False])
def test_letter_that_maps_leave_out_of_one_of_its_tables_is_replayed(world: World, *, first: bool) -> None:
    other, filtered = f"{world.stream}_b", {"__filter__": "lineNumber > 1"}
    source = {"__source__": world.stream}
    both = {world.stream: {}, other: source}
    world.run([world.schema_message(), world.line("A", 1, text=LONG)], stream_maps=both, max_parallelism=1)
    maps = {world.stream: filtered, other: source} if first else {world.stream: {}, other: source | filtered}
    [done] = replay(world.settings(stream_maps=maps, column_types=wider(world)), letters_of(world))
    assert (done.event, done.note, statuses(world)) == ("replayed", "inserted", ["replayed"])
    assert [len(world.rows(table)) for table in (world.table, f"{world.table}_B")] == [not first, first]


def test_letter_without_some_values_is_not_taken_for_left_out(world: World) -> None:
    """What the filter would say of these values cannot be told."""
    world.run([world.schema_message(), world.line("A", 1, text=LONG)])
    letters = [dataclasses.replace(letter, redacted=("text",)) for letter in letters_of(world)]
    maps = {world.stream: {"__filter__": "text is not None"}}
    [failed] = replay(world.settings(stream_maps=maps, column_types=wider(world)), letters)
    assert failed.event == "replay_failed"
