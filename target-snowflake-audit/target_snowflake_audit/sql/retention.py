"""Retention: what may be deleted from each audit table, and the checkpoint that says what was.

The latest state of each thing stays whatever its age: the newest version of each record that is not deleted,
every dead letter that is not closed or that came again since, the last batch and watermark of each table, and
the newest run. BATCHES lose their oldest rows only, so that what stays of a chain is whole.

`cutoff` and `checkpoint` are SQL: a literal, or a variable of a task's script.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.audit.tables import (
    BATCHES,
    CHECKPOINTS,
    DEAD_LETTER_EVENTS,
    DEAD_LETTERS,
    RECORD_HISTORY,
    RETRIES,
    RUNS,
    WATERMARKS,
)
from target_snowflake_audit.sql.audit_rows import latest_events
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_snowflake_audit.audit.tables import Table

CLOSED = ("replayed", "replay_skipped", "discarded", "erased")
"""Latest events of letters that nobody has to act on."""
_LAST_DIGEST = (
    'SUBSTR(MAX(CONCAT(TO_VARCHAR(1000000000000 + r."CHAIN_NUMBER"), \':\', r."CHAIN_DIGEST")), 15)'
)
"""Digest of the row with the highest number: numbers of one width are in order as texts too."""
_LINKS = (
    'ARRAY_AGG(IFF(r."CHAIN_NUMBER" IS NULL, NULL, '
    "OBJECT_CONSTRUCT('number', r.\"CHAIN_NUMBER\", 'previous', r.\"CHAIN_PREVIOUS\")))"
)
"""Links of a run's chain: rows of other tables stay between them, so first and last number say too little."""
_TIMES = {RECORD_HISTORY.name: "LOADED_AT", BATCHES.name: "LOADED_AT"}


@dataclass(frozen=True)
class Doomed:
    """Rows of an audit table (alias `r`) that are due: tables they are compared with, and conditions."""

    table: Table
    compared: tuple[str, ...]
    conditions: tuple[str, ...]

    @property
    def time(self) -> str:
        """Column that tells a row's age."""
        return time_of(self.table)


def time_of(table: Table) -> str:
    """Column that tells a row's age."""
    return _TIMES.get(table.name, "AT")


def doomed(audit: Callable[[str], TableName], cutoff: str) -> tuple[Doomed, ...]:
    """Give what is due in each table, in the order in which it must be deleted.

    Args:
        audit: full name of an audit table.
        cutoff: rows before it are due.
    """
    return (
        _letters(audit, cutoff),
        _events(audit, cutoff),
        _history(audit, cutoff),
        Doomed(RETRIES, (), (f'r."AT" < {cutoff}',)),
        _watermarks(audit, cutoff),
        _batches(audit, cutoff),
        _runs(audit, cutoff),
    )


def _last(table: TableName, names: tuple[str, ...], time: str) -> str:
    """SELECT of the newest time of each group of rows, as LAST."""
    keys = ", ".join(map(identifier, names))
    return words("SELECT", f"{keys}, MAX({identifier(time)})", 'AS "LAST" FROM', table.sql, "GROUP BY", keys)


def _same(names: tuple[str, ...], alias: str) -> str:
    return " AND ".join(f"r.{identifier(name)} = {alias}.{identifier(name)}" for name in names)


def _letters(audit: Callable[[str], TableName], cutoff: str) -> Doomed:
    events, names = audit(DEAD_LETTER_EVENTS.name), ("DEAD_LETTER_ID",)
    closed = ", ".join(map(literal, CLOSED))
    return Doomed(
        DEAD_LETTERS,
        (f"({_last(events, names, 'AT')}) AS n", f"({latest_events(events)}) AS e"),
        (
            _same(names, "n"),
            _same(names, "e"),
            f'r."AT" < {cutoff} AND n."LAST" < {cutoff} AND e."EVENT" IN ({closed})',
        ),
    )


def _events(audit: Callable[[str], TableName], cutoff: str) -> Doomed:
    letters = words('SELECT "DEAD_LETTER_ID" FROM', audit(DEAD_LETTERS.name).sql)
    return Doomed(DEAD_LETTER_EVENTS, (), (f'r."AT" < {cutoff}', f'NOT (r."DEAD_LETTER_ID" IN ({letters}))'))


