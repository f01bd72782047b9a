"""The statement that decides what becomes of each staged row, and converts those that will be written.

Classified once, under the fence: history, MERGE and the counts all read the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.sql import conversion
from target_snowflake_audit.sql.quoting import identifier, literal
from target_snowflake_audit.sql.staging import TYPED, value_column

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.sql.quoting import TableName

INSERT, UPDATE, UNCHANGED = "insert", "update", "unchanged"
DEDUPLICATED, OLDER, DELETE, REMOVE = "deduplicated", "older", "delete", "remove"
WRITTEN = (INSERT, UPDATE)


@dataclass(frozen=True)
class Tables:
    """The tables of one batch."""

    staging: TableName
    typed: TableName
    target: TableName


def classify(plan: StreamPlan, tables: Tables, *, removal: str = "none") -> str:
    """INSERT OVERWRITE into the typed table.

    Args:
        plan: the stream.
        tables: where.
        removal: `none`; `scope` adds rows of received documents that did not come with them; `all` adds all
            live rows whose key was not received.
    """
    selects = [_received(plan, tables)]
    if removal != "none":
        selects.append(_removed(plan, tables, everything=removal == "all"))
    names = ", ".join(identifier(name) for name in (*TYPED, *_values(plan)))
    return f"INSERT OVERWRITE INTO {tables.typed.sql} ({names}) {' UNION ALL '.join(selects)}"


def _values(plan: StreamPlan) -> list[str]:
    return [value_column(at) for at in range(len(plan.columns))]


def _received(plan: StreamPlan, tables: Tables) -> str:
    written = f'q."OP" IN ({", ".join(literal(op) for op in WRITTEN)})'
    texts = [f"q.{identifier(name)}" for name in _values(plan)]
    converted = [
        conversion.typed(column.type, text) for column, text in zip(plan.columns, texts, strict=True)
    ]
    values = [
        value if at in plan.key else f"IFF({written}, {value}, NULL)" for at, value in enumerate(converted)
    ]
    marks = [
        f"IFF({conversion.bad(column.type, text)}, '{at},', '')"
        for at, (column, text) in enumerate(zip(plan.columns, texts, strict=True))
    ]
    bad = f"IFF({written}, NULLIF(CONCAT({', '.join([*marks, literal('')])}), ''), NULL)"
    head = 'q."SEQ", q."OP", q."KEY_HASH", q."ROW_HASH", q."HASH_BEFORE", TRY_TO_TIMESTAMP_NTZ(q."EXTRACTED")'
    return f"SELECT {', '.join([head, bad, *values])} FROM ({_operations(plan, tables)}) AS q"  # noqa: S608


def _operations(plan: StreamPlan, tables: Tables) -> str:
    """Staged rows with OP and the stored hash."""
    live = f'"STATE" IS NULL OR "STATE" = \'X\''
    if plan.append:
        return (
            f'SELECT s.*, {literal(INSERT)} AS "OP", CAST(NULL AS VARCHAR) AS "HASH_BEFORE"'  # noqa: S608
            f' FROM {tables.staging.sql} AS s WHERE s."STATE" IS NULL OR s."STATE" = \'X\''
        )
    ranked = f'SELECT g.*, {_rank(plan)} AS "RN" FROM {_stamped(plan, tables, live)} AS g'  # noqa: S608
    return (
        f'SELECT s.*, {_operation(plan)} AS "OP", t."_AUDIT_ROW_HASH" AS "HASH_BEFORE" '  # noqa: S608
        f"FROM ({ranked}) AS s LEFT JOIN {tables.target.sql} AS t ON {_join(plan)}"
    )


def _stamped(plan: StreamPlan, tables: Tables, live: str) -> str:
    """Rows to load with their stamp, and with the last row of their key that has none."""
    stamp = "CAST(NULL AS TIMESTAMP_NTZ(9))"
    if plan.stamp is not None:
        kind = plan.columns[plan.stamp].type
        stamp = _ordered(plan, conversion.typed(kind, identifier(value_column(plan.stamp))))
    inner = f'SELECT r.*, {stamp} AS "STAMP" FROM {tables.staging.sql} AS r WHERE {live}'  # noqa: S608
    last = 'MAX(IFF(i."STAMP" IS NULL, i."SEQ", NULL)) OVER (PARTITION BY i."KEY_HASH")'
    return f'(SELECT i.*, {last} AS "UNSTAMPED" FROM ({inner}) AS i)'  # noqa: S608


def _ordered(plan: StreamPlan, stamp: str) -> str:
    """A stamp as it is compared: by day where the source gives no time of day."""
    return f"DATE_TRUNC('DAY', {stamp})" if plan.stamp_by_day else stamp


def _rank(plan: StreamPlan) -> str:
    """Which of several versions of a key wins: as if they came one by one.

    A version without a stamp is never older, so it beats all before it; among those after it the newest
    stamp wins, the last arrival among equals.
    """
    order = '"SEQ" DESC'
    if plan.stamp is not None:
        order = (
            'IFF("UNSTAMPED" IS NULL OR "SEQ" >= "UNSTAMPED", 1, 0) DESC, "STAMP" DESC NULLS LAST, "SEQ" DESC'
        )
    return f'ROW_NUMBER() OVER (PARTITION BY "KEY_HASH" ORDER BY {order})'


def _operation(plan: StreamPlan) -> str:
    key = f"t.{identifier(plan.columns[plan.key[0]].name)}"
    older = ""
    if plan.stamp is not None:
        stored = _ordered(plan, f"t.{identifier(plan.columns[plan.stamp].name)}")
        older = f'WHEN s."STAMP" < {stored} THEN {literal(OLDER)} '
    gone = f'{key} IS NULL OR t."_AUDIT_DELETED_AT" IS NOT NULL'
    return (
        f'CASE WHEN s."RN" > 1 THEN {literal(DEDUPLICATED)} '
        f"WHEN s.\"STATE\" = 'X' THEN IFF({gone}, {literal(UNCHANGED)}, {literal(DELETE)}) "
        f"WHEN {key} IS NULL THEN {literal(INSERT)} {older}"
        f'WHEN t."_AUDIT_DELETED_AT" IS NULL AND t."_AUDIT_ROW_HASH" = s."ROW_HASH" THEN {literal(UNCHANGED)} '
        f"ELSE {literal(UPDATE)} END"
    )


def _join(plan: StreamPlan) -> str:
    parts = []
    for at in plan.key:
        column = plan.columns[at]
        text = conversion.typed(column.type, f"s.{identifier(value_column(at))}")
        parts.append(f"t.{identifier(column.name)} = {text}")
    return " AND ".join(parts)


def _removed(plan: StreamPlan, tables: Tables, *, everything: bool) -> str:
    """Live rows of the target whose key did not come.

    A document with a letter whose key cannot be read is left alone: the letter may be the missing row.
    """
    key = [f"t.{identifier(plan.columns[at].name)}" for at in plan.key]
    texts = [
        conversion.canonical(plan.columns[at].type, column) for at, column in zip(plan.key, key, strict=True)
    ]
    values = [
        f"t.{identifier(column.name)}" if at in plan.key else f"CAST(NULL AS {column.type.sql})"
        for at, column in enumerate(plan.columns)
    ]
    head = (
        f"CAST(NULL AS NUMBER(38,0)), {literal(REMOVE)}, {conversion.key_hash(texts)}, CAST(NULL AS VARCHAR), "
        't."_AUDIT_ROW_HASH", CAST(NULL AS TIMESTAMP_NTZ(9)), CAST(NULL AS VARCHAR)'
    )
    scope = "" if everything else f" JOIN ({_documents(plan, tables)}) AS d ON {_same_document(plan)}"
    return (
        f"SELECT {', '.join([head, *values])} FROM {tables.target.sql} AS t{scope} "  # noqa: S608
        f"LEFT JOIN {tables.staging.sql} AS s ON {_join(plan)} "
        'WHERE s."SEQ" IS NULL AND t."_AUDIT_DELETED_AT" IS NULL'
    )


def _documents(plan: StreamPlan, tables: Tables) -> str:
    columns = ", ".join(identifier(value_column(at)) for at in plan.scope or ())
    return (
        f'SELECT {columns} FROM {tables.staging.sql} GROUP BY {columns} HAVING COUNT(*) = COUNT("KEY_HASH")'  # noqa: S608
    )


def _same_document(plan: StreamPlan) -> str:
    return " AND ".join(
        f"t.{identifier(plan.columns[at].name)} = "
        f"{conversion.typed(plan.columns[at].type, f'd.{identifier(value_column(at))}')}"
        for at in plan.scope or ()
    )


def counts(tables: Tables) -> str:
    """SELECT of the number of rows by operation, and how many of them cannot be converted."""
    return f'SELECT "OP", COUNT(*), COUNT("BAD") FROM {tables.typed.sql} GROUP BY "OP"'  # noqa: S608


def refused(tables: Tables, history: TableName, target: str) -> str:
    """SELECT of the rows that cannot be converted or are older than the stored row.

    Gives SEQ, the marks of the bad columns (`0,7,`), OP, and whether the row's hash is in its key's history
    already (then it is a re-delivery).
    """
    known = (
        f'SELECT DISTINCT h."KEY_HASH", h."ROW_HASH" FROM {history.sql} AS h JOIN {tables.typed.sql} AS o '  # noqa: S608
        f'ON o."KEY_HASH" = h."KEY_HASH" AND o."ROW_HASH" = h."ROW_HASH" '
        f'WHERE h."TARGET_TABLE" = {literal(target)} AND o."OP" = {literal(OLDER)}'
    )
    return (
        f'SELECT y."SEQ", y."BAD", y."OP", k."ROW_HASH" IS NOT NULL FROM {tables.typed.sql} AS y '  # noqa: S608
        f'LEFT JOIN ({known}) AS k ON k."KEY_HASH" = y."KEY_HASH" AND k."ROW_HASH" = y."ROW_HASH" '
        f'WHERE y."BAD" IS NOT NULL OR y."OP" = {literal(OLDER)} ORDER BY y."SEQ"'
    )


def live_rows(tables: Tables) -> str:
    """SELECT of the number of live rows of the target."""
    return f'SELECT COUNT(*) FROM {tables.target.sql} WHERE "_AUDIT_DELETED_AT" IS NULL'  # noqa: S608
