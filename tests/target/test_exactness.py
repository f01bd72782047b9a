"""Values arrive exactly as received or not at all, whatever an account, a tap or a value's size does."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit.audit.tables import DEAD_LETTERS
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.replay import LetterRow, replay
from target_snowflake_audit.session import StatementError, connect
from target_world import LINE_SCHEMA, lines

if TYPE_CHECKING:
    from pathlib import Path

    from target_world import World


def test_a_small_number_with_an_exponent_is_a_dead_letter_not_zero(world: World) -> None:
    properties = {**LINE_SCHEMA["properties"], "rate": {"type": ["number", "null"], "multipleOf": 0.0001}}
    text = lines(
        [world.schema_message({**LINE_SCHEMA, "properties": properties}), world.line("A", 1, rate=0)]
    )
    world.run_text(text.replace('"rate": 0', '"rate": 1.2E-7'))
    assert world.rows() == []
    assert [letter["REASON"] for letter in world.letters()] == ["too_many_decimals"]


def test_formats_of_the_account_do_not_matter(world: World) -> None:
    """Session parameters that decide how text is read and how names and MERGE behave are set at login."""
    session = connect(world.settings())
    [number] = session.execute("SELECT CURRENT_SESSION()", "test").rows[0]
    [found] = [one for one in world.control.sessions() if str(one["id"]) == str(number)]
    session.close()
    parameters = found["parameters"]
    assert {parameters[f"{kind}_INPUT_FORMAT"] for kind in ("DATE", "TIME", "TIMESTAMP")} == {"AUTO"}
    assert parameters["DATE_OUTPUT_FORMAT"] == "YYYY-MM-DD"
    assert parameters["TIME_OUTPUT_FORMAT"] == "HH24:MI:SS.FF9"
    assert parameters["TIMESTAMP_NTZ_OUTPUT_FORMAT"] == "YYYY-MM-DD HH24:MI:SS.FF9"
    assert parameters["TIMEZONE"] == "UTC"
    assert str(parameters["QUOTED_IDENTIFIERS_IGNORE_CASE"]).lower() == "false"
    assert parameters["ERROR_ON_NONDETERMINISTIC_MERGE"] is True


ODD = {
    "ROWS_PER_RESULTSET": "1",
    "BINARY_OUTPUT_FORMAT": "'BASE64'",
    "TIMEZONE": "'Asia/Tokyo'",
    "DATE_INPUT_FORMAT": "'DD/MM/YYYY'",
    "TIME_INPUT_FORMAT": "'HH12:MI AM'",
    "TIMESTAMP_INPUT_FORMAT": "'DD/MM/YYYY HH24:MI'",
    "DATE_OUTPUT_FORMAT": "'DD.MM.YYYY'",
    "TIME_OUTPUT_FORMAT": "'HH24'",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "'YYYY'",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": "TRUE",
    "ERROR_ON_NONDETERMINISTIC_MERGE": "FALSE",
}
"""Defaults that an administrator may set for an account or a user; the local Snowflake follows them, or
refuses the login of a session that leaves one it cannot follow as it is."""


def loaded(world: World) -> dict[str, list[object]]:
    """What two runs with bytes, dates and times leave."""
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "maxLength": 10},
            "bytes": {"type": ["string", "null"], "contentEncoding": "base16"},
            "day": {"type": ["string", "null"], "format": "date"},
            "at": {"type": ["string", "null"], "format": "date-time"},
            "time": {"type": ["string", "null"], "format": "time"},
            "text": {"type": ["string", "null"], "maxLength": 10},
        },
    }
    first = world.schema_message(schema, key=["id"], bookmark_properties=["at"])
    row = {"bytes": "0aff", "day": "2026-03-04", "at": "2026-03-04T05:06:07Z", "time": "17:18:19"}
    rows = [world.record({"id": f"A{n}", **row}) for n in range(4)]
    newer = {**row, "at": "2026-04-03T05:06:07Z"}
    again = [
        rows[0],
        world.record({"id": "A1", **newer, "bytes": "0bfe"}),
        world.record({"id": "A9", "text": "x" * 11}),
    ]
    world.run([first, *rows], batch_size_rows=2)
    world.run([first, *again], max_dead_letter_percent=50)
    history = [(change, before, after) for change, before, after in world.history()]
    reasons = [letter["REASON"] for letter in world.letters()]
    return {
        "rows": list(world.rows()),
        "history": list(history),
        "letters": [*reasons],
        "n": [*world.counts()],
    }


def test_odd_defaults_of_a_user_change_nothing(world: World) -> None:
    usual = loaded(world.for_test("usual defaults"))
    settings = " ".join(f"{name} = {value}" for name, value in ODD.items())
    world.query(f"ALTER USER LOADER SET {settings}")
    try:
        odd = loaded(world.for_test("odd defaults"))
    finally:
        world.query(f"ALTER USER LOADER UNSET {', '.join(ODD)}")
    assert len(usual["rows"]) == 4
    assert odd == usual


def test_bytes_of_another_encoding_are_never_replaced(world: World) -> None:
    text = lines([world.schema_message(), world.line("A", 1), world.line("A", 2, text="abZZc")]).encode()
    text += lines([world.line("A", 3, text="cdYYe"), world.line("A", 4, text="é😀")]).encode()
    process = world.start()
    out, err = process.communicate(text.replace(b"ZZ", b"\xff\xe9").replace(b"YY", rb"\ud800"), timeout=60)
    assert process.returncode == 0, (out, err)
    assert [(row["LINE_NUMBER"], row["TEXT"]) for row in world.rows()] == [(1, None), (4, "é😀")]
    assert [(letter["REASON"], letter["ERRORS"][0]["column"]) for letter in world.letters()] == [
        ("not_utf8", "TEXT"),
        ("not_utf8", "TEXT"),
    ]
    kept = [json.loads(letter["RECORD_TEXT"])["text"] for letter in world.letters()]
    assert kept == ["ab\udcff\udce9c", "cd\ud800e"]


def test_a_record_with_nan_keeps_its_numbers_and_can_be_replayed(world: World) -> None:
    properties = {**LINE_SCHEMA["properties"], "price": {"type": ["number", "null"], "multipleOf": 0.01}}
    text = lines([world.schema_message({**LINE_SCHEMA, "properties": properties})])
    text += lines([world.line("A", 1, "12.50", price=Decimal("7.25"))]).replace("12.50", "NaN")
    world.run_text(text)
    [letter] = world.letters()
    assert '"price": 7.25' in letter["RECORD_TEXT"]
    assert "NaN" in letter["RECORD_TEXT"]
    schema = json.loads(letter["SINGER_SCHEMA"], parse_float=Decimal)
    row = LetterRow(letter["DEAD_LETTER_ID"], letter["STREAM"], letter["RECORD_TEXT"], schema)
    [outcome] = replay(world.settings(stream_maps={world.stream: {"amount": "None"}}), [row])
    assert outcome.event == "replayed"
    assert [(row["PRICE"], row["AMOUNT"]) for row in world.rows()] == [(Decimal("7.25"), None)]


def test_a_data_error_with_any_number_says_no_value(world: World) -> None:
    """Numbers are not all known; SQLSTATE class 22 tells that the message may quote a value."""
    said = "Failed: value 'IBAN DE89370400440532013000' is not recognized"
    fault = {"pattern": "^MERGE", "code": 100096, "sqlstate": "22023", "message": said, "times": 1}
    world.control.fault("error", user="LOADER", **fault)
    with pytest.raises(StatementError, match="error 100096, SQLSTATE 22023") as raised:
        world.run([world.schema_message(), world.line("A", 1)])
    assert "IBAN" not in str(raised.value)
    [retry] = world.audit("RETRIES")
    assert (retry["ERROR_CLASS"], retry["OUTCOME"]) == ("data", "gave_up")
    assert "IBAN" not in retry["MESSAGE"]


@pytest.mark.parametrize("kind", ["TIME", "FLOAT", "VARIANT"])
def test_keys_that_have_several_texts_are_refused(world: World, kind: str) -> None:
    """08:00:00 and 08:00:00.000 are one value and two texts: the row would be there twice."""
    schema = {"type": "object", "properties": {"at": {"type": "string"}, "v": {"type": "integer"}}}
    messages = [
        world.schema_message(schema, ["at"], bookmark_properties=[]),
        world.record({"at": "x", "v": 1}),
    ]
    world.control.clear_log()
    with pytest.raises(SchemaError, match=f"key property `at` would be {kind}"):
        world.run(messages, column_types={world.stream: {"at": kind}})
    assert not [sql for sql in world.target_statements() if sql.startswith(("CREATE", "ALTER"))]
    world.run(messages)
    world.query(f'ALTER TABLE {world.table} DROP COLUMN "AT"')
    world.query(f'ALTER TABLE {world.table} ADD COLUMN "AT" {kind}')
    with pytest.raises(SchemaError, match=f"key property `at` would be {kind}"):
        world.run(messages)


def test_history_keeps_the_digits_of_times_that_the_table_keeps(world: World) -> None:
    properties = {**LINE_SCHEMA["properties"], "nano": {"type": ["string", "null"], "format": "date-time"}}
    schema = world.schema_message({**LINE_SCHEMA, "properties": properties})
    world.control.clear_log()
    world.run([schema, world.line("A", 1, nano="2026-01-31T08:00:00.123456Z")])
    [(_, _, after)] = world.history()
    assert after["NANO"] == "2026-01-31 08:00:00.123456000"
    into = 'INSERT INTO "ANALYTICS"."AUDIT"."RECORD_HISTORY"'
    [sql] = [sql for sql in world.target_statements() if sql.startswith(into)]
    assert "FF9" in sql
    assert "FF6" not in sql


def test_a_value_of_more_than_16_megabytes_stops_nothing(world: World) -> None:
    """Loaded where a VARIANT holds it; a dead letter with its whole text where VARCHAR does not."""
    world.control.clear_log()
    long = "x" * 16_800_000
    world.run(
        [
            world.schema_message(),
            world.line("A", 1, extra={"a": long}),
            world.line("A", 2, text=long),
            world.line("A", 3),
        ]
    )
    found = world.query(f'SELECT "LINE_NUMBER", LENGTH("EXTRA") AS N FROM {world.table} ORDER BY 1')
    assert [(row["LINE_NUMBER"], (row["N"] or 0) > len(long)) for row in found] == [(1, True), (3, False)]
    [letter] = world.audit("DEAD_LETTERS")
    assert letter["REASON"] == "too_long"
    assert json.loads(letter["RECORD_TEXT"])["text"] == long
    # The local Snowflake does not hold plain VARCHAR to its limit, so the types are looked at too.
    [staging] = [
        sql for sql in world.target_statements() if sql.startswith("CREATE OR REPLACE") and '"LETTER"' in sql
    ]
    plain = [part.strip() for part in staging.split(",") if part.endswith(" VARCHAR")]
    assert plain == ['"STATE" VARCHAR', '"KEY_HASH" VARCHAR', '"ROW_HASH" VARCHAR', '"EXTRACTED" VARCHAR']
    types = {column.name: column.type for column in DEAD_LETTERS.columns}
    assert types["RECORD_TEXT"] == "VARCHAR(134217728)"


def test_the_folder_of_batch_files_may_have_any_name(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "it's a b#c%20"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    world.run([world.schema_message(), world.line("A", 1)], retry_max_attempts=1)
    assert len(world.rows()) == 1
