"""The statements that look whether the table holds something newer than a refused record.

A refused record is not classified: of one that the first net refused, only its key is staged, and its stamp
is in its letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.sql import classify, conversion
from target_snowflake_audit.sql.quoting import identifier, literal, words
from target_snowflake_audit.sql.staging import value_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.sql.quoting import TableName

_LOADED = "'load', 'overwrite'"
_FALSE = "1 = 0"


def stored(plan: StreamPlan, tables: classify.Tables, batches: TableName, seqs: Sequence[int]) -> str:
    """SELECT of the stored rows of refused records' keys whose stamp is not older than the record's.

    Gives SEQ of the record, whether the row has a newer stamp, whether it is deleted, and when it was loaded
    or deleted last, its batch and its SEQ (null of a deleted row: that of another batch), for `came_later`.
    The batch is null unless a load wrote it: a row that was replayed says nothing about when it came.
    """
    stamp, unreadable = "CAST(NULL AS VARCHAR)", _FALSE
    newer = older = _FALSE
    if plan.stamp is not None:
        stamp = classify.sent_stamp(plan, "s")
        typed = conversion.typed(plan.columns[plan.stamp].type, 'r."STAMP"')
        given = classify.comparable(plan, typed)
        kept = classify.stored_stamp(plan)
        newer, older = f"COALESCE({given} < {kept}, FALSE)", f"COALESCE({given} > {kept}, FALSE)"
        unreadable = f'r."STAMP" IS NOT NULL AND {typed} IS NULL'
    letters = words('SELECT a.*, PARSE_JSON(a."LETTER") AS "BODY" FROM', tables.staging.sql, "AS a")
    numbers = ", ".join(map(str, seqs))
    keys = ", ".join(f"s.{identifier(value_column(at))}" for at in plan.key)
    rows = words(
        'SELECT s."SEQ",',
        f'{keys}, {stamp} AS "STAMP" FROM ({letters}) AS s',
        f'WHERE s."SEQ" IN ({numbers}) AND s."KEY_HASH" IS NOT NULL',
    )
    gone = 't."_AUDIT_DELETED_AT" IS NOT NULL'
    return words(
        f'SELECT r."SEQ", {newer}, {gone}, {classify.CHANGED},',
        f'b."BATCH_ID", IFF({gone}, NULL, t."_AUDIT_SEQ")',
        f"FROM ({rows}) AS r JOIN {tables.target.sql} AS t ON {classify.join(plan, 'r')}",
        f'LEFT JOIN {batches.sql} AS b ON b."BATCH_ID" = t."_AUDIT_BATCH_ID"',
        f'AND b."OPERATION" IN ({_LOADED}) WHERE NOT ({older}) AND NOT ({unreadable})',
    )


def overwritten(plan: StreamPlan, tables: classify.Tables, batches: TableName) -> str:
    """SELECT of the stored rows that would be replaced, or deleted, by one whose stamp is not newer.

    Gives SEQ of the new row, and of the stored one when it was loaded or deleted last, its batch and its SEQ
    (null of a deleted row: that of another batch), what the batch did (null: purged), the key's digest, and
    whether the row is deleted.
    """
    gone = 't."_AUDIT_DELETED_AT" IS NOT NULL'
    return words(
        f'SELECT y."SEQ", {classify.CHANGED},',
        f't."_AUDIT_BATCH_ID", IFF({gone}, NULL, t."_AUDIT_SEQ"),',
        f'b."OPERATION", y."KEY_HASH", {gone} FROM {tables.typed.sql} AS y',
        f"JOIN {tables.target.sql} AS t ON {_stored_as(plan)}",
        f'LEFT JOIN {batches.sql} AS b ON b."BATCH_ID" = t."_AUDIT_BATCH_ID"',
        f"WHERE {_CHANGED_BY} AND NOT ({_newer(plan)})",
    )


_CHANGED_BY = f'y."OP" IN ({literal(classify.UPDATE)}, {literal(classify.DELETE)})'
"""Condition that a classified row (y) would change a stored one."""


def _stored_as(plan: StreamPlan) -> str:
    """Condition that a stored row (t) has the key of a classified one (y)."""
    return " AND ".join(
        f"t.{identifier(plan.columns[at].name)} = y.{identifier(value_column(at))}" for at in plan.key
    )


def _newer(plan: StreamPlan) -> str:
    """Condition that a classified row (y) has a newer stamp than the stored one (t)."""
    if plan.stamp is None:
        return "1 = 0"
    stamp = classify.comparable(plan, f"y.{identifier(value_column(plan.stamp))}")
    return f"COALESCE({stamp} > {classify.stored_stamp(plan)}, FALSE)"


def told_since(plan: StreamPlan, tables: classify.Tables, batches: TableName) -> str:
    """SELECT of the runs that told what the source holds.

    Gives SEQ of a row, the run, its time, and whether the table has a live row of its key (1 or 0): runs that
    wrote rows of the document of a row that would be inserted, and runs that activated a version or replaced
    the table. These tell of a row that would be inserted, that would bring a deleted one back, or whose stamp
    is not newer than the stored one's.
    """
    head = 'SELECT y."SEQ", b."RUN_ID",'
    rows = f"FROM {tables.typed.sql} AS y"
    by = 'GROUP BY y."SEQ", b."RUN_ID"'
    inserted = f'y."OP" = {literal(classify.INSERT)}'
    table = f'b."TARGET_TABLE" = {literal(str(plan.table))}'
    joined = f"JOIN {batches.sql} AS b ON {table} AND b.\"OPERATION\" IN ('activate_version', 'overwrite')"
    stored = f"LEFT JOIN {tables.target.sql} AS t ON {_stored_as(plan)}"
    live = 't."_AUDIT_DELETED_AT" IS NULL'
    chosen = f"({inserted} OR {_CHANGED_BY} AND (NOT ({live}) OR NOT ({_newer(plan)})))"
    is_live = f"MAX(IFF({inserted} OR NOT ({live}), 0, 1))"
    selects = [words(head, f'MAX(b."LOADED_AT"), {is_live}', rows, joined, stored, "WHERE", chosen, by)]
    if plan.scope:
        on = " AND ".join(
            f"t.{identifier(plan.columns[at].name)} = y.{identifier(value_column(at))}" for at in plan.scope
        )
        written = f'JOIN {batches.sql} AS b ON b."BATCH_ID" = t."_AUDIT_BATCH_ID"'
        selects.append(
            words(
                head,
                f"MAX({classify.CHANGED}), 0",
                rows,
                f"JOIN {tables.target.sql} AS t ON {on} {written}",
                f"WHERE b.\"OPERATION\" IN ('load', 'overwrite') AND {inserted} {by}",
            )
        )
    return " UNION ALL ".join(selects)
