"""Records in, rows, history and counts out: over the wire, with the real connector."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit import undeclared
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.reading.blocks import BLOCK
from target_snowflake_audit.reading.reader import decode_record
from target_world import LINE_SCHEMA, state

if TYPE_CHECKING:
    from pathlib import Path

    from target_world import World


def test_every_type_arrives_exactly(world: World) -> None:
    record = {
        "documentId": "GL-1",
        "lineNumber": 9007199254740993,
        "amount": Decimal("12345678901234567890.10"),
        "text": 'é, "x"\n\\N',
        "postedOn": "2026-02-28",
        "extra": {"b": [1, None, {"c": Decimal("0.1")}], "a": ""},
        "open": False,
        "updatedDate": "2026-01-01T02:00:00.123456+02:00",
    }
    world.run([world.schema_message(), world.record(record)])
    [row] = world.rows()
    assert row["AMOUNT"] == Decimal("12345678901234567890.10")
    assert row["LINE_NUMBER"] == 9007199254740993
    assert row["TEXT"] == 'é, "x"\n\\N'
    assert row["POSTED_ON"] == dt.date(2026, 2, 28)
    assert row["UPDATED_DATE"] == dt.datetime(2026, 1, 1, 0, 0, 0, 123456)  # noqa: DTZ001 - NTZ is naive
    assert row["OPEN"] is False
    assert '"b":[1,null,{"c":0.1}]' in row["EXTRA"].replace(" ", "").replace("\n", "")


def test_null_and_lookalikes_stay_apart(world: World) -> None:
    values = [None, "", "null", "NULL", "\\N", " ", '"', ",", "\n", "''", "a\\"]
    world.run([world.schema_message(), *(world.line("A", at, text=one) for at, one in enumerate(values))])
    assert {row["LINE_NUMBER"]: row["TEXT"] for row in world.rows()} == dict(enumerate(values))


def test_properties_that_no_schema_declares_are_told_once_a_stream(world: World) -> None:
    message = "stream {}: not loaded, as its SCHEMA does not declare them: iban, note"
    records = [world.line("A", at, note="x", iban="FR7630006", _sdc_sequence=1) for at in range(2000)]
    ended = world.run([world.schema_message(), *records, world.schema_message(bookmark_properties=[])])
    assert ended.log.count(message.format(world.stream)) == 1
    assert "FR7630006" not in ended.log
    assert len(world.rows()) == 2000
    late = dataclasses.replace(world, stream=f"{world.stream}_2")
    plain = [late.line("A", at) for at in range(2000)]
    odd = [late.line("B", at, note="x", iban="y") for at in range(2000)]
    ended = world.run([late.schema_message(), *plain, *odd])
    assert ended.log.count(message.format(late.stream)) == 1
    by_hand = dataclasses.replace(world, stream=f"{world.stream}_3")  # with a version each comes by itself
    ended = world.run([by_hand.schema_message(), by_hand.line("B", 1, note="x", iban="y", version=1)])
    assert ended.log.count(message.format(by_hand.stream)) == 1
    strict = dataclasses.replace(world, stream=f"{world.stream}_4")
    schema = {**LINE_SCHEMA, "additionalProperties": False}
    ended = world.run([strict.schema_message(schema), strict.line("A", 1), strict.line("B", 1, note="x")])
    assert "does not declare" not in ended.log


def test_interleaved_streams_are_looked_at_once_in_64_kb(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bytes] = []

    def decoded(text: bytes) -> object:
        looked.append(text)
        return decode_record(text)

    monkeypatch.setattr(undeclared, "decode_record", decoded)
    other = dataclasses.replace(world, stream=f"{world.stream}_2")
    pairs = [(world.line("A", at), other.line("A", at)) for at in range(1500)]
    size = len(json.dumps(pairs[0][0]["record"], default=float)) * len(pairs)
    records = [one for pair in pairs for one in pair]
    world.run([world.schema_message(), other.schema_message(), *records])
    assert 2 * (size // BLOCK) <= len(looked) <= 2 * (2 + size // BLOCK)
    looked.clear()  # with a version each comes by itself
    by_hand = dataclasses.replace(world, stream=f"{world.stream}_3")
    records = [by_hand.line("A", at, version=1) for at in range(1500)]
    odd = [by_hand.line("B", at, note="x", version=1) for at in range(1500)]
    ended = world.run([by_hand.schema_message(), *records, *odd])
    assert "its SCHEMA does not declare them: note" in ended.log
    assert len(looked) <= 2 * (2 + size // BLOCK)


def test_upsert_changes_only_what_differs(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1), world.line("A", 2), world.line("B", 1)])
    world.run([world.schema_message(), world.line("A", 1), world.line("A", 2, "2.00"), world.line("C", 1)])
    assert [(r["DOCUMENT_ID"], r["LINE_NUMBER"], r["AMOUNT"]) for r in world.rows()] == [
        ("A", 1, Decimal("1.00")),
        ("A", 2, Decimal("2.00")),
        ("B", 1, Decimal("1.00")),
        ("C", 1, Decimal("1.00")),
    ]
    assert world.counts() == [
        {"received": 3, "inserted": 3},
        {"received": 3, "inserted": 1, "updated": 1, "unchanged": 1},
    ]
    assert [operation for operation, _, _ in world.history()] == ["insert"] * 3 + ["update", "insert"]
    _, before, after = world.history("OPERATION = 'update'")[0]
    assert (before["AMOUNT"], after["AMOUNT"]) == ("1.00", "2.00")


def test_unchanged_run_touches_no_row(world: World) -> None:
    messages = [world.schema_message(), *(world.line("A", n) for n in range(5))]
    world.run(messages)
    sql = f'SELECT MAX("_AUDIT_LOADED_AT") AS "M", MAX("_AUDIT_BATCH_ID") AS "B" FROM {world.table}'
    before = world.query(sql)
    world.run(messages)
    assert world.query(sql) == before
    assert len(world.history()) == 5
    assert world.counts()[1] == {"received": 5, "unchanged": 5}


def test_a_b_a_ends_with_a(world: World) -> None:
    for amount in ("1.00", "2.00", "1.00"):
        world.run([world.schema_message(), world.line("A", 1, amount)])
    assert world.rows()[0]["AMOUNT"] == Decimal("1.00")
    assert [operation for operation, _, _ in world.history()] == ["insert", "update", "update"]


def test_last_of_equal_stamps_wins_and_the_newest_of_different_ones(world: World) -> None:
    world.run(
        [
            world.schema_message(),
            world.line("A", 1, "1.00"),
            world.line("A", 1, "2.00"),
            world.line("B", 1, "5.00", updatedDate="2026-01-02T00:00:00Z"),
            world.line("B", 1, "4.00", updatedDate="2026-01-01T00:00:00Z"),
        ]
    )
    assert [row["AMOUNT"] for row in world.rows()] == [Decimal("2.00"), Decimal("5.00")]
    assert world.counts() == [{"received": 4, "inserted": 2, "deduplicated": 2}]


def test_missing_stamp_is_never_older(world: World) -> None:
    world.run(
        [
            world.schema_message(),
            world.line("A", 1, "1.00", updatedDate="2026-01-09T00:00:00Z"),
            world.line("A", 1, "2.00", updatedDate=None),
            world.line("A", 1, "3.00", updatedDate="2026-01-01T00:00:00Z"),
        ]
    )
    assert world.rows()[0]["AMOUNT"] == Decimal("3.00")
    world.run([world.schema_message(), world.line("A", 1, "4.00", updatedDate=None)])
    assert world.rows()[0]["AMOUNT"] == Decimal("4.00")


def test_older_row_is_stale_and_a_redelivery_is_unchanged(world: World) -> None:
    old = world.line("A", 1, "1.00", updatedDate="2026-01-01T00:00:00Z")
    new = world.line("A", 1, "2.00", updatedDate="2026-01-05T00:00:00Z")
    unseen = world.line("A", 1, "9.00", updatedDate="2026-01-03T00:00:00Z")
    for message in (old, new, old, unseen):
        world.run([world.schema_message(), message])
    assert world.rows()[0]["AMOUNT"] == Decimal("2.00")
    assert world.counts()[2:] == [{"received": 1, "unchanged": 1}, {"received": 1, "dead": 1, "stale": 1}]
    [letter] = world.letters()
    assert letter["REASON"] == "stale"
    assert letter["PHASE"] == "load"
    assert letter["ERRORS"][0]["column"] == "UPDATED_DATE"
    assert '"amount": 9.00' in letter["RECORD_TEXT"]


def test_day_stamps_compare_by_day(world: World) -> None:
    schema = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"]}}
    schema["properties"]["updatedDate"] = {**schema["properties"]["updatedDate"], "x-precision": "day"}
    for amount, stamp in (("1.00", "2026-01-05T12:00:00Z"), ("2.00", "2026-01-05T00:00:00Z")):
        world.run([world.schema_message(schema), world.line("A", 1, amount, updatedDate=stamp)])
    assert world.rows()[0]["AMOUNT"] == Decimal("2.00")
    world.run([world.schema_message(schema), world.line("A", 1, "3.00", updatedDate="2026-01-04T23:00:00Z")])
    assert world.rows()[0]["AMOUNT"] == Decimal("2.00")


def test_without_key_every_record_is_added(world: World) -> None:
    for _ in range(2):
        world.run([world.schema_message(key=[]), world.line("A", 1), world.line("A", 1)])
    assert len(world.rows()) == 4


def test_append_only(world: World) -> None:
    for _ in range(2):
        world.run([world.schema_message(), world.line("A", 1)], load_method="append-only")
    assert len(world.rows()) == 2
    assert [operation for operation, _, _ in world.history()] == ["insert", "insert"]


def test_new_column_text_widened_and_table_described(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text="short")])
    schema = {
        **LINE_SCHEMA,
        "properties": {**LINE_SCHEMA["properties"], "newOne": {"type": ["integer", "null"]}},
    }
    schema["properties"]["text"] = {"type": ["string", "null"], "maxLength": 30}
    world.run([world.schema_message(schema), world.line("A", 1, text="longer than ten", newOne=7)])
    [row] = world.rows()
    assert (row["TEXT"], row["NEW_ONE"]) == ("longer than ten", 7)
    changes = {(r["CHANGE"], r["COLUMN_NAME"], r["TYPE_AFTER"]) for r in world.audit("SCHEMA_CHANGES")}
    assert ("widen_column", "TEXT", "VARCHAR(30)") in changes
    assert ("add_column", "NEW_ONE", "NUMBER(38,0)") in changes
    described = {r["name"]: r["comment"] for r in world.query(f"DESCRIBE TABLE {world.table}")}
    assert described["DOCUMENT_ID"] == "Document number (GACCENTRY.NUM)"


def test_null_column_added_later_changes_no_row(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    schema = {
        **LINE_SCHEMA,
        "properties": {**LINE_SCHEMA["properties"], "newOne": {"type": ["integer", "null"]}},
    }
    world.run([world.schema_message(schema), world.line("A", 1, newOne=None)])
    assert world.counts()[1] == {"received": 1, "unchanged": 1}


def test_type_that_cannot_change_fails_and_names_the_column(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    schema = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "postedOn": {"type": "integer"}}}
    with pytest.raises(SchemaError, match=r"POSTED_ON.*is DATE.*NUMBER"):
        world.run([world.schema_message(schema)])


def test_schema_change_in_the_middle_loads_what_came_before(world: World) -> None:
    schema = {
        **LINE_SCHEMA,
        "properties": {**LINE_SCHEMA["properties"], "newOne": {"type": ["integer", "null"]}},
    }
    world.run(
        [
            world.schema_message(),
            world.line("A", 1),
            world.schema_message(schema),
            world.line("A", 2, newOne=1),
        ]
    )
    assert [row["NEW_ONE"] for row in world.rows()] == [None, 1]


def test_stream_maps_and_schema_mapping(world: World) -> None:
    world.run(
        [world.schema_message(), world.line("A", 1, text="x"), world.line("B", 1)],
        stream_maps={world.stream: {"text": "text or 'none'", "__filter__": "documentId != 'B'"}},
        schema_mapping=[
            {"stream": "other*", "schema": "NOWHERE"},
            {
                "stream": "lines_*",
                "schema": f"{world.schema}_M",
                "table": "MAPPED",
                "columns": {"text": "remark"},
            },
        ],
    )
    [row] = world.rows(f"ANALYTICS.{world.schema}_M.MAPPED")
    assert (row["DOCUMENT_ID"], row["REMARK"]) == ("A", "x")


def test_audit_rows_tell_one_story(world: World) -> None:
    ended = world.run(
        [world.schema_message(), world.line("A", 1), state({"bookmarks": {world.stream: {"x": 1}}})]
    )
    [batch] = world.audit("BATCHES")
    [mark] = world.audit("WATERMARKS")
    [run] = world.query(f"SELECT * FROM ANALYTICS.AUDIT.RUNS_CURRENT WHERE RUN_ID = '{batch['RUN_ID']}'")
    [history] = world.audit("RECORD_HISTORY")
    assert ended.states == [{"bookmarks": {world.stream: {"x": 1}}}]
    assert (run["STATUS"], run["RECORDS"], run["BATCHES"]) == ("completed", 1, 1)
    assert (run["ACTOR"], run["ACTOR_ROLE"]) == ("LOADER", "SAGEX3_LOADER")
    assert mark["HIGHEST_VALUE"] == "2026-01-01 00:00:00"
    assert mark["BATCH_ID"] == history["BATCH_ID"] == batch["BATCH_ID"]
    stored = world.query(f"SELECT * FROM {world.table}")[0]
    assert stored["_AUDIT_BATCH_ID"] == batch["BATCH_ID"]
    assert stored["_AUDIT_ROW_HASH"] == history["ROW_HASH"]
    assert stored["_AUDIT_ROW_HASH"].startswith("1:")
    assert batch["STARTED_AT"] <= batch["LOADED_AT"]


def test_statements_from_put_to_commit(world: World) -> None:
    messages = [
        world.schema_message(),
        *(world.line("A", n) for n in range(3)),
        world.line("A", 9, text="x" * 11),
    ]
    world.run(messages, max_dead_letter_percent=100)
    world.control.clear_log()
    world.run([world.schema_message(), world.line("A", 1, "7.00"), world.line("A", 8, text="y" * 11)])
    sent = world.target_statements()
    start = next(at for at, sql in enumerate(sent) if sql.upper().startswith("PUT"))
    end = next(at for at, sql in enumerate(sent) if sql.upper().startswith("COMMIT"))
    assert end - start + 1 <= 16, sent[start : end + 1]
    assert not [sql for sql in sent[start:end] if sql.upper().startswith(("CREATE", "ALTER", "DROP"))]


def test_record_metadata_and_flattening_of_the_sdk(world: World) -> None:
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "deep": {"type": "object", "properties": {"a": {"type": "integer"}}},
        },
    }
    settings = {"add_record_metadata": True, "flattening_enabled": True, "flattening_max_depth": 1}
    message = world.record({"id": 1, "deep": {"a": 5}}, time_extracted="2026-01-01T00:00:00Z")
    for _ in range(2):
        world.run([world.schema_message(schema, key=["id"]), message], **settings)
    [row] = world.rows()
    assert row["DEEP__A"] == 5
    assert row["_SDC_EXTRACTED_AT"] == dt.datetime(2026, 1, 1)  # noqa: DTZ001 - NTZ is naive
    assert world.counts()[1] == {"received": 1, "unchanged": 1}


def test_batches_end_by_rows_bytes_and_age(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [world.schema_message(), *(world.line("A", n) for n in range(10))]
    world.run(messages, batch_size_rows=4)
    assert [count["received"] for count in world.counts()] == [4, 4, 2]
    world.run(messages, batch_size_bytes=250)
    assert [count["received"] for count in world.counts()[3:]] == [3, 3, 3, 1]
    monkeypatch.setattr("target_snowflake_audit.loading_target._LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr("target_snowflake_audit.reading.blocks.BLOCK", 64)  # the clock runs between them
    monkeypatch.setattr("target_snowflake_audit.loader.StreamLoader.age", 301.0)
    world.run(messages[:4])
    assert [count["received"] for count in world.counts()[7:]] == [1, 1, 1]


def test_staged_and_local_files_are_removed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    world.run([world.schema_message(), world.line("A", 1)])
    assert list(tmp_path.iterdir()) == []
    run = world.audit("BATCHES")[0]["RUN_ID"]
    assert not [row for row in world.query('LIST @"ANALYTICS"."AUDIT_LOCK"."LOAD"') if run in row["name"]]


def test_no_record_needs_no_warehouse(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    world.control.clear_log()
    ended = world.run([world.schema_message(), state({"a": 1})])
    assert ended.states == [{"a": 1}]
    needing = [e["statement"] for e in world.control.query_log(user="LOADER") if e["needs_warehouse"]]
    assert needing == []


def test_old_stamp_after_a_version_without_one_overwrites_in_any_batch(world: World) -> None:
    """A missing stamp is never older, and what comes after it is compared with it: wherever batches end."""
    other = world.for_test("batches of one")
    for own, rows in ((world, 10), (other, 1)):
        own.run([own.schema_message(), own.line("A", 1, "5.00", updatedDate="2026-01-05T00:00:00Z")])
        later = [
            own.line("A", 1, "6.00", updatedDate=None),
            own.line("A", 1, "2.00", updatedDate="2026-01-02T00:00:00Z"),
        ]
        own.run([own.schema_message(), *later], batch_size_rows=rows)
        assert [row["AMOUNT"] for row in own.rows()] == [Decimal("2.00")]
