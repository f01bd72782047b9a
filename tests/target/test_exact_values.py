"""Values at the edges of what a column, a VARIANT, an expression or a schema of an older draft takes."""

from __future__ import annotations

import gzip
import json
from contextlib import nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from singer_sdk.mapper import PluginMapper
from target_snowflake_audit import columntypes
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.converters import TextConverter, variants
from target_snowflake_audit.checking.parts import Checked, Chunk
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.checking.redacting import Redactor
from target_snowflake_audit.checking.times import TimeCache, TimestampCache
from target_snowflake_audit.mapping import mapped
from target_snowflake_audit.reading import batch_files

if TYPE_CHECKING:
    from pathlib import Path

ANY = msgspec.json.Decoder(float_hook=Decimal)


def checker(properties: dict[str, Any], key: list[str], **settings: Any) -> Checker:  # noqa: ANN401
    """A checker of a stream."""
    schema = {"type": "object", "properties": properties}
    return Checker(make_plan(settings, "s", schema, key, {"stream": "s", "schema": schema}, "DB"))


def checked(check: Checker, *raw: bytes) -> Checked:
    """What records become."""
    found = check.check(Chunk([], list(raw), list(range(1, len(raw) + 1)), [None] * len(raw)))
    assert len(found.lines) == len(raw)
    return found


KEYS: list[dict[str, Any]] = [
    {"type": ["null", "number"], "multipleOf": 0.1},
    {"type": ["null", "integer"]},
    {"type": ["null", "string"]},
    {"type": ["null", "string"], "format": "date-time"},
    {"type": ["null", "string"], "format": "date"},
]


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("forward", [b"", b'"other":"\\ud800",'])
def test_a_null_key_is_a_letter_in_any_type(kind: dict[str, Any], forward: bytes) -> None:
    """On the way that plain records take, and on that of others."""
    check = checker({"doc": {"type": "string"}, "line": kind}, ["doc", "line"])
    found = checked(check, *[b'{"doc":"A",%s"line":null}' % forward] * 2)
    assert [letter.problems[0].reason for letter in found.letters] == ["key_is_null"] * 2
    assert found.lost_keys


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0.00000012345678901234567890", "0.0000001234567890123456789"),
        ("1E-7", "0.0000001"),
        ("1.0", "1"),
        ("-0.0", "0"),
        ("-0", "0"),
        ("12E3", "12000"),
        ("-1.50", "-1.5"),
        ("10", "10"),
        ("100.5", "100.5"),
        ("9" * 38, "9" * 38),
        ("0." + "1" * 37, "0." + "1" * 37),
        ("1E+50", "1E+50"),
        ("1.25E-60", "1.25E-60"),
        ("12345678901234567890E20", None),
        ("1234567890123456789" + "0" * 21, None),
        ("1E400", None),
        ("0." + "1" * 38, None),
        ("1" * 39, None),
    ],
)
def test_numbers_in_a_variant(written: str, kept: str | None) -> None:
    for form in ("%s", "[%s]", '{"a":%s}'):
        [found] = variants([ANY.decode((form % written).encode())])
        if kept is None:
            assert isinstance(found, Bad)
        else:
            assert str(found).strip('"').replace('""', '"') == form % kept


def test_huge_numbers_beside_others_are_letters() -> None:
    for text in (b"[1E1000000,0.1%s]" % (b"0" * 42), b"[1E1000000,1E-2000000]", b"[1E-2000000]"):
        assert isinstance(variants([ANY.decode(text)])[0], Bad)


def test_numbers_in_text_have_no_exponent() -> None:
    values = [Decimal("1E-7"), Decimal("1E+2"), 7, None, "1E+2"]
    assert TextConverter(50)(values) == ["0.0000001", "100", "7", "", "1E+2"]


