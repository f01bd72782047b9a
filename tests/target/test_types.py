"""Types on the wire: what a value is in the column, in the history, and again when it comes a second time."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.checking.special import BinaryConverter
from target_snowflake_audit.columntypes import ColumnType, Defaults, from_schema, parse
from target_snowflake_audit.errors import SchemaError, SettingError

if TYPE_CHECKING:
    from target_world import Message, World


def utc(*parts: int) -> dt.datetime:
    """A moment of UTC as a TIMESTAMP_NTZ is read back."""
    return dt.datetime(*parts, tzinfo=dt.UTC).replace(tzinfo=None)  # type: ignore[misc,arg-type]


# Property, its schema, its column's type, and (value as JSON text, what is read back) pairs.
VALUES: list[tuple[str, Message, str, list[tuple[str, Any]]]] = [
    (
        "day",
        {"type": "string", "format": "date"},
        "DATE",
        [('"0001-01-01"', dt.date(1, 1, 1)), ('"9999-12-31"', dt.date(9999, 12, 31))],
    ),
    (
        "clock",
        {"type": "string", "format": "time"},
        "TIME(9)",
        [('"23:59:59.25"', dt.time(23, 59, 59, 250_000)), ('"08:00:00Z"', dt.time(8))],
    ),
    (
        "at",
        {"type": "string", "format": "date-time"},
        "TIMESTAMP_NTZ(9)",
        [
            ('"9999-12-31T23:59:59.999999Z"', utc(9999, 12, 31, 23, 59, 59, 999_999)),
            ('"1582-10-15T02:00:00+02:00"', utc(1582, 10, 15)),
        ],
    ),
    (
        "rate",
        {"type": "number"},
        "FLOAT",
        [("-0.0", 0.0), ("5e-324", 5e-324), ("1.7976931348623157e308", 1.7976931348623157e308)],
    ),
    (
        "amount",
        {"type": "number", "multipleOf": 1e-9},
        "NUMBER(38,9)",
        [("99999999999999999999999999999.999999999", Decimal("99999999999999999999999999999.999999999"))],
    ),
    (
        "whole",
        {"type": "integer"},
        "NUMBER(38,0)",
        [("9" * 38, int("9" * 38)), ("-" + "9" * 38, -int("9" * 38))],
    ),
    (
        "data",
        {"type": "string", "contentEncoding": "base64"},
        "BINARY(8388608)",
        [('"AP8="', b"\x00\xff"), ('""', b"")],
    ),
    (
        "tree",
        {"type": ["object", "array"]},
        "VARIANT",
        [('{"b": [1.10, null], "a": "é"}', {"a": "é", "b": [1.1, None]}), ("[]", [])],
    ),
    (
        "uuid",
        {"type": "string", "format": "uuid"},
        "VARCHAR(16777216)",
        [('"6B29FC40-CA47-1067-B31D-00DD010662DA"', "6B29FC40-CA47-1067-B31D-00DD010662DA")],
    ),
    ("code", {"type": "string", "x-sql-datatype": "char(3)"}, "VARCHAR(3)", [('"äöü"', "äöü")]),
    (
        "any",
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "VARCHAR(16777216)",
        [("5", "5"), ('"x"', "x")],
    ),
]
BAD = {
    "day": ['"0000-01-01"', '"10000-01-01"', '"2026-02-29"', '"2026-01-31T10:00:00"'],
    "clock": ['"24:00:00"', '"08:00:00+02:00"', '"28800"', "28800"],
    "at": ['"0000-01-01T00:00:00Z"', '"0001-01-01T00:00:00+01:00"', '"12345-01-01T00:00:00Z"'],
    "rate": ["1e400", "1e-400", "NaN", "Infinity"],
    "amount": ["1e30", "0.1234567891"],
    "whole": ["1" + "0" * 38],
    "data": ['"AP8"', '"??"'],
    "tree": ['{"n": 1234567890123456789012345678901234567890}', '{"x": NaN}'],
    "code": ['"abcd"'],
}


def message(world: World) -> Message:
    properties: Message = {"id": {"type": "integer"}}
    properties |= {name: {**schema, "nullable": True} for name, schema, _, _ in VALUES}
    return world.schema_message(
        {"type": "object", "properties": properties}, key=["id"], bookmark_properties=["at"]
    )


def record(world: World, number: int, name: str, value: str) -> str:
    body = f'{{"id": {number}, {json.dumps(name)}: {value}}}'
    return f'{{"type": "RECORD", "stream": "{world.stream}", "record": {body}}}\n'


def test_values_at_the_edge_come_back_as_they_were(world: World) -> None:
    given = [(name, text, expected) for name, _, _, pairs in VALUES for text, expected in pairs]
    text = json.dumps(message(world)) + "\n"
    text += "".join(record(world, at, name, value) for at, (name, value, _) in enumerate(given))
    world.run_text(text)
    types = {row["name"]: row["type"] for row in world.query(f"DESCRIBE TABLE {world.table}")}
    assert {name: types[name.upper()] for name, _, _, _ in VALUES} == {
        name: kind for name, _, kind, _ in VALUES
    }
    rows = {int(row["ID"]): row for row in world.rows()}
    assert not [letter["ERRORS"] for letter in world.letters()]
    for at, (name, _, expected) in enumerate(given):
        found = rows[at][name.upper()]
        assert (json.loads(found) if name == "tree" else found) == expected, name
    world.run_text(text)
    assert world.counts()[-1] == {"received": len(given), "unchanged": len(given)}


def test_values_beyond_the_edge_are_letters_and_never_changed(world: World) -> None:
    given = [(name, text) for name, texts in BAD.items() for text in texts]
    text = json.dumps(message(world)) + "\n"
    text += "".join(record(world, at, name, value) for at, (name, value) in enumerate(given))
    world.run_text(text, max_dead_letter_percent=100)
    assert not world.rows()
    found = [letter["ERRORS"][0]["column"] for letter in world.letters()]
    assert found == [name.upper() for name, _ in given]
    assert world.letters()[-1]["RECORD_TEXT"] == f'{{"id": {len(given) - 1}, "code": "abcd"}}'


# Stamps with a zone


@pytest.mark.parametrize("kind", ["TIMESTAMP_LTZ", "TIMESTAMP_TZ"])
def test_stamps_with_a_zone_order_versions_and_tell_keys_apart(world: World, kind: str) -> None:
    schema = {
        "type": "object",
        "properties": {
            "slot": {"type": "string", "format": "date-time"},
            "changed": {"type": ["string", "null"], "format": "date-time"},
            "v": {"type": "integer"},
        },
    }
    first = world.schema_message(schema, key=["slot"], bookmark_properties=["changed"])

    def slot(at: str, changed: str, value: int) -> Message:
        return world.record({"slot": at, "changed": changed, "v": value})

    world.run([first, slot("2026-01-01T00:30:00+02:00", "2026-01-02T00:00:00Z", 1)], timestamp_type=kind)
    types = {row["name"]: row["type"] for row in world.query(f"DESCRIBE TABLE {world.table}")}
    assert types["SLOT"] == f"{kind}(9)"
    # The same instant in another zone is the same key; an older version is a letter, an equal one nothing.
    world.run(
        [
            first,
            slot("2025-12-31T22:30:00Z", "2026-01-02T01:00:00+01:00", 1),
            slot("2025-12-31T22:30:00Z", "2026-01-01T23:59:59Z", 2),
            slot("2025-12-31T22:30:00.5Z", "2026-01-02T00:00:00Z", 3),
        ],
        timestamp_type=kind,
    )
    world.run([first, slot("2025-12-31T22:30:00Z", "2026-01-01T23:59:59Z", 2)])
    assert [(row["SLOT"].astimezone(dt.UTC).isoformat(), row["V"]) for row in world.rows()] == [
        ("2025-12-31T22:30:00+00:00", 1),
        ("2025-12-31T22:30:00.500000+00:00", 3),
    ]
    assert {letter["REASON"] for letter in world.letters()} == {"stale"}
    history = world.audit("RECORD_HISTORY", '"LOADED_AT", "SEQ"')
    assert [row["SOURCE_TIME"] for row in history] == [utc(2026, 1, 2)] * 2
    assert json.loads(history[0]["AFTER"])["SLOT"] == "2025-12-31 22:30:00.000000000"


@pytest.mark.parametrize("kind", ["TIMESTAMP_LTZ", "TIMESTAMP_TZ"])
def test_rows_that_are_gone_are_found_by_a_key_with_a_zone(world: World, kind: str) -> None:
    schema = {"type": "object", "properties": {"slot": {"type": "string", "format": "date-time"}}}
    first = world.schema_message(schema, key=["slot"], bookmark_properties=[])
    slots = [world.record({"slot": f"2026-01-01T0{at}:00:00.25+01:00"}, version=7) for at in range(3)]
    activate = {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": 7}
    world.run([first, *slots, activate], timestamp_type=kind)
    again = [{**slot, "version": 8} for slot in slots[:2]]
    world.run([first, *again, {**activate, "version": 8}], timestamp_type=kind, max_deleted_percent=50)
    assert {row["SLOT"].astimezone(dt.UTC).hour for row in world.rows()} == {23, 0}
    [gone] = world.history("\"OPERATION\" = 'delete'")
    assert gone[1]["SLOT"] == "2026-01-01 01:00:00.250000000"


# Types alone


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string", "format": "date-time"}, "TIMESTAMP_TZ"),
        ({"type": "string", "contentEncoding": "base16"}, "BINARY"),
        ({"type": "string", "contentEncoding": "quoted-printable"}, "VARCHAR"),
        ({"type": "string", "x-sql-datatype": "number(10, 4)"}, "NUMBER(10,4)"),
        ({"type": "integer", "x-sql-datatype": "smallint"}, "NUMBER(38,0)"),
        ({"type": "string", "x-sql-datatype": "varbinary(20)"}, "BINARY(20)"),
        ({"type": "string", "x-sql-datatype": "timestampltz"}, "TIMESTAMP_LTZ"),
        ({"type": "string", "format": "singer.decimal", "precision": 50, "scale": 10}, "NUMBER(38,10)"),
        ({"type": "string", "x-singer.decimal": {"precision": 10, "scale": 2}}, "NUMBER(38,2)"),
        ({"type": "string", "format": "x-singer.decimal"}, "NUMBER(38,18)"),
        ({"anyOf": [{"type": "number", "multipleOf": 0.01}, {"type": "integer"}]}, "NUMBER(38,2)"),
        ({"anyOf": [{"type": "object"}, {"type": "string"}, {"type": "null"}]}, "VARIANT"),
        ({"oneOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, "DATE"),
    ],
)
def test_type_of_a_property(schema: Message, kind: str) -> None:
    assert from_schema(schema, Defaults(timestamp="TIMESTAMP_TZ")).sql == kind


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "x-sql-datatype": "INT) AS SELECT 1; DROP TABLE X; --"},
        {"type": "string", "x-sql-datatype": "GEOGRAPHY"},
        {"type": "string", "x-sql-datatype": "NUMBER(39,2)"},
        {"type": "string", "x-sql-datatype": "NUMBER(5,9)"},
        {"type": "string", "format": "singer.decimal", "scale": 40},
        {"type": "string", "x-singer.decimal": {"scale": "2"}},
    ],
)
def test_types_that_cannot_be_loaded_are_refused_by_name(schema: Message) -> None:
    whole = {"type": "object", "properties": {"id": {"type": "integer"}, "x": schema}}
    with pytest.raises(SchemaError, match=r"stream s, property `x`: .*set `column_types`"):
        make_plan({}, "s", whole, ["id"], {"stream": "s", "schema": whole}, "DB")
    plan = make_plan(
        {"column_types": {"*": {"x": "varchar(9)"}}}, "s", whole, ["id"], {"schema": whole}, "DB"
    )
    assert [column.type.sql for column in plan.columns] == ["NUMBER(38,0)", "VARCHAR(9)"]


def test_column_types_are_checked() -> None:
    whole = {"type": "object", "properties": {"x": {"type": "string"}}}
    with pytest.raises(SettingError, match="'money' is not one of NUMBER"):
        make_plan({"column_types": {"*": {"x": "money"}}}, "s", whole, [], {"schema": whole}, "DB")


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("TIME", "08:00", "08:00:00"),
        ("TIME", "08:00:00.120000000", "08:00:00.12"),
        ("TIME", "08:00:00+00:00", "08:00:00"),
        ("TIME", "08:00:60", "08:00:60"),
        ("TIME", "8 o'clock", "8 o'clock"),
        ("TIME", "08:00-0130", None),
        ("TIME", "", None),
        ("DATE", "2026-01-31T00:00:00.000Z", "2026-01-31"),
        ("DATE", "2026-01-31T00:00:00+01:00", None),
        ("FLOAT", Decimal("4.9E-324"), "5e-324"),
        ("FLOAT", Decimal("2E-324"), None),
        ("VARIANT", {"n": 10**38 - 1}, '"{""n"":' + "9" * 38 + '}"'),
        ("VARIANT", [[{"n": 10**38}]], None),
        ("VARIANT", {"n": Decimal("1." + "1" * 38)}, None),
        (
            "VARIANT",
            {"n": Decimal("1.10000000000000000000000000000000000000000")},
            '"{""n"":1.1}"',
        ),
        ("VARIANT", {"text": "1" * 50}, '"{""text"":""' + "1" * 50 + '""}"'),
    ],
)
def test_canonical_texts(kind: str, value: Any, found: str | None) -> None:  # noqa: ANN401
    [made] = converter(parse(kind))([value])
    assert isinstance(made, Bad) if found is None else made == found


def test_json_values_end_at_the_limit_of_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.checking.converters.MAX_TEXT", 20)
    found = converter(ColumnType("VARIANT"))(["é" * 9, "é" * 10, "x" * 18, "x" * 19])
    assert [isinstance(one, Bad) for one in found] == [False, True, False, True]


def test_bytes() -> None:
    assert BinaryConverter(2, "base64")(["AP8=", None, "AP//", "AP8", 5, ""])[:2] == ["00FF", ""]
    found = BinaryConverter(2, "base64")(["AP//", "AP8", 5, "A P8=", ""])
    assert [one.reason if isinstance(one, Bad) else one for one in found] == [
        "too_long",
        "not_binary",
        "not_binary",
        "not_binary",
        '""',
    ]
    found = BinaryConverter(2, "")(["00fF", "0", "AP8="])
    assert [one.reason if isinstance(one, Bad) else one for one in found] == [
        "00FF",
        "not_binary",
        "not_binary",
    ]
