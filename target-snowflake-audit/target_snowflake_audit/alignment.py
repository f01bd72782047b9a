"""Decides how a table and a stream's plan come together: which DDL is needed, and where the values then go.

Nothing is sent from here. The table is what DESCRIBE shows of it; somebody else may have made it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit import columntypes, conflicts, leaving
from target_snowflake_audit.checking.plan import check_key_types, with_columns
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.naming import AUDIT_COLUMNS
from target_snowflake_audit.sql import ddl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_snowflake_audit.checking.plan import Column, StreamPlan
    from target_snowflake_audit.columntypes import ColumnType


_DROP_NOT_NULL = "drop_not_null"


@dataclass(frozen=True)
class StoredColumn:
    """A column of a table as DESCRIBE TABLE shows it; `key`: it belongs to the PRIMARY KEY."""

    name: str
    type: ColumnType
    nullable: bool = True
    default: bool = False
    key: bool = False
    comment: str = ""


@dataclass(frozen=True)
class Step:
    """One DDL statement and what SCHEMA_CHANGES says about it.

    One that is `optional` is left out where the role may not do it.
    """

    sql: str
    change: str
    cause: str
    column: str | None = None
    before: str | None = None
    after: str | None = None
    optional: bool = False


def align(plan: StreamPlan, stored: Mapping[str, StoredColumn]) -> tuple[StreamPlan, list[Step]]:
    """Give the plan as the table takes it, and the statements that the table needs first.

    Args:
        plan: the stream as SCHEMA and settings want it.
        stored: the table's columns by name.

    Raises:
        SchemaError: the table cannot take the stream: a type, a key, or the table's own key is in the way.
    """
    _check_key(plan, stored)
    as_stored = [
        dataclasses.replace(column, type=stored[column.name].type) if column.name in stored else column
        for column in plan.columns
    ]
    check_key_types(plan.stream, as_stored, plan.key)
    columns: list[Column] = []
    steps: list[Step] = []
    taken = {column.name for column in plan.columns}
    for column in plan.columns:
        kept, step = _fitted(plan, column, stored)
        columns.append(kept)
        steps += step
        old = conflicts.sides_of(column.name, stored.values(), taken)
        if column.name in stored:
            old.append(stored[column.name])
        columns += [conflicts.retired(column, have) for have in old if have.name != kept.name]
    aligned = with_columns(plan, columns)
    aligned = dataclasses.replace(aligned, unfilled=leaving.unfilled(aligned, stored.values()))
    new = [column for column in aligned.columns if column.name not in stored]
    audit = [name for name in AUDIT_COLUMNS if name not in stored]
    return aligned, [*_added(plan, new, audit), *steps, *_nullable(aligned, stored.values())]


def filled(plan: StreamPlan, forbidden: Iterable[Step]) -> StreamPlan:
    """The plan where columns stay NOT NULL: null in one of them is refused with its record, before MERGE."""
    names = {step.column for step in forbidden if step.change == _DROP_NOT_NULL}
    columns = [dataclasses.replace(column, filled=column.name in names) for column in plan.columns]
    return with_columns(plan, columns) if names else plan


def comments(plan: StreamPlan, stored: Mapping[str, StoredColumn]) -> list[Step]:
    """Statements for the descriptions that differ from the column's comment."""
    return [
        Step(
            ddl.comment(plan.table, column.name, column.comment),
            "comment_column",
            f"the description of property {column.property} changed",
            column.name,
            optional=True,
        )
        for column in plan.columns
        if column.comment and column.name in stored and stored[column.name].comment != column.comment
    ]


def _check_key(plan: StreamPlan, stored: Mapping[str, StoredColumn]) -> None:
    """Compare the stream's key with the table's PRIMARY KEY; a table without one says nothing.

    Raises:
        SchemaError: they differ, or rows would be added without looking at the key.
    """
    declared = {column.name for column in stored.values() if column.key}
    wanted = set() if plan.append else {plan.columns[at].name for at in plan.key}
    if not declared or declared == wanted:
        return
    shown = ", ".join(sorted(declared))
    if plan.append:
        why = "load_method append-only adds every record" if plan.key else "the stream has no key_properties"
        problem = f"but {why}, so rows of one key would stand side by side"
    else:
        names = ", ".join(plan.columns[at].name for at in plan.key)
        problem = (
            f"but the stream's key is now ({names}): rows loaded under the old key would stay beside their "
            "new versions"
        )
    message = (
        f"stream {plan.stream}: {plan.table} has PRIMARY KEY ({shown}), {problem}. Nothing was changed. Mend "
        "the key in the tap, or load into a new table (`table` in `schema_mapping`). If the rows that are "
        f"there are right under the new key too, its owner runs ALTER TABLE {plan.table.sql} DROP PRIMARY KEY"
    )
    raise SchemaError(message)


def _fitted(
    plan: StreamPlan, column: Column, stored: Mapping[str, StoredColumn]
) -> tuple[Column, list[Step]]:
    """The column that the values go to, with the type they will be cast to; widened first if need be.

    Raises:
        SchemaError: no column can take them.
    """
    have = stored.get(column.name)
    if have is None:
        return column, []
    found = columntypes.reconcile(column.type, have.type)
    if found is None:
        column = conflicts.resolved(plan, column, stored)
        if column.conflict:
            return column, []
        return _fitted(plan, column, stored)
    kind, widen = found
    kept = dataclasses.replace(column, type=kind)
    if not widen:
        return kept, []
    step = Step(
        ddl.widen(plan.table, column.name, kind.sql),
        "widen_column",
        f"the SCHEMA or `column_types` needs {column.type.sql} for property {column.property}",
        column.name,
        have.type.sql,
        kind.sql,
    )
    return kept, [step]


def _added(plan: StreamPlan, new: list[Column], audit: list[str]) -> list[Step]:
    definitions = [*map(ddl.column, new), *map(ddl.audit_column, audit)]
    if not definitions:
        return []
    return [
        Step(
            ddl.add_columns(plan.table, definitions),
            "add_column",
            _cause(new),
            ", ".join([*(column.name for column in new), *audit]),
            None,
            ", ".join(column.type.sql for column in new),
        )
    ]


def _cause(new: list[Column]) -> str:
    cause = "columns that the SCHEMA has and the table had not"
    sides = [column.comment for column in new if column.comment.startswith(conflicts.MARK)]
    return "; ".join([cause, *sides])


def _nullable(plan: StreamPlan, stored: Iterable[StoredColumn]) -> list[Step]:
    """DROP NOT NULL where rows would be lost: columns that may get null, and those no property fills."""
    by_name = {column.name: column for column in plan.columns}
    keys = {plan.columns[at].name for at in plan.key}
    steps = []
    for have in stored:
        column = by_name.get(have.name)
        if have.nullable or have.key or have.name in keys:
            continue
        if column is None and have.default and have.name not in AUDIT_COLUMNS:
            continue
        if column is not None and not column.nullable:
            continue
        cause = "the stream has no property for the column"
        if column is not None:
            cause = f"property {column.property} may be null or absent"
        elif have.name in AUDIT_COLUMNS:
            cause = "an audit column may be null"
        sql = ddl.drop_not_null(plan.table, have.name)
        # A column that a property fills may stay as it is: only records with null are refused then.
        optional = column is not None and not column.retired
        steps.append(Step(sql, _DROP_NOT_NULL, cause, have.name, optional=optional))
    return steps