@pytest.mark.parametrize("zone", ["+05:99", "+05:60", "-00:99", "+24:00", "+0560"])
def test_an_offset_that_no_clock_has(zone: str) -> None:
    assert isinstance(TimestampCache()([f"2026-01-31T08:00:00{zone}"])[0], Bad)


@pytest.mark.parametrize("text", ["08:00:00 +02:00", "08:00 -05:00", "08:00+02:00:00", "-5", "+5", " 5"])
def test_a_time_of_day_with_a_zone_or_a_number(text: str) -> None:
    assert isinstance(TimeCache()([text])[0], Bad)


def through(expression: str, record: dict[str, Any], **config: Any) -> Any:  # noqa: ANN401
    """A property made by an expression of `stream_maps`, or the problem."""
    maps = {"stream_maps": {"s": {"x": expression}}, **config}
    mapper = PluginMapper(maps, __import__("logging").getLogger())
    schema = {"type": "object", "properties": {"n": {"type": "number"}, "t": {"type": "string"}}}
    mapper.register_raw_stream_schema("s", schema, ["t"])
    made, problems = mapped(mapper.stream_maps["s"][0], record, nullcontext())
    return problems or (made or {}).get("x")


def test_expressions_do_not_round() -> None:
    number = Decimal("12345678901234567890123456789012.12")
    assert str(through("n + 1", {"n": number, "t": ""})) == "12345678901234567890123456789013.12"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("datetime.datetime.strptime(t, '%Y-%m-%d')", "2026-01-31T00:00:00"),
        ("datetime.date.fromisoformat(t)", "2026-01-31"),
        ("[datetime.date.fromisoformat(t)]", ["2026-01-31"]),
    ],
)
def test_times_of_expressions_are_text(expression: str, found: Any) -> None:  # noqa: ANN401
    assert through(expression, {"n": 1, "t": "2026-01-31"}) == found


@pytest.mark.parametrize("expression", ["t.encode()", "{1: 2}", "float('nan')", "[float('inf')]"])
def test_what_is_no_json_is_told(expression: str) -> None:
    [problem] = through(expression, {"n": 1, "t": "x"})
    assert (problem.name, problem.reason) == ("x", "stream_map")
    assert "JSON value" in problem.expected


def test_a_batch_file_with_text_that_is_no_utf8(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(b'{"id":1,"t":"good"}\n{"id":2,"t":"caf\xe9"}\n'))
    message = {
        "stream": "s",
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "manifest": [file.as_uri()],
    }
    found = list(batch_files.records(message))
    check = checker({"id": {"type": "integer"}, "t": {"type": "string"}}, ["id"])
    mapped_, raw = [one["record"] for one in found], [one["record_text"] for one in found]
    letters = check.check(Chunk(mapped_, raw, [1, 2], [None, None])).letters
    assert [letter.problems[0].reason for letter in letters] == ["not_utf8"]


NESTED = {"type": ["object", "null"], "properties": {"a": {"maxLength": 3}, "p": {"multipleOf": 0.01}}}


@pytest.mark.parametrize("number", [b"1", b"1.0"])
def test_rules_inside_of_a_property_hold_on_every_way(number: bytes) -> None:
    """`1.0` for a whole number sends the record the longer way."""
    check = checker({"id": {"type": "integer"}, "o": NESTED}, ["id"])
    for inside in (b'{"a":"abcdef"}', b'{"p":1.234}'):
        assert len(checked(check, b'{"id":%s,"o":%s}' % (number, inside)).letters) == 1


def test_a_schema_that_refers_to_another_property() -> None:
    check = checker(
        {"id": {"type": "integer"}, "a": {"type": "string"}, "b": {"$ref": "#/properties/a"}}, ["id"]
    )
    found = checked(check, b'{"id":1,"a":"x","b":"y"}', b'{"id":2,"a":"x","b":5}')
    assert len(found.letters) == 1


