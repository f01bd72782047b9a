"""Bad records: kept as received with every bad column, never in the way of good ones; and their replay."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from letters import letters_of
from target_snowflake_audit.errors import DeadLetterLimitError
from target_snowflake_audit.replay import replay
from target_world import LINE_SCHEMA, before_first, lines, state

if TYPE_CHECKING:
    from target_world import Message, World


def test_every_bad_column_is_named_with_value_and_reason(world: World) -> None:
    bad = world.line("A", 2, text="x" * 11, postedOn="2026-02-30")
    bad["record"]["amount"] = "12,5x"
    ended = world.run([world.schema_message(), world.line("A", 1), bad, state({"n": 2})])
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1]
    [letter] = world.letters()
    found = {e["column"]: (e["property"], e["value"], e["reason"]) for e in letter["ERRORS"]}
    assert found == {
        "AMOUNT": ("amount", "12,5x", "not_a_number"),
        "TEXT": ("text", "x" * 11, "too_long"),
        "POSTED_ON": ("postedOn", "2026-02-30", "not_a_date"),
    }
    assert all(error["expected"] for error in letter["ERRORS"])
    assert json.loads(letter["RECORD_TEXT"])["amount"] == "12,5x"
    assert json.loads(letter["KEY"]) == {"DOCUMENT_ID": "A", "LINE_NUMBER": 2}
    assert letter["PHASE"] == "validate"
    assert ended.states == [{"n": 2}]
    assert ended.log.splitlines()[-1] == "completed with 1 dead letters"
    assert world.counts() == [{"received": 2, "inserted": 1, "dead": 1}]


def test_reason_of_each_kind_of_bad_value(world: World) -> None:
    changes: list[tuple[Message, str]] = [
        ({"amount": Decimal("1.005")}, "too_many_decimals"),
        ({"amount": Decimal("1e37")}, "out_of_range"),
        ({"lineNumber": Decimal("1.5")}, "too_many_decimals"),
        ({"lineNumber": None}, "key_is_null"),
        ({"documentId": "D" * 21}, "too_long"),
        ({"postedOn": "20260101"}, "not_a_date"),
        ({"postedOn": "2026-01-01T00:30:00Z"}, "not_a_date"),
        ({"updatedDate": "2026-13-01T00:00:00Z"}, "not_a_time"),
        ({"updatedDate": "yesterday"}, "not_a_time"),
        ({"open": "true"}, "not_a_boolean"),
        ({"extra": 5}, "wrong_type"),
    ]
    bad = [world.line("B", number) for number in range(len(changes))]
    for message, (change, _) in zip(bad, changes, strict=True):
        message["record"].update(change)
    world.run([world.schema_message(), world.line("A", 1), *bad], max_dead_letter_percent=100)
    reasons = [{error["reason"] for error in letter["ERRORS"]} for letter in world.letters()]
    assert len(reasons) == len(changes)
    assert [wanted for found, (_, wanted) in zip(reasons, changes, strict=True) if wanted not in found] == []
    assert len(world.rows()) == 1


@pytest.mark.parametrize("rule", ["additionalProperties", "unevaluatedProperties"])
def test_a_property_that_the_schema_does_not_allow_is_named(world: World, rule: str) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **LINE_SCHEMA, rule: False}
    odd = world.line("A", 2, note="x", iban="FR7630006", text="t" * 11)
    world.run([world.schema_message(schema), world.line("A", 1), odd])
    [letter] = world.letters()
    expected = f"no property of this name: `{rule}` of the schema allows only declared ones"
    found = {error["property"]: error for error in letter["ERRORS"]}
    assert found.keys() == {"note", "iban", "text"}
    assert found["note"] == {
        "column": "",
        "property": "note",
        "value": '"x"',
        "reason": "schema",
        "expected": expected,
    }
    assert "FR7630006" not in json.dumps(letter, default=str)  # redacted by its name


def test_missing_key_and_nan_become_letters(world: World) -> None:
    no_key = world.record({"documentId": "A"})
    text = "".join(json.dumps(m) + "\n" for m in (world.schema_message(), no_key))
    body = '{"documentId": "A", "lineNumber": 2, "amount": NaN}'
    text += f'{{"type": "RECORD", "stream": "{world.stream}", "record": {body}}}\n'
    world.run_text(text)
    reasons = [{error["reason"] for error in letter["ERRORS"]} for letter in world.letters()]
    assert reasons[0] == {"missing"}
    assert "not_a_number" in reasons[1] or "wrong_type" in reasons[1]


def test_what_the_client_cannot_judge_is_caught_by_snowflake(world: World) -> None:
    """The second net: a column of a type whose text the client passes on."""
    schema = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "at": {"type": "string"}}}
    types = {world.stream: {"at": "TIME"}}
    messages = [
        world.schema_message(schema),
        world.line("A", 1, at="08:30:00"),
        world.line("A", 2, at="half past eight"),
        world.line("A", 3, at="09:00:00"),
    ]
    world.run(messages, column_types=types)
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1, 3]
    [letter] = world.letters()
    assert (letter["PHASE"], letter["REASON"]) == ("split", "conversion")
    assert letter["ERRORS"][0]["value"] == "half past eight"
    assert json.loads(letter["RECORD_TEXT"])["lineNumber"] == 2


def test_what_only_the_merge_refuses_is_found_by_halving(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third net: somebody forbids null in a column, after the table was looked at."""
    world.run([world.schema_message(), world.line("A", 0, text="x")])
    forbid = f'ALTER TABLE {world.table} ALTER COLUMN "TEXT" SET NOT NULL'
    before_first("put", lambda: world.query(forbid), monkeypatch)
    records = [world.line("B", n, text=None if n in {3, 11} else "ok") for n in range(16)]
    world.run([world.schema_message(), *records], max_dead_letter_percent=50)
    assert len(world.rows()) == 15
    letters = world.letters()
    assert [json.loads(letter["RECORD_TEXT"])["lineNumber"] for letter in letters] == [3, 11]
    assert {letter["REASON"] for letter in letters} == {"refused_by_snowflake"}
    assert {letter["ERRNO"] for letter in letters} == {100072}
    assert [retry["OUTCOME"] for retry in world.audit("RETRIES")] == ["split"]
    assert world.counts()[-1] == {"received": 16, "inserted": 14, "dead": 2}


