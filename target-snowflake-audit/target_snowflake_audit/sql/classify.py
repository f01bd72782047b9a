"""The statement that decides what becomes of each staged row, and converts those that will be written.

Classified once, under the fence: history, MERGE and the counts all read the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.sql import conversion
from target_snowflake_audit.sql.quoting import identifier, literal, words
from target_snowflake_audit.sql.staging import TYPED, value_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.sql.quoting import TableName

INSERT, UPDATE, UNCHANGED = "insert", "update", "unchanged"
DEDUPLICATED, OLDER, DELETE, REMOVE = "deduplicated", "older", "delete", "remove"
OLDER_DELETED = "older_deleted"
"""Older than the stored row, which is deleted."""
OUTDATED = "outdated"
"""The table has no live row of the key, and the row came with a document older than the stored one."""
TOO_LATE = (OLDER, OLDER_DELETED, OUTDATED)
"""Operations of rows that are not loaded, since what is stored is newer."""
WRITTEN = (INSERT, UPDATE)
BY_RECORD = "record"
"""CAUSE, in the history, of what a record of the source did."""
ASIDE = "R"
"""State of a staged row that is refused, so that another version of its key counts."""

_EXTRACTED, _WRITTEN = identifier("EXTRACTED"), identifier("WRITTEN")
_NO_TEXT = "CAST(NULL AS VARCHAR)"
_NO_TIME = "CAST(NULL AS TIMESTAMP_NTZ(9))"
CHANGED = 'GREATEST(t."_AUDIT_LOADED_AT", COALESCE(t."_AUDIT_DELETED_AT", t."_AUDIT_LOADED_AT"))'
"""When a stored row (t) was loaded or deleted last."""


@dataclass(frozen=True)
class Tables:
    """The tables of one batch."""

    staging: TableName
    typed: TableName
    target: TableName


def classify(
    plan: StreamPlan,
    tables: Tables,
    *,
    removal: str = "none",
    received: str = "",
    doubtful: Sequence[tuple[int, int | None]] = (),
    aside: bool = False,
    judged: bool = True,
) -> str:
    """INSERT OVERWRITE into the typed table.

    Args:
        plan: the stream.
        tables: where.
        removal: `none`; `scope` adds rows of received documents that did not come with them; `all` adds all
            live rows whose key was not received.
        received: SELECT of the received rows, where they are not whole; '' = they are.
        doubtful: ranges of SEQ, first and last (None = no end), whose documents may not be whole.
        aside: some rows were set aside (`sql.aside`); ignored where `received` is given.
        judged: rows of a document came together, so that one of them tells of the others; likewise ignored.
    """
    judged = judged and plan.removes_lines and plan.stamp is not None
    selects = [received or _received(plan, tables, aside=aside, judged=judged)]
    if removal != "none":
        whole = "" if removal == "all" else documents(plan, tables, doubtful)
        selects.append(_removed(plan, tables, whole))
    names = ", ".join(identifier(name) for name in (*TYPED, *_values(plan)))
    return words("INSERT OVERWRITE INTO", tables.typed.sql, f"({names})", " UNION ALL ".join(selects))


def _values(plan: StreamPlan) -> list[str]:
    return [value_column(at) for at in range(len(plan.columns))]


def _received(plan: StreamPlan, tables: Tables, *, aside: bool, judged: bool) -> str:
    """Received rows: keys are always converted, other values only where they will be written.

    Of a record that says its row is deleted, the stamp is written. Each value is converted once; one that is
    null although there is a text is bad. Rows set aside count as written: that tells why they are bad.
    """
    names = [identifier(name) for name in _values(plan)]
    texts = [identifier(f"T{at}") for at in range(len(names))]
    head = [identifier(name) for name in TYPED if name != "BAD"]
    written = f'o."OP" IN ({", ".join(literal(op) for op in WRITTEN)})'
    if plan.stamp is not None and not plan.append:
        # One without a stamp takes the place of all before it, even where another is written in the end.
        written += ' OR o."STATE" IS NULL AND o."SEQ" = o."UNSTAMPED"'
    inner = [f"q.{name}" for name in (*head, _WRITTEN) if name != _EXTRACTED]
    inner.append(f"TRY_TO_TIMESTAMP_NTZ(q.{_EXTRACTED}) AS {_EXTRACTED}")
    for at, (column, name, text) in enumerate(zip(plan.columns, names, texts, strict=True)):
        value = conversion.typed(column.type, f"q.{name}")
        if at not in plan.key:
            kept = f'q.{_WRITTEN} OR q."OP" = {literal(DELETE)}' if at == plan.stamp else f"q.{_WRITTEN}"
            value = f"IFF({kept}, {value}, NULL)"
        inner += [f"q.{name} AS {text}", f"{value} AS {name}"]
    lost = [
        f"v.{name} IS NULL" if column.filled else f"v.{text} IS NOT NULL AND v.{name} IS NULL"
        for column, name, text in zip(plan.columns, names, texts, strict=True)
    ]
    marks = [f"IFF({condition}, '{at},', '')" for at, condition in enumerate(lost)]
    some = f"v.{_WRITTEN} AND ({' OR '.join(lost) or 'FALSE'})"
    bad = f"IFF({some}, CONCAT({', '.join([*marks, literal('')])}), NULL)"
    outer = [*(f"v.{name}" for name in head), bad, *(f"v.{name}" for name in names)]
    operations = f"({_operations(plan, tables, aside=aside, judged=judged)}) AS o"
    told = words("SELECT o.*,", written, "AS", _WRITTEN, "FROM", operations)
    rows = words("SELECT", ", ".join(inner), "FROM", f"({told})", "AS q")
    return words("SELECT", ", ".join(outer), "FROM", f"({rows})", "AS v")


def _operations(plan: StreamPlan, tables: Tables, *, aside: bool, judged: bool) -> str:
    """Staged rows with OP and the stored hash; rows set aside have no rank, and beat no other version."""
    if plan.append:
        operation = f'{literal(INSERT)} AS "OP", {_NO_TEXT} AS "HASH_BEFORE"'
        return words(
            "SELECT s.*,", operation, "FROM", tables.staging.sql, "AS s WHERE", to_load("s", aside=aside)
        )
    ranked = words(
        'SELECT a.*, k."STAMP", k."UNSTAMPED", k."RN" FROM',
        f"{tables.staging.sql} AS a {'LEFT JOIN' if aside else 'JOIN'} ({_ranks(plan, tables)}) AS k",
        f'ON k."SEQ" = a."SEQ" WHERE {to_load("a", aside=aside)}',
    )
    operation = _operation(plan, aside=aside, judged=judged)
    operation = f'{operation} AS "OP", t."_AUDIT_ROW_HASH" AS "HASH_BEFORE"'
    joined = words("LEFT JOIN", tables.target.sql, "AS t ON", join(plan))
    if judged:
        same = " AND ".join(f"x.{name} = s.{name}" for name in _scope(plan))
        joined = words(joined, f"LEFT JOIN ({_outdated(plan, tables)}) AS x ON", same)
    return words("SELECT s.*,", operation, "FROM", f"({ranked})", "AS s", joined)


def to_load(alias: str, *, aside: bool = False) -> str:
    """Condition that a staged row is a record to load or to delete by; with `aside`, or one set aside."""
    more = f" OR {alias}.\"STATE\" = '{ASIDE}'" if aside else ""
    return f'({alias}."STATE" IS NULL OR {alias}."STATE" = \'X\'{more})'


def _ranks(plan: StreamPlan, tables: Tables) -> str:
    """What `_stamped` gives and the rank among the key's rows: windows over few columns are cheap."""
    parts = 'g."SEQ", g."STAMP", g."UNSTAMPED",'
    return words("SELECT", parts, _rank(plan), 'AS "RN" FROM', _stamped(plan, tables), "AS g")


