"""Views over the audit tables: the latest row of each run, letter and stream.

`{schema}` stands for the quoted audit schema. Every view names its columns, so that a column added to a
table later does not change a view that exists.
"""

from __future__ import annotations

from dataclasses import dataclass

from target_snowflake_audit.audit.tables import DEAD_LETTERS, RUNS, WATERMARKS
from target_snowflake_audit.sql.audit_rows import NOTES
from target_snowflake_audit.sql.quoting import literal


@dataclass(frozen=True)
class View:
    """One view: its name, what it shows, and its SELECT."""

    name: str
    comment: str
    select: str


def _columns(names: tuple[str, ...], alias: str = "") -> str:
    prefix = f"{alias}." if alias else ""
    return ", ".join(f'{prefix}"{name}"' for name in names)


RUNS_CURRENT = View(
    "RUNS_CURRENT",
    "Each run once, as its latest row shows it, with the time it started.",
    f'SELECT {_columns(RUNS.names)}, MIN("AT") OVER (PARTITION BY "RUN_ID") AS "STARTED_AT" '  # noqa: S608 - names of ours
    'FROM {schema}."RUNS" '
    'QUALIFY ROW_NUMBER() OVER (PARTITION BY "RUN_ID" '
    """ORDER BY IFF("EVENT" = 'ended', 1, 0) DESC, "AT" DESC) = 1""",
)

DEAD_LETTERS_CURRENT = View(
    "DEAD_LETTERS_CURRENT",
    "Each dead letter once, with its latest event: STATUS is open until somebody or something acts on it.",
    f'SELECT {_columns(DEAD_LETTERS.names, "d")}, COALESCE(e."EVENT", \'open\') AS "STATUS", '  # noqa: S608 - names of ours
    'e."AT" AS "STATUS_AT", e."ACTOR" AS "STATUS_ACTOR", e."NOTE" AS "STATUS_NOTE", '
    'e."BATCH_ID" AS "STATUS_BATCH_ID", COALESCE(e."EVENTS", 0) AS "EVENTS" '
    'FROM {schema}."DEAD_LETTERS" AS d LEFT JOIN ('
    'SELECT "DEAD_LETTER_ID", "EVENT", "AT", "ACTOR", "NOTE", "BATCH_ID", '
    'COUNT(*) OVER (PARTITION BY "DEAD_LETTER_ID") AS "EVENTS" FROM {schema}."DEAD_LETTER_EVENTS" '
    f'WHERE NOT ("EVENT" IN ({", ".join(map(literal, NOTES))})) '
    'QUALIFY ROW_NUMBER() OVER (PARTITION BY "DEAD_LETTER_ID" ORDER BY "AT" DESC, "EVENT_ID" DESC) = 1'
    ') AS e ON e."DEAD_LETTER_ID" = d."DEAD_LETTER_ID" '
    'QUALIFY ROW_NUMBER() OVER (PARTITION BY d."DEAD_LETTER_ID" ORDER BY d."AT") = 1',
)

WATERMARKS_CURRENT = View(
    "WATERMARKS_CURRENT",
    "How far each stream is loaded.",
    f'SELECT {_columns(WATERMARKS.names)} FROM {{schema}}."WATERMARKS" '  # noqa: S608 - names of ours
    'QUALIFY ROW_NUMBER() OVER (PARTITION BY "STREAM", "TARGET_TABLE" ORDER BY "AT" DESC) = 1',
)

FRESHNESS = View(
    "FRESHNESS",
    "Each table once: its last batch, the newest source stamp loaded, and the age of both in seconds.",
    'SELECT "TARGET_TABLE", "STREAM", "LOADED_AT" AS "LAST_LOADED_AT", '
    'DATEDIFF(\'second\', "LOADED_AT", SYSDATE()) AS "LOAD_AGE_SECONDS", "NEWEST_SOURCE_TIME", '
    'DATEDIFF(\'second\', "NEWEST_SOURCE_TIME", SYSDATE()) AS "SOURCE_AGE_SECONDS", '
    '"BATCH_ID", "RUN_ID" FROM ('
    'SELECT "TARGET_TABLE", "STREAM", "LOADED_AT", "BATCH_ID", "RUN_ID", '
    'MAX("SOURCE_TO") OVER (PARTITION BY "TARGET_TABLE") AS "NEWEST_SOURCE_TIME" FROM {schema}."BATCHES" '
    "WHERE \"OPERATION\" NOT IN ('gather', 'refused') "
    'QUALIFY ROW_NUMBER() OVER (PARTITION BY "TARGET_TABLE" '
    'ORDER BY "LOADED_AT" DESC, "BATCH_NUMBER" DESC) = 1)',
)

VIEWS = (RUNS_CURRENT, DEAD_LETTERS_CURRENT, WATERMARKS_CURRENT, FRESHNESS)
