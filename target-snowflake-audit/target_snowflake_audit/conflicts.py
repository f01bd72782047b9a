"""`type_conflict`: where values go when a column's type cannot take what the SCHEMA says.

`fail` says so and stops. `quarantine` goes on into the column: values that it keeps as they are, are loaded,
the others make their record a dead letter. `side_column` goes on into a column beside it, `NAME__TYPE`: from
then on each row that is written has its value there and null in the old column, whatever the single value is,
so that a row never shows an outdated value and the type of a column never depends on the row.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

from target_snowflake_audit.columntypes import LOADED
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.naming import AUDIT_COLUMNS
from target_snowflake_audit.sql.quoting import MAX_IDENTIFIER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_snowflake_audit.alignment import StoredColumn
    from target_snowflake_audit.checking.plan import Column, StreamPlan
    from target_snowflake_audit.columntypes import ColumnType

FAIL, QUARANTINE, SIDE_COLUMN = "fail", "quarantine", "side_column"
MARK = "type_conflict"
_DIGEST = 12


def side_name(name: str, kind: ColumnType) -> str:
    """Name of the column beside `name` for values of a type: `AMOUNT__NUMBER_2`, `CODE__VARCHAR`.

    One that would be too long is cut and holds a digest of the whole.
    """
    tag = f"__{kind.family}_{kind.scale}" if kind.family == "NUMBER" else f"__{kind.family}"
    if len(name) + len(tag) <= MAX_IDENTIFIER:
        return name + tag
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST].upper()
    return f"{name[: MAX_IDENTIFIER - len(tag) - _DIGEST - 1]}_{digest}{tag}"


def side_mark(name: str) -> str:
    """How the comment of a column beside `name` begins: this tells it from a column of somebody else."""
    return f"{MARK}: values of {name} "


def sides_of(name: str, stored: Iterable[StoredColumn], taken: set[str]) -> list[StoredColumn]:
    """The columns beside `name` that the table has; `taken` are names that properties have."""
    return [
        have
        for have in stored
        if have.name not in taken
        and have.name == side_name(name, have.type)
        and have.comment.startswith(side_mark(name))
    ]


def retired(column: Column, have: StoredColumn) -> Column:
    """A column that keeps the values it has, and gets null where a row is written."""
    return dataclasses.replace(
        column, name=have.name, type=have.type, comment="", nullable=True, retired=True, encoding=""
    )


def resolved(plan: StreamPlan, column: Column, stored: Mapping[str, StoredColumn]) -> Column:
    """The column that takes the values of a property whose own column cannot.

    Raises:
        SchemaError: `type_conflict` is `fail`, or what it asks for cannot be done.
    """
    have = stored[column.name]
    policy = plan.type_conflict
    key = column.name in {plan.columns[at].name for at in (*plan.key, *(plan.scope or ()))}
    if policy == FAIL or key or (policy == QUARANTINE and have.type.family not in LOADED):
        why = ""
        if policy != FAIL:
            why = " (rows are told apart by it)" if key else " (the target does not load this type)"
            why = f"; `type_conflict: {policy}` does not help here{why}"
        raise _conflict(plan, column, have, why)
    if policy == QUARANTINE:
        return dataclasses.replace(column, type=have.type, conflict=column.type.sql)
    return _side(plan, column, stored)


def _side(plan: StreamPlan, column: Column, stored: Mapping[str, StoredColumn]) -> Column:
    name, mark = side_name(column.name, column.type), side_mark(column.name)
    there = stored.get(name)
    taken = name in AUDIT_COLUMNS or name in {other.name for other in plan.columns}
    if taken or (there is not None and not there.comment.startswith(mark)):
        other = "a property of the stream" if taken else f"a column without the comment `{mark}...`"
        raise _conflict(plan, column, stored[column.name], f"; the column beside it, {name}, is {other}")
    said = f"{mark}since the SCHEMA says {column.type.sql}. {column.comment}".strip()
    return dataclasses.replace(column, name=name, comment=said)


def _conflict(plan: StreamPlan, column: Column, have: StoredColumn, why: str) -> SchemaError:
    return SchemaError(
        f"stream {plan.stream}, column {column.name} of {plan.table}: the column is {have.type.sql}, the "
        f"schema needs {column.type.sql}, Snowflake cannot change it{why}; set `column_types` or "
        "`type_conflict`, or give the property another column in `schema_mapping`"
    )
