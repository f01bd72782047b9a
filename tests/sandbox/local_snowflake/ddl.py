"""CREATE, DROP, ALTER and COMMENT of databases, schemas, views and stages; tables are in ddl_tables.py.

Rules restored: each commits the open transaction first; "already exists" is 2002/42710, 3041 of a schema that
the role may not see; CREATE DATABASE and CREATE SCHEMA make the new one current; a stage and its files go
with their schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from . import (
    access,
    ddl_alter,
    ddl_tables,
    grant_commands,
    network_policies,
    results,
    stage_queries,
    user_commands,
)
from .column_types import to_duck
from .errors import already_exists, not_found, schema_of_others, unsupported
from .names import ObjectName, literal, qualify, quote
from .resolve import identifier, require, require_schema, resolve, table_parts
from .translate import translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from .engine import Call
    from .results import Result


def name_of(call: Call, node: exp.Expression) -> ObjectName:
    """The full name of a created or dropped object."""
    table: exp.Expression = node.this if isinstance(node, exp.Schema) else node
    return qualify(table_parts(table), call.session.database, call.session.schema)


def _create_database(call: Call) -> Result:
    tree = call.statement.tree
    name = table_parts(tree.this)[-1]
    if name not in call.world.catalogue.databases():
        access.require_account(call)
    made = call.world.create_database(name, exists_ok=bool(tree.args.get("exists")))
    if made:
        call.world.grants.created(call.session.role, "DATABASE", (name,))
    call.session.use(name, "PUBLIC")
    return results.status(f"Database {name} successfully created." if made else _exists(name))


def _exists(name: str) -> str:
    return f"{name} already exists, statement succeeded."


def schema_name(call: Call, node: exp.Expression) -> tuple[str, str]:
    """Database and schema of a reference that sqlglot parsed as a table."""
    parts = [
        identifier(part)
        for part in (node.args.get("catalog"), node.args.get("db"), node.args.get("this"))
        if part
    ]
    full = qualify([*parts, "x"] if len(parts) > 1 else [parts[0], "x"], call.session.database, None)
    return full.database, full.schema


def _create_schema(call: Call) -> Result:
    tree = call.statement.tree
    database, schema = schema_name(call, tree.this)
    require_schema(database, None, call.world.catalogue)
    access.require_on_database(call, database, "USAGE")
    there = call.world.catalogue.has_schema(database, schema)
    if there and not call.world.grants.privileges(call.session.role, "SCHEMA", (database, schema)):
        raise schema_of_others(schema)
    if there and not tree.args.get("exists") and not tree.args.get("replace"):
        raise already_exists(schema)
    if not there or tree.args.get("replace"):
        access.require_on_database(call, database, "CREATE SCHEMA")
    if tree.args.get("replace") and there:
        _drop_schema_files(call, database, schema)
    call.session.duck.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(database)}.{quote(schema)}")
    call.world.catalogue.changed()
    if not there:
        call.world.grants.created(call.session.role, "SCHEMA", (database, schema))
    call.session.use(database, schema)
    return results.status(_exists(schema) if there else f"Schema {schema} successfully created.")


def _drop_schema_files(call: Call, database: str, schema: str) -> None:
    access.require_on_schema(call, database, schema, "OWNERSHIP")
    call.session.duck.execute(f"DROP SCHEMA {quote(database)}.{quote(schema)} CASCADE")
    call.world.grants.dropped("SCHEMA", (database, schema))
    call.world.stages.drop_schema(database, schema)


def _drop_schema(call: Call) -> Result:
    tree = call.statement.tree
    database, schema = schema_name(call, _dropped(tree))
    if (
        not call.world.catalogue.has_schema(database, schema)
        or database not in call.world.catalogue.databases()
    ):
        if tree.args.get("exists"):
            return results.status(_gone(schema))
        kind = "Schema"
        raise not_found(kind, f"{database}.{schema}")
    _drop_schema_files(call, database, schema)
    call.world.catalogue.changed()
    if (call.session.database, call.session.schema) == (database, schema):
        call.session.use(database, None)
    return results.status(f"{schema} successfully dropped.")


def _dropped(tree: exp.Expression) -> exp.Expression:
    """What a DROP names; sqlglot keeps it in `this` or in a list."""
    this = tree.args.get("this")
    return this if isinstance(this, exp.Expression) else tree.args["tables"][0]


def _gone(name: str) -> str:
    return f"Drop statement executed successfully ({name} already dropped)."


def _drop_database(call: Call) -> Result:
    tree = call.statement.tree
    name = table_parts(_dropped(tree))[-1]
    access.require_on_database(call, name, "OWNERSHIP")
    call.world.grants.dropped("DATABASE", (name,))
    call.world.drop_database(name, exists_ok=bool(tree.args.get("exists")))
    if call.session.database == name:
        call.session.use(None, None)
    return results.status(f"{name} successfully dropped.")


def _create_view(call: Call) -> Result:
    tree = call.statement.tree
    name = name_of(call, tree.this)
    require_schema(name.database, name.schema, call.world.catalogue)
    there = call.world.catalogue.find(name)
    if there is not None and not tree.args.get("replace"):
        if tree.args.get("exists"):
            return results.status(_exists(name.name))
        raise already_exists(name.name)
    access.require_on_schema(call, name.database, name.schema, "CREATE VIEW")
    if there is not None:
        access.require_ownership(call, "TABLE", name)
    for use in resolve(tree.expression, call.session, call.world.catalogue):
        access.require(call, use.table, {"SELECT"})
    body = exp.Create(this=exp.to_table("x"), kind="VIEW", expression=tree.expression.copy())
    select = to_duck(translate(body, call.session, call.now).expression)
    columns = ""
    if isinstance(tree.this, exp.Schema) and tree.this.expressions:
        columns = "(" + ", ".join(quote(identifier(_column_name(c))) for c in tree.this.expressions) + ")"
    call.session.duck.execute(f"CREATE OR REPLACE VIEW {name.duck}{columns} AS {select}")
    call.world.catalogue.changed()
    if there is not None and tree.find(exp.CopyGrantsProperty):
        call.world.grants.replaced(call.session.role, "TABLE", name)
    else:
        call.world.grants.created(call.session.role, "TABLE", name)  # a replaced view loses what was granted
    return results.status(f"View {name.name} successfully created.")


def _column_name(node: exp.Expression) -> exp.Expression:
    return node.this if isinstance(node, exp.ColumnDef) else node


def _drop_view(call: Call) -> Result:
    tree = call.statement.tree
    name = name_of(call, _dropped(tree))
    table = call.world.catalogue.find(name)
    if table is None or table.kind != "VIEW":
        if tree.args.get("exists"):
            return results.status(_gone(name.name))
        kind = "Object"
        raise not_found(kind, str(name))
    access.require(call, table, {"OWNERSHIP"})
    call.session.duck.execute(f"DROP VIEW {name.duck}")
    call.world.grants.dropped("TABLE", name)
    call.world.catalogue.changed()
    return results.status(f"{name.name} successfully dropped.")


def _create_stage(call: Call) -> Result:
    tree = call.statement.tree
    name = name_of(call, tree.this)
    require_schema(name.database, name.schema, call.world.catalogue)
    flags = {"exists_ok": bool(tree.args.get("exists")), "replace": bool(tree.args.get("replace"))}
    if name not in call.world.stages.names() or flags["replace"]:
        access.require_on_schema(call, name.database, name.schema, "CREATE STAGE")
        if name in call.world.stages.names():
            access.require_ownership(call, "STAGE", name)
    made = call.world.stages.create(name, **flags)
    if made:
        call.world.grants.created(call.session.role, "STAGE", name)
    return results.status(f"Stage area {name.name} successfully created." if made else _exists(name.name))


def _drop_stage(call: Call) -> Result:
    tree = call.statement.tree
    name = name_of(call, _dropped(tree))
    if name in call.world.stages.names():
        access.require_stage(call, name, "OWNERSHIP")
        call.world.grants.dropped("STAGE", name)
    call.world.stages.drop(name, exists_ok=bool(tree.args.get("exists")))
    return results.status(f"{name.name} successfully dropped.")


def _comment(call: Call) -> Result:
    """COMMENT ON TABLE and COLUMN; other kinds have no place here and are refused."""
    tree = call.statement.tree
    kind, text = str(tree.args["kind"]).upper(), tree.args["expression"].name
    if kind == "COLUMN":
        column = tree.this
        parts = [
            identifier(p)
            for p in (column.args.get("catalog"), column.args.get("db"), column.args["table"])
            if p
        ]
        table = require(
            qualify(parts, call.session.database, call.session.schema), call.session, call.world.catalogue
        )
        access.require(call, table, {"OWNERSHIP"})
        call.session.duck.execute(
            f"COMMENT ON COLUMN {table.name.duck}.{quote(identifier(column))} IS {literal(text)}"
        )
    elif kind in {"TABLE", "VIEW"}:
        table = require(name_of(call, tree.this), call.session, call.world.catalogue)
        access.require(call, table, {"OWNERSHIP"})
        call.world.catalogue.of(table.name).comment = text
    elif kind in {"SCHEMA", "DATABASE", "STAGE"}:
        _owned(call, kind, tree.this)
    else:
        message = f"COMMENT ON {kind}"
        raise unsupported(message)
    call.world.catalogue.changed()
    return results.status()


def _owned(call: Call, kind: str, node: exp.Expression) -> None:
    """Check that the role owns what a comment is about."""
    if kind == "STAGE":
        name: tuple[str, ...] = name_of(call, node)
    else:
        name = schema_name(call, node) if kind == "SCHEMA" else (table_parts(node)[-1],)
    access.require_ownership(call, kind, name)


def _accepted(call: Call) -> Result:
    """ALTER WAREHOUSE: a warehouse has no properties here."""
    access.require_account(call)
    return results.status()


HANDLERS: dict[str, Callable[[Call], Result]] = {
    "CREATE DATABASE": _create_database,
    "DROP DATABASE": _drop_database,
    "CREATE SCHEMA": _create_schema,
    "DROP SCHEMA": _drop_schema,
    "CREATE VIEW": _create_view,
    "DROP VIEW": _drop_view,
    "CREATE STAGE": _create_stage,
    "DROP STAGE": _drop_stage,
    "ALTER WAREHOUSE": _accepted,
    "COMMENT": _comment,
    "ALTER TABLE": ddl_alter.alter_table,
    **ddl_tables.HANDLERS,
    **grant_commands.HANDLERS,
    **user_commands.HANDLERS,
    **network_policies.HANDLERS,
    **stage_queries.HANDLERS,
}
