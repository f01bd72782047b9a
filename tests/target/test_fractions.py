"""Columns that keep fewer digits of a second than came: a value is kept whole, or is a dead letter."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.columntypes import parse
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_world import World

SCHEMA = {
    **LINE_SCHEMA,
    "properties": {**LINE_SCHEMA["properties"], "at": {"type": ["string", "null"], "format": "time"}},
}


def test_fraction_that_the_column_would_cut_off_is_a_dead_letter(world: World) -> None:
    """The table was made by somebody else; one of the columns is the stamp that orders versions."""
    world.query(f'CREATE SCHEMA IF NOT EXISTS ANALYTICS."{world.schema}"')
    world.query(
        f'CREATE TABLE {world.table} ("DOCUMENT_ID" VARCHAR(20), "LINE_NUMBER" NUMBER(38,0), '
        '"UPDATED_DATE" TIMESTAMP_NTZ(6), "AT" TIME(6))'
    )
    world.query(f"GRANT OWNERSHIP ON SCHEMA ANALYTICS.{world.schema} TO ROLE SAGEX3_LOADER")
    world.query(f"GRANT OWNERSHIP ON TABLE {world.table} TO ROLE SAGEX3_LOADER")
    world.run(
        [
            world.schema_message(SCHEMA),
            world.line("A", 1, at="08:30:15.250000000", updatedDate="2026-01-01T00:00:00.123456000Z"),
            world.line("A", 2, at="08:30:15", updatedDate="2026-01-01T00:00:00.1234567Z"),
            world.line("A", 3, at="08:30:15.1234567", updatedDate="2026-01-01T00:00:00Z"),
            world.line("A", 4, at="08:30:15.1234567 PM", updatedDate="2026-01-01T00:00:00Z"),
        ]
    )
    [row] = world.rows()
    assert (row["UPDATED_DATE"], row["AT"]) == (
        dt.datetime(2026, 1, 1, 0, 0, 0, 123456),  # noqa: DTZ001
        dt.time(8, 30, 15, 250000),
    )
    errors = [letter["ERRORS"] for letter in world.letters()]
    assert [(e["column"], e["reason"]) for [e] in errors] == [
        ("UPDATED_DATE", "too_many_decimals"),
        ("AT", "too_many_decimals"),
        ("AT", "too_many_decimals"),
    ]
    assert errors[0][0]["expected"] == "seconds with at most 6 decimals"


def test_digits_that_column_types_ask_for(world: World) -> None:
    types = {world.stream: {"updatedDate": "TIMESTAMP_NTZ(6)", "at": "TIME(6)"}}
    lines = [
        world.line("A", 1, at="08:00:00.125"),
        world.line("A", 2, at="08:00:00.1250001"),
        world.line("A", 3, updatedDate="2026-01-01T00:00:00.0000005Z"),
    ]
    world.run([world.schema_message(SCHEMA), *lines], column_types=types)
    found = {row["name"]: row["type"] for row in world.query(f"DESCRIBE TABLE {world.table}")}
    assert (found["UPDATED_DATE"], found["AT"]) == ("TIMESTAMP_NTZ(6)", "TIME(6)")
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1]
    assert [letter["REASON"] for letter in world.letters()] == ["too_many_decimals"] * 2


@pytest.mark.parametrize("kind", ["TIME(0)", "TIME(3)", "TIME(8)", "TIME"])
def test_every_number_of_digits_of_a_time(kind: str) -> None:
    """The local Snowflake has columns of six and nine digits only."""
    digits = parse(kind).digits
    convert = converter(parse(kind))
    texts = ["08:00:00", *(f"08:00:00.{'123456789'[:n]}" for n in range(1, 10))]
    kept = [text for text in convert(texts) if not isinstance(text, Bad)]
    assert kept == texts[: digits + 1]
    assert isinstance(convert(["8:00:00.5 PM"])[0], Bad) == (digits == 0)


@pytest.mark.parametrize("written", ["TIMESTAMP_NTZ(6)", "TIMESTAMP_TZ(6)", "TIMESTAMP_LTZ(6)"])
def test_every_kind_of_stamp_has_digits(written: str) -> None:
    kind = parse(written)
    assert kind.sql == written
    convert = converter(kind)
    assert convert(["2026-01-01T00:00:00.1234560Z"]) == ["2026-01-01 00:00:00.123456"]
    assert isinstance(convert(["2026-01-01T00:00:00.1234567Z"])[0], Bad)
    assert parse(written.replace("6", "9")) == parse(written[:-3])