def test_sending_again_makes_no_copies(world: World) -> None:
    messages = [world.schema_message(), world.line("A", 1, text="x" * 11), world.line("A", 1, text="x" * 11)]
    world.run(messages)
    world.run(messages)
    assert len(world.letters()) == 1
    assert world.counts() == [{"received": 2, "dead": 2}] * 2


def test_breaker_rolls_back_the_batch_keeps_the_letters_and_the_state(world: World) -> None:
    good = [world.line("A", n) for n in range(95)]
    bad = [world.line("B", n, text="x" * 11) for n in range(6)]
    messages = [world.schema_message(), state({"n": 0}), *good, *bad, state({"n": 1})]
    with pytest.raises(
        DeadLetterLimitError, match=r"6 dead letters of 101 records.*max_dead_letter_percent"
    ) as raised:
        world.run(messages)
    assert '"n":1' not in "".join(raised.value.__notes__)
    assert world.rows() == []
    assert len(world.letters()) == 6
    [batch] = world.audit("BATCHES")
    assert (batch["OPERATION"], batch["RECEIVED"], batch["CHAIN_NUMBER"]) == ("refused", 0, 1)


def test_at_five_percent_the_run_goes_on(world: World) -> None:
    good = [world.line("A", n) for n in range(95)]
    bad = [world.line("B", n, text="x" * 11) for n in range(5)]
    world.run([world.schema_message(), *good, *bad])
    assert len(world.rows()) == 95


def test_no_tolerance_fails_with_the_letter_saved(world: World) -> None:
    with pytest.raises(DeadLetterLimitError, match="error_tolerance"):
        world.run(
            [world.schema_message(), world.line("A", 1), world.line("A", 2, text="x" * 11)],
            error_tolerance="none",
        )
    assert len(world.letters()) == 1
    assert world.rows() == []


def test_loader_may_not_change_the_trail(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text="x" * 11)])
    for sql in ("DELETE FROM", "UPDATE"):
        rest = " SET \"REASON\" = 'x'" if sql == "UPDATE" else ""
        assert world.refused_to_loader(f'{sql} "ANALYTICS"."AUDIT"."DEAD_LETTERS"{rest}')