def _history(audit: Callable[[str], TableName], cutoff: str) -> Doomed:
    names = ("TARGET_TABLE", "KEY_HASH")
    newest = _last(audit(RECORD_HISTORY.name), names, "LOADED_AT")
    superseded = 'r."LOADED_AT" < n."LAST" OR r."OPERATION" = \'delete\''
    return Doomed(
        RECORD_HISTORY,
        (f"({newest}) AS n",),
        (_same(names, "n"), f'r."LOADED_AT" < {cutoff}', f"({superseded})"),
    )


def _watermarks(audit: Callable[[str], TableName], cutoff: str) -> Doomed:
    names = ("STREAM", "TARGET_TABLE")
    newest = _last(audit(WATERMARKS.name), names, "AT")
    return Doomed(
        WATERMARKS, (f"({newest}) AS n",), (_same(names, "n"), f'r."AT" < {cutoff}', 'r."AT" < n."LAST"')
    )


def _batches(audit: Callable[[str], TableName], cutoff: str) -> Doomed:
    """Batches before the first one of their table that somebody still needs.

    Needed are the last one (the chain goes on from it), the last activated version of each stream, what
    came since the oldest open letter (its replay looks at it), and, where several streams load one table, the
    last batch of each that inserted rows (ACTIVATE_VERSION looks at it).
    """
    batches, letters = audit(BATCHES.name), audit(DEAD_LETTERS.name)
    chosen = 'SELECT "TARGET_TABLE", MAX("LOADED_AT") AS "AT" FROM'
    streams = words(
        'SELECT "TARGET_TABLE" FROM',
        batches.sql,
        'GROUP BY "TARGET_TABLE" HAVING COUNT(DISTINCT "STREAM") > 1',
    )
    closed = ", ".join(map(literal, CLOSED))
    latest = latest_events(audit(DEAD_LETTER_EVENTS.name))
    needed = " UNION ALL ".join(
        (
            words(chosen, batches.sql, 'GROUP BY "TARGET_TABLE"'),
            words(chosen, batches.sql, "WHERE \"OPERATION\" = 'activate_version' GROUP BY", _BY_STREAM),
            words(
                chosen,
                batches.sql,
                f'WHERE "INSERTED" > 0 AND "TARGET_TABLE" IN ({streams}) GROUP BY',
                _BY_STREAM,
            ),
            words(
                'SELECT d."TARGET_TABLE", MIN(d."AT") AS "AT" FROM',
                f"{letters.sql} AS d LEFT JOIN ({latest}) AS e",
                'ON e."DEAD_LETTER_ID" = d."DEAD_LETTER_ID"',
                f'WHERE e."EVENT" IS NULL OR e."EVENT" NOT IN ({closed}) GROUP BY d."TARGET_TABLE"',
            ),
        )
    )
    first = words(
        'SELECT u."TARGET_TABLE", MIN(u."AT") AS "LAST" FROM', f"({needed}) AS u", 'GROUP BY u."TARGET_TABLE"'
    )
    return Doomed(
        BATCHES,
        (f"({first}) AS n",),
        (_same(("TARGET_TABLE",), "n"), f'r."LOADED_AT" < {cutoff}', 'r."LOADED_AT" < n."LAST"'),
    )


_BY_STREAM = '"TARGET_TABLE", "STREAM"'


def _runs(audit: Callable[[str], TableName], cutoff: str) -> Doomed:
    """Runs that ended before, but the newest one and those whose batches stay."""
    runs, names = audit(RUNS.name), ("RUN_ID",)
    batches = words('SELECT "RUN_ID" FROM', audit(BATCHES.name).sql)
    newest = words('SELECT MAX("AT") FROM', runs.sql)
    return Doomed(
        RUNS,
        (f"({_last(runs, names, 'AT')}) AS n",),
        (
            _same(names, "n"),
            f'n."LAST" < {cutoff} AND n."LAST" < ({newest})',
            f'NOT (r."RUN_ID" IN ({batches}))',
        ),
    )


