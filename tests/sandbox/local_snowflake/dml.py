"""SELECT, INSERT, UPDATE, DELETE and TRUNCATE.

Rules restored: a text longer than its VARCHAR(n) fails with 100078 (DuckDB ignores lengths), a text put
into a VARIANT stays a text (DuckDB would parse it), TRUNCATE is DML and stays in the transaction
(transactions page).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakesnow import statement_type
from sqlglot import exp

from . import access, results
from .names import literal, quote
from .resolve import Use, identifier, resolve, unknown_column
from .translate import to_duck, translate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from .catalogue import Catalogue, Table
    from .engine import Call
    from .results import Result


def select(call: Call) -> Result:
    """A query."""
    tree = call.statement.tree
    uses = resolve(tree, call.session, call.world.catalogue)
    access.check(call, uses)
    sql = to_duck(translate(tree, call.session, call.now))
    with running(call, uses):
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
    tree = translate(tree, call.session, call.now)
    tree.set("overwrite", None)
    source = tree.args["expression"]
    tree.set("expression", fitted_source(to_duck(source), table, columns, call.world.catalogue))
    sql = to_duck(tree)
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
    uses = resolve(tree, call.session, call.world.catalogue)
    access.check(call, uses)
    table = uses[0].table
    lock(call, table)
    with running(call, uses, table):
        call.session.duck.execute(f"DELETE FROM {duck_name(table)}")
    return results.status()


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


def known(names: list[str], table: Table) -> list[str]:
    """Check that a table has these columns, in this case.

    Raises:
        SnowflakeError: 904 for the first it lacks.
    """
    for name in names:
        if table.column(name) is None:
            raise unknown_column(name)
    return names


def fit(expression: str, column: str, table: Table, catalogue: Catalogue) -> str:
    """Wrap a value on its way into a column with what DuckDB does not check, where something is needed."""
    kind = table.column(column)
    if kind is not None and kind.duck_type == "JSON":
        return f"_ls_variant({expression})"
    if kind is not None and kind.duck_type == "UUID":
        return f"_ls_uuid(CAST({expression} AS VARCHAR))"
    length = catalogue.of(table.name).lengths.get(column)
    if length is None:
        return expression
    return f"_ls_fit(CAST({expression} AS VARCHAR), {length}, {literal(column)})"


def fitted_source(source: str, table: Table, columns: list[str], catalogue: Catalogue) -> exp.Expression:
    """`SELECT fitted columns FROM (source)`, or the source itself when nothing needs fitting."""
    names = [f"c{index}" for index in range(len(columns))]
    fitted = [fit(name, column, table, catalogue) for name, column in zip(names, columns, strict=True)]
    if fitted == names:
        return exp.maybe_parse(source, dialect="duckdb")
    sql = f"SELECT {', '.join(fitted)} FROM ({source}) AS _ls_source({', '.join(names)})"
    return exp.maybe_parse(sql, dialect="duckdb")


def fit_assignment(assignment: exp.Expression, table: Table, catalogue: Catalogue) -> None:
    """Wrap the right side of `column = value` in place; DuckDB wants the column without its table."""
    column = identifier(assignment.this)
    known([column], table)
    assignment.set("this", exp.column(exp.to_identifier(column, quoted=True)))
    value = assignment.args["expression"]
    fitted = fit(to_duck(value), column, table, catalogue)
    if fitted != to_duck(value):
        assignment.set("expression", exp.maybe_parse(fitted, dialect="duckdb"))