def test_replay_after_the_column_was_widened(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text="x" * 11)])
    letters = letters_of(world)
    [still] = replay(world.settings(), letters)
    assert (still.event, still.errors[0]["reason"]) == ("replay_failed", "too_long")
    [done] = replay(
        world.settings(column_types={world.stream: {"text": "VARCHAR(40)"}}), letters, note="widened"
    )
    assert (done.event, done.note) == ("replayed", "inserted")
    assert world.rows()[0]["TEXT"] == "x" * 11
    assert [operation for operation, _, _ in world.history()] == ["replay"]
    events = world.query(
        "SELECT * FROM ANALYTICS.AUDIT.DEAD_LETTER_EVENTS WHERE DEAD_LETTER_ID = "
        f"'{letters[0].letter_id}' ORDER BY \"AT\""
    )
    assert [event["EVENT"] for event in events] == ["replay_failed", "replayed"]
    assert events[1]["ACTOR"] == "LOADER"
    assert "widened" in events[1]["NOTE"]
    assert events[1]["BATCH_ID"] == world.audit("BATCHES", '"LOADED_AT"')[-1]["BATCH_ID"]
    chosen = f"DEAD_LETTER_ID = '{letters[0].letter_id}'"
    [current] = world.query(f"SELECT STATUS FROM ANALYTICS.AUDIT.DEAD_LETTERS_CURRENT WHERE {chosen}")
    assert current["STATUS"] == "replayed"
    [again] = replay(world.settings(column_types={world.stream: {"text": "VARCHAR(40)"}}), letters)
    assert again.event == "replay_skipped"
    assert len(world.history()) == 1


def test_replay_does_not_overwrite_a_newer_row(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text="x" * 11)])
    world.run(
        [world.schema_message(), world.line("A", 1, "5.00", text="ok", updatedDate="2026-02-01T00:00:00Z")]
    )
    types = {world.stream: {"text": "VARCHAR(40)"}}
    [outcome] = replay(world.settings(column_types=types), letters_of(world))
    assert outcome.event == "replay_skipped"
    assert "newer" in outcome.note
    assert world.rows()[0]["TEXT"] == "ok"


def test_replay_gives_each_letter_its_own_outcome(world: World) -> None:
    world.run(
        [world.schema_message(), world.line("A", 1, text="x" * 11), world.line("A", 2, postedOn="2026-02-30")]
    )
    outcomes = replay(world.settings(column_types={world.stream: {"text": "VARCHAR(40)"}}), letters_of(world))
    assert [outcome.event for outcome in outcomes] == ["replayed", "replay_failed"]
    assert world.counts()[-1] == {"received": 2, "inserted": 1, "dead": 1}
    assert len(world.letters()) == 2


def test_replay_through_stream_maps(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text="x" * 11)])
    maps = {world.stream: {"text": "text[:5]"}}
    [outcome] = replay(world.settings(stream_maps=maps), letters_of(world))
    assert outcome.event == "replayed", outcome
    assert world.rows()[0]["TEXT"] == "xxxxx"


@pytest.mark.parametrize("depth", [700, 960, 5000])
def test_value_that_nests_however_deeply_never_stops_the_run(world: World, depth: int) -> None:
    """A VARIANT may hold it, or its record is a dead letter; the lines beside it load."""
    deep = "[" * depth + "]" * depth
    text = lines(
        [world.schema_message(), world.line("A", 1), world.line("A", 2, extra=7), world.line("A", 3)]
    )
    world.run_text(text.replace('"extra": 7', f'"extra": {deep}'), max_dead_letter_percent=50)
    stored = [row["LINE_NUMBER"] for row in world.rows()]
    letters = world.letters()
    assert stored == ([1, 3] if letters else [1, 2, 3])
    assert [deep in letter["RECORD_TEXT"] for letter in letters] in ([], [True])
    assert depth < 900 or letters


def test_message_other_than_a_record_that_nests_too_deeply_is_said_so(world: World) -> None:
    with pytest.raises(Exception, match="other than a RECORD nests too deeply"):
        world.run_text('{"type": "STATE", "value": ' + "[" * 5000 + "]" * 5000 + "}\n")


def test_key_that_is_no_json_number_is_kept_as_text(world: World) -> None:
    numbers = ["NaN", "-Infinity", "1E+400"]
    bad = [world.record({"documentId": "B", "lineNumber": Decimal(number)}) for number in numbers]
    world.run([world.schema_message(), world.line("A", 1), *bad])
    found = [json.loads(letter["KEY"]) for letter in world.letters()]
    assert found == [{"DOCUMENT_ID": "B", "LINE_NUMBER": number} for number in numbers]
    assert len(world.rows()) == 1
