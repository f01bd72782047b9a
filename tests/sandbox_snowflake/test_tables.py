"""Tables, their columns, and what may be stored in them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from snowflake_account import Account, Session


def test_numbers_are_exact_to_38_digits(db: Session) -> None:
    db.rows("CREATE TABLE T (A NUMBER(38,0), B NUMBER(38,9), C NUMBER(38,37), D NUMBER)")
    whole, parts = "9" * 38, "1" * 29 + "." + "2" * 9
    db.rows(f"INSERT INTO T VALUES ({whole}, {parts}, '0.{'3' * 37}', -{whole})")
    row = (int(whole), Decimal(parts), Decimal("0." + "3" * 37), -int(whole))
    assert db.rows("SELECT * FROM T") == [row]
    assert db.rows(f"SELECT A = {whole}, B = {parts}::NUMBER(38,9), '{parts}'::NUMBER(38,9) FROM T") == [
        (True, True, Decimal(parts))
    ]


def test_numbers_out_of_range_and_texts_too_long_fail(db: Session) -> None:
    db.rows("CREATE TABLE T (N NUMBER(5,2), V VARCHAR(3))")
    assert db.error("INSERT INTO T (N) VALUES (12345)") == (100132, "22003")
    assert db.error("INSERT INTO T (N) VALUES ('abc')") == (100038, "22018")
    assert db.error("INSERT INTO T (V) VALUES ('äöüß')") == (100078, "22000")
    db.rows("INSERT INTO T VALUES (1.239, 'äöü')")
    assert db.error("UPDATE T SET V = V || 'x'") == (100078, "22000")
    assert db.rows("SELECT N, V FROM T") == [(Decimal("1.24"), "äöü")]


def test_a_column_made_of_a_number_has_its_digits(db: Session) -> None:
    db.rows("CREATE TABLE T AS SELECT 0 AS A, -10 AS B, 1.50 AS C, CAST(0 AS NUMBER(38,0)) AS D")
    assert [row[1] for row in db.rows("DESCRIBE TABLE T")] == [
        "NUMBER(1,0)",
        "NUMBER(2,0)",
        "NUMBER(3,2)",
        "NUMBER(38,0)",
    ]
    db.rows("UPDATE T SET A = A + 9, D = D + 10")
    assert db.error("UPDATE T SET A = A + 1")[1] == "22003"
    assert db.rows("SELECT * FROM T") == [(9, -10, Decimal("1.50"), 10)]


def test_not_null_is_enforced_and_keys_are_not(db: Session) -> None:
    db.rows("CREATE TABLE T (ID NUMBER, K VARCHAR NOT NULL, U NUMBER UNIQUE, PRIMARY KEY (ID, K))")
    db.rows("INSERT INTO T VALUES (1, 'a', 5), (1, 'a', 5)")
    assert db.error("INSERT INTO T VALUES (NULL, 'a', 5)") == (100072, "22000")
    assert db.error("INSERT INTO T (ID) VALUES (1)") == (100072, "22000")
    assert [row[4] for row in db.rows("SHOW PRIMARY KEYS IN TABLE T")] == ["ID", "K"]
    described = {row[0]: row for row in db.rows("DESCRIBE TABLE T")}
    assert [described[name][5] for name in ("ID", "K", "U")] == ["Y", "Y", "N"]
    assert described["U"][6] == "Y"


def test_columns_only_grow_in_their_family(db: Session) -> None:
    db.rows("CREATE TABLE T (V VARCHAR(10), N NUMBER(10,2), I NUMBER(10,0), D DATE)")
    db.rows("INSERT INTO T VALUES ('abc', 1.5, 7, '2026-01-02')")
    alter = "ALTER TABLE T ALTER COLUMN {} SET DATA TYPE {}"
    for column, kind, number in (
        ("V", "VARCHAR(9)", 40050),
        ("I", "VARCHAR", 2108),
        ("N", "NUMBER(9,2)", 2),
        ("N", "NUMBER(12,3)", 40052),
        ("D", "TIMESTAMP_NTZ", 2108),
    ):
        assert db.error(alter.format(column, kind))[0] == number
    for column, kind in (
        ("V", "VARCHAR(20)"),
        ("V", "VARCHAR"),
        ("N", "NUMBER(38,2)"),
        ("I", "NUMBER(38,0)"),
    ):
        db.rows(alter.format(column, kind))
    types = {row[0]: row[1] for row in db.rows("DESCRIBE TABLE T")}
    assert types == {"V": "VARCHAR(16777216)", "N": "NUMBER(38,2)", "I": "NUMBER(38,0)", "D": "DATE"}
    assert db.rows("SELECT * FROM T") == [("abc", Decimal("1.50"), 7, dt.date(2026, 1, 2))]


def test_adding_and_dropping_columns(db: Session) -> None:
    db.rows('CREATE TABLE T ("A" NUMBER)')
    db.rows("INSERT INTO T VALUES (1)")
    db.rows('ALTER TABLE T ADD COLUMN "B" VARCHAR(2), "C" NUMBER(38,9)')
    assert db.error('ALTER TABLE T ADD COLUMN "B" VARCHAR') == (1430, "42601")
    db.rows('ALTER TABLE T ADD COLUMN IF NOT EXISTS "B" VARCHAR')
    assert db.error("ALTER TABLE T ADD COLUMN E NUMBER NOT NULL")[0] == 1465
    assert db.error("UPDATE T SET B = 'abc'") == (100078, "22000")
    db.rows('ALTER TABLE T RENAME COLUMN "B" TO "BB"')
    assert db.error("UPDATE T SET BB = 'abc'") == (100078, "22000")
    db.rows('ALTER TABLE T DROP COLUMN "C"')
    assert db.error("ALTER TABLE T DROP COLUMN NOPE") == (904, "42000")
    assert db.rows("SELECT * FROM T") == [(1, None)]


def test_temporary_tables_have_a_schema_and_one_session(snow: Account, db: Session, schema: str) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows("INSERT INTO T VALUES (1)")
    full = f'"ANALYTICS"."{schema}"."T"'
    db.rows(f"CREATE TEMPORARY TABLE {full} (A VARCHAR(2))")
    db.rows(f"INSERT INTO {full} VALUES ('xy')")
    assert db.rows(f"SELECT A FROM {full}") == db.rows("SELECT T.A FROM T") == [("xy",)]
    assert db.error("INSERT INTO T VALUES ('xyz')") == (100078, "22000")
    with snow.session(schema=schema) as other:
        assert other.rows("SELECT A FROM T") == [(1,)]
    db.rows("CREATE SCHEMA SECOND")
    db.rows("CREATE TEMPORARY TABLE T (A DATE)")
    db.rows("INSERT INTO T VALUES ('2026-01-02')")
    assert db.rows(f"SELECT A FROM {full}") == [("xy",)]
    assert db.rows("SELECT T.A FROM T") == [(dt.date(2026, 1, 2),)]
    db.rows("DROP TABLE T")
    db.rows(f"DROP TABLE {full}")
    assert db.rows(f"SELECT A FROM {full}") == [(1,)]
    db.rows("DROP SCHEMA SECOND")


def test_what_exists_and_what_does_not(db: Session, schema: str) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    assert db.error("CREATE TABLE T (A NUMBER)") == (2002, "42710")
    assert "already exists" in db.value("CREATE TABLE IF NOT EXISTS T (B DATE)")
    for sql, error in {
        "SELECT * FROM NOPE": (2003, "42S02"),
        "SELECT * FROM NOPE.T": (2003, "02000"),
        "SELECT * FROM NOPE.X.T": (2003, "02000"),
        "SELECT NOPE FROM T": (904, "42000"),
        "SELECT NOPE(1)": (2140, "42601"),
        "DROP TABLE NOPE": (2003, "42S02"),
        "INSERT INTO T (NOPE) VALUES (1)": (904, "42000"),
        "INSERT INTO T VALUES (1, 2)": (2020, "21S01"),
        "SELECT A FROM T, T AS U": (1010, "42601"),
        "SELEC 1": (1003, "42000"),
        "SELECT 1; SELECT 2": (8, "0A000"),
    }.items():
        assert (sql, *db.error(sql)) == (sql, *error)
    db.rows("DROP TABLE IF EXISTS NOPE")
    assert db.value(f"SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '{schema}'") == 1


def test_show_and_describe(db: Session, schema: str) -> None:
    db.rows("CREATE TRANSIENT TABLE T_1 (A NUMBER(10,2) NOT NULL COMMENT 'sum', V VARIANT) COMMENT = 'about'")
    db.rows("CREATE TABLE TX1 (A FLOAT)")
    db.rows("CREATE VIEW W AS SELECT A FROM T_1")
    shown = db.rows(f'SHOW TABLES LIKE \'t\\\\_1\' IN SCHEMA "ANALYTICS"."{schema}"')
    assert [(row[1], row[4], row[5]) for row in shown] == [("T_1", "TRANSIENT", "about")]
    assert [row[1] for row in db.rows("SHOW TABLES")] == ["TX1", "T_1"]
    assert [row[1] for row in db.rows("SHOW VIEWS")] == ["W"]
    assert ("", schema, "ANALYTICS", "ACCOUNTADMIN") in db.rows("SHOW SCHEMAS IN DATABASE ANALYTICS")
    columns = {row[2]: row for row in db.rows("SHOW COLUMNS IN TABLE T_1")}
    assert '"precision": 10, "scale": 2' in columns["A"][3]
    assert (columns["A"][8], columns["A"][4], columns["V"][4]) == ("sum", "false", "true")
    assert [row[:2] for row in db.rows("DESC TABLE T_1")] == [("A", "NUMBER(10,2)"), ("V", "VARIANT")]
    assert db.error("SHOW TABLES IN SCHEMA NOPE") == (2003, "02000")


@pytest.mark.parametrize("kind", ["VARCHAR(3)", "CHAR(1)"])
def test_a_cast_does_not_cut(db: Session, kind: str) -> None:
    assert db.error(f"SELECT 'abcdef'::{kind}") == (100078, "22000")
    assert db.rows(f"SELECT TRY_CAST('abcdef' AS {kind})") == [(None,)]


def test_a_text_in_a_variant_stays_a_text(db: Session) -> None:
    db.rows("CREATE TABLE T (V VARIANT)")
    db.rows("INSERT INTO T SELECT TO_VARIANT('{\"a\": 1}')")
    assert db.error("INSERT INTO T SELECT '{\"a\": 1}'") == (2023, "22000")
    db.rows("INSERT INTO T SELECT PARSE_JSON('{\"a\": 1}')")
    assert db.rows("SELECT TYPEOF(V) FROM T ORDER BY 1") == [("OBJECT",), ("VARCHAR",)]


def test_times(db: Session) -> None:
    db.rows("CREATE TABLE T (N NUMBER, TS TIMESTAMP_NTZ, D DATE, TI TIME)")
    db.rows("INSERT INTO T VALUES (1, '0001-01-01 00:00:00.000001', '9999-12-31', '23:59:59.999999')")
    db.rows(
        "INSERT INTO T VALUES (2, NULL, NULL, NULL), "
        "(3, '9999-12-31 23:59:59.999999', '0001-01-01', '00:00:00')"
    )
    assert db.rows("SELECT TS, D, TI FROM T ORDER BY N") == [
        (dt.datetime(1, 1, 1, microsecond=1), dt.date(9999, 12, 31), dt.time(23, 59, 59, 999999)),  # noqa: DTZ001
        (None, None, None),
        (dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.date(1, 1, 1), dt.time(0)),  # noqa: DTZ001
    ]
