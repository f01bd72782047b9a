"""A column that is converted at once gives for each value what the value gives alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.converters import DecimalConverter
from target_snowflake_audit.checking.parts import Chunk
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.checking.times import TimestampCache
from target_snowflake_audit.errors import IntegrityError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "k": {"type": "integer"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "text": {"type": ["string", "null"], "maxLength": 1},
    },
}

_PARTS = st.tuples(
    st.sampled_from(["0000", "0001", "1899", "1900", "2000", "2023", "2024", "9999"]),
    st.sampled_from(["00", "01", "02", "04", "11", "12", "13"]),
    st.sampled_from(["00", "01", "28", "29", "30", "31", "32"]),
    st.sampled_from(["00", "09", "19", "20", "23", "24"]),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["00", "59", "60"]),
)
_STAMPS = _PARTS.map(lambda part: "{}-{}-{}T{}:{}:{}Z".format(*part))
_PLAIN = st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0"))
_ODD = st.sampled_from(
    [
        "2024-01-31T08:00:00+01:00",
        "2024-01-31",
        "",
        ",",
        "2024-01-31T08:00:00Z,",
        "2024-01-31T08:00:00Z,2025-01-31T08:00:00Z",
        "٢٠٢٤-01-31T08:00:00Z",
    ]
)


@given(st.lists(_STAMPS | _PLAIN | _ODD | st.none(), min_size=1, max_size=4))
def test_stamps(values: list[str | None]) -> None:
    alone = [
        TimestampCache()([value])[0] if value is None else TimestampCache().convert(value) for value in values
    ]
    assert TimestampCache()(values) == alone


@given(st.lists(_PLAIN, min_size=1, max_size=4))
def test_plain_stamps_are_read_at_once(values: list[str]) -> None:
    """Every moment of the years 1 to 9999 is plain."""
    assert TimestampCache()(values) == [value[:10] + " " + value[11:19] for value in values]


@given(
    st.lists(
        st.sampled_from(["0", "-0", "-0.0", "", "1", "1.5", "-2.25", "1.2345", "1.23456", "12345678"]),
        min_size=1,
    )
)
def test_numbers(texts: list[str]) -> None:
    """Whether many of them are the same makes no difference."""
    alone = [DecimalConverter(10, 4).texts([text])[0] for text in texts]
    assert DecimalConverter(10, 4).texts(texts) == alone


@pytest.mark.parametrize("bad", ["1.23456", "12345678"])
def test_a_bad_number_among_equal_ones(bad: str) -> None:
    found = DecimalConverter(10, 4).texts(["1.5", bad, "1.5", "1.5", bad])
    assert [isinstance(one, Bad) for one in found] == [False, True, False, False, True]
    assert found[0] == "1.5000"


def test_two_stamps_in_one_text_move_no_other() -> None:
    """Joined with others they look like two values."""
    plan = make_plan(
        {}, "s", SCHEMA, ["k"], {"stream": "s", "schema": SCHEMA, "bookmark_properties": ["at"]}, "DB"
    )
    two = "2026-01-01T00:00:00Z,2026-03-01T00:00:00Z"
    stamps = ["2026-01-01T00:00:00Z", two, "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]
    chunk = Chunk()
    for number, stamp in enumerate(stamps):
        chunk.raw.append(f'{{"k":{number},"at":"{stamp}","text":"{"ab" * (number == 3)}"}}'.encode())
        chunk.seq.append(number)
        chunk.extracted.append(two if number == 0 else stamp)
    found = Checker(plan).check(chunk)
    assert [letter.seq for letter in found.letters] == [1, 3]
    good = [line.rstrip().split(",") for number, line in enumerate(found.lines) if number in {0, 2}]
    assert [(line[0], line[4], line[7]) for line in good] == [
        ("0", "", "2026-01-01 00:00:00"),
        ("2", "2026-01-02 00:00:00", "2026-01-02 00:00:00"),
    ]


def test_a_converter_that_loses_a_value_stops_the_batch() -> None:
    plan = make_plan({}, "s", SCHEMA, ["k"], {"stream": "s", "schema": SCHEMA}, "DB")
    broken = replace(plan, converters=(*plan.converters[:-1], lambda values: list(values[1:])))
    chunk = Chunk(
        [], [b'{"k":1,"at":null,"text":"a"}', b'{"k":2,"at":null,"text":"b"}'], [1, 2], [None, None]
    )
    with pytest.raises(IntegrityError, match="2 values became 1 fields"):
        Checker(broken).check(chunk)
