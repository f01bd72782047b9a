"""The SQL an owner runs once, and again after an upgrade: roles, database, schemas, tables and rights.

Every statement may be run again: what exists stays, missing columns are added, rights are granted once more.
Sources of the rights:
docs.snowflake.com/en/user-guide/security-access-control-privileges; who may hand ownership over:
docs.snowflake.com/en/release-notes/bcr-bundles/2026_07/bcr-2395.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.audit import service_user
from target_snowflake_audit.audit.rights import LOADER, OWNER, PURGER, READERS, ROLES, privileges
from target_snowflake_audit.audit.tables import TABLES, Column, Table
from target_snowflake_audit.audit.views import VIEWS, View
from target_snowflake_audit.sql.quoting import TableName, identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_SUFFIX = "_LOCK"
STAGE = "LOAD"


@dataclass(frozen=True)
class Setup:
    """What the set-up SQL is made for; names as stored in Snowflake.

    `schemas` are target schemas to make beforehand; the loader may also create schemas itself.
    `user` gets the loader role; empty = say so in the documentation of your own users instead.
    `members` are (role without prefix, user) pairs to grant beside it. `service` makes `user`.
    """

    database: str = "ANALYTICS"
    audit_schema: str = "AUDIT"
    warehouse: str = "LOAD_WH"
    user: str = ""
    role_prefix: str = "SAGEX3_"
    schemas: tuple[str, ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    service: service_user.ServiceUser | None = None

    @property
    def lock_schema(self) -> str:
        """Schema of the fences and of the stage."""
        return lock_schema(self.audit_schema)

    def role(self, name: str) -> str:
        """A role's name, with the prefix."""
        return f"{self.role_prefix}{name}"


def lock_schema(audit_schema: str) -> str:
    """Name of the schema that holds fences, staging tables and the stage of an audit schema."""
    return f"{audit_schema}{LOCK_SUFFIX}"


def statements(setup: Setup) -> Iterator[str]:
    """Give the statements in order, without a closing semicolon."""
    for _, part in sections(setup):
        yield from part


def sections(setup: Setup) -> Iterator[tuple[str, Iterator[str]]]:
    """Give the statements in parts, each with what it is for."""
    database, schema = setup.database, setup.audit_schema
    if setup.service:
        yield "The service user that loads.", service_user.create(setup.service)
    yield "Roles, and who has them.", _roles(setup)
    yield "Warehouse, database, schemas, and the stage that batch files go to.", _containers(setup)
    if setup.service:
        yield (
            "Where the service user may log in from. A new token's secret is shown once, as a result.",
            service_user.access(setup.service),
        )
    tables = (create_table(database, schema, table) for table in TABLES)
    yield "Audit tables. The target only ever inserts rows.", tables
    yield "Columns that later versions added; nothing happens where they are there.", _added_columns(setup)
    views = (create_view(database, schema, view) for view in VIEWS)
    yield "Views that show the latest of each run, dead letter and stream.", views
    yield "The loader may insert and read, never change or delete, audit rows.", _loader_rights(setup)
    yield (
        "Who reads, who notes events about dead letters, and who deletes by retention.",
        _reader_rights(setup),
    )
    yield "The audit schema belongs to a role that nobody works with day by day.", _ownership(setup)


def script(setup: Setup) -> str:
    """Give the whole script as text to read, keep and run."""
    head = (
        "-- Sets up the audit trail of target-snowflake-audit. Run it once, and again after an upgrade, as\n"
        "-- ACCOUNTADMIN or as a role that may create roles, warehouses and databases (and users and\n"
        "-- network policies, where a service user is made) and that has MANAGE GRANTS on the account:\n"
        "-- without it ownership may only go to a role that is active in the session.\n"
        "-- Run again, it adds what is missing, replaces the views and keeps the grants on them, and sets\n"
        "-- key and addresses of the service user; tables and rows stay.\n"
        f"-- A schema {setup.audit_schema} or {setup.lock_schema} that something else made would change its"
        " owner here:\n"
        "-- look first, and choose another name (--audit-schema) if there is one.\n"
    )
    parts = [head]
    for purpose, part in sections(setup):
        parts.append(f"-- {purpose}\n" + "".join(f"{statement};\n" for statement in part))
    return "\n".join(parts)


def create_table(database: str, schema: str, table: Table) -> str:
    """CREATE TABLE of an audit table, with its comments."""
    name = TableName(database, schema, table.name)
    columns = ",\n  ".join(_column(column) for column in table.columns)
    cluster = f"\nCLUSTER BY ({', '.join(table.cluster_by)})" if table.cluster_by else ""
    comment = literal(table.comment)
    return f"CREATE TABLE IF NOT EXISTS {name.sql} (\n  {columns}\n){cluster}\nCOMMENT = {comment}"


def add_column(database: str, schema: str, table: Table, column: Column) -> str:
    """ALTER TABLE that adds a column to a table of an earlier version."""
    name = TableName(database, schema, table.name)
    return f"ALTER TABLE {name.sql} ADD COLUMN IF NOT EXISTS {_column(column)}"


def create_view(database: str, schema: str, view: View) -> str:
    """CREATE VIEW of an audit view."""
    name = TableName(database, schema, view.name)
    select = view.select.replace("{schema}", name.schema_sql)
    # Without COPY GRANTS an upgrade would take the view from whoever else may read it.
    head = f"CREATE OR REPLACE VIEW {name.sql} COPY GRANTS COMMENT = {literal(view.comment)}"
    return f"{head} AS\n{select}"


