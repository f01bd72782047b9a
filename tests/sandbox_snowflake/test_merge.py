"""MERGE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from snowflake_account import Session

MERGE = (
    "MERGE INTO T AS t USING S AS s ON t.ID = s.ID "
    "WHEN MATCHED AND s.GONE THEN DELETE "
    "WHEN MATCHED AND t.V IS DISTINCT FROM s.V THEN UPDATE SET t.V = s.V || s.MORE "
    "WHEN NOT MATCHED AND NOT s.GONE THEN INSERT (ID, V) VALUES (s.ID, UPPER(s.V) || s.MORE)"
)


@pytest.fixture
def filled(db: Session) -> Session:
    db.rows("CREATE TABLE T (ID NUMBER, V VARCHAR(5))")
    db.rows("CREATE TABLE S (ID NUMBER, V VARCHAR, MORE VARCHAR, GONE BOOLEAN)")
    db.rows("INSERT INTO T VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    db.rows(
        "INSERT INTO S VALUES (1, 'x', '!', FALSE), (2, 'b', '', FALSE), "
        "(3, 'c', '', TRUE), (4, 'd', '?', FALSE)"
    )
    return db


def test_counts_and_expressions_over_columns_not_listed(filled: Session) -> None:
    assert filled.rows(MERGE) == [(1, 1, 1)]
    assert filled.rows("SELECT ID, V FROM T ORDER BY ID") == [(1, "x!"), (2, "b"), (4, "D?")]


def test_it_takes_part_in_the_transaction(filled: Session) -> None:
    filled.rows("BEGIN")
    filled.rows("INSERT INTO T VALUES (9, 'i')")
    filled.rows(MERGE)
    assert filled.value("SELECT COUNT(*) FROM T") == 4
    filled.rows("ROLLBACK")
    assert filled.rows("SELECT ID, V FROM T ORDER BY ID") == [(1, "a"), (2, "b"), (3, "c")]


def test_a_row_matched_twice_fails_and_changes_nothing(filled: Session) -> None:
    filled.rows("INSERT INTO S VALUES (1, 'y', '!', FALSE)")
    assert filled.error(MERGE) == (100090, "42P18")
    assert filled.rows("SELECT V FROM T ORDER BY ID") == [("a",), ("b",), ("c",)]


def test_not_matched_duplicates_are_all_inserted(filled: Session) -> None:
    filled.rows("INSERT INTO S VALUES (4, 'e', '', FALSE)")
    filled.rows(MERGE)
    assert filled.rows("SELECT V FROM T WHERE ID = 4 ORDER BY V") == [("D?",), ("E",)]


def test_full_names_and_a_temporary_source(filled: Session, schema: str) -> None:
    full = f'"ANALYTICS"."{schema}"'
    filled.rows(f'CREATE TEMPORARY TABLE {full}."TMP" ("ID" NUMBER, "V" VARCHAR)')
    filled.rows(f"INSERT INTO {full}.\"TMP\" VALUES (1, 'q'), (7, NULL)")
    counts = filled.rows(
        f'MERGE INTO {full}."T" t USING {full}."TMP" s ON t."ID" = s."ID" '
        'WHEN MATCHED THEN UPDATE SET "V" = s."V" '
        'WHEN NOT MATCHED THEN INSERT ("ID", "V") VALUES (s."ID", s."V")'
    )
    assert counts == [(1, 1)]
    assert filled.rows("SELECT V FROM T WHERE ID IN (1, 7) ORDER BY ID") == [("q",), (None,)]


def test_what_does_not_fit_a_column_fails(filled: Session) -> None:
    filled.rows("INSERT INTO S VALUES (5, 'too long', '', FALSE)")
    assert filled.error(MERGE) == (100078, "22000")
    update = "MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED THEN UPDATE SET V = 'too long'"
    assert filled.error(update) == (100078, "22000")
    assert filled.value("SELECT COUNT(*) FROM T") == 3


def test_forms_that_snowflake_does_not_have_or_that_are_wrong(filled: Session) -> None:
    start = "MERGE INTO T USING S ON T.ID = S.ID WHEN NOT MATCHED "
    assert filled.error(start + "BY SOURCE THEN DELETE") == (1003, "42000")
    assert filled.error(start + "THEN INSERT (ID, V) VALUES (1)") == (2020, "21S01")
    assert filled.error(start + "THEN INSERT (ID, NOPE) VALUES (1, 2)") == (904, "42000")
    assert filled.error('MERGE INTO "t" USING S ON 1 = 1 WHEN MATCHED THEN DELETE') == (2003, "42S02")


def test_a_variant_stays_what_it_was(db: Session) -> None:
    db.rows("CREATE TABLE T (ID NUMBER, V VARIANT)")
    db.rows(
        "MERGE INTO T USING (SELECT 1 AS ID, PARSE_JSON('{\"a\": 1.10}') AS V "
        "UNION ALL SELECT 2, TO_VARIANT('x')) s "
        "ON T.ID = s.ID WHEN NOT MATCHED THEN INSERT (ID, V) VALUES (s.ID, s.V)"
    )
    assert db.rows("SELECT TYPEOF(V) FROM T ORDER BY ID") == [("OBJECT",), ("VARCHAR",)]
    assert db.value("SELECT TO_JSON(V) FROM T WHERE ID = 1") == '{"a":1.10}'
