"""The `where` language, over HTTP: each operator against the native rows, and what is refused."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import pytest
from x3_client import X3Client, decoded, diagnosis

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
    ("(CUR ne 'EUR')", lambda r: r["CUR"] != "EUR"),
    ("UPDDAT ge [20250301]", lambda r: r["UPDDAT"] >= LONG_AGO),
    ("UPDDATTIM ge @2025-03-01T00:00:00@", lambda r: r["UPDDATTIM"] >= "2025-03-01T00:00:00Z"),
    ("not (CUR in ('EUR', 'USD'))", lambda r: r["CUR"] not in {"EUR", "USD"}),
    ("- OSTAUZAMT lt -5000000.5", lambda r: -r["OSTAUZAMT"] < Decimal("-5000000.5")),
    ("right(BPSNUM, 1) eq '7'", lambda r: r["BPSNUM"].endswith("7")),
    ("substring(BPSNUM, 2, 3) eq '000'", lambda r: r["BPSNUM"][1:4] == "000"),
    ("lower(CUR) eq 'eur'", lambda r: r["CUR"] == "EUR"),
    ("concat(CUR, '/', BPSNUM, '/') like 'EUR/S%/'", lambda r: r["CUR"] == "EUR" and r["BPSNUM"][0] == "S"),
    ("replace(BPSNUM, '0', '') eq 'S12'", lambda r: r["BPSNUM"].replace("0", "") == "S12"),
    ("trim(concat(' ', CUR, ' ')) eq 'EUR'", lambda r: r["CUR"] == "EUR"),
    ("locate('~', BPSNUM) gt 0", lambda r: "~" in r["BPSNUM"]),
    ("lpad(CUR, 5, '*') eq '**EUR'", lambda r: r["CUR"] == "EUR"),
    ("rpad(CUR, 5) eq 'EUR  '", lambda r: r["CUR"] == "EUR"),
    ("ascii(BPSNUM) eq 83", lambda r: r["BPSNUM"][0] == "S"),
    ("left(BPSNUM, 1) eq char(83)", lambda r: r["BPSNUM"][0] == "S"),
    ("abs(ABCCLS - 3) eq 1", lambda r: r["ABCCLS"] in {2, 4}),
    ("sign(ABCCLS - 2) eq -1", lambda r: r["ABCCLS"] < 2),
    ("round(OSTAUZAMT, 1) ne round(OSTAUZAMT, 2)", lambda r: round(r["OSTAUZAMT"] * 100) % 10 != 0),
    ("trunc(OSTAUZAMT) eq OSTAUZAMT", lambda r: r["OSTAUZAMT"] == int(r["OSTAUZAMT"])),
    ("floor(ABCCLS div 2) eq ceil(ABCCLS div 2)", lambda r: r["ABCCLS"] % 2 == 0),
    ("pow(ABCCLS, 2) eq 4", lambda r: r["ABCCLS"] == 2),
    ("ABCCLS mod 2 eq 1", lambda r: r["ABCCLS"] % 2 == 1),
    ("month(UPDDATTIM) between 3 and 5", lambda r: "03" <= r["UPDDATTIM"][5:7] <= "05"),
    ("day(UPDDAT) lt 12", lambda r: r["UPDDAT"][8:10] < "12"),
    ("hour(UPDDATTIM) lt 12", lambda r: r["UPDDATTIM"][11:13] < "12"),
    ("minute(UPDDATTIM) lt 30", lambda r: r["UPDDATTIM"][14:16] < "30"),
    ("second(UPDDATTIM) lt 30", lambda r: r["UPDDATTIM"][17:19] < "30"),
    ("dateAdd(UPDDAT, 1) gt @2025-03-01@", lambda r: r["UPDDAT"] >= LONG_AGO),
    ("dateSub(UPDDAT, 1) ge @2025-03-01@", lambda r: r["UPDDAT"] > LONG_AGO),
    ("timestampAdd(UPDDATTIM, 1000) gt @2025-03-01T00:00:00Z@", lambda r: r["UPDDATTIM"] >= LONG_AGO),
    ("timestampSub(UPDDATTIM, 500) ge @2025-03-01T00:00:00Z@",
     lambda r: r["UPDDATTIM"] > "2025-03-01T00:00:00Z"),
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


TRUE_OR_NOT = [
    ("2 mul 5 + 3 mul 2 eq 16", True),
    ("2 mul (5 + 3) mul 2 eq 32", True),
    ("1 eq 1 or 1 eq 2 and 1 eq 3", True),
    ("(1 eq 1 or 1 eq 2) and 1 eq 3", False),
    ("10 - 4 - 3 eq 3", True),
    ("7 mod 4 mul 2 eq 6", True),
    ("- - 3 eq 3", True),
    ("not (1 eq 2)", True),
    ("not not (1 eq 1)", True),
    ("\"Maxim's\" eq 'Maxim''s'", True),
    ('\'say "x"\' eq "say ""x"""', True),
    ("concat('John', ' ', 'Doe') eq 'John Doe'", True),
    ("left('John', 9) eq 'John' and right('John', 3) eq 'ohn'", True),
    ("substring('John', 3, 2) eq 'hn' and replace('John', 'oh', 'ea') eq 'Jean'", True),
    ("locate('oh', 'John') eq 2 and length('John') eq 4", True),
    ("lpad('John', 6, '*') eq '**John' and rpad('John', 6, '*') eq 'John**'", True),
    ("lpad('John', 2) eq 'Jo' and rpad('John', 2) eq 'Jo'", True),
    ("trim('  hello  world  ') eq 'hello  world'", True),
    ("ascii('John') eq 74 and char(74) eq 'J'", True),
    ("abs(-3) eq 3 and sign(-3) eq -1 and sign(0) eq 0", True),
    ("round(2.576, 2) eq 2.58 and trunc(2.576, 2) eq 2.57 and round(2.5) eq 3 and round(-2.5) eq -3", True),
    ("floor(2.576) eq 2 and ceil(2.576) eq 3 and floor(-2.5) eq -3 and pow(5, 3) eq 125", True),
    ("round(1250, -2) eq 1300 and trunc(-2.9) eq -2", True),
    ("dateAdd(@2008-05-21@, 5) eq @2008-05-26@ and dateSub(@2008-03-01@, 1) eq @2008-02-29@", True),
    ("timestampAdd(@2008-05-21T00:00:00Z@, 5000) eq @2008-05-21T00:00:05Z@", True),
    ("millisecond(timestampAdd(@2008-05-21T00:00:00Z@, 5250)) eq 250", True),
    ("@2008-05-19T18:41:00+02:00@ eq @2008-05-19T16:41:00Z@", True),
    ("@2008-05-19T16:41:00.5Z@ between @2008-05-19T16:41:00Z@ and @2008-05-19T16:41:01Z@", True),
    ("12345678901234567890123456789012345678 gt 12345678901234567890123456789012345677", True),
    ("'a%b_c' like 'a%b__'", True),
    ("'abcabd' like '%ab_'", True),
    ("'abcabd' like 'ab%abc'", False),
    ("'ab' like 'ab%b'", False),
    ("'' like '%' and '' like ''", True),
]


