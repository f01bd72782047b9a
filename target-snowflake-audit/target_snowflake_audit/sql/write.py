"""The statements that write: history first, since MERGE has no RETURNING, then the rows themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.redaction import DROP
from target_snowflake_audit.sql import chain, conversion
from target_snowflake_audit.sql.classify import (
    BY_RECORD,
    DELETE,
    INSERT,
    OLDER,
    REMOVE,
    UPDATE,
    WRITTEN,
    Tables,
)
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, words
from target_snowflake_audit.sql.staging import foreign_column, value_column

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_snowflake_audit.checking.plan import Column, StreamPlan

EVERY = (UPDATE, DELETE, REMOVE, INSERT)
"""Operations that write or delete."""


def _among(*operations: str) -> str:
    return f's."OP" IN ({", ".join(literal(operation) for operation in operations)})'


def _on(plan: StreamPlan) -> str:
    return " AND ".join(
        f"t.{identifier(plan.columns[at].name)} = s.{identifier(value_column(at))}" for at in plan.key
    )


def _object(plan: StreamPlan, alias: str, positions: list[int], salt: str, *, removed: bool = False) -> str:
    """OBJECT_CONSTRUCT of columns, from the target (`t`) or the typed table (`s`); nulls are left out.

    Redacted columns are digests made with the salt of the table named, masks, or left out (but for keys).
    Columns whose property has left the SCHEMA are in the target only, and in typed rows that are `removed`.
    """
    pairs: list[str] = []
    for at in positions:
        column = plan.columns[at]
        if column.redact != DROP or at in plan.key:
            name = identifier(column.name if alias == "t" else value_column(at))
            pairs += _shown(column, f"{alias}.{name}", salt)
    for column in plan.left if alias == "t" or removed else ():
        if column.redact != DROP:
            name = _carried(plan, column) if removed else column.name
            pairs += _shown(column, f"{alias}.{identifier(name)}", salt)
    return f"OBJECT_CONSTRUCT({', '.join(pairs)})"


def _carried(plan: StreamPlan, left: Column) -> str:
    """Where the typed table of an overwrite has the stored value of a column that left the SCHEMA."""
    return foreign_column([name for name, _ in plan.foreign].index(left.name))


def _shown(column: Column, value: str, salt: str) -> tuple[str, str]:
    """A column's name and value in an OBJECT_CONSTRUCT."""
    shown = conversion.redacted(column, value, salt) if column.redact else ""
    return literal(column.name), shown or conversion.audited(column.type, value)


def _changed(plan: StreamPlan) -> str:
    """ARRAY of the columns whose values differ, of an update; empty when a deleted row came back as it was.

    VARIANTs are compared by their text, in which names are in order; whether `=` takes two objects the
    comparison operators page does not say. `_sdc_` columns say how a record came, so they are left out.
    """
    names = []
    for at, column in enumerate(plan.columns):
        old, new = f"t.{identifier(column.name)}", f"s.{identifier(value_column(at))}"
        if at in plan.key or not column.hashed:
            continue
        if column.type.family == "VARIANT":
            old, new = f"TO_JSON({old})", f"TO_JSON({new})"
        names.append(f"IFF({old} IS DISTINCT FROM {new}, {literal(column.name)}, NULL)")
    names += [f"IFF(t.{identifier(gone.name)} IS NULL, NULL, {literal(gone.name)})" for gone in plan.left]
    return f"IFF({_among(UPDATE)}, ARRAY_CONSTRUCT_COMPACT({', '.join(names)}), NULL)"