def _stamped(plan: StreamPlan, tables: Tables) -> str:
    """Numbers and keys of rows to load with their stamp, and with the last row of their key that has none."""
    stamp = _NO_TIME
    if plan.stamp is not None:
        kind = plan.columns[plan.stamp].type
        stamp = comparable(plan, conversion.typed(kind, f"r.{identifier(value_column(plan.stamp))}"))
    parts = f'r."SEQ", r."KEY_HASH", {stamp} AS "STAMP"'
    rows = words("SELECT", parts, "FROM", tables.staging.sql, "AS r WHERE", to_load("r"))
    last = 'MAX(IFF(i."STAMP" IS NULL, i."SEQ", NULL)) OVER (PARTITION BY i."KEY_HASH")'
    marked = words("SELECT i.*,", last, 'AS "UNSTAMPED" FROM', f"({rows})", "AS i")
    return f"({marked})"


def comparable(plan: StreamPlan, stamp: str) -> str:
    """A stamp as it is compared: by day where the source gives no time of day."""
    if not plan.stamp_by_day or plan.stamp is None:
        return stamp
    return f"CAST({conversion.utc(plan.columns[plan.stamp].type, stamp)} AS DATE)"


def stored_stamp(plan: StreamPlan) -> str:
    """The target's stamp as it is compared; the stream has one."""
    return comparable(plan, f"t.{identifier(plan.columns[plan.stamp or 0].name)}")


