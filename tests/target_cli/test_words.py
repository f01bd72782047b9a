"""What the console says: of letters without a value, of dry runs, of erasures, in its help."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from audit_messages import load, stream
from target_snowflake_audit.audit.checkpoints import purge_of
from target_snowflake_audit.cli.dead_letters.render import error_text, record_rows

if TYPE_CHECKING:
    from audit_console import Console
    from audit_rows import Writer

PROPERTIES = {"id": {"type": "string", "maxLength": 20}, "note": {"type": ["string", "null"], "maxLength": 5}}


def refused(console: Console, name: str, *records: dict[str, Any], **settings: str) -> list[dict[str, Any]]:
    load(console, stream(name, PROPERTIES, ["id"], *records), **settings)
    found = console("dead-letters", "list", "--stream", name, "--json").json["dead_letters"]
    return list(found)


def test_a_key_that_is_missing_or_null_is_no_empty_text(console: Console) -> None:
    letters = refused(
        console, "keys", {"note": "m"}, {"id": None, "note": "n"}, {"id": "", "note": "too long"}
    )
    listed = console("dead-letters", "list", "--stream", "keys").out
    assert "id: missing" in listed
    assert "id = null: key_is_null" in listed
    assert 'id = "": ' not in listed
    assert "ID=null" in listed
    shown = [console("dead-letters", "show", one["dead_letter_id"]).out for one in letters]
    assert sum("(absent)" in one for one in shown) == 1
    assert not any('id = ""' in one for one in shown)


def test_a_failed_map_shows_its_expression_and_the_message(console: Console) -> None:
    maps = json.dumps({"mapped": {"z": "float(nope * 3)"}})
    [letter] = refused(console, "mapped", {"id": "A", "note": "n"}, stream_maps=maps)
    wanted = "stream_maps: `float(nope * 3)` fails with NameNotDefined: 'nope' is not defined"
    assert f"z: {wanted}" in console("dead-letters", "list", "--stream", "mapped").out
    shown = console("dead-letters", "show", letter["dead_letter_id"], "--json").json
    [error] = shown["dead_letter"]["errors"]
    assert (error["property"], error["reason"]) == ("z", "stream_map")
    text = " ".join(console("dead-letters", "show", letter["dead_letter_id"]).out.split())
    assert "float(nope * 3)" in text
    assert "is not defined" in text


@pytest.mark.parametrize("command", ["trace", "erase"])
def test_examples_in_the_help_stand_on_lines_of_their_own(console: Console, command: str) -> None:
    told = console(command, "--help").out
    assert "\\b" not in told
    assert "\b" not in told
    examples = [line for line in told.splitlines() if line.startswith(f"    snowflake-audit {command} ")]
    assert len(examples) >= 2


def test_a_dry_run_says_what_would_be_done_and_an_erasure_is_no_finding(
    console: Console, writer: Writer
) -> None:
    writer.run('GRANT ROLE "SAGEX3_PURGER" TO USER "LOADER"')
    load(console, stream("people", PROPERTIES, ["id"], {"id": "A", "note": "a"}))
    erase = ("erase", "people", "A", "--reason", "request 17")
    dry = console(*erase, role="SAGEX3_PURGER").out
    assert dry.startswith("Would be blanked\n")
    done = console(*erase, "--yes", role="SAGEX3_PURGER").out
    assert done.startswith("Blanked\n")
    verified = console("verify")
    assert verified.code == 0
    assert "finding" not in verified.out
    told = "Every digest and every link is right; the values of 1 row were erased, which is no fault."
    assert told in verified.out, verified.out
    writer.audit("RETRIES", RUN_ID="long ago", FAILED_AT="2020-01-01 00:00:00", AT="2020-01-01 00:00:00")
    purge = ("purge", "--older-than", "30", "--reason", "rule 7", "--only", "retries")
    assert console(*purge, role="SAGEX3_PURGER").out.startswith("Would be deleted\n")
    assert console(*purge, "--yes", role="SAGEX3_PURGER").out.startswith("Deleted\n")


def test_an_event_written_by_hand_is_found(console: Console, writer: Writer) -> None:
    writer.audit("DEAD_LETTER_EVENTS", EVENT_ID="by hand", DEAD_LETTER_ID="x", EVENT="approved")
    verified = console("verify")
    assert verified.code == 1
    assert "the row has no digest" in verified.out
    assert re.search(r"^[1-9][0-9]* findings?[.;]", verified.out, re.MULTILINE), verified.out
    writer.run('DELETE FROM "AUDIT"."DEAD_LETTER_EVENTS" WHERE "EVENT_ID" = \'by hand\'')


def test_values_of_an_erased_letter_are_told_as_erased_and_not_as_null_or_absent() -> None:
    errors = [{"property": "town", "column": "TOWN", "reason": "too_long", "expected": "at most 12"}]
    errors += [{"property": "code", "column": "CODE", "reason": "missing", "expected": "a value"}]
    errors += [{"property": "", "column": "", "reason": "schema", "expected": "an object"}]
    letter = {"ERRORS": errors, "RECORD_TEXT": "", "ERASURE_ID": "c1"}
    assert [error_text(one) for one in errors] == [
        "town = (erased): too_long",
        "code: missing",
        "record: schema",
    ]
    assert [row["value"] for row in record_rows(letter, {})] == ["(erased)", "(absent)", "(erased)"]
    kept = {**letter, "RECORD_TEXT": "{}", "ERASURE_ID": None}
    assert [row["value"] for row in record_rows(kept, {})] == ["(absent)", "(absent)", ""]


def test_purged_events_of_a_batch_have_no_numbers() -> None:
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    who = (1, at, at, "ANN", "rule 7", "c1", None)
    text = purge_of(("DEAD_LETTER_EVENTS", None, "batch:b1", None, None, None, *who)).text
    assert text.startswith("DEAD_LETTER_EVENTS of batch:b1: 1 row, purged until")
