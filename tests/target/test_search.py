"""The search for rows that only MERGE refuses, and the dead letters of a batch that is rolled back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit.errors import DeadLetterLimitError, InterruptedRunError
from target_snowflake_audit.replay import LetterRow, replay
from target_snowflake_audit.retrying import Retrier
from target_world import before_first, state

if TYPE_CHECKING:
    from target_world import Message, World

NULLS = {3, 4, 11}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)


@pytest.fixture
def messages(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """Lines of which three are null in a column that becomes NOT NULL after the table was looked at."""
    world.run([world.schema_message(), world.line("A", 0, text="x")])
    forbid = f'ALTER TABLE {world.table} ALTER COLUMN "TEXT" SET NOT NULL'
    before_first("put", lambda: world.query(forbid), monkeypatch)
    records = [world.line("B", n, text=None if n in NULLS else "ok") for n in range(16)]
    return [world.schema_message(), *records]


def numbers(world: World) -> list[int]:
    return [json.loads(letter["RECORD_TEXT"])["lineNumber"] for letter in world.letters()]


def outcomes(world: World) -> list[tuple[str, str]]:
    return [(retry["ERROR_CLASS"], retry["OUTCOME"]) for retry in world.audit("RETRIES", '"FAILED_AT"')]


def test_search_goes_on_in_a_new_session(world: World, messages: list[Message]) -> None:
    lost = world.control.fault("error", pattern="^MERGE INTO", nth=5, code=390114, user="LOADER")
    world.run(messages)
    assert world.control.struck(lost) == 1
    assert numbers(world) == sorted(NULLS)
    assert world.counts()[-1] == {"received": 16, "inserted": 13, "dead": 3}
    assert outcomes(world) == [("session", "retried"), ("data", "split")]


@pytest.mark.parametrize(
    ("limit", "found"), [({"max_dead_letters": 1}, [3, 4]), ({"error_tolerance": "none"}, [3])]
)
def test_search_ends_where_a_limit_is_breached(
    world: World, messages: list[Message], limit: dict[str, object], found: list[int]
) -> None:
    """What was found is kept, as with every other breach; the batch is not loaded."""
    with pytest.raises(DeadLetterLimitError, match=str(len(found))):
        world.run(messages, **limit)
    assert numbers(world) == found
    assert {letter["REASON"] for letter in world.letters()} == {"refused_by_snowflake"}
    assert len(world.rows()) == 1
    assert [row["OPERATION"] for row in world.audit("BATCHES", '"LOADED_AT"')] == ["load", "refused"]
    assert outcomes(world) == [("data", "gave_up")]


def test_letters_of_all_nets_are_kept_where_the_search_breaches_a_limit(
    world: World, messages: list[Message]
) -> None:
    newer = world.line("A", 0, "9.00", text="y", updatedDate="2025-01-01T00:00:00Z")
    with pytest.raises(DeadLetterLimitError):
        world.run([*messages, newer, world.line("C", 1, text="x" * 11)], max_dead_letters=2)
    reasons = sorted(letter["REASON"] for letter in world.letters())
    assert reasons == ["refused_by_snowflake", "refused_by_snowflake", "stale", "too_long"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "pattern": "^INSERT INTO .*DEAD_LETTERS", "code": 390114},
        {"kind": "error", "pattern": "^COPY INTO", "code": 603, "nth": 2},
        {"kind": "error", "pattern": "^COMMIT", "when": "after", "code": 390114, "nth": 2},
    ],
    ids=["insert", "copy", "commit"],
)
def test_saving_of_letters_is_tried_again(world: World, fault: Message) -> None:
    world.run([world.schema_message(), world.line("A", 0)])
    armed = world.control.fault(user="LOADER", **fault)
    with pytest.raises(DeadLetterLimitError):
        world.run(
            [world.schema_message(), world.line("A", 1), world.line("B", 1, text="x" * 11)],
            error_tolerance="none",
        )
    assert world.control.struck(armed) == 1
    assert numbers(world) == [1]
    assert len(world.rows()) == 1
    assert [row["OPERATION"] for row in world.audit("BATCHES", '"LOADED_AT"')] == ["load", "refused"]
    assert [outcome for _, outcome in outcomes(world)] == ["retried"]
    [letter] = world.letters()
    chosen = f"\"DEAD_LETTER_ID\" = '{letter['DEAD_LETTER_ID']}'"
    assert world.query(f"SELECT 1 FROM ANALYTICS.AUDIT.DEAD_LETTER_EVENTS WHERE {chosen}") == []


def test_signal_ends_a_search(world: World, messages: list[Message], monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Retrier._judge  # noqa: SLF001 - a signal must come while the search is at work

    def stop(retrier: Retrier, *args: object) -> None:
        retrier._stopping.set()  # noqa: SLF001
        judge(retrier, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Retrier, "_judge", stop)
    with pytest.raises(InterruptedRunError, match="looking for refused rows"):
        world.run(messages)
    assert len(world.rows()) == 1
    assert world.letters() == []


def test_replayed_letter_that_the_statement_refuses_again_says_why(
    world: World, messages: list[Message]
) -> None:
    world.run(messages)
    first, *_ = world.letters()
    schema = json.loads(first["SINGER_SCHEMA"], parse_float=Decimal)
    letter = LetterRow(first["DEAD_LETTER_ID"], first["STREAM"], first["RECORD_TEXT"], schema)
    forbid = f'ALTER TABLE {world.table} ALTER COLUMN "TEXT" SET NOT NULL'
    with pytest.MonkeyPatch.context() as patch:
        before_first("put", lambda: world.query(forbid), patch)
        [outcome] = replay(world.settings(), [letter])
    assert outcome.event == "replay_failed"
    [error] = outcome.errors
    assert (error["column"], error["reason"]) == ("", "refused_by_snowflake")
    assert world.counts()[-1] == {"received": 1, "dead": 1}


def test_append_only_rows_that_snowflake_refuses_are_letters(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run([world.schema_message(), world.line("A", 0, text="x")], load_method="append-only")
    forbid = f'ALTER TABLE {world.table} ALTER COLUMN "TEXT" SET NOT NULL'
    before_first("put", lambda: world.query(forbid), monkeypatch)
    records = [world.line("B", n, text=None if n in NULLS else "ok") for n in range(16)]
    world.run([world.schema_message(), *records], load_method="append-only")
    assert numbers(world) == sorted(NULLS)
    assert world.counts()[-1] == {"received": 16, "inserted": 13, "dead": 3}
    assert len(world.rows()) == 14


def test_rows_of_retries_that_cannot_be_written_are_a_retry_of_their_own(world: World) -> None:
    """They are written before the batch is tried again, so that one that is committed cannot fail by them."""
    world.run([world.schema_message(), world.line("A", 0)])
    world.control.fault("error", pattern="^MERGE INTO", code=603, sqlstate="XX000", user="LOADER")
    pattern = r'^INSERT INTO "ANALYTICS"."AUDIT"."RETRIES"'
    lost = world.control.fault("error", pattern=pattern, code=390114, user="LOADER")
    ended = world.run([world.schema_message(), world.line("A", 1), state(1)])
    assert world.control.struck(lost) == 1
    assert ended.states == [state(1)["value"]]
    assert len(world.rows()) == 2
    steps = [(row["STEP"], row["OUTCOME"]) for row in world.audit("RETRIES", '"FAILED_AT"')]
    assert steps == [("merge", "retried"), ("insert RETRIES", "retried")]
    [end] = world.query("SELECT * FROM ANALYTICS.AUDIT.RUNS WHERE EVENT = 'ended' ORDER BY AT DESC LIMIT 1")
    assert (end["STATUS"], end["BATCHES"]) == ("completed", 1)
