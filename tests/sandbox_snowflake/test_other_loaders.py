"""What other loaders need and ours does not: numbered columns, named formats, quoted names, UUIDs."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from snowflake_account import Account, Session

UUID = "550e8400-e29b-41d4-a716-446655440000"


def test_numbered_columns(db: Session) -> None:
    db.rows(
        "CREATE TABLE T (ID NUMBER NOT NULL AUTOINCREMENT, N INT IDENTITY(10, -5), "
        "M NUMBER(5,0) AUTOINCREMENT START 7 INCREMENT 2 ORDER, V VARCHAR, PRIMARY KEY (ID))"
    )
    db.rows("INSERT INTO T (V) VALUES ('a'), ('b')")
    db.rows("INSERT INTO T (ID, V) VALUES (50, 'given')")
    db.rows("INSERT INTO T (V) SELECT 'last'")
    rows = db.rows("SELECT V, ID, N, M FROM T ORDER BY N DESC")
    assert rows == [("a", 1, 10, 7), ("b", 2, 5, 9), ("given", 50, 0, 11), ("last", 3, -5, 13)]
    assert db.error("INSERT INTO T (ID, V) VALUES (NULL, 'none')") == (100072, "22000")
    described = {row[0]: row[4] for row in db.rows("DESCRIBE TABLE T")}
    assert described == {
        "ID": "IDENTITY START 1 INCREMENT 1 NOORDER",
        "N": "IDENTITY START 10 INCREMENT -5 NOORDER",
        "M": "IDENTITY START 7 INCREMENT 2 ORDER",
        "V": None,
    }
    shown = {row[2]: (row[5], row[10]) for row in db.rows("SHOW COLUMNS IN TABLE T")}
    assert shown["N"] == ("", "START 10 INCREMENT -5 NOORDER")


def test_numbers_belong_to_their_table(db: Session) -> None:
    db.rows("CREATE TABLE T (ID INT AUTOINCREMENT, V VARCHAR)")
    db.rows("INSERT INTO T (V) VALUES ('a')")
    db.rows("ALTER TABLE T RENAME TO OLD")
    db.rows("CREATE TABLE T (ID INT AUTOINCREMENT, V VARCHAR)")
    db.rows("CREATE OR REPLACE TABLE T (ID INT AUTOINCREMENT, V VARCHAR)")
    db.rows("CREATE TEMPORARY TABLE TMP (ID INT AUTOINCREMENT START 5, V VARCHAR)")
    for table in ("T", "OLD", "TMP"):
        db.rows(f"INSERT INTO {table} (V) VALUES ('b')")
    assert [db.value(f"SELECT MAX(ID) FROM {t}") for t in ("T", "OLD", "TMP")] == [1, 2, 5]
    db.rows("ALTER TABLE OLD RENAME COLUMN ID TO NUM")
    assert db.rows("DESCRIBE TABLE OLD")[0][4] == "IDENTITY START 1 INCREMENT 1 NOORDER"
    for table in ("T", "OLD", "TMP"):
        db.rows(f"DROP TABLE {table}")


def test_what_cannot_be_numbered(db: Session) -> None:
    assert db.error("CREATE TABLE T (V VARCHAR AUTOINCREMENT)") == (1003, "42000")
    db.rows("CREATE TABLE T (ID INT AUTOINCREMENT)")
    for sql in ("CREATE TABLE U LIKE T", "CREATE TABLE U CLONE T", "ALTER TABLE T ADD COLUMN N INT IDENTITY"):
        assert (sql, db.error(sql)) == (sql, (2, "0A000"))


def test_many_paths_into_a_variant_keep_within_memory(db: Session) -> None:
    """As a loader does that takes its columns from one VARIANT: 60 of 5,000 rows at once."""
    document = json.dumps({f"name {n}": f"{n:020}.25" if n % 2 else n + 0.25 for n in range(60)})
    db.rows("CREATE TABLE N (N INT)")
    db.rows("INSERT INTO N VALUES " + ", ".join(f"({n})" for n in range(71)))
    db.rows("CREATE TABLE D (V VARIANT)")
    db.rows(f"INSERT INTO D SELECT PARSE_JSON('{document}') FROM N AS A CROSS JOIN N AS B")
    paths = ", ".join(f'V:"name {n}"::{"VARCHAR" if n % 2 else "NUMBER(9,2)"} AS C{n}' for n in range(60))
    db.rows(f"CREATE TABLE T AS SELECT {paths} FROM D")
    assert db.rows("SELECT COUNT(*), SUM(C58), MIN(C59) FROM T") == [
        (5041, Decimal("58.25") * 5041, "00000000000000000059.25")
    ]


@pytest.fixture
def ignoring(snow: Account, schema: str) -> Iterator[Session]:
    """A session that ignores the case of quoted names, asked for at login."""
    parameters = {"QUOTED_IDENTIFIERS_IGNORE_CASE": "TRUE"}
    with snow.session(schema=schema, session_parameters=parameters) as session:
        yield session


def test_the_case_of_quoted_names_can_be_ignored(db: Session, ignoring: Session) -> None:
    ignoring.rows('CREATE TABLE "Tab" ("Id" NUMBER, "a b" VARIANT)')
    ignoring.rows('INSERT INTO "tAB" ("id", "A b") SELECT 1, PARSE_JSON(\'{"Key": {"kEy": 2}}\')')
    assert ignoring.rows('SELECT "ID", id, "a B":"Key"."kEy"::INT AS "Deep" FROM TAB') == [(1, 1, 2)]
    assert ignoring.value('SELECT "a b":"KEY" FROM "Tab"') is None
    assert db.rows('SELECT "ID" FROM "TAB"') == [(1,)]
    assert db.error('SELECT "Id" FROM TAB') == (904, "42000")
    assert [row[0] for row in ignoring.rows('DESCRIBE TABLE "tab"')] == ["ID", "A B"]
    ignoring.rows('MERGE INTO "Tab" d USING (SELECT 1 AS "iD") s ON d."id" = s."Id" WHEN MATCHED THEN DELETE')
    ignoring.rows("ALTER SESSION SET QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE")
    assert ignoring.error('SELECT 1 FROM "Tab"') == (2003, "42S02")


def test_ignored_case_holds_for_stages_and_formats(ignoring: Session, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"a": 1}')
    ignoring.rows('CREATE STAGE "My stage"')
    ignoring.rows('CREATE FILE FORMAT "json-1" TYPE = JSON')
    ignoring.rows(f"PUT 'file://{tmp_path}/f.json' '@\"MY stage\"/Path'")
    assert ignoring.rows("LIST '@\"my Stage\"/Path'")[0][0] == "my stage/Path/f.json.gz"
    ignoring.rows("CREATE TABLE T (V VARIANT)")
    ignoring.rows("COPY INTO T FROM '@\"my stage\"/' FILE_FORMAT = (FORMAT_NAME = '\"JSON-1\"')")
    assert ignoring.value("SELECT V:a::INT FROM T") == 1
    assert ignoring.error('GRANT SELECT ON TABLE T TO ROLE "r"') == (2, "0A000")


def test_copy_takes_a_named_format(db: Session, schema: str, staged: Callable[[str, str], None]) -> None:
    staged("1;x\n2;y\n", "in/f.csv.gz")
    db.rows("CREATE TABLE T (A NUMBER, B VARCHAR)")
    db.rows("CREATE FILE FORMAT SEMI TYPE = CSV FIELD_DELIMITER = ';'")
    for name in ("SEMI", "'semi'", f"'ANALYTICS.{schema}.\"SEMI\"'"):
        db.rows(f"COPY INTO T FROM @LOAD/in/ FILE_FORMAT = (FORMAT_NAME = {name}) FORCE = TRUE")
    assert db.value("SELECT COUNT(*) FROM T WHERE B IN ('x', 'y')") == 6
    assert db.error("COPY INTO T FROM @LOAD/in/ FILE_FORMAT = (FORMAT_NAME = NOPE)") == (2003, "02000")
    both = "COPY INTO T FROM @LOAD/in/ FILE_FORMAT = (FORMAT_NAME = SEMI TYPE = CSV)"
    assert db.error(both) == (1003, "42000")


def test_file_names_with_special_characters(db: Session, tmp_path: Path) -> None:
    file = tmp_path / "a:b!c?d=1&e#f %20.json.gz"
    file.write_bytes(gzip.compress(b'{"a": 7}'))
    db.rows(f"PUT 'file://{file}' '@~/odd?/x y/'")
    assert [row[0] for row in db.rows("LIST '@~/odd?/'")] == [f"odd?/x y/{file.name}"]
    db.rows("CREATE TABLE T (V VARIANT)")
    db.rows("COPY INTO T FROM '@~/odd?/x y/' FILE_FORMAT = (TYPE = JSON)")
    assert db.value("SELECT V:a::INT FROM T") == 7
    assert db.rows("REMOVE '@~/odd?/x y/'") == [(f"odd?/x y/{file.name}", "removed")]


def test_a_cast_to_a_short_text_passes_what_fits(db: Session) -> None:
    assert db.rows("SELECT 'abc'::VARCHAR(3), CAST(12 AS VARCHAR(2)), NULL::VARCHAR(1)") == [
        ("abc", "12", None)
    ]
    assert db.value('SELECT PARSE_JSON(\'{"a": "xy"}\'):a::VARCHAR(2)') == "xy"
    assert db.error("SELECT 'abcd'::VARCHAR(3)") == (100078, "22000")
    assert db.error('SELECT PARSE_JSON(\'{"a": "xyz"}\'):a::VARCHAR(2)') == (100078, "22000")
    assert db.rows("SELECT TRY_CAST('abcd' AS VARCHAR(3)), TRY_CAST('abc' AS VARCHAR(3))") == [(None, "abc")]


def test_uuids(db: Session) -> None:
    db.rows("CREATE TABLE T (U UUID, N NUMBER(10,2))")
    db.rows(f"INSERT INTO T VALUES ('{UUID.upper()}', 1), (NULL, 2)")
    db.rows(f'INSERT INTO T SELECT PARSE_JSON(\'{{"u": "{UUID}"}}\'):u::UUID, 3')
    assert db.rows("SELECT U, N FROM T ORDER BY N") == [
        (UUID, Decimal(1)),
        (None, Decimal(2)),
        (UUID, Decimal(3)),
    ]
    assert db.rows("DESCRIBE TABLE T")[0][1] == "UUID"
    for bad in ("'550e8400e29b41d4a716446655440000'", "'{550e8400-e29b-41d4-a716-446655440000}'", "'x'", "5"):
        assert (bad, db.error(f"INSERT INTO T (U) VALUES ({bad})")) == (bad, (100038, "22018"))
    assert db.error("SELECT 'x'::UUID") == (100038, "22018")


def test_names_that_only_the_engine_reserves(db: Session) -> None:
    names = ["at", "show", "describe", "overlaps", "verbose", "summarize", "time", "freeze"]
    columns, values = ", ".join(names), ", ".join(map(str, range(len(names))))
    db.rows(f"CREATE TABLE T ({', '.join(f'{name} NUMBER' for name in names)})")
    db.rows(f"INSERT INTO T ({columns}) VALUES ({values})")
    updates = ", ".join(f"d.{name} = s.{name} + 1" for name in names)
    source = f"(SELECT {columns} FROM T)"
    db.rows(f"MERGE INTO T d USING {source} s ON d.at = s.at WHEN MATCHED THEN UPDATE SET {updates}")
    assert db.rows(f"SELECT {columns} FROM T AS show WHERE show.at = 1") == [tuple(range(1, len(names) + 1))]
    db.rows("ALTER TABLE T RENAME COLUMN show TO lambda")
    assert db.value("SELECT MAX(lambda) FROM T GROUP BY at ORDER BY at") == 2
