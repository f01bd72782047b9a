"""Statements of load method overwrite: the shadow table, its comparison with the table, and the replacement.

INSERT OVERWRITE stays in the transaction and keeps the table with its grants
(docs.snowflake.com/en/sql-reference/sql/insert), so readers see the old rows until COMMIT and the new ones
after it. It reads the comparison only: whether it may read the table that it replaces, the page does not say.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from target_snowflake_audit.naming import AUDIT_COLUMNS
from target_snowflake_audit.sql import conversion, ddl
from target_snowflake_audit.sql.classify import INSERT, REMOVE, UNCHANGED, UPDATE, Tables
from target_snowflake_audit.sql.fence import fence_of
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, words
from target_snowflake_audit.sql.staging import STORED, TYPED, foreign_column, value_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.checking.plan import StreamPlan

KEPT = "kept"
"""A stored row whose record came and became a dead letter."""
PREFIX = "SHADOW_"

_RUN_DIGITS = 16
_NAME = re.compile(rf"{PREFIX}(\d{{8}})_[0-9A-F]{{16}}_\w+")
_TURN = '"_AUDIT_TURN"'


def shadow_of(target: TableName, locks: TableName, run_id: str, day: dt.date) -> TableName:
    """Name of a target table's shadow in a run of a `day`; `locks` names database and lock schema."""
    digest = fence_of(target, locks).table.removeprefix("FENCE_")
    name = f"{PREFIX}{day:%Y%m%d}_{digest}_{run_id[:_RUN_DIGITS].upper()}"
    return TableName(locks.database, locks.schema, name)


def day_of(shadow: str) -> dt.date | None:
    """Day of the run that made a shadow, by its name; None for the name of another table."""
    found = _NAME.fullmatch(shadow)
    try:
        return dt.datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=dt.UTC).date() if found else None
    except ValueError:
        return None


def create(plan: StreamPlan, shadow: TableName) -> str:
    """CREATE TRANSIENT TABLE; fails when it exists."""
    columns = [*map(ddl.column, plan.columns), *map(ddl.audit_column, AUDIT_COLUMNS)]
    return f"CREATE TRANSIENT TABLE {shadow.sql} ({', '.join(columns)})"


def show(shadow: TableName) -> str:
    """SHOW TABLES of all shadows; needs no warehouse."""
    return f"SHOW TABLES LIKE {literal(f'{PREFIX}%')} IN SCHEMA {shadow.schema_sql}"


def drop(shadow: TableName) -> str:
    """DROP TABLE."""
    return f"DROP TABLE IF EXISTS {shadow.sql}"


def compare(plan: StreamPlan, tables: Tables, shadow: TableName, letters: str = "") -> str:
    """INSERT OVERWRITE into the typed table of what becomes of each row, new and stored.

    Rows of a stream without a key are the same when their hashes are; of equal ones the first is compared
    with the first, the second with the second. A column whose property has left the SCHEMA becomes null: with
    a key, a row that still has a value there has changed, whatever its hash says. Where a record became a
    letter, the stored row stays as it is.

    Args:
        plan: the stream.
        tables: where; the target is the table itself.
        shadow: what came.
        letters: SELECT of the KEY_HASH of records whose stored rows stay; '' = none.
    """
    names = [*TYPED, *(name for name, _ in STORED), *map(value_column, range(len(plan.columns)))]
    names += map(foreign_column, range(len(plan.foreign)))
    stored_others, others = _others(plan)
    new, stored = _rows(plan, shadow), _rows(plan, tables.target)
    on = _same(plan)
    found = 't."_AUDIT_ROW_HASH"'
    same = _unchanged(plan)
    there = f"t.{identifier(plan.columns[plan.key[0]].name)}" if plan.key else found
    operation = words(
        f"CASE WHEN {there} IS NULL THEN {literal(INSERT)}",
        f"WHEN {same} THEN {literal(UNCHANGED)} ELSE {literal(UPDATE)} END",
    )
    came = [
        f'IFF({same}, t."_AUDIT_SEQ", s."_AUDIT_SEQ")',
        *(operation, _key_hash(plan, "s"), 's."_AUDIT_ROW_HASH"', found, *_UNKNOWN, *_columns(plan, "s")),
        *others,
    ]
    gone = [
        't."_AUDIT_SEQ"',
        f'IFF(k."KEY_HASH" IS NULL, {literal(REMOVE)}, {literal(KEPT)})' if letters else literal(REMOVE),
        *(
            _key_hash(plan, "t"),
            f'IFF(k."KEY_HASH" IS NULL, NULL, {found})' if letters else "NULL",
            found,
            *_UNKNOWN,
            *_columns(plan, "t"),
            *stored_others,
        ),
    ]
    kept = f'LEFT JOIN ({letters}) AS k ON k."KEY_HASH" = {_key_hash(plan, "t")}' if letters else ""
    return words(
        f"INSERT OVERWRITE INTO {tables.typed.sql} ({', '.join(map(identifier, names))})",
        f"SELECT {', '.join(came)}",
        f"FROM {new} AS s LEFT JOIN {stored} AS t ON {on} UNION ALL",
        f"SELECT {', '.join(gone)}",
        f"FROM {stored} AS t LEFT JOIN {new} AS s ON {on} {kept}",
        'WHERE s."_AUDIT_ROW_HASH" IS NULL',
    )


