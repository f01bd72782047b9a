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
