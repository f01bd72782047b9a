"""`dead-letters replay` on what a real run refused."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from audit_messages import amount, load, stream
from processes import VENV_BIN

if TYPE_CHECKING:
    from audit_console import Answer, Console
    from audit_rows import Writer

PROPERTIES = {
    "id": {"type": "string", "maxLength": 20},
    "amount": {"type": ["number", "null"], "multipleOf": 0.01},
    "note": {"type": ["string", "null"], "maxLength": 5},
}
WIDER = json.dumps({"*": {"note": "VARCHAR(40)"}})
TABLE = '"ANALYTICS"."PURCHASING"."{}"'


def refused(name: str, *records: dict[str, Any]) -> list[str]:
    return stream(name, PROPERTIES, ["id"], *records)


def record(key: str, note: str, minute: int = 0) -> dict[str, Any]:
    stamp = f"2026-03-02T08:{minute:02d}:00Z"
    return {"id": key, "amount": amount("12345678901234567890.10"), "note": note, "updatedDate": stamp}


def letters(console: Console, name: str) -> list[str]:
    found = console("dead-letters", "list", "--stream", name, "--json").json["dead_letters"]
    return [letter["dead_letter_id"] for letter in found]


def replay(console: Console, *arguments: str, **settings: str) -> Answer:
    return console("dead-letters", "replay", *arguments, "--json", **settings)


def rows(writer: Writer, name: str) -> list[tuple[Any, ...]]:
    return writer.run(f'SELECT "ID", "NOTE" FROM {TABLE.format(name.upper())} ORDER BY "ID"')


def test_a_letter_is_refused_again_until_it_is_mended_and_then_loaded_once(
    console: Console, writer: Writer
) -> None:
    load(console, refused("one", record("A", "fits"), record("B", "too long")))
    (letter,) = letters(console, "one")

    again = replay(console, letter)
    assert again.code == 1, again.err
    (outcome,) = again.json["outcomes"]
    assert (outcome["outcome"], outcome["errors"][0]["column"]) == ("replay_failed", "NOTE")
    assert letters(console, "one") == [letter]

    mended = replay(console, letter[:10], "--note", "column widened", column_types=WIDER)
    assert mended.code == 0, mended.err
    assert (mended.json["replayed"], mended.json["failed"]) == (1, 0)
    assert rows(writer, "one") == [("A", "fits"), ("B", "too long")]
    assert letters(console, "one") == []

    traced = console("trace", "one", "B", "--json")
    assert traced.code == 0, traced.err
    told = [step["event"] for step in traced.json["timeline"] if step["event"] != "batch_started"]
    assert told == [
        "changed_in_the_source",
        "read_by_the_tap",
        "refused",
        "dead_letter_replay_failed",
        "replay",
        "dead_letter_replayed",
    ]
    assert traced.json["current"]["AMOUNT"] == "12345678901234567890.10"
    shown = console("dead-letters", "show", letter, "--json").json
    assert "column widened" in shown["events"][-1]["note"]
    assert shown["events"][-1]["actor"] == "LOADER"

    once_more = replay(console, letter, column_types=WIDER)
    assert once_more.code == 0, once_more.err
    assert once_more.json["outcomes"][0]["outcome"] == "replay_skipped"
    assert "already replayed" in once_more.json["outcomes"][0]["note"]


def test_a_letter_older_than_its_row_is_skipped(console: Console, writer: Writer) -> None:
    load(console, refused("older", record("A", "too long", 1)))
    load(console, refused("older", record("A", "new", 2)))
    answer = replay(console, "--stream", "older", column_types=WIDER)
    assert answer.code == 0, answer.err
    assert [one["outcome"] for one in answer.json["outcomes"]] == ["replay_skipped"]
    assert rows(writer, "older") == [("A", "new")]
    assert letters(console, "older") == []


def test_a_dry_run_loads_nothing(console: Console, writer: Writer) -> None:
    load(console, refused("dry", record("A", "fits"), record("B", "too long")))
    answer = console("dead-letters", "replay", "--stream", "dry", "--dry-run", column_types=WIDER)
    assert answer.code == 0, answer.err
    assert 'note = "too long"' in answer.out
    assert "1 letters; nothing was loaded." in answer.out
    assert rows(writer, "dry") == [("A", "fits")]
    assert len(letters(console, "dry")) == 1


def test_all_open_letters_of_several_streams_go_together(console: Console, writer: Writer) -> None:
    for name in ("left", "right"):
        load(
            console, refused(name, record("A", "too long"), record("B", "even longer"), record("C", "x" * 60))
        )
    answer = replay(console, "--all-open", column_types=WIDER)
    assert answer.code == 1, answer.err
    mine = [one for one in answer.json["outcomes"] if one["dead_letter_id"] in letters(console, "left")]
    assert [one["errors"][0]["reason"] for one in mine] == ["too_long"]
    for name in ("left", "right"):
        assert [key for key, _ in rows(writer, name)] == ["A", "B"]


def test_two_people_at_once_load_a_letter_once(console: Console, writer: Writer) -> None:
    load(console, refused("both", record("A", "fits"), record("B", "too long")))
    (letter,) = letters(console, "both")
    command = [str(VENV_BIN / "snowflake-audit"), "dead-letters", "replay", letter, "--json"]
    environment = {**console.environment, "TARGET_SNOWFLAKE_AUDIT_COLUMN_TYPES": WIDER}
    people = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [json.loads(person.communicate(timeout=60)[0])["outcomes"][0]["outcome"] for person in people]
    assert sorted(told) == ["replay_skipped", "replayed"]
    history = (
        'SELECT COUNT(*) FROM "AUDIT"."RECORD_HISTORY" WHERE "STREAM" = \'both\' AND "OPERATION" = \'replay\''
    )
    assert writer.run(history) == [(1,)]


@pytest.mark.parametrize("arguments", [(), ("--all-open", "--stream", "x"), ("0123456789", "--all-open")])
def test_what_to_replay_must_be_clear(console: Console, arguments: tuple[str, ...]) -> None:
    answer = replay(console, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "give letters, or --stream, or --all-open" in answer.err


def test_nothing_to_replay_is_fine(console: Console) -> None:
    answer = console("dead-letters", "replay", "--stream", "nobody")
    assert (answer.code, answer.out.strip()) == (0, "No open dead letters.")


def test_a_stream_that_its_table_cannot_take_fails_alone(console: Console) -> None:
    decimals = {**record("B", "fits"), "amount": amount("1.005")}
    for name in ("stuck", "free"):
        load(console, refused(name, record("A", "fits"), decimals))
    found = {name: letters(console, name)[0] for name in ("stuck", "free")}
    types = json.dumps({"stuck": {"amount": "NUMBER(38,4)"}, "free": {"note": "VARCHAR(40)"}})
    answer = replay(console, *found.values(), column_types=types)
    assert answer.code == 1, answer.err
    outcomes = {one["dead_letter_id"]: one for one in answer.json["outcomes"]}
    assert "the schema needs NUMBER(38,4)" in outcomes[found["stuck"]]["note"]
    assert outcomes[found["free"]]["note"].startswith("still refused: AMOUNT: too_many_decimals")
    assert "the run will fail" not in answer.err
    for letter in found.values():
        shown = console("dead-letters", "show", letter, "--json").json["events"]
        assert [event["event"] for event in shown] == ["replay_failed"]
        assert shown[0]["note"] == outcomes[letter]["note"]
    verified = console("verify")
    assert "Every digest and every link is right." in verified.out, verified.out


def test_a_letter_whose_record_was_corrected_in_the_source_is_closed(console: Console) -> None:
    load(console, refused("mended", record("A", "fits"), record("B", "too long", 1)))
    load(console, refused("mended", record("B", "right", 2)))
    answer = replay(console, "--stream", "mended")
    assert answer.code == 0, answer.err
    [outcome] = answer.json["outcomes"]
    assert outcome["outcome"] == "replay_skipped"
    assert "the table holds a newer version of this row by now" in outcome["note"]
    listed = console("dead-letters", "list", "--stream", "mended", "--status", "open")
    assert (listed.code, listed.out.strip()) == (0, "No open dead letters.")


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("history", "xx", "changes"),
        ("schema_mapping", '[{"strem":"x"}]', "strem"),
        ("max_dead_letters", "abc", "abc"),
        ("stream_maps", '{"wrong":{"amount":"float(1 +"}}', "float(1 +"),
        ("stream_maps", '{"wrong":{"amount":7}}', "stream_maps"),
        ("column_types", "{", "object"),
    ],
)
def test_wrong_settings_are_named_in_one_line(
    console: Console, setting: str, value: str, expected: str
) -> None:
    if not letters(console, "wrong"):
        load(console, refused("wrong", record("A", "fits"), record("B", "too long")))
    answer = replay(console, "--stream", "wrong", **{setting: value})
    assert (answer.code, answer.out) == (2, "")
    assert f"setting `{setting}`" in answer.err
    assert expected in answer.err
    [line] = answer.err.splitlines()
    assert line.startswith("snowflake-audit: ")
