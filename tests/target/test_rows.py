"""Records that are decoded straight into columns are staged exactly as those checked by all rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.parts import Checked, Chunk
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.checking.rows import Row
from target_snowflake_audit.reading.blocks import RECORD_TEXT
from target_snowflake_audit.reading.reader import MessageReader

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import StreamPlan

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "k": {"type": "integer"},
        "k 2": {"type": ["string", "null"], "maxLength": 4},
        "must": {"type": ["string", "null"]},
        "text": {"type": ["string", "null"], "x-precision": "any"},
        "word": {"type": "string", "maxLength": 3},
        "amount": {"type": ["number", "null"], "multipleOf": 0.01},
        "strict": {"type": "number"},
        "day": {"type": ["string", "null"], "format": "date"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "flag": {"type": ["boolean", "null"]},
        "kind": {"type": ["string", "null"], "enum": ["a", "b", None]},
        "small": {"type": ["integer", "null"], "maximum": 9},
        "nested": {"type": ["object", "null"], "properties": {"n": {"type": "number"}}},
        "any": {},
    },
    "required": ["must"],
}
MESSAGE = {"stream": "s", "schema": SCHEMA, "bookmark_properties": ["at"]}

TINY = f"0.{'0' * 400}1"
"""Binary numbers have no such small one."""
_NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "1",
    "12.30",
    "12.345",
    "1e2",
    "1.5E-7",
    "9" * 39,
    "1e999",
    "10.00",
    "null",
    "1e-999",
    TINY,
]
_TEXTS = ['""', '"a"', '"b,\\"c"', '"abcd"', '"abcdefgh"', '"\\ud83d\\ude00"', '"\\ud800"', '"1.5"', "null"]
_DAYS = ['"2026-01-31"', '"2026-02-30"']
_TIMES = ['"2026-01-31T08:00:00Z"', '"2026-02-30T08:00:00Z"', '"2026-01-31T08:00:00.120+02:00"']
_OTHERS = ["true", "false", "[1,2.50]", '{"n":1.10}', '{"n":"x"}']
PROPERTIES = [*SCHEMA["properties"], "unknown", "_sdc_deleted_at"]
VALUES = st.sampled_from([*_NUMBERS, *_TEXTS, *_DAYS, *_TIMES, *_OTHERS])
USUAL = {
    "k": '"k":1',
    "k 2": '"k 2":"x"',
    "must": '"must":"m"',
    "amount": '"amount":1.50',
    "at": '"at":"2026-01-31T08:00:00Z"',
}


@st.composite
def record(draw: st.DrawFn) -> bytes:
    """A record as JSON: the usual values, of which some are others, absent or beside unknown ones."""
    members = dict(USUAL)
    for name in draw(st.lists(st.sampled_from(PROPERTIES), max_size=3)):
        members[name] = f'"{name}":{draw(VALUES)}'
    for name in draw(st.lists(st.sampled_from(sorted(members)), max_size=1)):
        del members[name]
    return ("{" + ",".join(draw(st.permutations(sorted(members.values())))) + "}").encode()


def checked(plan: StreamPlan, bodies: list[bytes], *, rows: bool) -> tuple[Checked, int]:
    """Read and check records; also gives how many of them were rows."""
    checker, reader, chunk = Checker(plan), MessageReader(), Chunk()
    if rows:
        assert checker.form is not None
        reader.decode_as("s", checker.form.decode)
    for number, body in enumerate(bodies):
        message = reader.deserialize_json(b'{"type":"RECORD","stream":"s","record":' + body + b"}")
        chunk.mapped.append(message["record"])
        chunk.raw.append(message[RECORD_TEXT])
        chunk.seq.append(number)
        chunk.extracted.append(None)
    count = sum(isinstance(one, Row) for one in chunk.mapped)
    return checker.check(chunk), count


@pytest.mark.parametrize("number_type", ["NUMBER(38,2)", "FLOAT", "NUMBER(38,0)"])
@settings(deadline=None, max_examples=50)
@given(bodies=st.lists(record(), min_size=1, max_size=8))
def test_rows_are_staged_as_records_are(number_type: str, bodies: list[bytes]) -> None:
    plan = make_plan({"number_type": number_type}, "s", SCHEMA, ["k", "k 2"], MESSAGE, "DB")
    for one in (plan, replace(plan, validator=None)):
        fast, _ = checked(one, bodies, rows=True)
        slow, none = checked(one, bodies, rows=False)
        assert none == 0
        assert fast.lines == slow.lines
        assert fast.letters == slow.letters
        assert sorted(fast.keys) == sorted(slow.keys)
        assert sorted(fast.stamps) == sorted(slow.stamps)
        assert (fast.lost_keys, fast.lost) == (slow.lost_keys, slow.lost)


def test_plain_records_are_rows_and_bad_ones_among_them_are_letters() -> None:
    plan = make_plan({"number_type": "NUMBER(38,2)"}, "s", SCHEMA, ["k"], MESSAGE, "DB")
    bodies = [
        b'{"k":1,"must":null,"amount":1.5,"text":"a"}',
        b'{"k":2,"must":"x","amount":"1.5"}',
        b'{"k":3,"must":"x","word":"long"}',
        b'{"k":4,"must":"x","strict":null}',
        b'{"k":5}',
    ]
    found, rows = checked(plan, bodies, rows=True)
    assert rows == 4
    assert [letter.seq for letter in found.letters] == [1, 2, 3, 4]
    assert found.lines[0].startswith("0,,")


@pytest.mark.parametrize(
    "change",
    [
        {"additionalProperties": False},
        {"minProperties": 1},
        {"required": ["absent"]},
        {"type": "array"},
        {"anyOf": [{"required": ["k"]}]},
    ],
)
def test_rules_for_the_whole_record_need_all_rules(change: dict[str, Any]) -> None:
    schema = SCHEMA | change
    plan = make_plan({}, "s", schema, ["k"], MESSAGE | {"schema": schema}, "DB")
    assert Checker(plan).form is None


@pytest.mark.parametrize("name", ["unknown", "_sdc_deleted_at"])
@pytest.mark.parametrize("value", [b'"\\ud800"', b'{"a":["\\ud800"]}'])
def test_odd_text_without_a_column_stops_nothing(name: str, value: bytes) -> None:
    plan = make_plan({"number_type": "NUMBER(38,2)"}, "s", SCHEMA, ["k"], MESSAGE, "DB")
    body = b'{"k":1,"must":"x","' + name.encode() + b'":' + value + b"}"
    for rows in (True, False):
        found, _ = checked(plan, [body], rows=rows)
        assert len(found.lines) == 1
        # A mark of deletion that is no time deletes nothing.
        assert [letter.problems[0].name for letter in found.letters] == [name] * (name != "unknown")
