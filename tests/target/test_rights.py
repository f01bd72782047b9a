"""What `init-sql` gives each role, and what the local Snowflake then refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.audit.rights import ERASED, PURGED, READERS, ROLES, privileges
from target_snowflake_audit.audit.setup_sql import Setup, statements
from target_snowflake_audit.audit.tables import TABLES, Column, Table
from target_snowflake_audit.audit.upgrade import by_table, missing
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.retry_classes import AUTHORISATION
from target_snowflake_audit.session import StatementError, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_snowflake_audit.session import Session
    from target_world import World

NAMES = [table.name for table in TABLES]
BY_SETUP = {role.name for role in ROLES} - {"OWNER"}


@pytest.fixture(scope="module")
def sessions(_snowflake: World) -> Iterator[dict[str, Session]]:
    """A session in each role."""
    made = {}
    for role in sorted(BY_SETUP):
        _snowflake.query(f'GRANT ROLE "SAGEX3_{role}" TO USER "LOADER"')
        made[role] = connect(_snowflake.settings(role=f"SAGEX3_{role}"))
    yield made
    for session in made.values():
        session.close()


def attempts(table: Table) -> dict[str, str]:
    """A statement for each right, which changes no row where the role may run it."""
    name = f'"ANALYTICS"."AUDIT"."{table.name}"'
    first = f'"{table.columns[0].name}"'
    columns = ", ".join(f'"{column}"' for column in table.names)
    return {
        "SELECT": f"SELECT COUNT(*) FROM {name}",
        "INSERT": f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {name} WHERE FALSE",
        "UPDATE": f"UPDATE {name} SET {first} = {first} WHERE FALSE",
        "DELETE": f"DELETE FROM {name} WHERE FALSE",
        "TRUNCATE": f"TRUNCATE TABLE {name}",
        "ALTER": f'ALTER TABLE {name} ADD COLUMN "MORE" VARCHAR',
        "DROP": f"DROP TABLE {name}",
        "OVERWRITE": f"INSERT OVERWRITE INTO {name} ({columns}) SELECT {columns} FROM {name} WHERE FALSE",
    }


def allowed(session: Session, sql: str) -> bool:
    try:
        session.execute(sql, "test")
    except StatementError as error:
        if error.error_class is not AUTHORISATION:
            raise
        return False
    finally:
        session.rollback()
    return True


@pytest.mark.parametrize("role", sorted(BY_SETUP))
def test_each_role_may_do_what_it_was_given_and_nothing_else(role: str, sessions: dict[str, Session]) -> None:
    for table in TABLES:
        may = {word for word, sql in attempts(table).items() if allowed(sessions[role], sql)}
        given = set(privileges(role, table))
        # Overwriting is deleting and inserting; with both rights nothing stops it but the chain's digests.
        assert may == given | ({"OVERWRITE"} if {"INSERT", "DELETE"} <= given else set()), table.name


def test_rights_are_as_the_roles_say() -> None:
    for table in TABLES:
        other = table.name != "CHECKPOINTS"
        assert privileges("LOADER", table) == (("SELECT", "INSERT") if other else ("SELECT",))
        assert privileges("AUDITOR", table) == ("SELECT",)
        assert ("DELETE" in privileges("PURGER", table)) == (table in PURGED)
        assert ("UPDATE" in privileges("PURGER", table)) == (table in ERASED)
        for role in ("REVIEWER", "APPROVER"):
            assert ("INSERT" in privileges(role, table)) == (table.name == "DEAD_LETTER_EVENTS")
    gone = {table.name for table in PURGED}
    assert gone == {*NAMES} - {"SCHEMA_CHANGES", "CHECKPOINTS"}


@pytest.mark.parametrize("role", sorted(READERS))
def test_no_reader_owns_or_makes_anything(role: str, sessions: dict[str, Session]) -> None:
    for sql in (
        'CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."MINE" ("A" VARCHAR)',
        'CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT_LOCK"."MINE" ("A" VARCHAR)',
        'CREATE SCHEMA IF NOT EXISTS "ANALYTICS"."MINE"',
        """LIST '@"ANALYTICS"."AUDIT_LOCK"."LOAD"'""",
    ):
        assert not allowed(sessions[role], sql), sql


def test_columns_added_later_may_be_empty() -> None:
    added = [column for table in TABLES for column in table.columns if column.added]
    assert added
    assert not [column.name for column in added if column.required]


def older(world: World, schema: str) -> None:
    """An audit schema as version 0.1.0 made it."""
    for sql in statements(Setup(audit_schema=schema, user="LOADER")):
        world.query(sql)
    for table in TABLES:
        for column in table.columns:
            if column.added:
                world.query(f'ALTER TABLE "ANALYTICS"."{schema}"."{table.name}" DROP COLUMN "{column.name}"')
    world.query(f'DROP TABLE "ANALYTICS"."{schema}"."CHECKPOINTS"')


def test_an_older_audit_schema_is_named_and_init_sql_brings_it_up_to_date(world: World) -> None:
    older(world, "OLDER")
    messages = [world.schema_message(), world.line("A", 1)]
    with pytest.raises(SettingError) as refused:
        world.run(messages, audit_schema="OLDER")
    said = str(refused.value)
    assert "ANALYTICS.OLDER lacks" in said
    assert "DEAD_LETTERS.REDACTED" in said
    assert "CHECKPOINTS" in said
    assert "init-sql" in said
    assert "may not add it" in said
    for sql in statements(Setup(audit_schema="OLDER", user="LOADER")):
        world.query(sql)
    world.run(messages, audit_schema="OLDER")
    assert world.query('SELECT COUNT(*) AS "N" FROM "ANALYTICS"."OLDER"."BATCHES"') == [{"N": 1}]


def test_a_role_that_owns_the_schema_brings_it_up_to_date_itself(world: World) -> None:
    older(world, "OWNED")
    for table in NAMES:
        if table != "CHECKPOINTS":
            given = f'GRANT OWNERSHIP ON TABLE "ANALYTICS"."OWNED"."{table}" TO ROLE "SAGEX3_LOADER"'
            world.query(f"{given} REVOKE CURRENT GRANTS")
    world.query('GRANT CREATE TABLE ON SCHEMA "ANALYTICS"."OWNED" TO ROLE "SAGEX3_LOADER"')
    world.run([world.schema_message(), world.line("A", 1)], audit_schema="OWNED")
    shown = world.query('SHOW COLUMNS IN SCHEMA "ANALYTICS"."OWNED"')
    found = by_table((row["table_name"], row["column_name"]) for row in shown)
    assert list(missing(found, "ANALYTICS", "OWNED")) == []


def test_missing_names_tables_and_columns() -> None:
    every = {table.name: set(table.names) for table in TABLES}
    every["RUNS"].discard("ERROR")
    del every["RETRIES"]
    assert [what for what, _ in missing(every, "D", "S")] == ["RUNS.ERROR", "RETRIES"]
    assert isinstance(TABLES[0].columns[0], Column)


def test_each_session_begins_with_the_rights_of_its_own_role_only(world: World) -> None:
    world.control.clear_log()
    world.run([world.schema_message(), world.line("A", 1)])
    first: dict[str, str] = {}
    for entry in world.control.query_log(user="LOADER"):
        first.setdefault(entry["session"], entry["statement"])
    assert set(first.values()) == {"USE SECONDARY ROLES NONE"}


@pytest.mark.parametrize("kind", ["oauth_token", "token"])
def test_where_a_token_forbids_the_command_the_session_goes_on_and_says_so(
    world: World, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """Where it is restricted to a role, others are off anyway."""
    word = (
        world.control.oauth_token("LOADER", seconds=60)
        if kind == "oauth_token"
        else world.ready["users"]["LOADER"]["token"]
    )
    settings = {**world.settings(), "private_key_path": None, kind: word}
    refused: dict[str, Any] = {
        "pattern": "^USE SECONDARY ROLES",
        "code": 3107,
        "sqlstate": "42501",
        "user": "LOADER",
        "times": 1,
    }
    world.control.fault("error", **refused)
    connect(settings).close()
    assert "other roles stay on as far as the token allows" in caplog.text
    world.control.fault("error", **refused)
    with pytest.raises(StatementError, match="use secondary roles"):
        connect(world.settings())
