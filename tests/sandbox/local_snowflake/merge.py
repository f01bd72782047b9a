"""MERGE, by DuckDB's own MERGE INTO.

Rules restored (merge page): it takes part in the open transaction, its expressions see every source column,
a target row that two source rows match fails with 100090/42P18, and the result has one count for each kind
of clause.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fakesnow import statement_type
from sqlglot import exp

from . import access, results, stage_queries
from .column_types import to_duck
from .dml import lock, running, target_of
from .errors import SnowflakeError
from .fitting import columns_of_alias, fit_assignment, fit_value, known, types_of
from .resolve import identifier, resolve
from .translate import translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .catalogue import Catalogue, Table
    from .engine import Call
    from .results import Result

_ACTIONS = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}


def merge(call: Call) -> Result:
    """MERGE INTO target USING source ON ... WHEN ..."""
    tree = call.statement.tree
    catalogue = call.world.catalogue
    staged = stage_queries.detach(call)
    uses = resolve(tree, call.session, catalogue)
    table = target_of(uses)
    kinds = [_kind(when) for when in _clauses(tree)]
    access.check(call, uses, {*kinds, "SELECT"})
    tree = translate(tree, call.session, call.now)
    have = _source_types(call, tree.args["using"], staged)
    for when in _clauses(tree):
        _fit_clause(when, table, catalogue, have)
    sql = stage_queries.attach(to_duck(tree), staged) + " RETURNING merge_action"
    lock(call, table)
    with running(call, uses, table):
        done = call.session.duck.execute(sql, list(call.binds) or None).fetchall()
    found = Counter(str(action) for (action,) in done)
    wanted = [kind for kind in ("INSERT", "UPDATE", "DELETE") if kind in kinds]
    return results.counts(statement_type.MERGE, **{_ACTIONS[kind]: found[kind] for kind in wanted})


def _source_types(call: Call, source: exp.Expression, staged: dict[str, str]) -> dict[str, str]:
    """Types of the source's columns, as `ALIAS.NAME`."""
    if call.binds:
        return {}
    sql = stage_queries.attach(f"SELECT * FROM {to_duck(source, keep=True)}", staged)
    return columns_of_alias(source.alias_or_name, types_of(call.session.duck, sql))


def _clauses(tree: exp.Expression) -> list[exp.Expression]:
    return list(tree.args["whens"].expressions)


def _kind(when: exp.Expression) -> str:
    """INSERT, UPDATE or DELETE.

    Raises:
        SnowflakeError: 1003 for WHEN NOT MATCHED BY SOURCE, which Snowflake does not have.
    """
    if when.args.get("source"):
        message = "SQL compilation error:\nsyntax error unexpected 'BY'."
        raise SnowflakeError(1003, "42000", message)
    then = when.args["then"]
    if isinstance(then, exp.Insert):
        return "INSERT"
    return "UPDATE" if isinstance(then, exp.Update) else "DELETE"


def _fit_clause(when: exp.Expression, table: Table, catalogue: Catalogue, have: Mapping[str, str]) -> None:
    then = when.args["then"]
    if isinstance(then, exp.Update):
        for assignment in then.args["expressions"]:
            fit_assignment(assignment, table, catalogue, have)
    if isinstance(then, exp.Insert):
        _fit_insert(then, table, catalogue, have)


def _fit_insert(then: exp.Insert, table: Table, catalogue: Catalogue, have: Mapping[str, str]) -> None:
    listed = then.this
    if listed is None:
        columns = [column.name for column in table.columns]
    else:
        columns = known([identifier(node) for node in listed.expressions], table)
        bare = [exp.column(exp.to_identifier(column, quoted=True)) for column in columns]
        then.set("this", exp.Tuple(expressions=bare))
    values = then.args["expression"].expressions
    if len(values) != len(columns):
        message = (
            f"SQL compilation error:\nInsert value list does not match column list expecting {len(columns)} "
        )
        raise SnowflakeError(2020, "21S01", message + f"but got {len(values)}")
    fitted = [
        fit_value(value, column, table, catalogue, have)
        for column, value in zip(columns, values, strict=True)
    ]
    then.set("expression", exp.Tuple(expressions=fitted))