_UNKNOWN = (
    "CAST(NULL AS TIMESTAMP_NTZ(9))",
    "CAST(NULL AS VARCHAR)",
    't."_AUDIT_BATCH_ID"',
    't."_AUDIT_LOADED_AT"',
)
"""EXTRACTED and BAD, and what is known of the stored row."""


def _unchanged(plan: StreamPlan) -> str:
    """Whether a stored row is as it came: the hash knows nothing of columns that no property fills."""
    empty = [f"t.{identifier(column.name)} IS NULL" for column in plan.unfilled if plan.key]
    return " AND ".join(['t."_AUDIT_ROW_HASH" = s."_AUDIT_ROW_HASH"', *empty])


def _others(plan: StreamPlan) -> tuple[list[str], list[str]]:
    """Values of the columns that the stream has not: of a row that stays as it is, and of one that came."""
    left = {column.name for column in plan.unfilled}
    stored = [f"t.{identifier(name)}" for name, _ in plan.foreign]
    came = [
        f"CAST(NULL AS {kind})" if name in left else value
        for (name, kind), value in zip(plan.foreign, stored, strict=True)
    ]
    return stored, came


def _rows(plan: StreamPlan, table: TableName) -> str:
    """Live rows; without a key, each numbered among its equals."""
    turn = ""
    if not plan.key:
        turn = f', ROW_NUMBER() OVER (PARTITION BY x."_AUDIT_ROW_HASH" ORDER BY x."_AUDIT_SEQ") AS {_TURN}'
    rows = words(f"SELECT x.*{turn} FROM", table.sql, 'AS x WHERE x."_AUDIT_DELETED_AT" IS NULL')
    return f"({rows})"


def _same(plan: StreamPlan) -> str:
    if not plan.key:
        return f's."_AUDIT_ROW_HASH" = t."_AUDIT_ROW_HASH" AND s.{_TURN} = t.{_TURN}'
    names = [identifier(plan.columns[at].name) for at in plan.key]
    return " AND ".join(f"t.{name} = s.{name}" for name in names)


def _key_hash(plan: StreamPlan, alias: str) -> str:
    if not plan.key:
        return f"COALESCE(SPLIT_PART({alias}.\"_AUDIT_ROW_HASH\", ':', 2), '')"
    columns = [plan.columns[at] for at in plan.key]
    return conversion.key_hash(
        [conversion.canonical(column.type, f"{alias}.{identifier(column.name)}") for column in columns]
    )


def _columns(plan: StreamPlan, alias: str) -> list[str]:
    return [f"{alias}.{identifier(column.name)}" for column in plan.columns]


def kept_letters(letters: TableName, events: TableName, table: str, run_id: str) -> str:
    """SELECT of the KEY_HASH of records that became dead letters in a run, also those that came before."""
    mine = f'"RUN_ID" = {literal(run_id)}'
    again = words('SELECT "DEAD_LETTER_ID" FROM', events.sql, "WHERE", mine)
    return words(
        'SELECT DISTINCT "KEY_HASH" FROM',
        letters.sql,
        f'WHERE "TARGET_TABLE" = {literal(table)} AND "KEY_HASH" IS NOT NULL',
        f'AND ({mine} OR "DEAD_LETTER_ID" IN ({again}))',
    )


def count_values(table: TableName, names: Sequence[str]) -> str:
    """SELECT of how many rows have a value in each of some columns."""
    counts = ", ".join(f"COUNT(x.{identifier(name)})" for name in names)
    return words(f"SELECT {counts} FROM", table.sql, "AS x")


def replace(plan: StreamPlan, tables: Tables, batch: str) -> str:
    """INSERT OVERWRITE of the table by what was compared; rows that are the same keep their audit columns.

    Where columns of others are carried over, new rows are left to `add`.
    """
    foreign = [identifier(name) for name, _ in plan.foreign]
    values = _written(plan, batch)
    values += [f"s.{identifier(foreign_column(at))}" for at in range(len(foreign))]
    gone = f'"OP" NOT IN ({literal(REMOVE)}, {literal(INSERT)})' if foreign else f'"OP" <> {literal(REMOVE)}'
    return words(
        f"INSERT OVERWRITE INTO {tables.target.sql} ({', '.join([*_names(plan), *foreign])})",
        f"SELECT {', '.join(values)}",
        f"FROM {tables.typed.sql} AS s WHERE s.{gone}",
    )


def add(plan: StreamPlan, tables: Tables, batch: str) -> str:
    """INSERT of the new rows: the columns of others get their defaults."""
    return words(
        f"INSERT INTO {tables.target.sql} ({', '.join(_names(plan))})",
        f"SELECT {', '.join(_written(plan, batch))}",
        f'FROM {tables.typed.sql} AS s WHERE s."OP" = {literal(INSERT)}',
    )


def _names(plan: StreamPlan) -> list[str]:
    return [identifier(column.name) for column in plan.columns] + list(map(identifier, AUDIT_COLUMNS))


def _written(plan: StreamPlan, batch: str) -> list[str]:
    same = f's."OP" IN ({literal(UNCHANGED)}, {literal(KEPT)})'
    return [
        *(f"s.{identifier(value_column(at))}" for at in range(len(plan.columns))),
        f'IFF({same}, s."BATCH_BEFORE", {literal(batch)})',
        's."ROW_HASH"',
        's."SEQ"',
        f'IFF({same}, s."LOADED_BEFORE", SYSDATE())',
        "CAST(NULL AS TIMESTAMP_NTZ(9))",
    ]
