"""Quoted names are case-sensitive in Snowflake; the engine below ignores case."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snowflake_account import Session


def test_an_unquoted_name_is_the_upper_case_one(db: Session) -> None:
    db.rows("CREATE TABLE tab (col NUMBER)")
    db.rows('INSERT INTO "TAB" ("COL") VALUES (1)')
    assert db.rows('SELECT "COL", col, t."COL" FROM Tab AS T') == [(1, 1, 1)]


def test_a_quoted_name_in_another_case_is_another_name(db: Session) -> None:
    db.rows('CREATE TABLE "Tab" ("Col" NUMBER)')
    db.rows('INSERT INTO "Tab" ("Col") VALUES (1)')
    missing_table, missing_column = (2003, "42S02"), (904, "42000")
    for sql in ("SELECT * FROM TAB", 'SELECT * FROM "tab"', 'DELETE FROM "TAB"', 'TRUNCATE TABLE "tab"'):
        assert (sql, db.error(sql)) == (sql, missing_table)
    for sql in (
        'SELECT COL FROM "Tab"',
        'SELECT "col" FROM "Tab"',
        'SELECT 1 FROM "Tab" WHERE "COL" = 1',
        'UPDATE "Tab" SET "col" = 2',
        'INSERT INTO "Tab" (COL) VALUES (1)',
        'MERGE INTO "Tab" t USING (SELECT 1 AS "X") s ON t."col" = s."X" WHEN MATCHED THEN DELETE',
        'ALTER TABLE "Tab" DROP COLUMN "COL"',
    ):
        assert (sql, db.error(sql)) == (sql, missing_column)
    assert db.rows('SELECT "Col" FROM "Tab"') == [(1,)]


def test_names_that_differ_only_in_case_are_refused(db: Session) -> None:
    refused = (2, "0A000")
    assert db.error('CREATE TABLE T ("a" NUMBER, A NUMBER)') == refused
    db.rows("CREATE TABLE T (A NUMBER)")
    assert db.error('ALTER TABLE T ADD COLUMN "a" NUMBER') == refused
    assert db.error('CREATE TABLE "t" (A NUMBER)') == refused
    assert db.error("CREATE TABLE U (A NUMBER, A NUMBER)") == (2025, "42S21")


def test_odd_names(db: Session) -> None:
    db.rows('CREATE TABLE "select from.x-y" ("a ""b""" NUMBER, "ä" VARCHAR, "order" DATE)')
    db.rows('INSERT INTO "select from.x-y" ("a ""b""", "ä") VALUES (1, \'it\'\'s\')')
    assert db.rows('SELECT "a ""b""", "ä", "order" FROM "select from.x-y"') == [(1, "it's", None)]
