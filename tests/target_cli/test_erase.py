"""`erase`: payloads of one person's records leave the trail, digests and counts stay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from audit_messages import load, stream

if TYPE_CHECKING:
    from audit_console import Answer, Console
    from audit_rows import Writer

PROPERTIES = {
    "code": {"type": "string", "maxLength": 20},
    "line": {"type": "integer"},
    "town": {"type": ["string", "null"], "maxLength": 12},
}
TOWN = "Erewhon"


def record(code: str, line: int, town: str = TOWN, minute: int = 0) -> dict[str, Any]:
    return {"code": code, "line": line, "town": town, "updatedDate": f"2026-03-02T08:{minute:02d}:00Z"}


def filled(console: Console, name: str) -> None:
    """Two people: A with two lines, a change and a dead letter; B with one line."""
    console_rows = [record("A", 1), record("A", 2), record("B", 1), record("A", 3, f"{TOWN} is too long")]
    load(console, stream(name, PROPERTIES, ["code", "line"], *console_rows))
    load(console, stream(name, PROPERTIES, ["code", "line"], record("A", 1, f"{TOWN} 2", 1)))


def erase(console: Console, *arguments: str, role: str = "SAGEX3_PURGER") -> Answer:
    return console("erase", *arguments, "--reason", "request 17", "--json", role=role)


def trail(writer: Writer, name: str) -> list[tuple[Any, ...]]:
    sql = f"""SELECT "KEY", "KEY_HASH", "BEFORE", "AFTER", "ROW_HASH", "ERASURE_ID"
        FROM "AUDIT"."RECORD_HISTORY" WHERE "STREAM" = '{name}' ORDER BY "LOADED_AT", "SEQ" """
    return writer.run(sql)


@pytest.fixture(autouse=True)
def _purger(writer: Writer) -> None:
    writer.run('GRANT ROLE "SAGEX3_PURGER" TO USER "LOADER"')


def test_one_record_is_erased_after_a_dry_run_and_digests_stay(console: Console, writer: Writer) -> None:
    filled(console, "people")
    before = trail(writer, "people")
    dry = erase(console, "people", "A", "1")
    assert dry.code == 0, dry.err
    assert (dry.json["dry_run"], dry.json["rows"]) == (True, 2)
    assert trail(writer, "people") == before

    done = erase(console, "people", "A", "1", "--yes")
    assert done.code == 0, done.err
    mark = done.json["checkpoint_id"]
    after = trail(writer, "people")
    mine = [row for row in after if row[5] is not None]
    assert [row[:1] + row[2:4] + row[5:] for row in mine] == [(None, None, None, mark)] * 2
    assert [(row[1], row[4]) for row in after] == [(row[1], row[4]) for row in before]
    assert [row for row in after if row[5] is None] == [row for row in before if row[1] != mine[0][1]]
    stored = writer.run('SELECT COUNT(*) FROM "ANALYTICS"."PURCHASING"."PEOPLE" WHERE "CODE" = \'A\'')
    assert stored == [(2,)]
    checkpoint = writer.run(
        'SELECT "KIND", "AUDIT_TABLE", "ROW_COUNT", "KEY_HASH", "REASON", "ACTOR", "ACTOR_ROLE"'
        f' FROM "AUDIT"."CHECKPOINTS" WHERE "CHECKPOINT_ID" = \'{mark}\''
    )
    assert checkpoint == [("erase", "RECORD_HISTORY", 2, mine[0][1], "request 17", "LOADER", "SAGEX3_PURGER")]
    again = erase(console, "people", "A", "1", "--yes")
    assert (again.code, again.json["rows"]) == (1, 0)
    traced = console("trace", "people", "A", "1", "--json")
    assert {
        step.get("erased") for step in traced.json["timeline"] if step["event"] in {"insert", "update"}
    } == {mark}


def test_everything_of_a_person_by_part_of_the_key_letters_and_events_too(
    console: Console, writer: Writer
) -> None:
    filled(console, "parts")
    (letter,) = console("dead-letters", "list", "--stream", "parts", "--json").json["dead_letters"]
    identifier = letter["dead_letter_id"]
    assert console("dead-letters", "replay", identifier).code == 1
    assert TOWN in str(console("dead-letters", "show", identifier, "--json").json)

    done = erase(console, "parts", "--where-key", "code=A", "--yes")
    assert done.code == 0, done.err
    counts = {part["audit_table"]: part["rows"] for part in done.json["parts"]}
    assert counts == {"RECORD_HISTORY": 3, "DEAD_LETTERS": 1, "DEAD_LETTER_EVENTS": 1}
    shown = console("dead-letters", "show", identifier, "--json").json
    assert TOWN not in json.dumps(shown)
    assert shown["dead_letter"]["errors"][0]["reason"] == "too_long"
    assert "value" not in shown["dead_letter"]["errors"][0]
    assert (shown["events"][-1]["event"], shown["events"][-1]["note"]) == ("erased", "request 17")
    assert console("dead-letters", "list", "--stream", "parts").code == 0
    refused = console("dead-letters", "replay", identifier)
    assert refused.code == 2
    assert "erased on request" in refused.err
    assert [row[0] is None for row in trail(writer, "parts")] == [True, True, False, True]


def test_a_record_that_is_refused_again_after_its_letter_was_erased_is_kept(console: Console) -> None:
    """Its letter holds nothing any more: the record would be nowhere, while STATE moves on."""

    def listed() -> list[tuple[str, str]]:
        found = console("dead-letters", "list", "--stream", "again", "--status", "all", "--json")
        return sorted((one["status"], one["dead_letter_id"]) for one in found.json["dead_letters"])

    def refused(minute: int) -> None:
        good = record("B", 1, minute=minute)
        load(
            console,
            stream("again", PROPERTIES, ["code", "line"], good, record("A", 3, f"{TOWN} is too long")),
        )

    refused(0)
    [(_, first)] = listed()
    assert erase(console, "again", "--letter", first, "--yes").code == 0
    refused(1)
    refused(2)
    [(_, erased), (status, second)] = listed()
    assert (erased, status) == (first, "open")
    assert TOWN in str(console("dead-letters", "show", second, "--json").json["dead_letter"]["record"])
    assert erase(console, "again", "--letter", second, "--yes").code == 0
    refused(3)
    assert [status for status, _ in listed()] == ["erased", "erased", "open"]
    assert console("verify").code == 0


def test_a_letter_and_a_key_hash_name_what_no_key_finds(console: Console, writer: Writer) -> None:
    filled(console, "odd")
    (letter,) = console("dead-letters", "list", "--stream", "odd", "--json").json["dead_letters"]
    digest = trail(writer, "odd")[2][1]
    done = erase(console, "odd", "--letter", letter["dead_letter_id"][:12], "--key-hash", digest, "--yes")
    assert done.code == 0, done.err
    counts = {part["audit_table"]: part["rows"] for part in done.json["parts"]}
    assert counts == {"RECORD_HISTORY": 1, "DEAD_LETTERS": 1}


def test_the_loader_may_not_erase_and_a_quote_stays_in_its_literal(console: Console, writer: Writer) -> None:
    filled(console, "refused")
    before = trail(writer, "refused")
    refused = erase(console, "refused", "A", "1", "--yes", role="SAGEX3_LOADER")
    assert (refused.code, refused.out) == (2, "")
    assert "role PURGER" in refused.err
    odd = erase(console, "refused", "--where-key", "code=' OR 1=1 --", "--yes")
    assert (odd.code, odd.json["rows"]) == (1, 0), odd.err
    assert trail(writer, "refused") == before


@pytest.mark.parametrize("arguments", [("people",), ("people", "--where-key", "code")])
def test_whose_record_must_be_clear(console: Console, arguments: tuple[str, ...]) -> None:
    answer = erase(console, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "erase: " in answer.err