def checkpoint(audit: Callable[[str], TableName], due: Doomed, *, cutoff: str, mark: str, reason: str) -> str:
    """INSERT of the checkpoint rows of what is due: one for each target table and chain."""
    rows = words(audit(due.table.name).sql, "AS r", *(f"JOIN {one} ON TRUE" for one in due.compared))
    facts = {
        "CHECKPOINT_ID": mark,
        "KIND": literal("purge"),
        "CUTOFF": cutoff,
        "REASON": reason,
    }
    return insert(audit, due.table, facts, words(rows, "WHERE", " AND ".join(due.conditions)))


def insert(audit: Callable[[str], TableName], table: Table, facts: dict[str, str], rows: str) -> str:
    """INSERT of checkpoint rows about rows (alias `r`) of an audit table.

    `facts` is SQL by column; the rest is counted: one row for each TARGET_TABLE and CHAIN that the table has
    and, of an erasure, each KEY_HASH.
    """
    has = set(table.names)
    time = f"r.{identifier(time_of(table))}"
    groups = {
        name: f"r.{identifier(column)}"
        for name, column in (
            ("TARGET_TABLE", "TARGET_TABLE"),
            ("OF_CHAIN", "CHAIN"),
            ("KEY_HASH", "KEY_HASH"),
        )
        if column in has and not (name == "KEY_HASH" and facts["KIND"] == literal("purge"))
    }
    chained = "CHAIN_NUMBER" in has
    single = chained and table is not BATCHES and facts["KIND"] == literal("purge")
    columns = {
        **facts,
        "AUDIT_TABLE": literal(table.name),
        **groups,
        "ROW_COUNT": "COUNT(*)",
        "FIRST_AT": f"MIN({time})",
        "LAST_AT": f"MAX({time})",
        "FIRST_NUMBER": 'MIN(r."CHAIN_NUMBER")' if chained else "NULL",
        "LAST_NUMBER": 'MAX(r."CHAIN_NUMBER")' if chained else "NULL",
        "LAST_DIGEST": _LAST_DIGEST if chained else "NULL",
        "LINKS": _LINKS if single else "NULL",
        "AT": "SYSDATE()",
        "ACTOR": "CURRENT_USER()",
        "ACTOR_ROLE": "CURRENT_ROLE()",
    }
    grouped = f"GROUP BY {', '.join(groups.values())}" if groups else "HAVING COUNT(*) > 0"
    return words(
        "INSERT INTO",
        audit(CHECKPOINTS.name).sql,
        f"({', '.join(map(identifier, columns))})",
        "SELECT",
        ", ".join(columns.values()),
        "FROM",
        rows,
        grouped,
    )


def delete(audit: Callable[[str], TableName], due: Doomed) -> str:
    """DELETE of what is due."""
    using = f"USING {', '.join(due.compared)}" if due.compared else ""
    return words(
        "DELETE FROM", audit(due.table.name).sql, "AS r", using, "WHERE", " AND ".join(due.conditions)
    )


def counted(audit: Callable[[str], TableName], mark: str) -> str:
    """SELECT of a checkpoint's rows: audit table, target table, count, oldest and newest time."""
    return words(
        'SELECT "AUDIT_TABLE", "TARGET_TABLE", SUM("ROW_COUNT"), MIN("FIRST_AT"), MAX("LAST_AT") FROM',
        audit(CHECKPOINTS.name).sql,
        'WHERE "CHECKPOINT_ID" =',
        mark,
        'GROUP BY "AUDIT_TABLE", "TARGET_TABLE" ORDER BY "AUDIT_TABLE", "TARGET_TABLE"',
    )


def noted(audit: Callable[[str], TableName], due: Doomed, mark: str) -> str:
    """SELECT of how many rows of a table a checkpoint tells of."""
    return words(
        'SELECT COALESCE(SUM("ROW_COUNT"), 0) FROM',
        audit(CHECKPOINTS.name).sql,
        'WHERE "CHECKPOINT_ID" =',
        mark,
        f'AND "AUDIT_TABLE" = {literal(due.table.name)}',
    )
