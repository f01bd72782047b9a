from __future__ import annotations

import typing as t
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tap_sagex3.declarations import Field
from tap_sagex3.values import (
    SENTINEL_DATES,
    MisfitError,
    converter,
    format_time,
    later,
    stamp_converter,
    time_of_text,
)
from tap_sagex3.writer import encode

DECODER = msgspec.json.Decoder(float_hook=Decimal)


def field(kind: str, **given_values: object) -> Field:
    defaults: dict[str, t.Any] = {
        "name": "x", "type": kind, "text": "", "level": 0, "x3": "X", "graphql": "x", "graphql_type": None,
        "length": None, "scale": None, "menu": (), "joined": False, "dimensions": None, "table": None,
    }  # fmt: skip
    return Field(**{**defaults, **given_values})


MENU = field("enum", menu=("first", "second"))
NO_YES = field("boolean", graphql_type="NoYes")
AMOUNT = field("decimal", scale=2)


@pytest.mark.parametrize(
    ("declared", "api", "value", "expected"),
    [
        (field("text", length=3), "rest", "abc", "abc"),
        (field("text", length=3), "rest", "", ""),
        (field("text"), "graphql", None, None),
        (field("integer"), "rest", 7, 7),
        (field("integer"), "rest", Decimal("7.0"), 7),
        (field("integer", graphql_type="Decimal"), "graphql", "100002", 100002),
        (field("integer", graphql_type="Decimal"), "graphql", "5.00", 5),
        (AMOUNT, "rest", Decimal("1.25"), Decimal("1.25")),
        (AMOUNT, "rest", Decimal("1.2500"), Decimal("1.2500")),
        (AMOUNT, "rest", Decimal("1E+3"), Decimal(1000)),
        (AMOUNT, "rest", 12, 12),
        (AMOUNT, "rest", Decimal("0.000000"), Decimal(0)),
        (AMOUNT, "graphql", "0.000000", Decimal(0)),
        (AMOUNT, "graphql", "-0.10", Decimal("-0.10")),
        (AMOUNT, "graphql", "12345678901234567.89", Decimal("12345678901234567.89")),
        (field("decimal"), "graphql", "0.1393333333333", Decimal("0.1393333333333")),
        (field("boolean"), "rest", 1, False),
        (field("boolean"), "rest", 2, True),
        (field("boolean"), "rest", 0, None),
        (field("boolean"), "graphql", True, True),
        (NO_YES, "graphql", "no", False),
        (NO_YES, "graphql", "yes", True),
        (NO_YES, "rest", 2, True),
        (field("date"), "rest", "2024-02-29", "2024-02-29"),
        (field("date"), "rest", "1599-12-31", None),
        (field("date"), "rest", "1753-01-01", None),
        (field("date"), "rest", "", None),
        (field("datetime"), "rest", "2024-01-31T08:15:00Z", "2024-01-31T08:15:00Z"),
        (field("datetime"), "graphql", "2024-01-31T08:15:00.000Z", "2024-01-31T08:15:00Z"),
        (field("datetime"), "graphql", "2024-01-31T08:15:00.250Z", "2024-01-31T08:15:00.250000Z"),
        (field("datetime"), "rest", "2024-01-31T09:15:00+01:00", "2024-01-31T08:15:00Z"),
        (field("datetime"), "rest", "2024-01-31T08:15:00", "2024-01-31T08:15:00Z"),
        (field("datetime"), "rest", "1599-12-31T00:00:00Z", None),
        (MENU, "rest", 1, "first"),
        (MENU, "rest", 2, "second"),
        (MENU, "rest", 0, None),
        (MENU, "graphql", "second", "second"),
        (MENU, "graphql", None, None),
    ],
)
def test_a_value_that_fits_is_converted(declared: Field, api: str, value: object, expected: object) -> None:
    convert = converter(declared, api)
    for _ in range(2):  # the second time from memory
        found = convert(value)
        assert found == expected
        assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("declared", "api", "value"),
    [
        (field("text", length=3), "rest", "abcd"),
        (field("text"), "rest", 5),
        (field("text"), "graphql", {"code": "A"}),
        (field("integer"), "rest", "7"),
        (field("integer"), "rest", True),
        (field("integer"), "rest", Decimal("7.5")),
        (field("integer", graphql_type="Decimal"), "graphql", "7.5"),
        (field("integer", graphql_type="Decimal"), "graphql", "\u0661"),
        (AMOUNT, "rest", "12,5x"),
        (AMOUNT, "rest", Decimal("1.255")),
        (AMOUNT, "rest", Decimal("1E-9")),
        (AMOUNT, "rest", True),
        (AMOUNT, "graphql", "1.255"),
        (AMOUNT, "graphql", "NaN"),
        (AMOUNT, "graphql", "Infinity"),
        (AMOUNT, "graphql", "1_000"),
        (AMOUNT, "graphql", " 1"),
        (AMOUNT, "graphql", "1e5"),
        (AMOUNT, "graphql", 5),
        (AMOUNT, "graphql", []),
        (field("boolean"), "rest", 3),
        (field("boolean"), "rest", True),
        (field("boolean"), "rest", -1),
        (field("boolean"), "graphql", 1),
        (NO_YES, "graphql", "maybe"),
        (field("date"), "rest", "2026-02-30"),
        (field("date"), "rest", "20260228"),
        (field("date"), "rest", 20260228),
        (field("datetime"), "rest", "2024-01-31"),
        (field("datetime"), "rest", "soon"),
        (field("datetime"), "rest", 5),
        (MENU, "rest", 3),
        (MENU, "rest", -1),
        (MENU, "rest", True),
        (MENU, "rest", "first"),
        (MENU, "graphql", "third"),
        (MENU, "graphql", 1),
    ],
)
def test_a_value_that_does_not_fit_is_a_misfit(declared: Field, api: str, value: object) -> None:
    with pytest.raises((MisfitError, TypeError)):
        converter(declared, api)(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**17), max_value=10**17))