def _rank(plan: StreamPlan) -> str:
    """Which of several versions of a key wins: as if they came one by one.

    A version without a stamp is never older, so it beats all before it; among those after it the newest
    stamp wins, the last arrival among equals.
    """
    order = 'g."SEQ" DESC'
    if plan.stamp is not None:
        since = 'IFF(g."UNSTAMPED" IS NULL OR g."SEQ" >= g."UNSTAMPED", 1, 0) DESC'
        order = f'{since}, g."STAMP" DESC NULLS LAST, g."SEQ" DESC'
    return f'ROW_NUMBER() OVER (PARTITION BY g."KEY_HASH" ORDER BY {order})'


def _operation(plan: StreamPlan, *, aside: bool, judged: bool) -> str:
    key = f"t.{identifier(plan.columns[plan.key[0]].name)}"
    older = new = ""
    if plan.stamp is not None:
        found = f'IFF(t."_AUDIT_DELETED_AT" IS NULL, {literal(OLDER)}, {literal(OLDER_DELETED)})'
        # One without a stamp before it in the batch has taken the stored row's place.
        older = f'WHEN s."STAMP" < {stored_stamp(plan)} AND s."UNSTAMPED" IS NULL THEN {found}'
    if judged:
        # What a newer document came without is not in it any more, whatever stamp the row itself has: rows
        # have stamps of their own.
        late = f's."STATE" IS NULL AND x.{_scope(plan)[0]} IS NOT NULL'
        new = f"WHEN {late} AND {key} IS NULL THEN {literal(OUTDATED)}"
        older += f' WHEN {late} AND t."_AUDIT_DELETED_AT" IS NOT NULL THEN {literal(OUTDATED)}'
    gone = f'{key} IS NULL OR t."_AUDIT_DELETED_AT" IS NOT NULL'
    same = 't."_AUDIT_DELETED_AT" IS NULL AND t."_AUDIT_ROW_HASH" = s."ROW_HASH"'
    first = f'WHEN s."STATE" = {literal(ASIDE)} THEN {literal(UPDATE)} ' if aside else ""
    return words(
        f'CASE {first}WHEN s."RN" > 1 THEN {literal(DEDUPLICATED)}',
        f"WHEN s.\"STATE\" = 'X' AND ({gone}) THEN {literal(UNCHANGED)}",
        new,
        f"WHEN {key} IS NULL THEN {literal(INSERT)}",
        older,
        f"WHEN s.\"STATE\" = 'X' THEN {literal(DELETE)}",
        f"WHEN {same} THEN {literal(UNCHANGED)}",
        f"ELSE {literal(UPDATE)} END",
    )


def _scope(plan: StreamPlan) -> list[str]:
    """Staging columns of what names a document."""
    return [identifier(value_column(at)) for at in plan.scope or ()]


