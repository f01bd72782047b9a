"""SELECT, INSERT, UPDATE, DELETE and TRUNCATE.

Rules restored: a column takes only what fits and converts to its type (fitting.py), a VALUES list holds
nothing semi-structured (2014), TRUNCATE is DML and stays in the transaction (transactions page), and forgets
what was loaded (truncate-table page).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakesnow import statement_type
from sqlglot import exp

from . import access, results
from .column_types import to_duck
from .errors import SnowflakeError, unsupported
from .fitting import fit_assignment, fitted_source, known
from .names import qualify, quote
from .resolve import Use, identifier, lookup, resolve, table_parts
from .set_operations import check_set_operations
from .translate import translate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from .catalogue import Table
    from .engine import Call
    from .results import Result


def select(call: Call) -> Result:
    """A query."""
    tree = call.statement.tree
    uses = resolve(tree, call.session, call.world.catalogue)
    access.check(call, uses)
    tree = translate(tree, call.session, call.now)
    sql = to_duck(tree, keep=True)
    with running(call, uses):
        check_set_operations(tree, call.session.duck)
        return results.query(call.session.duck, sql, call.binds)


def insert(call: Call) -> Result:
    """INSERT and INSERT OVERWRITE."""
    tree = call.statement.tree
    overwrite = bool(tree.args.get("overwrite"))
    uses = resolve(tree, call.session, call.world.catalogue)
    # OVERWRITE removes rows, so it needs the privilege for that too (insert page).
    access.check(call, uses, {"INSERT", "DELETE"} if overwrite else {"INSERT"})
    table = target_of(uses)
    columns = _insert_columns(tree, table)
    _check_values(tree, columns)
    tree = translate(tree, call.session, call.now)
    tree.set("overwrite", None)
    source = fitted_source(to_duck(tree.args["expression"]), table, columns, call)
    tree.set("expression", None)
    sql = f"{to_duck(tree)} {source}"
    if overwrite:
        lock(call, table)
    with running(call, uses if overwrite else [use for use in uses if not use.target], table):
        if overwrite:
            call.session.duck.execute(f"DELETE FROM {duck_name(table)}")
        count = changed(call, sql)
    return results.counts(statement_type.INSERT, inserted=count)


def update(call: Call) -> Result:
    """UPDATE."""
    tree = call.statement.tree
    uses = resolve(tree, call.session, call.world.catalogue)
    access.check(call, uses)
    table = target_of(uses)
    tree = translate(tree, call.session, call.now)
    for assignment in tree.args["expressions"]:
        if assignment.this.args.get("table"):  # the page says that it is invalid, and has an example of it
            message = f"UPDATE SET {assignment.this.sql(dialect='snowflake')}: name the column alone"
            raise unsupported(message)
        fit_assignment(assignment, table, call.world.catalogue)
    lock(call, table)
    with running(call, uses, table):
        count = changed(call, to_duck(tree))
    return results.counts(statement_type.UPDATE, updated=count)


def delete(call: Call) -> Result:
    """DELETE."""
    tree = call.statement.tree
    uses = resolve(tree, call.session, call.world.catalogue)
    access.check(call, uses)
    table = target_of(uses)
    sql = to_duck(translate(tree, call.session, call.now))
    lock(call, table)
    with running(call, uses, table):
        count = changed(call, sql)
    return results.counts(statement_type.DELETE, deleted=count)


def truncate(call: Call) -> Result:
    """TRUNCATE TABLE."""
    tree = call.statement.tree
    if tree.args.get("exists") and not _is_there(call, tree.expressions[0]):
        return results.status()
    uses = resolve(tree, call.session, call.world.catalogue)
    access.check(call, uses)
    table = uses[0].table
    lock(call, table)
    with running(call, uses, table):
        call.session.duck.execute(f"DELETE FROM {duck_name(table)}")
        memory, key = loads(call, table)
        call.session.duck.execute(f"DELETE FROM {memory} WHERE schema_name = ? AND table_name = ?", key)
    return results.status()


def loads(call: Call, table: Table) -> tuple[str, list[str]]:
    """DuckDB's table of the files that were loaded, and what names a table in it."""
    owner = f"{call.session.id}:" if table.temporary else ""
    memory = f"{quote(table.name.database)}._fs_information_schema._ls_loads"
    return memory, [table.name.schema, owner + table.name.name]


def _is_there(call: Call, node: exp.Expression) -> bool:
    name = qualify(table_parts(node), call.session.database, call.session.schema)
    return lookup(name, call.session, call.world.catalogue) is not None


def running(call: Call, uses: Sequence[Use], table: Table | None = None) -> AbstractContextManager[None]:
    """The transaction that a statement runs in; `table` is the one it changes."""
    return call.world.transactions.statement(call.session, reads=[use.table for use in uses], changes=table)


def target_of(uses: Sequence[Use]) -> Table:
    """The table that a statement changes."""
    return next(use.table for use in uses if use.target)


def lock(call: Call, table: Table) -> None:
    """Wait for the table's lock; temporary tables have no rivals."""
    if not table.temporary:
        call.world.locks.acquire(call.session, table.name, call.query_id)


def duck_name(table: Table) -> str:
    """The table's quoted name in DuckDB."""
    return f"temp.main.{quote(table.duck)}" if table.temporary else table.name.duck


def changed(call: Call, sql: str) -> int:
    """Run a change and give the number of rows that DuckDB counted."""
    row = call.session.duck.execute(sql, list(call.binds) or None).fetchone()
    return int(row[0]) if row else 0


def _insert_columns(tree: exp.Expression, table: Table) -> list[str]:
    if not isinstance(tree.this, exp.Schema):
        return [column.name for column in table.columns]
    names = [identifier(node) for node in tree.this.expressions]
    return known(names, table)


# What gives a VARIANT, ARRAY or OBJECT.
_SEMI_STRUCTURED = (
    exp.ParseJSON, exp.ToVariant, exp.Array, exp.ArrayConstructCompact, exp.Struct, exp.JSONObject,
    exp.StarMap, exp.JSONExtract,
)  # fmt: skip


def _check_values(tree: exp.Expression, columns: list[str]) -> None:
    """Rules of a VALUES list (insert page): nothing semi-structured; as many values as columns; DEFAULT."""
    values = tree.args["expression"]
    if not isinstance(values, exp.Values):
        return
    for row in values.expressions:
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        if len(items) != len(columns):
            message = f"Insert value list does not match column list expecting {len(columns)} "
            message += f"but got {len(items)}"
            raise SnowflakeError(2020, "21S01", f"SQL compilation error:\n{message}")
        if found := row.find(*_SEMI_STRUCTURED):
            message = f"Invalid expression [{found.sql(dialect='snowflake')}] in VALUES clause"
            raise SnowflakeError(2014, "22000", f"SQL compilation error:\n{message}")
        for item in items:
            if isinstance(item, exp.Column) and item.name.upper() == "DEFAULT":
                message = "DEFAULT in a VALUES list"
                raise unsupported(message)
