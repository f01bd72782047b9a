"""`stream_maps`, flattening and record metadata: contents, hashes and dead letters on the wire."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.replay import LetterRow, replay
from target_world import state

if TYPE_CHECKING:
    from target_world import Message, World

NESTED: Message = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "who": {
            "type": "object",
            "properties": {
                "name": {"type": ["string", "null"]},
                "address": {
                    "type": "object",
                    "properties": {
                        "city": {"type": ["string", "null"]},
                        "geo": {"type": ["object", "null"], "properties": {"lat": {"type": "number"}}},
                    },
                },
            },
        },
        "list": {"type": ["array", "null"]},
    },
}


def letters_of(world: World, stream: str) -> list[Message]:
    where = f"\"STREAM\" = '{stream}'"
    return world.query(f'SELECT * FROM ANALYTICS.AUDIT."DEAD_LETTERS" WHERE {where}')


def test_columns_are_renamed_computed_nulled_and_left_out(world: World) -> None:
    maps = {
        world.stream: {
            "documentId": "documentId",
            "lineNumber": "lineNumber",
            "value": "amount",
            "twice": "int(lineNumber * 2)",
            "note": "'n' + str(lineNumber)",
            "text": "__NULL__",
            "__else__": None,
        }
    }
    records = [world.schema_message(), world.line("A", 1, "1.25", text="x"), world.line("A", 2, "2.50")]
    world.run(records, stream_maps=maps)
    rows = world.rows()
    assert [set(row) for row in rows] == [{"DOCUMENT_ID", "LINE_NUMBER", "VALUE", "TWICE", "NOTE"}] * 2
    assert [(row["VALUE"], row["TWICE"], row["NOTE"]) for row in rows] == [(1.25, 2, "n1"), (2.5, 4, "n2")]
    world.run(records, stream_maps=maps)
    assert world.counts()[-1] == {"received": 2, "unchanged": 2}


def test_filtered_records_are_not_received_and_the_rest_is(world: World) -> None:
    maps = {world.stream: {"__filter__": "lineNumber > 1"}}
    records = [world.schema_message(), *(world.line("A", n) for n in (1, 2, 3)), state({"at": 1})]
    ended = world.run(records, stream_maps=maps)
    assert [row["LINE_NUMBER"] for row in world.rows()] == [2, 3]
    assert world.counts() == [{"received": 2, "inserted": 2}]
    assert ended.states == [{"at": 1}]


def test_record_without_a_property_after_its_map_is_a_row_or_a_letter_and_counts(world: World) -> None:
    """The SDK takes one for left out."""
    lost = world.record({"text": "x"})
    world.run([world.schema_message(), world.line("A", 1), lost], stream_maps={world.stream: {"text": None}})
    assert world.counts() == [{"received": 2, "inserted": 1, "dead": 1}]
    assert [letter["RECORD_TEXT"] for letter in world.letters()] == ['{"text": "x"}']
    properties = {"text": {"type": ["string", "null"]}, "note": {"type": ["string", "null"]}}
    keyless = {"stream": f"{world.stream}_k", "key_properties": [], "bookmark_properties": []}
    schema = world.schema_message({"type": "object", "properties": properties}, **keyless)
    records = [{**world.record(body), "stream": keyless["stream"]} for body in ({"text": "x"}, {"note": "n"})]
    world.run([schema, *records], stream_maps={f"{world.stream}_k": {"text": None}})
    found = world.query(f'SELECT "NOTE" FROM {world.table}_K ORDER BY "NOTE"')
    assert [row["NOTE"] for row in found] == ["n", None]


def test_other_streams_are_left_out_by_else(world: World) -> None:
    other: dict[str, Any] = {"stream": f"{world.stream}_o"}
    maps: dict[str, Any] = {world.stream: {"kind": "'kept'"}, "__else__": None}
    messages = [world.schema_message(), world.schema_message(**other), world.line("A", 1)]
    ended = world.run([*messages, {**world.line("B", 1), **other}, state({"at": 2})], stream_maps=maps)
    assert [row["KIND"] for row in world.rows()] == ["kept"]
    tables = world.query(f"SHOW TABLES IN SCHEMA ANALYTICS.{world.schema}")
    assert [row["name"] for row in tables] == [world.stream.upper()]
    assert ended.states == [{"at": 2}]


def test_a_stream_goes_to_two_tables_under_other_names(world: World) -> None:
    """Each with its own filter, its own dead letters and counts; a letter names the stream as received."""
    small, large = f"{world.stream}_small", f"{world.stream}_large"
    maps = {
        small: {"__source__": world.stream, "__filter__": "amount < 10"},
        large: {"__source__": world.stream, "__filter__": "amount >= 10", "text": "text * 2"},
        world.stream: None,
    }
    bad = world.line("A", 3, "30.00", text="sixsix")
    records = [world.line("A", 1), world.line("A", 2, "20.00", text="ab"), bad]
    world.run([world.schema_message(), *records], stream_maps=maps, max_dead_letter_percent=100)
    found = world.query(f'SELECT "LINE_NUMBER", "TEXT" FROM {world.table}_SMALL')
    assert found == [{"LINE_NUMBER": 1, "TEXT": None}]
    found = world.query(f'SELECT "LINE_NUMBER", "TEXT" FROM {world.table}_LARGE ORDER BY 1')
    assert found == [{"LINE_NUMBER": 2, "TEXT": "abab"}]
    [letter] = letters_of(world, world.stream)
    assert json.loads(letter["RECORD_TEXT"])["text"] == "sixsix"
    assert letter["TARGET_TABLE"] == f"{world.table}_LARGE"
    tables = world.query(f"SHOW TABLES IN SCHEMA ANALYTICS.{world.schema}")
    assert [row["name"].removeprefix(world.stream.upper()) for row in tables] == ["_LARGE", "_SMALL"]


def test_the_key_of_a_map_is_the_key_of_the_table(world: World) -> None:
    maps = {world.stream: {"doc": "documentId", "__key_properties__": ["doc"], "total": "amount"}}
    records = [world.line("A", 1, "1.00"), world.line("A", 2, "2.00"), world.line("B", 1, "3.00")]
    world.run([world.schema_message(), *records], stream_maps=maps)
    assert world.counts() == [{"received": 3, "inserted": 2, "deduplicated": 1}]
    totals = world.query(f'SELECT "DOC", "TOTAL" FROM {world.table} ORDER BY 1')
    assert totals == [{"DOC": "A", "TOTAL": 2.0}, {"DOC": "B", "TOTAL": 3.0}]


def test_a_letter_is_as_received_and_is_replayed_by_the_mended_map(world: World) -> None:
    maps: dict[str, Any] = {world.stream: {"text": "text.strip()", "ratio": "float(10 / lineNumber)"}}
    odd = world.line("A", 0, "4.00", text=" y ")
    world.run(
        [world.schema_message(), world.line("A", 5, text=" x "), odd],
        stream_maps=maps,
        max_dead_letter_percent=100,
    )
    assert [(row["TEXT"], row["RATIO"]) for row in world.rows()] == [("x", 2.0)]
    [letter] = world.letters()
    assert json.loads(letter["RECORD_TEXT"])["text"] == " y "
    [error] = letter["ERRORS"]
    told = (error["property"], error["reason"], error["value"])
    assert told == ("ratio", "stream_map", "division by zero")
    assert error["expected"] == "stream_maps: `float(10 / lineNumber)` fails with ZeroDivisionError"
    row = LetterRow(
        letter["DEAD_LETTER_ID"], world.stream, letter["RECORD_TEXT"], json.loads(letter["SINGER_SCHEMA"])
    )
    [still] = replay(world.settings(stream_maps=maps), [row])
    assert still.event == "replay_failed"
    maps[world.stream]["ratio"] = "float(10 / (lineNumber or 1))"
    [outcome] = replay(world.settings(stream_maps=maps), [row])
    assert outcome.event == "replayed"
    assert [(r["LINE_NUMBER"], r["TEXT"], r["RATIO"]) for r in world.rows()] == [
        (0, "y", 10.0),
        (5, "x", 2.0),
    ]


def _failed(world: World, properties: dict[str, str], **settings: Any) -> dict[str, Any]:  # noqa: ANN401
    maps = {world.stream: properties}
    line = world.line("A", 1, text="DE89", extra={"iban": None}, more="kept")
    world.run([world.schema_message(), line], stream_maps=maps, **settings)
    [letter] = world.letters()
    [error] = [one for one in letter["ERRORS"] if one["reason"] == "stream_map"]
    assert not settings or "DE89" not in json.dumps(letter["ERRORS"])
    return dict(error)


@pytest.mark.parametrize(
    ("name", "expression", "cause"),
    [
        ("z", "float(1/0)", "ZeroDivisionError: division by zero"),
        ("z", "float(nope * 3)", "NameNotDefined: 'nope' is not defined for expression 'float(nope * 3)'"),
        ("amount", "float(text)", "ValueError: could not convert string to float: 'DE89'"),
        ("__filter__", "nope > 1", "NameNotDefined: 'nope' is not defined for expression 'nope > 1'"),
    ],
)
def test_a_letter_names_the_expression_that_failed(
    world: World, name: str, expression: str, cause: str
) -> None:
    error = _failed(world, {name: expression})
    assert error["property"] == name
    assert f"{error['expected']}: {error['value']}" == f"stream_maps: `{expression}` fails with {cause}"


def test_no_redacted_value_is_in_the_message_of_an_expression(world: World) -> None:
    error = _failed(world, {"amount": "float(text)"}, redact_columns={"*": {"text": "mask"}})
    assert error["expected"] == "stream_maps: `float(text)` fails with ValueError"
    assert (error["property"], error["value"]) == ("amount", "")


def test_a_redacted_property_that_the_map_leaves_out_is_in_no_message(world: World) -> None:
    maps = {"amount": "float(text)", "text": "__NULL__"}
    error = _failed(world, maps, redact_columns={"*": {"te*t": "hash"}})
    assert error["expected"] == "stream_maps: `float(text)` fails with ValueError"
    assert error["value"] == ""


def test_no_value_of_stream_map_config_is_in_the_message_of_an_expression(world: World) -> None:
    error = _failed(world, {"z": "int(config['k'])"}, stream_map_config={"k": "s3cret"})
    assert error["expected"] == "stream_maps: `int(config['k'])` fails with ValueError"
    assert error["value"] == ""


@pytest.mark.parametrize(
    ("depth", "columns"),
    [
        pytest.param(1, {"ID", "LIST", "WHO_NAME", "WHO_ADDRESS"}, marks=pytest.mark.full),
        (3, {"ID", "LIST", "WHO_NAME", "WHO_ADDRESS_CITY", "WHO_ADDRESS_GEO_LAT"}),
    ],
)
def test_flattening(world: World, depth: int, columns: set[str]) -> None:
    geo = {"lat": Decimal("1.5")}
    record = {"id": 1, "who": {"name": "n", "address": {"city": "c", "geo": geo}}, "list": [1, {"a": 2}]}
    messages = [world.schema_message(NESTED, key=["id"]), world.record(record)]
    settings = {"flattening_enabled": True, "flattening_max_depth": depth}
    for _ in range(2):
        world.run(messages, **settings)
    [row] = world.query(f"SELECT * FROM {world.table}")
    row = {name.replace("__", "_"): value for name, value in row.items() if not name.startswith("_AUDIT")}
    assert set(row) == columns
    assert json.loads(row["LIST"]) == [1, {"a": 2}]
    assert row.get("WHO_ADDRESS_CITY", "c") == "c"
    assert row.get("WHO_ADDRESS_GEO_LAT", 1.5) == 1.5
    if depth == 1:
        assert json.loads(row["WHO_ADDRESS"]) == {"city": "c", "geo": {"lat": 1.5}}
    assert world.counts()[-1] == {"received": 1, "unchanged": 1}


def test_record_metadata_says_how_a_record_came_and_changes_no_hash(world: World) -> None:
    plain = [world.schema_message(), world.line("A", 1)]
    world.run(plain)
    [before] = world.query(f'SELECT "_AUDIT_ROW_HASH" AS "H" FROM {world.table}')
    came = {**world.line("A", 1), "time_extracted": "2026-03-01T10:00:00Z", "version": 7}
    world.run([plain[0], came], add_record_metadata=True)
    assert world.counts()[-1] == {"received": 1, "unchanged": 1}
    world.run([plain[0], {**came, "record": {**came["record"], "text": "t"}}], add_record_metadata=True)
    [row] = world.query(f"SELECT * FROM {world.table}")
    assert f"{row['_SDC_EXTRACTED_AT']:%Y-%m-%d %H:%M}" == "2026-03-01 10:00"
    assert (row["_SDC_TABLE_VERSION"], row["_SDC_DELETED_AT"]) == (7, None)
    assert row["_SDC_RECEIVED_AT"] is not None
    assert row["_AUDIT_ROW_HASH"] != before["H"]
    deleted = {**came, "record": {**came["record"], "_sdc_deleted_at": "2026-03-02T00:00:00Z"}}
    world.run([plain[0], deleted], add_record_metadata=True)
    assert world.rows() == []
    assert world.counts()[-1] == {"received": 1, "deleted": 1}


def test_maps_flattening_and_metadata_together_leave_unchanged_rows_alone(world: World) -> None:
    maps = {world.stream: {"hash": "md5(str(id))"}}
    records = [world.record({"id": n, "who": {"name": f"n{n}"}, "list": None}) for n in range(5)]
    messages = [world.schema_message(NESTED, key=["id"]), *records]
    settings = {"stream_maps": maps, "flattening_enabled": True, "add_record_metadata": True}
    world.run(messages, flattening_max_depth=1, **settings)
    before = world.query(f"SELECT * FROM {world.table} ORDER BY 1, 2")
    world.control.clear_log()
    world.run(messages, flattening_max_depth=1, **settings)
    assert world.query(f"SELECT * FROM {world.table} ORDER BY 1, 2") == before
    assert world.counts()[-1] == {"received": 5, "unchanged": 5}
    assert not [sql for sql in world.target_statements() if sql.startswith("MERGE")]