def history(
    plan: StreamPlan,
    tables: Tables,
    history_table: TableName,
    facts: dict[str, str],
    kinds: Collection[str] = EVERY,
) -> str:
    """INSERT of a history row for every row that is written or deleted.

    Args:
        plan: the stream.
        tables: where.
        history_table: RECORD_HISTORY.
        facts: SQL of `run`, `batch`, `table`, `stream`, `salt` (the table that holds it), and `inserts` ('no'
            leaves inserts out), `replay`.
        kinds: operations that the batch has; what only others need is left out. A first load reads nothing
            of the target, and its statement is half as long.
    """
    salt = facts["salt"]
    unlogged = {INSERT} if facts["inserts"] == "no" else set()
    logged = [kind for kind in EVERY if kind in kinds and kind not in unlogged]
    stored = "" if plan.append or logged == [INSERT] else f"LEFT JOIN {tables.target.sql} AS t ON {_on(plan)}"
    operation, cause = _operation(logged, facts)
    columns = {
        "TARGET_TABLE": facts["table"],
        "STREAM": facts["stream"],
        "KEY": _object(plan, "s", list(plan.key), salt) if plan.key else "NULL",
        "KEY_HASH": 's."KEY_HASH"',
        "OPERATION": operation,
        "CAUSE": cause,
        "BEFORE": _before(plan, logged, salt),
        "AFTER": _after(plan, logged, salt),
        "CHANGED_COLUMNS": "NULL" if plan.append or UPDATE not in logged else _changed(plan),
        "ROW_HASH_BEFORE": "NULL" if logged == [INSERT] else 's."HASH_BEFORE"',
        "ROW_HASH": 's."ROW_HASH"',
        "SOURCE_TIME": _source_time(plan),
        "EXTRACTED_AT": 's."EXTRACTED"',
        "LOADED_AT": chain.NOW,
        "RUN_ID": facts["run"],
        "BATCH_ID": facts["batch"],
        "SEQ": 's."SEQ"',
    }
    rows = f'WHERE {_among(*logged)} AND s."BAD" IS NULL'
    return chain.insert(history_table, columns, words("FROM", tables.typed.sql, "AS s", stored, rows))


def _source_time(plan: StreamPlan) -> str:
    """The row's stamp in UTC; NULL of a stream without one."""
    if plan.stamp is None:
        return "NULL"
    stamp = conversion.utc(plan.columns[plan.stamp].type, f"s.{identifier(value_column(plan.stamp))}")
    return f"CAST({stamp} AS TIMESTAMP_NTZ(9))"


def _operation(logged: list[str], facts: dict[str, str]) -> tuple[str, str]:
    """OPERATION and CAUSE: what was done to the row, and whether a record, its absence or a replay did it."""
    if facts["replay"] == "yes":
        return "'replay'", "'replay'"
    operation = f"IFF({_among(DELETE, REMOVE)}, 'delete', s.\"OP\")"
    cause = literal(BY_RECORD)
    if REMOVE in logged:
        cause = f"IFF({_among(REMOVE)}, {facts['removal']}, {cause})"
    return operation, cause


def _before(plan: StreamPlan, logged: list[str], salt: str) -> str:
    """The stored row, of an operation that found one."""
    every = list(range(len(plan.columns)))
    if plan.append:
        # Only an overwrite takes rows from a table without a key; they were compared whole.
        taken = f"IFF({_among(REMOVE)}, {_object(plan, 's', every, salt, removed=True)}, NULL)"
        return taken if REMOVE in logged else "NULL"
    if logged == [INSERT]:
        return "NULL"
    stored = _object(plan, "t", every, salt)
    return f"IFF({_among(INSERT)}, NULL, {stored})" if INSERT in logged else stored


def _after(plan: StreamPlan, logged: list[str], salt: str) -> str:
    """The row as it is written, of an operation that writes one."""
    row = _object(plan, "s", list(range(len(plan.columns))), salt)
    written = [kind for kind in logged if kind in WRITTEN]
    if not written:
        return "NULL"
    return row if written == logged else f"IFF({_among(*WRITTEN)}, {row}, NULL)"


