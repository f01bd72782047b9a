"""Conversion of values to canonical text, and reading of what taps send. No server."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib.exceptions import InvalidInputLine
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.checking.parts import Chunk
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.columntypes import ColumnType, exact, text
from target_snowflake_audit.reading.blocks import RECORD_TEXT
from target_snowflake_audit.reading.reader import MessageReader, decode_record

if TYPE_CHECKING:
    from target_snowflake_audit.checking.rows import Row


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (exact(2), Decimal("12.3"), "12.30"),
        (exact(2), Decimal("12.30"), "12.30"),
        (exact(2), 12, "12.00"),
        (exact(2), Decimal("-0.00"), "0.00"),
        (exact(2), Decimal("-1.50"), "-1.50"),
        (exact(2), Decimal("1E+2"), "100.00"),
        (exact(4), Decimal("1.2E-7"), Bad),
        (exact(5), Decimal("1.23E-7"), Bad),
        (exact(5), Decimal("1.2E-10"), Bad),
        (exact(3), Decimal("1.5E+7"), "15000000.000"),
        (exact(2), Decimal("0.001"), Bad),
        (exact(2), Decimal("0.0010"), Bad),
        (exact(2), Decimal("999999999999999999999999999999999999.99"), "9" * 36 + ".99"),
        (exact(2), Decimal("1E+36"), Bad),
        (exact(2), "1.5", "1.50"),
        (exact(2), "1_5", Bad),
        (exact(2), True, Bad),
        (exact(0), Decimal("5.0"), "5"),
        (exact(0), 10**38, Bad),
        (exact(0), 10**38 - 1, "9" * 38),
        (exact(0, 3), 1000, Bad),
        (exact(0), Decimal("9" * 38), "9" * 38),
        (exact(0), "-" + "9" * 38, "-" + "9" * 38),
        (ColumnType("FLOAT"), Decimal("1.10"), "1.1"),
        (ColumnType("FLOAT"), 3, "3.0"),
        (ColumnType("FLOAT"), Decimal("1E+400"), Bad),
        (ColumnType("DATE"), "2024-02-29", "2024-02-29"),
        (ColumnType("DATE"), "2023-02-29", Bad),
        (ColumnType("DATE"), "2024-W01-1", Bad),
        (ColumnType("DATE"), ["2024-01-01"], Bad),
        (ColumnType("TIMESTAMP_NTZ"), "2024-01-01T00:30:00+02:00", "2023-12-31 22:30:00"),
        (ColumnType("TIMESTAMP_NTZ"), "2024-01-01T00:30:00.123456789Z", "2024-01-01 00:30:00.123456789"),
        (ColumnType("TIMESTAMP_NTZ"), "2024-01-01T00:30:00.500Z", "2024-01-01 00:30:00.5"),
        (ColumnType("TIMESTAMP_NTZ"), "2024-01-01 00:30:00", "2024-01-01 00:30:00"),
        (ColumnType("TIMESTAMP_NTZ"), "2024-01-01T24:00:00Z", Bad),
        (ColumnType("TIMESTAMP_NTZ"), "2024-01-01T00:00:60Z", Bad),
        (ColumnType("TIMESTAMP_NTZ"), "0001-01-01T00:00:00+14:00", Bad),
        (ColumnType("BOOLEAN"), 1, Bad),
        (ColumnType("VARIANT"), {"b": 1, "a": [None]}, '"{""a"":[null],""b"":1}"'),
        (text(3), "abc", "abc"),
        (text(3), "abcd", Bad),
        (text(3), "é\n", '"é\n"'),
        (text(), 5, "5"),
        (text(), {"a": 1}, '"{""a"":1}"'),
    ],
)
def test_conversion(kind: ColumnType, value: Any, expected: Any) -> None:  # noqa: ANN401
    [found] = converter(kind)([value])
    if expected is Bad:
        assert isinstance(found, Bad)
    else:
        assert found == expected


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.decimals(
                allow_nan=False, allow_infinity=False, places=2, max_value=10**30, min_value=-(10**30)
            ),
        ),
        min_size=1,
    )
)
def test_amounts_keep_their_value_whatever_stands_beside_them(values: list[Decimal | None]) -> None:
    convert = converter(exact(2))
    together = convert(values)
    assert together == [convert([value])[0] for value in values]
    for value, found in zip(values, together, strict=True):
        assert isinstance(found, str)
        assert found == "" if value is None else Decimal(found) == value


@given(st.integers(1, 12), st.integers(-999_999, 999_999), st.integers(-20, 12))
def test_a_number_is_exact_or_refused(scale: int, digits: int, exponent: int) -> None:
    value = Decimal(digits).scaleb(exponent)
    [found] = converter(exact(scale))([value])
    if isinstance(found, Bad):
        assert value != round(value, scale) or exponent < -scale
    else:
        assert Decimal(found) == value
        assert found == f"{abs(value) if value == 0 else value:.{scale}f}"


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))), min_size=1))
def test_text_does_not_depend_on_its_neighbours(values: list[str | None]) -> None:
    convert = converter(text())
    assert convert(values) == [convert([value])[0] for value in values]


def test_checked_chunk_keeps_order_and_all_problems() -> None:
    schema = {
        "type": "object",
        "properties": {"k": {"type": "integer"}, "t": {"type": "string", "maxLength": 2}},
    }
    message = {"stream": "s", "schema": schema}
    plan = make_plan({}, "s", schema, ["k"], message, "DB")
    chunk = Chunk(
        [{"k": 1, "t": "a"}, {"k": "x", "t": "abc"}, {"k": 3, "t": None}], [b"{}"] * 3, [1, 2, 3], [None] * 3
    )
    checked = Checker(plan).check(chunk)
    assert [line.split(",")[:2] for line in checked.lines] == [["1", ""], ["2", "D"], ["3", "D"]]
    assert [(p.column, p.reason) for p in checked.letters[0].problems] == [
        ("K", "not_a_number"),
        ("T", "too_long"),
    ]
    assert [(p.column, p.reason) for p in checked.letters[1].problems] == [("T", "wrong_type")]


# Reading


def test_reader_keeps_numbers_and_the_text_of_the_record() -> None:
    line = b'{"type": "RECORD", "stream": "s", "record": {"a": 0.10, "b": 12345678901234567890123}}\n'
    message = MessageReader().deserialize_json(line)
    assert message["record"] == {"a": Decimal("0.10"), "b": 12345678901234567890123}
    assert str(message["record"]["a"]) == "0.10"
    assert message[RECORD_TEXT] == b'{"a": 0.10, "b": 12345678901234567890123}'


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"price": 7.250, "a": NaN}', b'{"price": 7.250, "a": NaN}'),
        (b'{"t": "ab\xff\xe9", "n": 1E-3 }', rb'{"t": "ab\udcff\udce9", "n": 1E-3 }'),
        (
            rb'{"t": "\ud800", "n": 12345678901234567890.10}',
            rb'{"t": "\ud800", "n": 12345678901234567890.10}',
        ),
    ],
)
def test_reader_keeps_the_text_of_records_that_strict_json_forbids(body: bytes, kept: bytes) -> None:
    line = b' { "record" :' + body + b', "x": {"record": 1}, "type": "RECORD", "stream": "s" } \r\n'
    message = MessageReader().deserialize_json(line)
    assert message[RECORD_TEXT] == kept
    assert str(decode_record(kept)) == str(message["record"])


def test_reader_refuses_a_state_that_is_not_utf8() -> None:
    with pytest.raises(InvalidInputLine, match="no UTF-8; it begins as a STATE message"):
        MessageReader().deserialize_json(b'{"type": "STATE", "value": {"a": "\xff"}}')


def test_text_that_is_not_utf8_is_named_column_by_column() -> None:
    schema = {
        "type": "object",
        "properties": {"k": {"type": "string"}, "t": {"type": "string"}, "v": {"type": "object"}},
    }
    plan = make_plan({}, "s", schema, ["k"], {"stream": "s", "schema": schema}, "DB")
    records: list[dict[str, Any] | Row] = [
        {"k": "\udce9", "t": "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "v": {}},
        {"k": "a", "t": "ab\udcff", "v": {"a": ["\ud800"]}},
        {"k": "b", "t": "fine", "v": {}, "odd\ud800": 1},
    ]
    raw = [rb'{"t": "\ud83d\ude00 \udce9"}'] * 3
    checked = Checker(plan).check(Chunk(records, raw, [1, 2, 3], [None] * 3))
    assert [[(p.column, p.reason) for p in letter.problems] for letter in checked.letters] == [
        [("K", "not_utf8")],
        [("T", "not_utf8"), ("V", "not_utf8")],
    ]
    assert "".join(checked.lines).encode()
    assert checked.letters[1].errors[0]["value"] == r"ab\udcff"
    assert checked.lost_keys


def test_limits_of_text_are_characters_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.checking.converters.MAX_TEXT", 20)
    values = ["é" * 8, "é" * 10, "é" * 11, "x" * 12, "x" * 13, "", None, 'a"b']
    wide = converter(text(12))(values)
    assert [one.expected if isinstance(one, Bad) else one for one in wide] == [
        "é" * 8,
        "é" * 10,
        "at most 20 bytes of UTF-8",
        "x" * 12,
        "at most 12 characters",
        '""',
        "",
        '"a""b"',
    ]
    assert converter(text(5))(["é" * 5]) == ["é" * 5]


@pytest.mark.parametrize(
    "midnight",
    [
        "2026-07-01",
        "2026-07-01T00:00:00Z",
        "2026-07-01T00:00:00+00:00",
        "2026-07-01T00:00:00.000000+00:00",
        "2026-07-01T02:00:00+02:00",
    ],
)
def test_midnight_in_every_form(midnight: str) -> None:
    assert converter(ColumnType("TIMESTAMP_NTZ"))([midnight]) == ["2026-07-01 00:00:00"]