def create_stage(database: str, schema: str) -> str:
    """CREATE STAGE of the stage that batch files go to."""
    name = TableName(database, schema, STAGE)
    return (
        f"CREATE STAGE IF NOT EXISTS {name.sql} COMMENT = {literal('Batch files of target-snowflake-audit')}"
    )


def _column(column: Column) -> str:
    required = " NOT NULL" if column.required else ""
    return f"{identifier(column.name)} {column.type}{required} COMMENT {literal(column.comment)}"


def _roles(setup: Setup) -> Iterator[str]:
    for role in ROLES:
        name = identifier(setup.role(role.name))
        yield f"CREATE ROLE IF NOT EXISTS {name} COMMENT = {literal(role.purpose)}"
        # SYSADMIN is worked with every day; it should not inherit the right to change the trail.
        holder = "ACCOUNTADMIN" if role.name in {OWNER, PURGER} else "SYSADMIN"
        yield f"GRANT ROLE {name} TO ROLE {holder}"
    if setup.user:
        yield f"GRANT ROLE {identifier(setup.role(LOADER))} TO USER {identifier(setup.user)}"
    for member, user in setup.members:
        yield f"GRANT ROLE {identifier(setup.role(member))} TO USER {identifier(user)}"


def _added_columns(setup: Setup) -> Iterator[str]:
    for table in TABLES:
        for column in table.columns:
            if column.added:
                yield add_column(setup.database, setup.audit_schema, table, column)


def _containers(setup: Setup) -> Iterator[str]:
    yield (
        f"CREATE WAREHOUSE IF NOT EXISTS {identifier(setup.warehouse)} WAREHOUSE_SIZE = XSMALL"
        " AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE"
    )
    database = identifier(setup.database)
    yield f"CREATE DATABASE IF NOT EXISTS {database}"
    for schema in (setup.audit_schema, setup.lock_schema, *setup.schemas):
        yield f"CREATE SCHEMA IF NOT EXISTS {database}.{identifier(schema)}"
    yield create_stage(setup.database, setup.lock_schema)


def _loader_rights(setup: Setup) -> Iterator[str]:
    loader = identifier(setup.role(LOADER))
    database = identifier(setup.database)
    locks = f"{database}.{identifier(setup.lock_schema)}"
    yield f"GRANT USAGE ON WAREHOUSE {identifier(setup.warehouse)} TO ROLE {loader}"
    yield f"GRANT USAGE, CREATE SCHEMA ON DATABASE {database} TO ROLE {loader}"
    yield f"GRANT USAGE ON SCHEMA {_audit(setup)} TO ROLE {loader}"
    yield from _table_rights(setup, LOADER)
    for view in VIEWS:
        yield f"GRANT SELECT ON VIEW {_view(setup, view)} TO ROLE {loader}"
    yield f"GRANT USAGE, CREATE TABLE ON SCHEMA {locks} TO ROLE {loader}"
    yield f"GRANT READ, WRITE ON STAGE {locks}.{identifier(STAGE)} TO ROLE {loader}"
    for schema in setup.schemas:
        yield f"GRANT USAGE, CREATE TABLE ON SCHEMA {database}.{identifier(schema)} TO ROLE {loader}"


def _reader_rights(setup: Setup) -> Iterator[str]:
    for name in READERS:
        role = identifier(setup.role(name))
        yield f"GRANT USAGE ON WAREHOUSE {identifier(setup.warehouse)} TO ROLE {role}"
        yield f"GRANT USAGE ON DATABASE {identifier(setup.database)} TO ROLE {role}"
        yield f"GRANT USAGE ON SCHEMA {_audit(setup)} TO ROLE {role}"
        # Every session of the programs starts in the lock schema; usage alone shows nothing of what is in it.
        locks = f"{identifier(setup.database)}.{identifier(setup.lock_schema)}"
        yield f"GRANT USAGE ON SCHEMA {locks} TO ROLE {role}"
        yield from _table_rights(setup, name)
        for view in VIEWS:
            yield f"GRANT SELECT ON VIEW {_view(setup, view)} TO ROLE {role}"


def _table_rights(setup: Setup, role: str) -> Iterator[str]:
    for table in TABLES:
        given = ", ".join(privileges(role, table))
        yield f"GRANT {given} ON TABLE {_table(setup, table)} TO ROLE {identifier(setup.role(role))}"


def _ownership(setup: Setup) -> Iterator[str]:
    """Hand the audit schema to the owner role last, keeping the rights granted above."""
    owner = identifier(setup.role(OWNER))
    locks = f"{identifier(setup.database)}.{identifier(setup.lock_schema)}"
    yield f"GRANT USAGE ON DATABASE {identifier(setup.database)} TO ROLE {owner}"
    objects = [
        *(f"TABLE {_table(setup, table)}" for table in TABLES),
        *(f"VIEW {_view(setup, view)}" for view in VIEWS),
        f"SCHEMA {_audit(setup)}",
        f"STAGE {locks}.{identifier(STAGE)}",
        f"SCHEMA {locks}",
    ]
    for thing in objects:
        yield f"GRANT OWNERSHIP ON {thing} TO ROLE {owner} COPY CURRENT GRANTS"


def _audit(setup: Setup) -> str:
    return f"{identifier(setup.database)}.{identifier(setup.audit_schema)}"


def _table(setup: Setup, table: Table) -> str:
    return TableName(setup.database, setup.audit_schema, table.name).sql


def _view(setup: Setup, view: View) -> str:
    return TableName(setup.database, setup.audit_schema, view.name).sql