def merge(
    plan: StreamPlan,
    tables: Tables,
    batch: str,
    *,
    hard_delete: bool,
    kinds: Collection[str] = EVERY,
    within: tuple[int, int] | None = None,
) -> str:
    """MERGE of the rows that are written or deleted; equal rows are not touched.

    Keys are null-free and one row a key remains, so the join is plain equality. `kinds` are the operations
    that the batch has: clauses for others are left out. `within` limits it to a range of arrival numbers.
    """
    names = [identifier(column.name) for column in plan.columns]
    values = [f"s.{identifier(value_column(at))}" for at in range(len(plan.columns))]
    audit = {
        '"_AUDIT_BATCH_ID"': literal(batch),
        '"_AUDIT_ROW_HASH"': 's."ROW_HASH"',
        '"_AUDIT_SEQ"': 's."SEQ"',
        '"_AUDIT_LOADED_AT"': "SYSDATE()",
        '"_AUDIT_DELETED_AT"': "NULL",
    }
    written = dict(zip(names, values, strict=True)) | audit
    done = [kind for kind in EVERY if kind in kinds]
    chosen = f'{_among(*done)} AND s."BAD" IS NULL{_range(within)}'
    source = words("SELECT * FROM", tables.typed.sql, "AS s WHERE", chosen)
    clauses = []
    if DELETE in done or REMOVE in done:
        gone = "DELETE" if hard_delete else f"UPDATE SET {_deleted(plan, batch)}"
        clauses.append(f"WHEN MATCHED AND {_among(DELETE, REMOVE)} THEN {gone}")
    if UPDATE in done:
        left = {identifier(column.name): "NULL" for column in plan.left}
        sets = ", ".join(f"{name} = {value}" for name, value in (written | left).items())
        clauses.append(f"WHEN MATCHED AND {_among(UPDATE)} THEN UPDATE SET {sets}")
    if INSERT in done:
        inserted = f"({', '.join(written)}) VALUES ({', '.join(written.values())})"
        clauses.append(f"WHEN NOT MATCHED AND {_among(INSERT)} THEN INSERT {inserted}")
    return words(f"MERGE INTO {tables.target.sql} AS t USING ({source}) AS s ON {_on(plan)}", *clauses)


def _deleted(plan: StreamPlan, batch: str) -> str:
    """Assignments of a soft delete. The deletion's own stamp is kept: an older version must not come back."""
    sets = f'"_AUDIT_DELETED_AT" = SYSDATE(), "_AUDIT_BATCH_ID" = {literal(batch)}'
    if plan.stamp is None:
        return sets
    stored = identifier(plan.columns[plan.stamp].name)
    return f"{sets}, {stored} = COALESCE(s.{identifier(value_column(plan.stamp))}, t.{stored})"


def append(plan: StreamPlan, tables: Tables, batch: str, *, within: tuple[int, int] | None = None) -> str:
    """INSERT of every good row, for streams without a key and for append-only; `within` as in `merge`."""
    names = [identifier(column.name) for column in plan.columns]
    names += ['"_AUDIT_BATCH_ID"', '"_AUDIT_ROW_HASH"', '"_AUDIT_SEQ"', '"_AUDIT_LOADED_AT"']
    values = [f"s.{identifier(value_column(at))}" for at in range(len(plan.columns))]
    values += [literal(batch), 's."ROW_HASH"', 's."SEQ"', "SYSDATE()"]
    return words(
        "INSERT INTO",
        tables.target.sql,
        f"({', '.join(names)})",
        "SELECT",
        ", ".join(values),
        f"FROM {tables.typed.sql} AS s",
        f'WHERE {_among(INSERT)} AND s."BAD" IS NULL{_range(within)}',
    )


def supersede(tables: Tables, seqs: list[int]) -> str:
    """UPDATE that leaves rows unwritten, since the stored ones came later."""
    numbers = ", ".join(map(str, seqs))
    return words("UPDATE", tables.typed.sql, 'SET "OP" =', literal(OLDER), f'WHERE "SEQ" IN ({numbers})')


def _range(within: tuple[int, int] | None) -> str:
    return "" if within is None else f' AND s."SEQ" BETWEEN {within[0]} AND {within[1]}'
