"""Breakers: what fails a run that has bad records, and what it leaves behind: letters, no rows, no STATE."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import DeadLetterLimitError, StreamsFailedError
from target_world import LINE_SCHEMA, lines, state

if TYPE_CHECKING:
    from target_world import Message, World

LONG = "x" * 11


def bad(world: World, *numbers: int) -> list[Message]:
    return [world.line("B", n, text=LONG) for n in numbers]


def test_most_dead_letters_of_a_run_count_over_its_batches(world: World) -> None:
    first = [world.schema_message(), world.line("A", 1), *bad(world, 1, 2, 3), state({"n": 1})]
    second = [world.line("A", 2), *bad(world, 4), world.line("A", 3), world.line("A", 4), state({"n": 2})]
    ended = world.command(lines([*first, *second]), batch_size_rows=4, max_dead_letters=3)
    assert ended.code == 1
    assert "4 dead letters, more than `max_dead_letters` (3)" in ended.log
    assert "dead letters" in ended.log.splitlines()[-1] or "max_dead_letters" in ended.log.splitlines()[-1]
    assert ended.states == [{"n": 1}]
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1]
    assert len(world.letters()) == 4
    world.run([world.schema_message(), *second])
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1, 2, 3, 4]
    assert len(world.letters()) == 4


def test_share_of_fewer_than_a_hundred_records_is_no_reason(world: World) -> None:
    ended = world.run(
        [world.schema_message(), *(world.line("A", n) for n in range(39)), *bad(world, *range(60))]
    )
    assert len(world.rows()) == 39
    assert ended.log.splitlines()[-1] == "completed with 60 dead letters"


def test_share_counts_over_the_batches_of_a_run(world: World) -> None:
    """Five in a hundred are allowed; the sixth comes in the second batch, which is rolled back alone."""
    first = [*(world.line("A", n) for n in range(96)), *bad(world, 1, 2, 3, 4), state({"n": 1})]
    second = [*bad(world, 5, 6), world.line("C", 1), state({"n": 2})]
    with pytest.raises(DeadLetterLimitError, match=r"6 dead letters of 103 records.*\(5 %\)") as raised:
        world.run([world.schema_message(), *first, *second], batch_size_rows=100)
    states = [json.loads(line) for note in raised.value.__notes__ for line in note.splitlines()]
    assert {"n": 2} not in states
    assert len(world.rows()) == 96
    assert len(world.letters()) == 6


def test_letters_of_all_nets_are_saved_where_none_is_tolerated(world: World) -> None:
    """One that the client refuses, one that Snowflake's conversion refuses, one that is too late."""
    schema = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "at": {"type": "string"}}}
    types = {world.stream: {"at": "TIME"}}
    first = world.line("L", 1, updatedDate="2026-02-01T00:00:00Z", at="08:00")
    world.run([world.schema_message(schema), first], column_types=types)
    late = world.line("L", 1, "7.00", updatedDate="2026-01-01T00:00:00Z", at="08:00")
    records = [*bad(world, 1), world.line("T", 1, at="half past eight"), late, world.line("A", 1, at="09:00")]
    with pytest.raises(DeadLetterLimitError, match="error_tolerance"):
        world.run([world.schema_message(schema), *records], column_types=types, error_tolerance="none")
    assert [row["DOCUMENT_ID"] for row in world.rows()] == ["L"]
    reasons = {letter["REASON"] for letter in world.letters()}
    assert "too_long" in reasons
    assert {"conversion", "stale"} <= reasons


def test_end_of_a_failed_run_is_in_runs_with_its_letters(world: World) -> None:
    with pytest.raises(DeadLetterLimitError):
        world.run([world.schema_message(), *bad(world, 1)], error_tolerance="none")
    [letter] = world.letters()
    where = f"RUN_ID = '{letter['RUN_ID']}' AND EVENT = 'ended'"
    [run] = world.query(f"SELECT STATUS, ERROR FROM ANALYTICS.AUDIT.RUNS WHERE {where}")
    assert run["STATUS"] == "failed"
    assert "error_tolerance" in run["ERROR"]


def test_the_first_letter_is_told_with_the_command_that_lists_all(world: World) -> None:
    command = f"all of them: snowflake-audit dead-letters list --stream {world.stream}"
    text = lines([world.schema_message(), world.line("A", 1), *bad(world, 7, 8)])
    changes: list[dict[str, Any]] = [{"error_tolerance": "none"}, {"max_dead_letters": 1}]
    for change in changes:
        ended = world.command(text, **change)
        assert ended.code == 1
        [said] = [line for line in ended.log.splitlines() if "CRITICAL" in line]
        assert (
            '; first of the batch: record {"DOCUMENT_ID":"B","LINE_NUMBER":7}, column TEXT: too_long' in said
        )
        assert said.endswith(command)
    runs = world.query(f"SELECT ERROR FROM ANALYTICS.AUDIT.RUNS WHERE ERROR LIKE '%{world.stream}:%'")
    assert len(runs) == len(changes)
    for run in runs:  # what an erasure blanks must be in no other table
        assert "first of the batch: record ..., column TEXT: too_long" in run["ERROR"]
        assert '"B"' not in run["ERROR"]


def test_the_command_names_the_stream_as_its_letters_do(world: World) -> None:
    maps = {world.stream: {"__alias__": f"{world.stream}_2"}}
    with pytest.raises(DeadLetterLimitError, match=f" --stream {world.stream}$"):
        world.run([world.schema_message(), *bad(world, 7)], error_tolerance="none", stream_maps=maps)
    where = f"STREAM = '{world.stream}'"
    assert len(world.query(f"SELECT STREAM FROM ANALYTICS.AUDIT.DEAD_LETTERS WHERE {where}")) == 1


def test_a_key_that_is_redacted_is_not_told(world: World) -> None:
    redacted = {world.stream: {"documentId": "mask"}}
    messages = [world.schema_message(), world.line("A", 1), *bad(world, 7)]
    with pytest.raises(
        DeadLetterLimitError, match=r"first of the batch: record number 2, column TEXT: too_l"
    ):
        world.run(messages, error_tolerance="none", redact_columns=redacted)


def test_keys_of_several_streams_that_failed_are_in_no_run(world: World) -> None:
    other = dataclasses.replace(world, stream=f"{world.stream}_2")
    messages = [other.schema_message(), *bad(other, 5), world.schema_message(), *bad(world, 7)]
    with pytest.raises(StreamsFailedError, match=r'"LINE_NUMBER":.*"LINE_NUMBER":') as raised:
        world.run(messages, max_dead_letters=0, max_parallelism=1)
    assert "2 streams failed: " in raised.value.kept
    assert "LINE_NUMBER" not in raised.value.kept
