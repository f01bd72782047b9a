"""Roles and privileges, with a server of their own on which grants count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from snowflake_account import account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from snowflake_account import Account, Session

SCRIPT = """
-- What an owner runs once; the apostrophe in a comment isn't a text.
CREATE ROLE IF NOT EXISTS "OWNERS" COMMENT = 'it''s; all one statement';
CREATE SCHEMA IF NOT EXISTS "ANALYTICS"."AUDIT";
CREATE SCHEMA IF NOT EXISTS "ANALYTICS"."AUDIT_LOCK";
CREATE STAGE IF NOT EXISTS "ANALYTICS"."AUDIT_LOCK"."LOAD";
CREATE TABLE "ANALYTICS"."AUDIT"."LOG" ("A" NUMBER(38,0));
CREATE TABLE "ANALYTICS"."AUDIT"."SECRET" ("A" NUMBER(38,0));
CREATE VIEW "ANALYTICS"."AUDIT"."SHOWN" AS SELECT "A" FROM "ANALYTICS"."AUDIT"."SECRET";
GRANT ROLE "SAGEX3_LOADER" TO USER "LOADER";
GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "SAGEX3_LOADER";
GRANT USAGE, CREATE SCHEMA ON DATABASE "ANALYTICS" TO ROLE "SAGEX3_LOADER";
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE "SAGEX3_LOADER";
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."LOG" TO ROLE "SAGEX3_LOADER";
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."SHOWN" TO ROLE "SAGEX3_LOADER";
GRANT SELECT ON FUTURE TABLES IN SCHEMA "ANALYTICS"."AUDIT" TO ROLE "SAGEX3_LOADER";
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT_LOCK" TO ROLE "SAGEX3_LOADER";
CREATE STAGE IF NOT EXISTS "ANALYTICS"."AUDIT_LOCK"."OTHER";
GRANT READ ON STAGE "ANALYTICS"."AUDIT_LOCK"."LOAD" TO ROLE "SAGEX3_LOADER";
GRANT OWNERSHIP ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE "OWNERS" COPY CURRENT GRANTS;
"""
MISSING, REFUSED = (2003, "42S02"), (3001, "42501")
LOG = '"ANALYTICS"."AUDIT"."LOG"'
SHOWN = '"ANALYTICS"."AUDIT"."SHOWN"'


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("guarded")
    script = folder / "init.sql"
    script.write_text(SCRIPT)
    with account("--contract", "off", "--secrets-dir", str(folder), "--init-sql", str(script)) as running:
        yield running


@pytest.fixture
def loader(guarded: Account) -> Iterator[Session]:
    with guarded.session() as session:
        yield session


def test_the_audit_schema_is_insert_only(loader: Session) -> None:
    loader.rows(f"INSERT INTO {LOG} VALUES (1)")
    assert loader.value(f"SELECT COUNT(*) FROM {LOG}") > 0
    for change in (
        f'UPDATE {LOG} SET "A" = 2',
        f"DELETE FROM {LOG}",
        f"TRUNCATE TABLE {LOG}",
        f"DROP TABLE {LOG}",
        f'ALTER TABLE {LOG} ADD COLUMN "B" DATE',
        f'MERGE INTO {LOG} t USING (SELECT 1 AS X) s ON t."A" = s.X WHEN MATCHED THEN DELETE',
        f'MERGE INTO {LOG} t USING (SELECT 1 AS X) s ON t."A" = s.X WHEN MATCHED THEN UPDATE SET "A" = 2',
        f"INSERT OVERWRITE INTO {LOG} SELECT 1",
        f"CREATE OR REPLACE TABLE {LOG} (A DATE)",
        'CREATE TABLE "ANALYTICS"."AUDIT"."MINE" (A DATE)',
        'DROP SCHEMA "ANALYTICS"."AUDIT"',
        f'CREATE OR REPLACE TABLE {LOG} AS SELECT 1 AS "A"',
        f"CREATE OR REPLACE TABLE {LOG} LIKE {LOG}",
        f"CREATE OR REPLACE VIEW {SHOWN} AS SELECT 1 AS X",
        f"DROP VIEW {SHOWN}",
        f'ALTER TABLE {LOG} DROP COLUMN "A"',
        f'ALTER TABLE {LOG} RENAME TO "ANALYTICS"."AUDIT"."GONE"',
        f'ALTER TABLE {LOG} ALTER COLUMN "A" SET DATA TYPE NUMBER(38,0)',
        f"COMMENT ON TABLE {LOG} IS 'mine'",
        f"COMMENT ON COLUMN {LOG}.\"A\" IS 'mine'",
        'COMMENT ON SCHEMA "ANALYTICS"."AUDIT" IS \'mine\'',
        "COMMENT ON DATABASE \"ANALYTICS\" IS 'mine'",
        f"GRANT DELETE ON TABLE {LOG} TO ROLE SAGEX3_LOADER",
        f"GRANT OWNERSHIP ON TABLE {LOG} TO ROLE SAGEX3_LOADER REVOKE CURRENT GRANTS",
        f"REVOKE SELECT ON TABLE {LOG} FROM ROLE SAGEX3_REVIEWER",
        'GRANT ALL ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE SAGEX3_LOADER',
        'GRANT INSERT ON FUTURE TABLES IN SCHEMA "ANALYTICS"."AUDIT" TO ROLE SAGEX3_LOADER',
    ):
        assert (change, loader.error(change)) == (change, REFUSED)
    assert loader.value(f'SELECT MAX("A") FROM {LOG}') == 1


def test_without_any_privilege_a_table_looks_missing(loader: Session) -> None:
    assert loader.error('SELECT * FROM "ANALYTICS"."AUDIT"."SECRET"') == MISSING
    assert loader.rows('SELECT * FROM "ANALYTICS"."AUDIT"."SHOWN"') == []
    assert loader.error(f'INSERT INTO {LOG} SELECT "A" FROM "ANALYTICS"."AUDIT"."SECRET"') == MISSING


def test_future_grants_hold_for_new_tables(guarded: Account, loader: Session) -> None:
    with guarded.admin() as admin:
        admin.rows('CREATE TABLE "ANALYTICS"."AUDIT"."LATER" (A NUMBER)')
    assert loader.rows('SELECT * FROM "ANALYTICS"."AUDIT"."LATER"') == []
    assert loader.error('INSERT INTO "ANALYTICS"."AUDIT"."LATER" VALUES (1)') == REFUSED


def test_a_role_owns_what_it_creates(loader: Session) -> None:
    loader.rows('CREATE SCHEMA "ANALYTICS"."PURCHASING"')
    loader.rows("CREATE TABLE T (A NUMBER)")
    loader.rows("INSERT INTO T VALUES (1)")
    loader.rows("UPDATE T SET A = 2")
    loader.rows("ALTER TABLE T ADD COLUMN B DATE")
    assert loader.rows("SELECT A, B FROM T") == [(2, None)]
    loader.rows("DROP TABLE T")
    assert loader.error("SELECT A FROM T") == (2003, "42S02")
    loader.rows('DROP SCHEMA "ANALYTICS"."PURCHASING"')


def test_temporary_tables_need_no_privilege_on_the_schema(loader: Session) -> None:
    loader.rows('CREATE TEMPORARY TABLE "ANALYTICS"."AUDIT"."TMP" (A NUMBER)')
    loader.rows('INSERT INTO "ANALYTICS"."AUDIT"."TMP" VALUES (1)')
    assert loader.rows('DELETE FROM "ANALYTICS"."AUDIT"."TMP"') == [(1,)]


def test_read_is_not_write_on_a_stage(loader: Session) -> None:
    assert loader.rows('LIST @"ANALYTICS"."AUDIT_LOCK"."LOAD"') == []
    assert loader.error('REMOVE @"ANALYTICS"."AUDIT_LOCK"."LOAD"') == REFUSED
    assert loader.error('PUT \'file:///tmp/x\' \'@"ANALYTICS"."AUDIT_LOCK"."LOAD"\'') == REFUSED


def test_only_an_administrator_grants(loader: Session) -> None:
    for sql in (
        f'GRANT DELETE ON TABLE {LOG} TO ROLE "SAGEX3_LOADER"',
        "GRANT ROLE ACCOUNTADMIN TO USER LOADER",
        "CREATE ROLE MINE",
        "CREATE DATABASE MINE",
    ):
        assert (sql, loader.error(sql)) == (sql, REFUSED)
    assert loader.error("USE ROLE ACCOUNTADMIN") == (3013, "42501")


def test_an_owner_may_grant_but_swaps_and_renames_take_nothing_over(
    guarded: Account, loader: Session
) -> None:
    loader.rows('CREATE SCHEMA "ANALYTICS"."OWN"')
    loader.rows('CREATE TABLE "ANALYTICS"."OWN"."MINE" (A NUMBER)')
    loader.rows('CREATE TABLE "ANALYTICS"."OWN"."NEXT" (A NUMBER)')
    loader.rows('GRANT SELECT ON TABLE "ANALYTICS"."OWN"."MINE" TO ROLE SAGEX3_REVIEWER')
    shown = 'SHOW GRANTS ON TABLE "ANALYTICS"."OWN"."{}"'
    assert [row[0] for row in loader.rows(shown.format("MINE"))] == ["OWNERSHIP", "SELECT"]
    loader.rows('ALTER TABLE "ANALYTICS"."OWN"."MINE" SWAP WITH "ANALYTICS"."OWN"."NEXT"')
    assert [row[0] for row in loader.rows(shown.format("NEXT"))] == ["OWNERSHIP", "SELECT"]
    loader.rows('ALTER TABLE "ANALYTICS"."OWN"."NEXT" RENAME TO "ANALYTICS"."OWN"."LAST"')
    assert [row[0] for row in loader.rows(shown.format("LAST"))] == ["OWNERSHIP", "SELECT"]
    with guarded.admin() as admin:
        admin.rows('CREATE TABLE "ANALYTICS"."OWN"."THEIRS" (A NUMBER)')
        admin.rows('GRANT INSERT ON TABLE "ANALYTICS"."OWN"."THEIRS" TO ROLE SAGEX3_LOADER')
    swap = 'ALTER TABLE "ANALYTICS"."OWN"."MINE" SWAP WITH "ANALYTICS"."OWN"."THEIRS"'
    assert loader.error(swap) == REFUSED
    with guarded.admin() as admin:
        admin.rows('DROP SCHEMA "ANALYTICS"."OWN"')


def test_a_replaced_view_keeps_its_grants_where_the_statement_says_so(guarded: Account) -> None:
    with guarded.admin() as admin:
        admin.rows("CREATE ROLE VIEWERS")
        admin.rows("CREATE ROLE OTHERS")
        view = '"ANALYTICS"."AUDIT_LOCK"."V"'
        shown = f"SHOW GRANTS ON VIEW {view}"
        admin.rows(f"CREATE OR REPLACE VIEW {view} COPY GRANTS COMMENT = 'c' AS SELECT 1 AS A")
        admin.rows(f"GRANT SELECT ON VIEW {view} TO ROLE VIEWERS")
        admin.rows(f"GRANT OWNERSHIP ON VIEW {view} TO ROLE OWNERS COPY CURRENT GRANTS")
        future = 'FUTURE VIEWS IN SCHEMA "ANALYTICS"."AUDIT_LOCK"'
        admin.rows(f"GRANT SELECT ON {future} TO ROLE OTHERS")
        admin.rows(f"CREATE OR REPLACE VIEW {view} (A) COPY GRANTS COMMENT = 'c' AS SELECT 2")
        held = sorted((row[0], row[4]) for row in admin.rows(shown))
        assert held == [("OWNERSHIP", "ACCOUNTADMIN"), ("SELECT", "VIEWERS")]
        admin.rows(f"CREATE OR REPLACE VIEW {view} AS SELECT 1 AS A")
        held = sorted((row[0], row[4]) for row in admin.rows(shown))
        assert held == [("OWNERSHIP", "ACCOUNTADMIN"), ("SELECT", "OTHERS")]
        admin.rows(f"REVOKE SELECT ON {future} FROM ROLE OTHERS")
        admin.rows(f"DROP VIEW {view}")


def test_all_privileges_are_not_ownership_which_asks_what_becomes_of_the_rest(
    guarded: Account,
) -> None:
    with guarded.admin() as admin:
        admin.rows("CREATE ROLE GUESTS")
        admin.rows('CREATE TABLE "ANALYTICS"."AUDIT_LOCK"."T" (A NUMBER)')
        table = 'TABLE "ANALYTICS"."AUDIT_LOCK"."T"'
        admin.rows(f"GRANT ALL ON {table} TO ROLE GUESTS")
        held = {row[0] for row in admin.rows("SHOW GRANTS TO ROLE GUESTS")}
        assert held == {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES"}
        assert admin.error(f"GRANT OWNERSHIP ON {table} TO ROLE OWNERS") == (3036, "23001")
        admin.rows(f"GRANT OWNERSHIP ON {table} TO ROLE OWNERS COPY CURRENT GRANTS")
        assert len(admin.rows("SHOW GRANTS TO ROLE GUESTS")) == 6
        admin.rows(f"GRANT OWNERSHIP ON {table} TO ROLE GUESTS REVOKE CURRENT GRANTS")
        assert [row[0] for row in admin.rows("SHOW GRANTS TO ROLE GUESTS")] == ["OWNERSHIP"]
        assert admin.error(f"GRANT FLYING ON {table} TO ROLE GUESTS") == (2, "0A000")


def test_without_usage_a_place_looks_missing(guarded: Account) -> None:
    with guarded.admin() as admin:
        admin.rows("CREATE USER STRANGER PASSWORD = 'x' DEFAULT_ROLE = PUBLIC")
    with guarded.session(user="STRANGER", password="x") as stranger:  # noqa: S106
        where = "SELECT CURRENT_DATABASE(), CURRENT_SCHEMA(), CURRENT_WAREHOUSE()"
        assert stranger.rows(where) == [(None, None, None)]
        for sql, refused in (
            ("USE DATABASE ANALYTICS", (2043, "02000")),
            ('USE SCHEMA "ANALYTICS"."AUDIT"', (2043, "02000")),
            ("USE WAREHOUSE LOAD_WH", (2043, "02000")),
            ("USE ROLE SAGEX3_LOADER", (3013, "42501")),
            ("DESCRIBE USER LOADER", REFUSED),
            ("SHOW USERS", REFUSED),
            ("SHOW LOCKS IN ACCOUNT", REFUSED),
        ):
            assert (sql, stranger.error(sql)) == (sql, refused)
        temporary = 'CREATE TEMPORARY TABLE "ANALYTICS"."AUDIT"."TMP" (A NUMBER)'
        assert stranger.error(temporary)[0] == 2003


def test_a_schema_of_others_is_there_and_not_to_be_had(loader: Session) -> None:
    assert loader.error('CREATE SCHEMA IF NOT EXISTS "ANALYTICS"."PUBLIC"') == (3041, "42710")
    assert loader.error('CREATE SCHEMA "ANALYTICS"."PUBLIC"') == (3041, "42710")
    loader.rows('CREATE SCHEMA "ANALYTICS"."MINE"')
    shown = {row[1] for row in loader.rows("SHOW SCHEMAS IN DATABASE ANALYTICS")}
    assert shown >= {"MINE", "AUDIT"}
    assert "PUBLIC" not in shown


def test_revoke_and_roles_of_roles(guarded: Account, loader: Session) -> None:
    with guarded.admin() as admin:
        admin.rows("CREATE ROLE CLEANERS")
        admin.rows(f"GRANT DELETE ON TABLE {LOG} TO ROLE CLEANERS")
        assert loader.error(f"DELETE FROM {LOG} WHERE FALSE") == REFUSED
        admin.rows('GRANT ROLE CLEANERS TO ROLE "SAGEX3_LOADER"')
        assert loader.rows(f"DELETE FROM {LOG} WHERE FALSE") == [(0,)]
        admin.rows(f"REVOKE DELETE ON TABLE {LOG} FROM ROLE CLEANERS")
        assert loader.error(f"DELETE FROM {LOG} WHERE FALSE") == REFUSED
        assert admin.error("GRANT SELECT ON TABLE NOPE.NOPE TO ROLE CLEANERS")[0] == 2003
        assert admin.error(f"GRANT SELECT ON TABLE {LOG} TO ROLE NOBODY") == (2003, "02000")


def test_a_wrong_script_stops_the_start(tmp_path: Path) -> None:
    script = tmp_path / "init.sql"
    script.write_text("CREATE SCHEMA ANALYTICS.A;\nSELEC 1;\n")
    with (
        pytest.raises(RuntimeError, match=r"(?s)--init-sql failed.*SELEC 1"),
        account("--init-sql", str(script), "--secrets-dir", str(tmp_path)),
    ):
        pass
