"""The `where` language, over HTTP: each operator against the native rows, and what is refused."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x3_client import X3Client, diagnosis

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from x3_control import Record, X3Control

LONG_AGO = "2025-03-01"
SUPPLIER = "BPSUPPLIER"
CASES: list[tuple[str, Callable[[Record], bool]]] = [
    ("CUR eq 'EUR'", lambda r: r["CUR"] == "EUR"),
    ('CUR ne "EUR"', lambda r: r["CUR"] != "EUR"),
    ("OSTAUZAMT gt 5000000.5", lambda r: r["OSTAUZAMT"] > Decimal("5000000.5")),
    ("OSTAUZAMT le 5000000", lambda r: r["OSTAUZAMT"] <= 5000000),
    ("BPSNUM lt 'S00010' and BPSNUM ge 'S00003'", lambda r: "S00003" <= r["BPSNUM"] < "S00010"),
    ("ENAFLG eq 1 or CUR eq 'USD'", lambda r: r["ENAFLG"] == 1 or r["CUR"] == "USD"),
    ("not (CUR eq 'EUR')", lambda r: r["CUR"] != "EUR"),
    ("CUR eq 'USD' or CUR eq 'GBP' and ENAFLG eq 2",
     lambda r: r["CUR"] == "USD" or (r["CUR"] == "GBP" and r["ENAFLG"] == 2)),
    ("(CUR eq 'USD' or CUR eq 'GBP') and ENAFLG eq 2",
     lambda r: r["CUR"] in {"USD", "GBP"} and r["ENAFLG"] == 2),
    ("ABCCLS between 1 and 2", lambda r: r["ABCCLS"] in {1, 2}),
    ("CUR in ('USD', 'CHF')", lambda r: r["CUR"] in {"USD", "CHF"}),
    ("BPSNAM like '%Brien%'", lambda r: "Brien" in r["BPSNAM"]),
    ("BPSNUM like 'S0000_'", lambda r: r["BPSNUM"].startswith("S0000") and len(r["BPSNUM"]) == 6),
    ("BPSNAM eq 'O''Brien \"Precision\"'", lambda r: r["BPSNAM"] == "O'Brien \"Precision\""),
    ("UPDDATTIM ge @2025-03-01T00:00:00Z@", lambda r: r["UPDDATTIM"] >= "2025-03-01T00:00:00Z"),
    ("UPDDATTIM lt @2025-03-01T02:00:00+02:00@", lambda r: r["UPDDATTIM"] < "2025-03-01T00:00:00Z"),
    ("UPDDAT ge @2025-03-01@", lambda r: r["UPDDAT"] >= LONG_AGO),
    ("left(BPSNUM, 2) eq 'FR'", lambda r: r["BPSNUM"][:2] == "FR"),
    ("upper(BPSNAM) like '%TOOLS%'", lambda r: "TOOLS" in r["BPSNAM"].upper()),
    ("length(BPSSHO) lt 10", lambda r: len(r["BPSSHO"]) < 10),
    ("OSTAUZAMT div 2 + 1 gt ORDMINAMT mul 1000 - 5",
     lambda r: r["OSTAUZAMT"] / 2 + 1 > r["ORDMINAMT"] * 1000 - 5),
    ("year(UPDDAT) eq 2025", lambda r: r["UPDDAT"][:4] == "2025"),
]  # fmt: skip


@pytest.fixture(scope="module")
def suppliers(truth: X3Control) -> list[Record]:
    return truth.rows(SUPPLIER)


@pytest.mark.parametrize(("where", "wanted"), CASES, ids=[case[0] for case in CASES])
def test_conditions_find_what_they_say(
    x3: X3Client, suppliers: list[Record], where: str, wanted: Callable[[Record], bool]
) -> None:
    found = [row["BPSNUM"] for row in x3.rows(SUPPLIER, where=where, count="1000")]
    right = [row["BPSNUM"] for row in suppliers if wanted(row)]
    assert 0 < len(right) < len(suppliers)
    assert found == right


@pytest.mark.parametrize(
    ("where", "status", "text"),
    [
        ("NOPE eq 1", 500, "Property NOPE does not exist"),
        ("CUR eq", 400, "Syntax error"),
        ("CUR = 'EUR'", 400, "Syntax error"),
        ("CUR eq 'EUR", 400, "Syntax error"),
        ("CUR EQ 'EUR'", 400, "Syntax error"),
        ("CUR eq 1", 500, "needs text"),
        ("OSTAUZAMT eq '1'", 500, "needs number"),
        ("UPDDATTIM ge '2025-01-01'", 500, "needs datetime"),
        ("UPDDATTIM ge @2025-01-01@", 500, "needs datetime"),
        ("UPDDAT ge @2025-02-30@", 400, "not a date"),
        ("UPDDAT ge @yesterday@", 400, "not a date"),
        ("CUR", 400, "not a condition"),
        ("CUR and CUR", 500, "needs bool"),
        ("nope(CUR) eq 'A'", 500, "Function nope"),
        ("left(CUR) eq 'A'", 500, "does not take"),
        ("(((CUR eq 'EUR')", 400, "Syntax error"),
        ("OSTAUZAMT div 0 eq 1", 500, "arithmetic"),
        ("('" + "(" * 100 + "')", 400, "not a condition"),
        ("not " * 200 + "CUR eq 'EUR'", 400, "nested too deeply"),
    ],
)
def test_what_is_no_condition_is_refused(x3: X3Client, where: str, status: int, text: str) -> None:
    answer = x3.rest(SUPPLIER, where=where)
    assert answer.status_code == status
    assert text in diagnosis(answer)


def test_only_the_query_facet_can_be_filtered(x3: X3Client) -> None:
    answer = x3.rest("PORDER", where="TOTORD gt 0")
    assert answer.status_code == 500
    assert "TOTORD" in diagnosis(answer)


WORDS = st.sampled_from(
    [
        *[
            "CUR",
            "OSTAUZAMT",
            "UPDDATTIM",
            "NOPE",
            "eq",
            "ge",
            "and",
            "or",
            "not",
            "between",
            "in",
            "like",
            "(",
            ")",
        ],
        *[
            ",",
            "'EUR'",
            '"',
            "1",
            "1.5",
            "@2025-01-01@",
            "@2025-01-01T00:00:00Z@",
            "left",
            "year",
            "mul",
            "-",
            "@",
        ],
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, min_size=1, max_size=9))
def test_no_text_breaks_the_server(x3: X3Client, words: list[str]) -> None:
    answer = x3.rest(SUPPLIER, where=" ".join(words), count="1")
    assert answer.status_code in {200, 400, 500}
    assert "$resources" in answer.json() or diagnosis(answer)
