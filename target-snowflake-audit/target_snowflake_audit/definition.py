"""Brings a target table in line with a plan: create, add columns, widen. DDL needs no warehouse."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from target_snowflake_audit import columntypes
from target_snowflake_audit.audit.tables import SCHEMA_CHANGES
from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.checking.plan import check_key_types
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.naming import AUDIT_COLUMNS
from target_snowflake_audit.retry_classes import AUTHORISATION, COLUMN_EXISTS, OBJECT_EXISTS
from target_snowflake_audit.run import utc_now
from target_snowflake_audit.session import Answer, StatementError
from target_snowflake_audit.sql import ddl

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import Column, StreamPlan
    from target_snowflake_audit.columntypes import ColumnType
    from target_snowflake_audit.run import Run

logger = logging.getLogger(__name__)

_SCHEMA = "default_target_schema"
_MISSING = frozenset({2003, 2043})


def bring_in_line(run: Run, plan: StreamPlan) -> StreamPlan:
    """Make or change the plan's table and give the plan with the types that the table has.

    Raises:
        SchemaError: a column's type cannot hold what the schema says.
        StatementError: Snowflake refused the DDL.
    """
    existing = _described(run, plan)
    if existing is None:
        _create(run, plan)
        existing = _described(run, plan) or {}
    stored = [dataclasses.replace(one, type=existing.get(one.name, one.type)) for one in plan.columns]
    check_key_types(plan.stream, stored, plan.key)
    final = [_column(run, plan, column, existing) for column in plan.columns]
    new = [column for column in final if column.name not in existing]
    missing = [name for name in AUDIT_COLUMNS if name not in existing]
    definitions = [*map(ddl.column, new), *map(ddl.audit_column, missing)]
    if definitions:
        change = {"CHANGE": "add_column", "CAUSE": "columns that the SCHEMA has and the table had not"}
        change["COLUMN_NAME"] = ", ".join([*(column.name for column in new), *missing])
        change["TYPE_AFTER"] = ", ".join(column.type.sql for column in new)
        _apply(run, plan, ddl.add_columns(plan.table, definitions), change)
    return dataclasses.replace(
        plan, columns=tuple(final), converters=tuple(converter(column.type) for column in final)
    )


def _described(run: Run, plan: StreamPlan) -> dict[str, ColumnType] | None:
    """Columns of the table by name; None when there is no table."""
    try:
        answer = run.session().execute(ddl.describe(plan.table), "describe")
    except StatementError as error:
        if error.errno in _MISSING:
            return None
        raise
    name, kind = answer.columns.index("name"), answer.columns.index("type")
    return {str(row[name]): columntypes.parse(str(row[kind])) for row in answer.rows}


def _create(run: Run, plan: StreamPlan) -> None:
    answer = run.session().execute(ddl.show_schemas(plan.table), "show schemas")
    if plan.table.schema not in {str(row[answer.columns.index("name")]) for row in answer.rows}:
        change = {"CHANGE": "create_schema", "CAUSE": "schema_mapping or default_target_schema names it"}
        _apply(run, plan, ddl.create_schema(plan.table), change)
    _apply(
        run, plan, ddl.create_table(plan), {"CHANGE": "create_table", "CAUSE": "first SCHEMA of the stream"}
    )
    logger.info("Created table %s for stream %s", plan.table, plan.stream)


def _column(run: Run, plan: StreamPlan, column: Column, existing: dict[str, ColumnType]) -> Column:
    """The column with the type that its values will be cast to, widened first if need be."""
    have = existing.get(column.name)
    if have is None:
        return column
    where = f"stream {plan.stream}, column {column.name} of {plan.table}"
    kind, widen = columntypes.reconcile(column.type, have, where=where)
    if widen:
        change = {
            "CHANGE": "widen_column",
            "COLUMN_NAME": column.name,
            "TYPE_BEFORE": have.sql,
            "TYPE_AFTER": kind.sql,
            "CAUSE": f"the SCHEMA or `column_types` needs {column.type.sql} for property {column.property}",
        }
        _apply(run, plan, ddl.widen(plan.table, column.name, kind.sql), change)
    return dataclasses.replace(column, type=kind)


def _apply(run: Run, plan: StreamPlan, sql: str, change: dict[str, str]) -> Answer | None:
    """Run DDL and keep its SCHEMA_CHANGES row; another run having done the same is success."""
    try:
        answer = run.session().execute(sql, change["CHANGE"])
    except StatementError as error:
        if error.errno in COLUMN_EXISTS | OBJECT_EXISTS:
            logger.info("%s: somebody else made the same change", change["CHANGE"])
            return None
        if error.error_class is AUTHORISATION:
            problem = (
                f"the role may not do `{change['CHANGE']}` for stream {plan.stream} in schema "
                f"{plan.table.database}.{plan.table.schema}: {error.reason} (`schema_mapping` names another "
                "schema; `snowflake-audit init-sql --schema` grants the rights)"
            )
            raise SettingError(_SCHEMA, problem) from None
        raise
    row = {
        "RUN_ID": run.run_id,
        "STREAM": plan.stream,
        "TARGET_TABLE": str(plan.table),
        "COLUMN_NAME": None,
        "TYPE_BEFORE": None,
        "TYPE_AFTER": None,
        **change,
        "STATEMENT": sql,
        "QUERY_ID": answer.query_id,
        "CHANGED_AT": utc_now(),
    }
    run.later(SCHEMA_CHANGES, row)
    return answer