@pytest.mark.parametrize(("where", "wanted"), TRUE_OR_NOT, ids=[case[0] for case in TRUE_OR_NOT])
def test_conditions_on_literals_are_as_the_sdata_text_has_them(
    x3: X3Client, where: str, *, wanted: bool
) -> None:
    assert bool(x3.rows(SUPPLIER, where=where, count="1")) is wanted


def test_the_clock_functions_follow_the_servers_clock(own: X3Client, control: X3Control) -> None:
    control.set_clock("2031-02-03T23:30:10Z", frozen=True)

    def holds(where: str) -> bool:
        return bool(own.rows(SUPPLIER, where=where, count="1"))

    assert holds("currentDate() eq @2031-02-03@ and currentTimestamp() eq @2031-02-03T23:30:10Z@")
    assert holds("hour(currentTime()) eq 23 and minute(currentTime()) eq 30 and second(currentTime()) eq 10")
    assert not holds("UPDDAT gt currentDate()")
    assert holds("currentTimestamp() eq @2031-02-03T23:30:10Z@")
    control.advance(60)
    assert holds("currentTimestamp() eq @2031-02-03T23:31:10Z@")
    assert not holds("currentTimestamp() eq @2031-02-03T23:30:10Z@")


def test_a_time_without_offset_is_the_servers_own(own: X3Client, control: X3Control) -> None:
    control.set_clock("2031-02-03T23:30:10Z", frozen=True)
    control.rest_site(utc_offset="+01:00")
    assert own.rows(SUPPLIER, where="@2031-01-01T12:00:00@ eq @2031-01-01T11:00:00Z@", count="1")
    assert own.rows(SUPPLIER, where="currentDate() eq @2031-02-04@", count="1")


FAILING = [
    "OSTAUZAMT div 0 eq 1",
    "OSTAUZAMT mod 0 eq 1",
    "pow(10, 999999) gt 1",
    "pow(OSTAUZAMT + 2, 999999999) gt 1",
    "pow(-1, 0.5) gt 1",
    "pow(0, -1) gt 1",
    "left(CUR, -1) eq 'E'",
    "left(CUR, 1.5) eq 'E'",
    "right(CUR, 99999) eq 'E'",
    "substring(CUR, 0, 1) eq 'E'",
    "substring(CUR, 1, -1) eq 'E'",
    "lpad(CUR, 999999999) eq 'E'",
    "lpad(CUR, 5, '') eq 'E'",
    "replace(CUR, '', 'x') eq 'E'",
    "length(" + "replace(" * 9 + "'aaaaaaaaaa'" + ", 'a', 'aaaaaaaaaa')" * 9 + ") gt 1",
    "ascii('') eq 1",
    "ascii('é') eq 1",
    "char(0) eq 'E'",
    "char(74.5) eq 'E'",
    "round(OSTAUZAMT, 999999999) eq 1",
    "round(OSTAUZAMT, 0.5) eq 1",
    "dateAdd(UPDDAT, 99999999) gt @2025-01-01@",
    "dateAdd(UPDDAT, 3999999) gt @2025-01-01@",
    "dateSub(@0001-01-01@, 1) lt @2025-01-01@",
    "timestampAdd(UPDDATTIM, pow(10, 40)) gt @2025-01-01T00:00:00Z@",
    "12345678901234567890123456789012345678 mul 12345678901234567890123456789012345678 gt 1",
]


