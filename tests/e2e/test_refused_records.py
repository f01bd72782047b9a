"""Records the warehouse must refuse: the others load, each refused one is kept, mended and replayed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import warehouse
from pipeline import Finished, run, tap, target
from streams import table

if TYPE_CHECKING:
    from pathlib import Path

    from sandboxes import Sandbox

TOO_LONG = "x" * 90


def break_three_invoices(running: Sandbox) -> list[str]:
    """Give three supplier invoices a bad amount, an impossible date and a text longer than its column."""
    numbers = [row["NUM"] for row in running.x3.rows("PINVOICE", 3)]
    running.x3.bad_value("PINVOICE", numbers[0], "AMTATI", "12,5x")
    running.x3.bad_value("PINVOICE", numbers[1], "ACCDAT", "2026-02-30")
    running.x3.bad_value("PINVOICE", numbers[2], "BPRVCR", TOO_LONG)
    return numbers


def load(running: Sandbox, folder: Path) -> Finished:
    read = tap(running.environment, folder, streams=["supplier_invoices"])
    assert read.code == 0, read.err[-4000:]
    written = target(running.environment, read.out, folder)
    assert written.code == 0, written.err[-4000:]
    return written


def letters(running: Sandbox) -> list[dict[str, Any]]:
    sql = 'SELECT * FROM "AUDIT"."DEAD_LETTERS" ORDER BY "SEQ"'
    rows = warehouse.select(running.environment, sql)
    return [{**row, "ERRORS": json.loads(row["ERRORS"])} for row in rows]


def letter_of(running: Sandbox, number: str) -> dict[str, Any]:
    (letter,) = [row for row in letters(running) if json.loads(row["RECORD_TEXT"])["id"] == number]
    return letter


def replay(running: Sandbox, letter: dict[str, Any], **settings: object) -> dict[str, Any]:
    """Replay one letter with settings beside those of the environment, and give the command's JSON answer."""
    variables = {
        f"TARGET_SNOWFLAKE_AUDIT_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }
    command = ["snowflake-audit", "dead-letters", "replay", letter["DEAD_LETTER_ID"], "--json"]
    ended = run(command, {**running.environment, **variables})
    assert ended.code in {0, 1}, ended.err[-4000:]
    answer: dict[str, Any] = {"code": ended.code, "answer": json.loads(ended.out)}
    return answer


def test_each_refused_record_is_kept_with_every_bad_column(either: Sandbox, tmp_path: Path) -> None:
    numbers = break_three_invoices(either)
    written = load(either, tmp_path)
    assert "completed with 3 dead letters" in written.err.strip().splitlines()[-1]
    ids = {row["ID"] for row in warehouse.live_rows(either.environment, table("supplier_invoices"))}
    everyone = {row["NUM"] for row in either.x3.rows("PINVOICE")}
    assert ids == everyone - set(numbers)
    kept = {json.loads(letter["RECORD_TEXT"])["id"]: letter for letter in letters(either)}
    assert kept.keys() == set(numbers)
    bad = [kept[number]["ERRORS"][0] for number in numbers]
    assert [(error["column"], error["value"]) for error in bad] == [
        ("TOTAL_AMOUNT_INCLUDING_TAX", "12,5x"),
        ("ACCOUNTING_DATE", "2026-02-30"),
        ("SOURCE_DOCUMENT", TOO_LONG),
    ]
    assert all(error["reason"] and error["expected"] for error in bad)


def test_the_same_record_sent_again_makes_no_second_letter(v12: Sandbox, tmp_path: Path) -> None:
    break_three_invoices(v12)
    load(v12, tmp_path)
    load(v12, tmp_path)
    assert len(letters(v12)) == 3


def test_all_bad_columns_of_a_record_are_named(v12: Sandbox, tmp_path: Path) -> None:
    number = v12.x3.rows("PINVOICE", 1)[0]["NUM"]
    v12.x3.bad_value("PINVOICE", number, "AMTATI", "12,5x")
    v12.x3.bad_value("PINVOICE", number, "ACCDAT", "2026-02-30")
    load(v12, tmp_path)
    errors = letter_of(v12, number)["ERRORS"]
    assert {error["column"] for error in errors} == {"TOTAL_AMOUNT_INCLUDING_TAX", "ACCOUNTING_DATE"}


MENDED: tuple[dict[str, dict[str, dict[str, str]]], ...] = (
    {
        "stream_maps": {"supplier_invoices": {"totalAmountIncludingTax": "'12.5'"}},
        "column_types": {"supplier_invoices": {"totalAmountIncludingTax": "NUMBER(38,4)"}},
    },
    {
        "stream_maps": {"supplier_invoices": {"accountingDate": "'2026-02-28'"}},
        "column_types": {"supplier_invoices": {"accountingDate": "DATE"}},
    },
    {"column_types": {"supplier_invoices": {"sourceDocument": "VARCHAR(120)"}}},
)
"""Settings that mend the three invoices of `break_three_invoices`."""


def test_replay_loads_what_was_mended_and_the_audit_shows_both(v12: Sandbox, tmp_path: Path) -> None:
    numbers = break_three_invoices(v12)
    load(v12, tmp_path)
    for number, settings in zip(numbers, MENDED, strict=True):
        letter = letter_of(v12, number)
        unmended = replay(v12, letter)
        assert unmended["code"] == 1, "an unmended letter must be refused again"
        mended = replay(v12, letter, **settings)
        assert mended["code"] == 0, mended
        rows = warehouse.live_rows(v12.environment, table("supplier_invoices"))
        assert number in {row["ID"] for row in rows}
        events = warehouse.select(
            v12.environment,
            'SELECT "EVENT" FROM "AUDIT"."DEAD_LETTER_EVENTS" '
            f'WHERE "DEAD_LETTER_ID" = \'{letter["DEAD_LETTER_ID"]}\' ORDER BY "AT"',
        )
        assert [event["EVENT"] for event in events] == ["replay_failed", "replayed"]
    named = table("supplier_invoices").replace('"', "")
    shown = run(["snowflake-audit", "trace", named, numbers[2]], v12.environment)
    assert shown.code == 0, shown.err
    assert "replay" in shown.out
    assert numbers[2] in shown.out


def test_a_letter_that_x3_mended_itself_is_not_loaded_over_the_newer_row(
    v12: Sandbox, tmp_path: Path
) -> None:
    number = break_three_invoices(v12)[0]
    read = tap(v12.environment, tmp_path, streams=["supplier_invoices"])
    target(v12.environment, read.out, tmp_path)
    v12.x3.advance(60)
    v12.x3.set("PINVOICE", number, {"AMTATI": 99})
    again = tap(v12.environment, tmp_path, streams=["supplier_invoices"], state=read.state)
    assert target(v12.environment, again.out, tmp_path).code == 0
    settings = {"stream_maps": {"supplier_invoices": {"totalAmountIncludingTax": "12.5"}}}
    replay(v12, letter_of(v12, number), **settings)
    (row,) = [
        r for r in warehouse.live_rows(v12.environment, table("supplier_invoices")) if r["ID"] == number
    ]
    assert row["TOTAL_AMOUNT_INCLUDING_TAX"] == 99
