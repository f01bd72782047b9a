"""Brings a target table in line with a plan: create, add columns, widen. DDL needs no warehouse."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_snowflake_audit import columntypes
from target_snowflake_audit.alignment import Step, StoredColumn, align, comments, filled
from target_snowflake_audit.audit.tables import SCHEMA_CHANGES
from target_snowflake_audit.errors import SchemaError, SettingError
from target_snowflake_audit.naming import maps_table
from target_snowflake_audit.retry_classes import AUTHORISATION, COLUMN_EXISTS, OBJECT_EXISTS
from target_snowflake_audit.run import utc_now
from target_snowflake_audit.session import StatementError
from target_snowflake_audit.sql import ddl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.sql.quoting import TableName

logger = logging.getLogger(__name__)

_SCHEMA = "default_target_schema"
_MISSING = frozenset({2003, 2043})
_NOT_WIDER = frozenset({2108, 40050, 40052})
OVERTAKEN = COLUMN_EXISTS | OBJECT_EXISTS | _NOT_WIDER
"""Somebody else changed the table since DESCRIBE: one of the new columns is there, or a wider one."""
_ROUNDS = 5


def bring_in_line(run: Run, plan: StreamPlan) -> StreamPlan:
    """Make or change the plan's table and give the plan with the types that the table has.

    The table is looked at again after every change, since another run may be changing it too.

    Raises:
        SchemaError: the table cannot take the stream.
        StatementError: Snowflake refused the DDL.
    """
    _claim(run, plan)
    refused: StatementError | None = None
    forbidden: set[str] = set()
    for _ in range(_ROUNDS):
        stored = columns_of(run, plan.table)
        _warn_of_floats(plan, stored or {})
        if stored is None:
            _create(run, plan)
            continue
        aligned, steps = align(plan, stored)
        aligned = filled(aligned, [step for step in steps if step.sql in forbidden])
        steps = [step for step in steps if step.sql not in forbidden]
        if not steps:
            _change(run, plan, comments(aligned, stored), forbidden)
            return aligned
        refused = _change(run, plan, steps, forbidden)
    if refused is not None:
        raise refused
    message = f"stream {plan.stream}: {plan.table} is being changed by somebody else again and again"
    raise SchemaError(message)


def _claim(run: Run, plan: StreamPlan) -> None:
    """Refuse that streams fall into one table by the likeness of their names, or remove each other's lines.

    Raises:
        SchemaError: another stream of the run has the table, and not both are sent there by `schema_mapping`,
            or one of them has `x-replace-scope`.
    """
    claims = run.tables.setdefault(plan.table, {})
    others = {stream: removes for stream, removes in claims.items() if stream != plan.stream}
    if others:
        _check_mapped(run, plan, next(iter(others)))
        _check_scopes(plan, others)
    claims[plan.stream] = plan.removes_lines


def _check_mapped(run: Run, plan: StreamPlan, other: str) -> None:
    if all(maps_table(run.settings, stream) for stream in (other, plan.stream)):
        return
    message = (
        f"streams {other} and {plan.stream} would both be loaded into {plan.table}; give one another `table` "
        "in `schema_mapping` (or name the table for both, if their rows do belong together)"
    )
    raise SchemaError(message)


def _check_scopes(plan: StreamPlan, others: Mapping[str, bool]) -> None:
    """Lines of a document that another stream has loaded would be taken for gone."""
    scoped = [stream for stream, removes in others.items() if removes]
    if plan.removes_lines:
        scoped.insert(0, plan.stream)
    if scoped:
        message = (
            f"stream {plan.stream}: {plan.table} takes rows of several streams of this run "
            f"({', '.join((*others, plan.stream))}), and x-replace-scope of {', '.join(scoped)} would delete "
            "lines of the others; nothing was deleted. Give each stream a table of its own in "
            "`schema_mapping`"
        )
        raise SchemaError(message)


def columns_of(run: Run, table: TableName) -> dict[str, StoredColumn] | None:
    """Columns of a table by name; None when there is no table."""
    try:
        answer = run.session().execute(ddl.describe(table), "describe")
    except StatementError as error:
        if error.errno in _MISSING:
            return None
        raise
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return {
        str(row["name"]): StoredColumn(
            str(row["name"]),
            columntypes.parse(str(row["type"])),
            nullable=row["null?"] == "Y",
            default=row["default"] is not None,
            key=row["primary key"] == "Y",
            comment=str(row["comment"] or ""),
        )
        for row in rows
    }


def _warn_of_floats(plan: StreamPlan, stored: dict[str, StoredColumn]) -> None:
    """Say which columns are about to be made that keep 15 digits of a number; once, when they are made."""
    floats = [c.name for c in plan.columns if c.type.family == "FLOAT" and c.name not in stored]
    if floats:
        logger.warning(
            "Stream %s: its schema gives no scale for %s, so they become FLOAT, which keeps about 15 "
            "digits; `number_type` or `column_types` makes them exact",
            plan.stream,
            ", ".join(floats),
        )


def _create(run: Run, plan: StreamPlan) -> None:
    answer = run.session().execute(ddl.show_schemas(plan.table), "show schemas")
    if plan.table.schema not in {str(row[answer.columns.index("name")]) for row in answer.rows}:
        cause = "schema_mapping or default_target_schema names it"
        _apply(run, plan, Step(ddl.create_schema(plan.table), "create_schema", cause))
    _apply(run, plan, Step(ddl.create_table(plan), "create_table", "first SCHEMA of the stream"))
    logger.info("Created table %s for stream %s", plan.table, plan.stream)


def _change(run: Run, plan: StreamPlan, steps: list[Step], forbidden: set[str]) -> StatementError | None:
    """Run the statements; the error of the first that came too late ends them, for another look.

    Optional ones that the role may not do are added to `forbidden`.
    """
    for step in steps:
        try:
            _apply(run, plan, step)
        except SettingError as error:
            if not step.optional:
                raise
            forbidden.add(step.sql)
            logger.info("%s stays as it is: %s", plan.table, error)
        except StatementError as error:
            if error.errno not in OVERTAKEN:
                raise
            logger.info("%s of %s: the table has changed meanwhile", step.change, plan.table)
            return error
    return None


def _apply(run: Run, plan: StreamPlan, step: Step) -> None:
    """Run DDL and keep its SCHEMA_CHANGES row.

    Raises:
        SettingError: the role may not do it.
        StatementError: Snowflake refused it for another reason.
    """
    try:
        answer = run.session().execute(step.sql, step.change)
    except StatementError as error:
        if error.error_class is AUTHORISATION:
            problem = (
                f"the role may not do `{step.change}` for stream {plan.stream} in schema "
                f"{plan.table.database}.{plan.table.schema}: {error.reason} (`schema_mapping` names another "
                "schema; `snowflake-audit init-sql --schema` grants the rights; or the owner runs "
                f"{_shown(step.sql)})"
            )
            raise SettingError(_SCHEMA, problem) from None
        raise
    row = {
        "RUN_ID": run.run_id,
        "STREAM": plan.stream,
        "TARGET_TABLE": str(plan.table),
        "COLUMN_NAME": step.column,
        "TYPE_BEFORE": step.before,
        "TYPE_AFTER": step.after,
        "CHANGE": step.change,
        "CAUSE": step.cause,
        "STATEMENT": step.sql,
        "QUERY_ID": answer.query_id,
        "CHANGED_AT": utc_now(),
    }
    run.later(SCHEMA_CHANGES, row)


_SHOWN = 300


def _shown(sql: str) -> str:
    """Begin of a statement, which may have hundreds of columns."""
    return sql if len(sql) <= _SHOWN else f"{sql[:_SHOWN].rpartition(',')[0]}, ...)"