def test_bounds_and_tuples_of_older_drafts() -> None:
    """As pipelinewise-tap-postgres and tap-oracle describe every NUMERIC."""
    bounds = {"minimum": -10, "maximum": 10, "exclusiveMaximum": True, "exclusiveMinimum": False}
    pair = {"type": "array", "items": [{"type": "string"}, {"type": "integer"}], "additionalItems": False}
    check = checker(
        {
            "id": {"type": "integer"},
            "n": {"type": ["null", "number"], "multipleOf": 0.01, **bounds},
            "p": pair,
        },
        ["id"],
    )
    values = [
        (b"-10", b"[]"),
        (b"9.99", b'["a",1]'),
        (b"10", b"[]"),
        (b"1", b'["a","b"]'),
        (b"1", b'["a",1,2]'),
    ]
    raw = [b'{"id":%d,"n":%s,"p":%s}' % (at, *pair) for at, pair in enumerate(values)]
    assert [letter.seq for letter in checked(check, *raw).letters] == [3, 4, 5]


@pytest.mark.parametrize("mark", [b"false", b"0", b'""', b'"no"', b"true"])
def test_a_mark_of_deletion_that_is_no_time_deletes_nothing(mark: bytes) -> None:
    check = checker({"id": {"type": "integer"}}, ["id"])
    found = checked(check, b'{"id":1,"_sdc_deleted_at":%s}' % mark)
    assert [letter.problems[0].name for letter in found.letters] == ["_sdc_deleted_at"]
    assert not checked(check, b'{"id":1,"_sdc_deleted_at":"2026-01-31T08:00:00+00:00"}').letters


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id":1,"iban":"DE123","iban":null}',
        b'{"id":1,"o":{"iban":"DE123","iban":null}}',
        b'{"id":1,"o":[{"iban":"DE123","iban":"x"}]}',
        b'{"id":1,"\\u0069ban":"DE123","o":%s}' % (b"[" * 1500 + b"]" * 1500),
    ],
)
def test_a_value_that_stands_beside_another_of_its_name_is_redacted(raw: bytes) -> None:
    check = checker({"id": {"type": "integer"}, "iban": {"type": ["string", "null"]}}, ["id"])
    redactor = Redactor(check.plan)
    redactor.salt = "salt"
    kept, redacted = redactor.record(raw)
    assert b"DE123" not in kept
    assert redacted


def test_a_text_without_repeated_names_stays_as_it_is() -> None:
    check = checker({"id": {"type": "integer"}, "iban": {"type": ["string", "null"]}}, ["id"])
    for raw in (b'{ "id":1, "iban":null}', b'{"id":1,"x":1,"x":2}', b'{"id":%s}' % (b"9" * 5000)):
        assert Redactor(check.plan).record(raw) == (raw, {})


@pytest.mark.parametrize(
    ("wanted", "stored", "widened"),
    [
        ("NUMBER(12,2)", "NUMBER(12,4)", "NUMBER(38,4)"),
        ("NUMBER(20,0)", "NUMBER(20,10)", "NUMBER(38,10)"),
        ("NUMBER(10,4)", "NUMBER(12,4)", None),
        ("NUMBER(12,2)", "NUMBER(14,4)", None),
    ],
)
def test_a_number_is_widened_for_its_digits_before_the_point(
    wanted: str, stored: str, widened: str | None
) -> None:
    found = columntypes.reconcile(columntypes.parse(wanted), columntypes.parse(stored))
    assert found == (columntypes.parse(widened or stored), widened is not None)


def test_letters_of_a_key_that_nests_deeply_can_be_written() -> None:
    check = checker({"id": {"type": "string"}, "n": {"type": "integer"}}, ["id"])
    for depth in (900, 985, 988, 990, 991, 992, 994, 1500):
        found = checked(check, b'{"id":%s,"n":1}' % (b"[" * depth + b"]" * depth))
        assert len(found.letters) == 1
        json.loads(json.dumps(found.letters[0].key))