@pytest.mark.parametrize("where", FAILING)
def test_what_cannot_be_computed_is_said(x3: X3Client, where: str) -> None:
    answer = x3.rest(SUPPLIER, where=where, count="1")
    assert answer.status_code == 500
    assert diagnosis(answer).startswith("Evaluation of where failed")
    assert answer.elapsed.total_seconds() < 5


def test_a_stored_value_of_another_type_never_matches_and_fails_in_functions(
    own: X3Client, control: X3Control
) -> None:
    number = own.rows(SUPPLIER, count="1")[0]["BPSNUM"]
    control.bad_value(SUPPLIER, number, "OSTAUZAMT", "12,5x")
    every = own.rows(SUPPLIER, count="500")
    assert next(row for row in every if row["BPSNUM"] == number)["OSTAUZAMT"] == "12,5x"
    conditions = [f"OSTAUZAMT {sign} 0" for sign in ("eq", "lt", "le", "gt", "ge")]
    for where in (*conditions, "OSTAUZAMT between 0 and 999999999999", "OSTAUZAMT in (0, 1)"):
        assert number not in {row["BPSNUM"] for row in own.rows(SUPPLIER, where=where, count="500")}, where
    others = {row["BPSNUM"] for row in own.rows(SUPPLIER, where="OSTAUZAMT ge 0", count="500")}
    assert others == {row["BPSNUM"] for row in every} - {number}
    assert number in {row["BPSNUM"] for row in own.rows(SUPPLIER, where="OSTAUZAMT ne 0", count="500")}
    assert own.rest(SUPPLIER, where="abs(OSTAUZAMT) ge 0").status_code == 500


def test_a_like_with_many_percents_takes_no_longer_than_another(x3: X3Client) -> None:
    text, pattern = "a" * 2000, "%a" * 1000 + "b"
    answer = x3.rest(SUPPLIER, where=f"'{text}' like '{pattern}'", count="1")
    assert decoded(answer)["$resources"] == []
    assert answer.elapsed.total_seconds() < 5


@pytest.mark.parametrize(
    ("where", "status", "text"),
    [
        ("not CUR eq 'EUR'", 500, "not needs condition"),
        ("- CUR eq 'EUR'", 500, "- needs number"),
        ("CUR not in ('EUR')", 400, "Syntax error"),
        ("CUR in ()", 400, "Syntax error"),
        ("CUR eq 'EUR' eq 1", 400, "Syntax error"),
        ("CUR.code eq 'EUR'", 500, "Property CUR.code does not exist"),
        ("$uuid eq 'x'", 400, "Syntax error"),
        ("UPDDAT ge [20250230]", 400, "not a date"),
        ("UPDDAT ge [2025]", 400, "Syntax error"),
        ("UPDDATTIM ge @2025-01-01T25:00:00Z@", 400, "not a date"),
        ("UPDDATTIM ge @2025-01-01 00:00:00@", 400, "not a date"),
        ("UPDDATTIM ge @0001-01-01T00:00:00+02:00@", 400, "not a date"),
        ("UPDDAT ge @٢٠٢٥-01-01@", 400, "not a date"),
        ("OSTAUZAMT gt " + "9" * 40, 400, "more than 38 digits"),
        ("OSTAUZAMT gt 1e5", 400, "Syntax error"),
        ("OSTAUZAMT gt 1,5", 400, "Syntax error"),
        ("CUR like 1", 500, "like needs text"),
        ("OSTAUZAMT like '1%'", 500, "like needs text"),
        ("CUR in ('EUR', 1)", 500, "in needs text"),
        ("UPDDAT between @2025-01-01@ and 1", 500, "between needs date"),
        ("(CUR eq 'EUR') eq (1 eq 1)", 500, "cannot compare conditions"),
        ("currentDate eq @2025-01-01@", 500, "Property currentDate"),
        ("currentDate(1) eq @2025-01-01@", 500, "takes nothing"),
        ("tzHour(UPDDATTIM) eq 0", 500, "Function tzHour"),
        ("concat(CUR) eq 'EUR'", 500, "does not take"),
        ("hour(UPDDAT) eq 1", 500, "does not take"),
        ("", 400, "Syntax error"),
        ("(" * 2000, 400, "Syntax error"),
        ("1 " + "+ 1 " * 200 + "eq 1", 400, "nested too deeply"),
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
        ("CUR and CUR", 500, "needs condition"),
        ("nope(CUR) eq 'A'", 500, "Function nope"),
        ("left(CUR) eq 'A'", 500, "does not take"),
        ("(((CUR eq 'EUR')", 400, "Syntax error"),
        ("OSTAUZAMT div 0 eq 1", 500, "Evaluation of where failed"),
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