def _outdated(plan: StreamPlan, tables: Tables) -> str:
    """SELECT of the documents that were read before the stored one: one of their rows is older than it is.

    Any row tells, also one that is refused, set aside or loaded with the first part of its document; not one
    that comes after another of its key without a stamp, which has taken the stored row's place.
    """
    columns = ", ".join(f"s.{name}" for name in _scope(plan))
    first = words(
        'SELECT i."KEY_HASH", MIN(i."SEQ") AS "SEQ" FROM',
        _stamped(plan, tables),
        'AS i WHERE i."STAMP" IS NULL GROUP BY i."KEY_HASH"',
    )
    return words(
        "SELECT",
        columns,
        f"FROM ({_sent(tables, plan)}) AS s JOIN {tables.target.sql} AS t ON {join(plan)}",
        f'LEFT JOIN ({first}) AS k ON k."KEY_HASH" = s."KEY_HASH" AND k."SEQ" < s."SEQ"',
        f'WHERE {_behind(plan)} AND t."_AUDIT_DELETED_AT" IS NULL AND k."SEQ" IS NULL',
        f"GROUP BY {columns}",
    )


def _sent(tables: Tables, plan: StreamPlan) -> str:
    """SELECT of the staged rows with the text of their stamp (SENT), which a letter holds apart."""
    letters = words('SELECT a.*, PARSE_JSON(a."LETTER") AS "BODY" FROM', tables.staging.sql, "AS a")
    return words(f'SELECT b.*, {sent_stamp(plan, "b")} AS "SENT" FROM', f"({letters}) AS b")


def sent_stamp(plan: StreamPlan, alias: str) -> str:
    """The text of a staged row's stamp, '' as null; BODY is its letter, and the stream has a stamp."""
    stamp = plan.stamp or 0
    name = f"{alias}.{identifier(value_column(stamp))}"
    text = f"SUBSTR({name}, 2)" if plan.marked(stamp) else name
    return f'NULLIF(IFF({alias}."STATE" = \'D\', {alias}."BODY":"source"::VARCHAR, {text}), \'\')'


def _behind(plan: StreamPlan) -> str:
    """Condition that what `_sent` gives (s) is older than the stored row (t)."""
    stamp = conversion.typed(plan.columns[plan.stamp or 0].type, 's."SENT"')
    return f"{comparable(plan, stamp)} < {stored_stamp(plan)}"


def join(plan: StreamPlan, staged: str = "s") -> str:
    """Condition that a stored row (t) has the key of a staged one."""
    parts = []
    for at in plan.key:
        column = plan.columns[at]
        text = conversion.typed(column.type, f"{staged}.{identifier(value_column(at))}")
        parts.append(f"t.{identifier(column.name)} = {text}")
    return " AND ".join(parts)


def _removed(plan: StreamPlan, tables: Tables, documents: str) -> str:
    """Live rows of the target whose key did not come; of `documents` only, unless that is empty.

    A document with a letter whose key cannot be read is left alone: the letter may be the missing row.
    """
    texts = [
        conversion.canonical(plan.columns[at].type, f"t.{identifier(plan.columns[at].name)}")
        for at in plan.key
    ]
    values = [
        f"t.{identifier(column.name)}" if at in plan.key else f"CAST(NULL AS {column.type.sql})"
        for at, column in enumerate(plan.columns)
    ]
    head = ["CAST(NULL AS NUMBER(38,0))", literal(REMOVE), conversion.key_hash(texts), _NO_TEXT]
    parts = [*head, 't."_AUDIT_ROW_HASH"', _NO_TIME, _NO_TEXT, *values]
    return words(
        "SELECT",
        ", ".join(parts),
        "FROM",
        tables.target.sql,
        "AS t",
        f"JOIN ({documents}) AS d ON {_same_document(plan)}" if documents else "",
        f"LEFT JOIN {tables.staging.sql} AS s ON {join(plan)}",
        'WHERE s."SEQ" IS NULL AND t."_AUDIT_DELETED_AT" IS NULL',
    )


