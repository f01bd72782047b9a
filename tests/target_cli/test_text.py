from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_snowflake_audit.cli.text import exact_json, json_text, quoted, safe, shown, utc, utc_of_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "true"),
        (0, "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567890123456.7890"), "12345678901234567890123456.7890"),
        (Decimal("-0.0000000001"), "-0.0000000001"),
        ("", ""),
        ("Ångström ½ €", "Ångström ½ €"),
        ("two\nlines\tand\rmore", "two\\nlines\\tand\\rmore"),
        ("\x1b[2Jcleared", "\\x1b[2Jcleared"),
        ("pay \u202e001", "pay \\u202e001"),
        ("\x9b31m", "\\x9b31m"),
        ("\U000e0041", "\\U000e0041"),
        ({"a": [1, None, Decimal("0.10")]}, '{"a":[1,null,0.10]}'),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05Z"),  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone
    ],
)
def test_a_value_is_shown_exactly_and_without_control_characters(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.text())
def test_safe_text_has_no_character_that_a_terminal_obeys(text: str) -> None:
    assert not {unicodedata.category(character) for character in safe(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert safe(safe(text)) == safe(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9))
def test_decimals_pass_through_json_without_loss(number: Decimal) -> None:
    assert exact_json(json_text({"amount": number})) == {"amount": number}


def test_times_with_a_zone_become_utc() -> None:
    moment = datetime(2026, 1, 2, 1, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
    assert utc(moment) == "2026-01-01T23:00:00.250Z"
    assert json_text([moment.astimezone(UTC)]) == '["2026-01-01T23:00:00.250Z"]'


@pytest.mark.parametrize(
    ("micros", "text"), [(123_456, ".123456Z"), (400, ".000400Z"), (123_000, ".123Z"), (0, "Z")]
)
def test_no_digit_of_a_second_is_cut_off(micros: int, text: str) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, micros)  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone
    assert (shown(moment), json_text([moment])) == (
        f"2026-01-02T03:04:05{text}",
        f'["2026-01-02T03:04:05{text}"]',
    )


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("2026-01-02 03:04:05.000000000", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05.250000000", "2026-01-02T03:04:05.250Z"),
        ("2026-01-02 03:04:05.000400000", "2026-01-02T03:04:05.000400Z"),
        ("2026-01-02 03:04:05.123456789", "2026-01-02T03:04:05.123456789Z"),
    ],
)
def test_a_time_that_came_as_text_keeps_its_nanoseconds(text: str, shown_as: str) -> None:
    assert utc_of_text(text) == shown_as


def test_a_quoted_value_tells_text_from_number_and_null() -> None:
    assert [quoted(value) for value in ("12", Decimal(12), "", None, "null")] == [
        '"12"',
        "12",
        '""',
        "null",
        '"null"',
    ]