def test_amounts_stay_exact_through_both_apis_and_the_writer(amount: Decimal) -> None:
    declared = field("decimal", scale=4)
    from_rest = converter(declared, "rest")(DECODER.decode(format(amount, "f")))
    from_graphql = converter(declared, "graphql")(format(amount, "f"))
    assert from_rest == from_graphql == amount
    assert DECODER.decode(encode(from_rest)) == amount


@given(st.dates(min_value=date(1900, 1, 1)))
def test_every_date_passes_as_it_is(day: date) -> None:
    assert converter(field("date"), "rest")(day.isoformat()) == day.isoformat()


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_times_are_canonical_and_ordered(moment: datetime) -> None:
    text = time_of_text(moment.replace(tzinfo=UTC).isoformat())
    assert text is not None
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment.replace(tzinfo=UTC)
    assert later(text, "2200-01-02T00:00:00Z") == "2200-01-02T00:00:00Z"
    assert later(text, None) == later(None, text) == text


def test_a_fraction_is_later_than_its_whole_second() -> None:
    assert later("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.250000Z") == "2024-01-01T00:00:00.250000Z"
    assert later("2024-01-01T00:00:01Z", "2024-01-01T00:00:00.250000Z") == "2024-01-01T00:00:01Z"


def test_a_stamp_of_a_day_is_its_midnight() -> None:
    convert = stamp_converter()
    assert convert("2024-01-31") == "2024-01-31T00:00:00Z"
    assert convert("1599-12-31") is None
    assert convert("2024-01-31T08:00:00Z") == "2024-01-31T08:00:00Z"


def test_memory_of_values_is_bounded() -> None:
    convert = converter(field("integer", graphql_type="Decimal"), "graphql")
    assert [convert(str(number)) for number in range(45_000)] == list(range(45_000))
    assert len(convert.__self__) <= 20_002  # type: ignore[attr-defined]


@given(st.datetimes(), st.sampled_from(["T", " ", "-"]), st.sampled_from(["Z", "+00:00", "", "+02:00"]))
@example(datetime(2024, 1, 29), "T", "Z")  # noqa: DTZ001 - the offset is in the text
def test_a_time_in_any_form_becomes_canonical(moment: datetime, between: str, offset: str) -> None:
    whole = moment.replace(microsecond=0)
    week = whole.strftime("%G-W%V-%u") if whole.year >= 1000 else whole.date().isoformat()
    for day in (whole.date().isoformat(), week):
        text = f"{day}{between}{whole.time().isoformat()}{offset}"
        try:
            parsed = datetime.fromisoformat(text)
            expected = format_time(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            continue
        if expected[:10] not in SENTINEL_DATES and text[:10] not in SENTINEL_DATES:
            assert time_of_text(text) == expected
