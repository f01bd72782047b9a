"""`absent_fields: keep`: the statement that classifies partial records, each laid over the row before it.

A staged value tells absent (null), null (`!`) and a value (`=` and its text) apart; key and document columns
are as everywhere. Records of a key in one batch are laid over each other in the order of their arrival, as if
each came in a batch of its own. Whether a row changed is seen by its values, not by the record's hash; its
own hash is made here, of the row as it will be stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.sql import aside, classify, conversion
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, words
from target_snowflake_audit.sql.staging import value_column

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.sql.classify import Tables

HASH_VERSION = "k1"
NULL_MARK, VALUE_MARK = "!", "="

_PLACE = 10**12
"""Added to arrival numbers, so that their texts are in their order."""
_PLACE_DIGITS = 13
_BEFORE = 'ORDER BY {0}."SEQ" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING'
_WRITTEN = f'm."OP" IN ({", ".join(map(literal, classify.WRITTEN))})'


def received(plan: StreamPlan, tables: Tables) -> str:
    """SELECT of the typed rows, for `classify.classify`."""
    values = []
    for at, column in enumerate(plan.columns):
        name = identifier(value_column(at))
        other = "NULL"
        if at in plan.key:
            other = f"m.{name}"
        elif at == plan.stamp:
            other = conversion.typed(column.type, 'm."OWN"')
        values.append(f"IFF({_WRITTEN}, m.{name}, {other})")
    parts = [
        *('m."SEQ"', 'm."OP"', 'm."KEY_HASH"'),
        f"IFF({_WRITTEN}, {_hash(plan)}, NULL)",
        *('m."HASH_BEFORE"', 'TRY_TO_TIMESTAMP_NTZ(m."EXTRACTED")', 'm."BAD"'),
    ]
    return words(f"SELECT {', '.join([*parts, *values])}", f"FROM ({_decided(plan, tables)}) AS m")


def refused(plan: StreamPlan, tables: Tables, history: TableName, target: str) -> str:
    """As `classify.refused`; an older record is a re-delivery when its key had a version of its stamp."""
    at = identifier(value_column(plan.stamp or 0))
    stamp = f"CAST(o.{at} AS TIMESTAMP_NTZ(9))" if plan.stamp is not None else "NULL"
    return classify.refused_unless(f'h."SOURCE_TIME" = {stamp}', tables, history, target)


def _text(plan: StreamPlan, alias: str, at: int) -> str:
    """Text of a staged value; '' for null as well."""
    name = f"{alias}.{identifier(value_column(at))}"
    return f"SUBSTR({name}, 2)" if plan.marked(at) else name


def _read(plan: StreamPlan, tables: Tables) -> str:
    """Rows to load with their stamp, whether they set it to null, and the marks of what is no value."""
    stamp, reset = "CAST(NULL AS TIMESTAMP_NTZ(9))", "0"
    if plan.stamp is not None:
        text = _text(plan, "r", plan.stamp)
        stamp = classify.comparable(plan, conversion.typed(plan.columns[plan.stamp].type, text))
        name = f"r.{identifier(value_column(plan.stamp))}"
        reset = f'IFF(r."STATE" IS NULL AND {name} = {literal(NULL_MARK)}, 1, 0)'
    marks = []
    for at, column in enumerate(plan.columns):
        found = conversion.bad(column.type, _text(plan, "r", at))
        if plan.marked(at):
            found = f"r.{identifier(value_column(at))} <> {literal(NULL_MARK)} AND ({found})"
        marks.append(f"IFF({found}, '{at},', '')")
    other = f"IFF(r.\"STATE\" = '{classify.ASIDE}', '{aside.WHOLE_ROW},', NULL)"
    bad = f"IFF(r.\"STATE\" IS NULL, NULLIF(CONCAT({', '.join([*marks, literal('')])}), ''), {other})"
    return words(
        f'SELECT r.*, {stamp} AS "STAMP", {reset} AS "RESET", {bad} AS "BAD" FROM',
        tables.staging.sql,
        "AS r WHERE",
        classify.to_load("r", aside=True),
    )


def _ordered(plan: StreamPlan, tables: Tables) -> str:
    """With the newest stamp before each row, since the last that set it to null."""
    by_key = 'PARTITION BY {0}."KEY_HASH"'
    resets = 'IFF(i."BAD" IS NULL, i."RESET", 0)'
    window = f"{by_key.format('i')} {_BEFORE.format('i')}"
    counted = words(
        f'SELECT i.*, COALESCE(SUM({resets}) OVER ({window}), 0) AS "EPOCH"',
        f"FROM ({_read(plan, tables)}) AS i",
    )
    stamps = 'IFF(j."BAD" IS NULL AND j."STATE" IS NULL, j."STAMP", NULL)'
    window = f'{by_key.format("j")}, j."EPOCH" {_BEFORE.format("j")}'
    return words(f'SELECT j.*, MAX({stamps}) OVER ({window}) AS "FLOOR"', f"FROM ({counted}) AS j")


def _judged(plan: StreamPlan, tables: Tables) -> str:
    """With what is older than the row before it or the stored one."""
    older = "0"
    if plan.stamp is not None:
        stored = classify.stored_stamp(plan)
        older = words(
            'IFF(COALESCE(s."STAMP" < s."FLOOR", FALSE)',
            f'OR COALESCE(s."EPOCH" = 0 AND s."STAMP" < {stored}, FALSE), 1, 0)',
        )
    return words(
        f'SELECT s.*, {older} AS "OLD"',
        f"FROM ({_ordered(plan, tables)}) AS s LEFT JOIN {tables.target.sql} AS t ON {classify.join(plan)}",
    )


def _laid(plan: StreamPlan, tables: Tables) -> str:
    """With the last row of each key that counts, and the latest value of each column among those that do."""
    counts = 'IFF(a."OLD" = 0 AND a."BAD" IS NULL, {0}, NULL)'
    by_key = 'OVER (PARTITION BY {0}."KEY_HASH")'
    loads = 'IFF(a."STATE" IS NULL, 1, NULL)'
    number = counts.format('a."SEQ"')
    last = f'MAX({number}) {by_key.format("a")} AS "LAST"'
    turns = f'COUNT({counts.format(loads)}) {by_key.format("a")} AS "TURNS"'
    judged = words(f"SELECT a.*, {last}, {turns}", f"FROM ({_judged(plan, tables)}) AS a")
    among = 'b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL'
    latest = []
    for at in range(len(plan.columns)):
        if plan.marked(at):
            numbered = f'CONCAT(TO_VARCHAR(b."SEQ" + {_PLACE}), b.{identifier(value_column(at))})'
            latest.append(f'MAX(IFF({among}, {numbered}, NULL)) {by_key.format("b")} AS "L{at}"')
    return words(f"SELECT {', '.join(['b.*', *latest])}", f"FROM ({judged}) AS b")


def _merged(plan: StreamPlan, tables: Tables) -> str:
    """With the values as they would be stored."""
    live = 't."_AUDIT_DELETED_AT" IS NULL'
    values = []
    for at, column in enumerate(plan.columns):
        name = identifier(value_column(at))
        value = conversion.typed(column.type, f"s.{name}")
        if plan.marked(at):
            latest = f'COALESCE(s.{name}, SUBSTR(s."L{at}", {_PLACE_DIGITS + 1}))'
            value = words(
                f"CASE WHEN {latest} IS NULL THEN IFF({live}, t.{identifier(column.name)}, NULL)",
                f"WHEN {latest} = {literal(NULL_MARK)} THEN NULL",
                f"ELSE {conversion.typed(column.type, f'SUBSTR({latest}, 2)')} END",
            )
        values.append(f"{value} AS {name}")
    own = "NULL" if plan.stamp is None else _text(plan, "s", plan.stamp)
    head = [*(f's."{name}"' for name in ("SEQ", "STATE", "KEY_HASH", "EXTRACTED", "BAD", "OLD", "LAST"))]
    head += [f'{own} AS "OWN"', 't."_AUDIT_ROW_HASH" AS "HASH_BEFORE"']
    head += ['t."_AUDIT_DELETED_AT" AS "GONE"', f'{_there(plan)} IS NOT NULL AS "THERE"']
    stored = [
        f't.{identifier(column.name)} AS "T{at}"'
        for at, column in enumerate(plan.columns)
        if _compared(plan, at)
    ]
    return words(
        f"SELECT {', '.join([*head, *values, *stored])}",
        f"FROM ({_laid(plan, tables)}) AS s LEFT JOIN {tables.target.sql} AS t ON {classify.join(plan)}",
    )


def _there(plan: StreamPlan) -> str:
    return f"t.{identifier(plan.columns[plan.key[0]].name)}"


def _compared(plan: StreamPlan, at: int) -> bool:
    return at not in plan.key and plan.columns[at].hashed


def _decided(plan: StreamPlan, tables: Tables) -> str:
    """With what becomes of each row."""
    same = []
    for at, column in enumerate(plan.columns):
        if _compared(plan, at):
            old, new = f'v."T{at}"', f"v.{identifier(value_column(at))}"
            if column.type.family == "VARIANT":
                old, new = f"TO_JSON({old})", f"TO_JSON({new})"
            same.append(f"{old} IS NOT DISTINCT FROM {new}")
    equal = " AND ".join(['v."GONE" IS NULL', *same])
    operation = words(
        f'CASE WHEN v."BAD" IS NOT NULL THEN {literal(classify.UPDATE)}',
        f'WHEN v."OLD" = 1 THEN IFF(v."GONE" IS NULL, {literal(classify.OLDER)},'
        f" {literal(classify.OLDER_DELETED)})",
        f'WHEN v."SEQ" <> v."LAST" THEN {literal(classify.DEDUPLICATED)}',
        f'WHEN v."STATE" = \'X\' THEN IFF(v."THERE" AND v."GONE" IS NULL, {literal(classify.DELETE)},'
        f" {literal(classify.UNCHANGED)})",
        f'WHEN NOT v."THERE" THEN {literal(classify.INSERT)}',
        f"WHEN {equal} THEN {literal(classify.UNCHANGED)}",
        f"ELSE {literal(classify.UPDATE)} END",
    )
    return words(f'SELECT v.*, {operation} AS "OP"', f"FROM ({_merged(plan, tables)}) AS v")


def _hash(plan: StreamPlan) -> str:
    """Versioned digest of the values as they will be stored: name, length and text of those not null."""
    parts = []
    for at, column in enumerate(plan.columns):
        if column.hashed:
            value = f"m.{identifier(value_column(at))}"
            text = (
                f"TO_JSON({value})"
                if column.type.family == "VARIANT"
                else conversion.canonical(column.type, value)
            )
            head = literal(f"{column.name}:")
            parts.append(f"COALESCE(CONCAT({head}, TO_VARCHAR(LENGTH({text})), ':', {text}, ','), '')")
    return f"CONCAT({literal(f'{HASH_VERSION}:')}, SHA2(CONCAT({', '.join([*parts, literal('')])}), 256))"
