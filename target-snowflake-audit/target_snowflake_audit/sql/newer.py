"""The statement that looks whether the table holds a newer row of a key than a refused record.

A refused record is not classified: of one that the first net refused, only its key is staged, and its stamp
is in its letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.sql import classify, conversion
from target_snowflake_audit.sql.quoting import identifier, words
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
        name = f"s.{identifier(value_column(plan.stamp))}"
        text = f"SUBSTR({name}, 2)" if plan.marked(plan.stamp) else name
        stamp = f'NULLIF(IFF(s."STATE" = \'D\', s."BODY":"source"::VARCHAR, {text}), \'\')'
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