def documents(plan: StreamPlan, tables: Tables, doubtful: Sequence[tuple[int, int | None]]) -> str:
    """Documents whose missing rows are gone; none with a row whose number is in a `doubtful` range.

    Not one with a row that is older than the stored one: the document was read before the stored one was,
    and the missing rows may be newer than it. Stamps of missing rows say nothing: rows have stamps of their
    own, and the row that is gone may well be the one that was changed last.
    """
    columns = ", ".join(f"s.{name}" for name in _scope(plan))
    grouped = f'GROUP BY {columns} HAVING COUNT(*) = COUNT(s."KEY_HASH")'
    if doubtful:
        grouped += f" AND COUNT(IFF({' OR '.join(map(_within, doubtful))}, 1, NULL)) = 0"
    rows = f"{tables.staging.sql} AS s"
    if plan.stamp is not None:
        rows = f"({_sent(tables, plan)}) AS s LEFT JOIN {tables.target.sql} AS t ON {join(plan)}"
        grouped += f" AND COUNT(IFF({_behind(plan)}, 1, NULL)) = 0"
    return words("SELECT", columns, "FROM", rows, grouped)


def _within(numbers: tuple[int, int | None]) -> str:
    first, last = numbers
    return f's."SEQ" >= {first}' if last is None else f's."SEQ" BETWEEN {first} AND {last}'


def _same_document(plan: StreamPlan) -> str:
    return " AND ".join(
        f"t.{identifier(plan.columns[at].name)} = "
        f"{conversion.typed(plan.columns[at].type, f'd.{identifier(value_column(at))}')}"
        for at in plan.scope or ()
    )


def counts(tables: Tables) -> str:
    """SELECT of the number of rows by operation, and how many of them cannot be converted."""
    return words('SELECT "OP", COUNT(*), COUNT("BAD") FROM', tables.typed.sql, 'GROUP BY "OP"')


def refused(tables: Tables, history: TableName, target: str) -> str:
    """SELECT of the rows that cannot be converted or are older than the stored row.

    Gives SEQ, the marks of the bad columns (`0,7,`), OP, and whether the row is a re-delivery: the table held
    it once. A version that an update replaced is in the history even where its insert is not.
    """
    return refused_unless(
        'h."ROW_HASH" = o."ROW_HASH" OR h."ROW_HASH_BEFORE" = o."ROW_HASH"', tables, history, target
    )


def refused_unless(held: str, tables: Tables, history: TableName, target: str) -> str:
    """As `refused`; `held` is the condition that a history row (h) shows the table to have held a row (o).

    What is older than the deletion that its source told of is a re-delivery too. A row that was gone with its
    document or version and comes with an older stamp than it had is no such thing: it may be live again.
    """
    older = ", ".join(map(literal, TOO_LATE))
    told = f'MAX_BY(h."CAUSE", h."LOADED_AT") = {literal(BY_RECORD)}'
    known = words(
        'SELECT o."SEQ" FROM',
        f'{history.sql} AS h JOIN {tables.typed.sql} AS o ON o."KEY_HASH" = h."KEY_HASH"',
        f'WHERE h."TARGET_TABLE" = {literal(target)} AND o."OP" IN ({older}) GROUP BY o."SEQ", o."OP"',
        f'HAVING COUNT(IFF({held}, 1, NULL)) > 0 AND (o."OP" <> {literal(OLDER_DELETED)} OR {told})',
    )
    return words(
        'SELECT y."SEQ", y."BAD", y."OP", k."SEQ" IS NOT NULL AS "KNOWN" FROM',
        tables.typed.sql,
        f'AS y LEFT JOIN ({known}) AS k ON k."SEQ" = y."SEQ"',
        f'WHERE y."BAD" IS NOT NULL OR y."OP" IN ({older}) ORDER BY y."SEQ"',
    )


def fates(tables: Tables) -> str:
    """SELECT of what becomes of each received row: SEQ and OP."""
    return words('SELECT "SEQ", "OP" FROM', tables.typed.sql, 'WHERE "SEQ" IS NOT NULL ORDER BY "SEQ"')


def live_rows(tables: Tables) -> str:
    """SELECT of the number of live rows of the target."""
    return words("SELECT COUNT(*) FROM", tables.target.sql, 'WHERE "_AUDIT_DELETED_AT" IS NULL')
