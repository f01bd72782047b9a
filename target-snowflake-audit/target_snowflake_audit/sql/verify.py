"""Queries that compute the digests of stored audit rows again and give what differs.

They repeat the expressions of `sql.chain` over the stored columns, in Snowflake: no row leaves it but those
that are wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.audit.tables import JSON, PAYLOAD_DIGEST, TEXT
from target_snowflake_audit.sql import chain
from target_snowflake_audit.sql.erasure import BLANKS
from target_snowflake_audit.sql.quoting import identifier, literal, words
from target_snowflake_audit.sql.retention import time_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.audit.tables import Table
    from target_snowflake_audit.sql.quoting import TableName

NOT_CHAINED, ROW, PAYLOAD, ERASED = "not_chained", "row", "payload", "erased"
ERASURE = "ERASURE_ID"
_EMPTY = ("", "[]", "{}", "null")
IDENTITY = ("RUN_ID", "BATCH_ID", "DEAD_LETTER_ID", "EVENT_ID", "KEY_HASH", "SEQ", "STREAM", "EVENT", "STEP")
"""Columns that tell a person which row it is, where the table has them."""


def identity(table: Table) -> tuple[str, ...]:
    """Columns that `changed_rows` names a row by."""
    return tuple(name for name in IDENTITY if name in table.names)


def changed_rows(name: TableName, table: Table, checkpoints: TableName) -> str:
    """SELECT of rows whose digest is not that of their values: what is wrong, and the columns of `identity`.

    What is wrong: `not_chained` (no digest), `row`, `payload` (values of the record), or `erased`: the values
    of the record are gone, CHECKPOINTS tells of it, and everything else is as it was.
    """
    known = ""
    digest = f"t.{identifier(table.digest)}"
    wrong = f"{digest} IS DISTINCT FROM {chain.row_digest(table, 't', table.names)}"
    cases = [f"WHEN {digest} IS NULL THEN {literal(NOT_CHAINED)}", f"WHEN {wrong} THEN {literal(ROW)}"]
    if PAYLOAD_DIGEST in table.names:
        payload = chain.payload_digest(table, "t", table.names)
        other = f't."{PAYLOAD_DIGEST}" IS DISTINCT FROM {payload}'
        told = words('SELECT DISTINCT "CHECKPOINT_ID" FROM', checkpoints.sql, "WHERE", _erasure_of(table))
        known = f'LEFT JOIN ({told}) AS k ON k."CHECKPOINT_ID" = t."{ERASURE}"'
        gone = f'k."CHECKPOINT_ID" IS NOT NULL AND {_blank(table)}'
        cases.append(f"WHEN {other} THEN IFF({gone}, {literal(ERASED)}, {literal(PAYLOAD)})")
    found = f"CASE {' '.join(cases)} END"
    shown = ", ".join(f"t.{identifier(column)}" for column in identity(table))
    rows = words("SELECT", found, 'AS "WRONG",', shown, "FROM", name.sql, "AS t", known)
    return words("SELECT c.* FROM", f"({rows})", 'AS c WHERE c."WRONG" IS NOT NULL')


def erasures(name: TableName, table: Table, checkpoints: TableName) -> str:
    """SELECT of erasures that took more rows of a table than CHECKPOINTS tells: ERASURE_ID, rows, told."""
    found = words(
        "SELECT",
        f'"{ERASURE}" AS "ID", COUNT(*) AS "N" FROM',
        name.sql,
        f'WHERE "{ERASURE}" IS NOT NULL GROUP BY 1',
    )
    told = words(
        'SELECT "CHECKPOINT_ID" AS "ID", SUM("ROW_COUNT") AS "N" FROM',
        checkpoints.sql,
        f"WHERE {_erasure_of(table)} GROUP BY 1",
    )
    return words(
        'SELECT f."ID", f."N", COALESCE(c."N", 0) FROM',
        f"({found}) AS f",
        f'LEFT JOIN ({told}) AS c ON c."ID" = f."ID" WHERE f."N" > COALESCE(c."N", 0)',
    )


def _erasure_of(table: Table) -> str:
    return f'"KIND" = \'erase\' AND "AUDIT_TABLE" = {literal(table.name)}'


def sets(batches: TableName, column: str, name: TableName, table: Table) -> str:
    """SELECT of batches whose rows in a table are not those that the batch's row covers.

    Gives BATCH_ID (of the batch, then of the rows), the digest stored and the one found, the target table,
    and when the batch began, or without a batch the time of its newest row.
    """
    batch, condition = '"BATCH_ID"', '"BATCH_ID" IS NOT NULL'
    if chain.CHAIN in table.names:
        batch = f'SUBSTR("CHAIN", {len(chain.of_batch("")) + 1})'
        condition = f'"CHAIN" LIKE {literal(chain.of_batch("") + "%")}'
    rows = words(
        "SELECT", batch, 'AS "K",', identifier(table.digest), 'AS "D" FROM', name.sql, "WHERE", condition
    )
    found = words('SELECT b."K",', chain.TOTAL, 'AS "FOUND" FROM', _buckets(rows), 'AS b GROUP BY b."K"')
    stored = words(
        'SELECT "BATCH_ID", "TARGET_TABLE", "STARTED_AT",',
        identifier(column),
        'AS "STORED" FROM',
        batches.sql,
    )
    target = 'MAX("TARGET_TABLE")' if "TARGET_TABLE" in table.names else chain.typed_null(TEXT)
    times = f'MAX({identifier(time_of(table))}) AS "NEWEST"'
    places = words(
        "SELECT", batch, f'AS "K", {target} AS "TARGET", {times} FROM {name.sql} WHERE {condition} GROUP BY 1'
    )
    return words(
        'SELECT w."BATCH_ID", f."K", w."STORED", f."FOUND", COALESCE(w."TARGET_TABLE", p."TARGET"),',
        'COALESCE(w."STARTED_AT", p."NEWEST") FROM',
        f'({stored}) AS w FULL OUTER JOIN ({found}) AS f ON f."K" = w."BATCH_ID"',
        f'LEFT JOIN ({places}) AS p ON p."K" = f."K"',
        'WHERE w."STORED" IS DISTINCT FROM f."FOUND"',
    )


def checkpoints(name: TableName) -> str:
    """SELECT of what was purged, as `audit.checkpoints.purge_of` reads it."""
    return words(
        'SELECT "AUDIT_TABLE", "TARGET_TABLE", "OF_CHAIN", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST",',
        '"ROW_COUNT", "CUTOFF", "AT", "ACTOR", "REASON", "CHECKPOINT_ID", "LINKS" FROM',
        name.sql,
        "WHERE \"KIND\" = 'purge'",
    )


def firsts(batches: TableName) -> str:
    """SELECT of the lowest number that is there of each table's chain."""
    return words('SELECT "CHAIN", MIN("CHAIN_NUMBER") FROM', batches.sql, 'GROUP BY "CHAIN"')


def _buckets(rows: str) -> str:
    return f"({chain.buckets(rows, ('K',))})"


def table_links(batches: TableName) -> str:
    """SELECT of rows of BATCHES that do not follow on the row before them in their chain.

    Gives the chain, number, number before, CHAIN_PREVIOUS, digest before, batch and its table.
    """
    order = 'OVER (PARTITION BY "CHAIN" ORDER BY "CHAIN_NUMBER", "LOADED_AT")'
    rows = words(
        'SELECT "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "BATCH_ID", "TARGET_TABLE",',
        f'LAG("CHAIN_NUMBER") {order} AS "BEFORE", LAG("CHAIN_DIGEST") {order} AS "DIGEST_BEFORE" FROM',
        batches.sql,
    )
    return words(_links(rows), 'OR l."CHAIN" IS DISTINCT FROM l."TARGET_TABLE"')


def run_links(names: Sequence[TableName]) -> str:
    """SELECT of links of runs' chains that do not follow on the link before; as `table_links`."""
    entries = run_entries(names)
    order = 'OVER (PARTITION BY e."CHAIN" ORDER BY e."CHAIN_NUMBER")'
    rows = words(
        'SELECT e."CHAIN", e."CHAIN_NUMBER",',
        # Rows of one link that name two predecessors cannot both be right.
        'IFF(e."LOW" IS DISTINCT FROM e."HIGH", \'\', e."LOW") AS "CHAIN_PREVIOUS",',
        'e."CHAIN" AS "BATCH_ID", e."CHAIN" AS "TARGET_TABLE",',
        f'LAG(e."CHAIN_NUMBER") {order} AS "BEFORE", LAG(e."FOUND") {order} AS "DIGEST_BEFORE"',
        f"FROM ({entries}) AS e",
    )
    return _links(rows)


def run_entries(names: Sequence[TableName]) -> str:
    """SELECT of every link of every run's chain: chain, number, least and greatest CHAIN_PREVIOUS, digest."""
    columns = '"CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST" AS "D"'
    condition = f'WHERE "CHAIN" LIKE {literal(chain.of_run("") + "%")}'
    rows = " UNION ALL ".join(words("SELECT", columns, "FROM", name.sql, condition) for name in names)
    keys = 'a."CHAIN", a."CHAIN_NUMBER"'
    previous = 'MIN(a."CHAIN_PREVIOUS") AS "LOW", MAX(a."CHAIN_PREVIOUS") AS "HIGH"'
    ends = words("SELECT", f"{keys}, {previous} FROM ({rows}) AS a GROUP BY {keys}")
    listed = chain.buckets(rows, ("CHAIN", "CHAIN_NUMBER"))
    group = 'b."CHAIN", b."CHAIN_NUMBER"'
    found = words("SELECT", f"{group},", chain.TOTAL, f'AS "FOUND" FROM ({listed}) AS b GROUP BY {group}')
    return words(
        'SELECT g."CHAIN", g."CHAIN_NUMBER", n."LOW", n."HIGH", g."FOUND" FROM',
        f'({found}) AS g JOIN ({ends}) AS n ON n."CHAIN" = g."CHAIN" AND n."CHAIN_NUMBER" = g."CHAIN_NUMBER"',
    )


def _links(rows: str) -> str:
    return words(
        'SELECT l."CHAIN", l."CHAIN_NUMBER", l."BEFORE", l."CHAIN_PREVIOUS", l."DIGEST_BEFORE",',
        f'l."BATCH_ID", l."TARGET_TABLE" FROM ({rows}) AS l',
        'WHERE l."CHAIN_NUMBER" IS DISTINCT FROM COALESCE(l."BEFORE", 0) + 1',
        'OR l."CHAIN_PREVIOUS" IS DISTINCT FROM l."DIGEST_BEFORE"',
    )


def stray(name: TableName) -> str:
    """SELECT of the chains of rows that are no link of any: no run's, without a number, of another run.

    Rows that a batch's row covers are events of letters.
    """
    of_run = f'"CHAIN" LIKE {literal(chain.of_run("") + "%")}'
    of_batch = f'"CHAIN" LIKE {literal(chain.of_batch("") + "%")}'
    covered = name.table in chain.SETS.values()
    own = f'"RUN_ID" IS NULL OR "CHAIN" = CONCAT({literal(chain.of_run(""))}, "RUN_ID")'
    link = f'{of_run} AND "CHAIN_NUMBER" IS NOT NULL AND ({own})'
    known = f"({link}) OR {of_batch}" if covered else f"({link})"
    return words('SELECT DISTINCT "CHAIN" FROM', name.sql, f'WHERE "CHAIN" IS NULL OR NOT ({known})')


def run_ends(runs: TableName, batches: TableName) -> str:
    """SELECT of every run that wrote batches or ended.

    Gives RUN_ID, batches it says it committed, batches found, whether its start is there, TIPS, when it
    began, and in how many chains its batches are.
    """
    ended = words(
        'SELECT "RUN_ID", COUNT(*) AS "ROWS", MAX(IFF("EVENT" = \'ended\', "BATCHES", NULL)) AS "SAID",',
        'MAX(IFF("EVENT" = \'ended\', TO_JSON("TIPS"), NULL)) AS "TIPS", MIN("AT") AS "BEGAN" FROM',
        runs.sql,
        'GROUP BY "RUN_ID"',
    )
    found = words(
        'SELECT "RUN_ID", COUNT(IFF("OPERATION" = \'refused\', NULL, 1)) AS "FOUND",',
        'COUNT(DISTINCT "CHAIN") AS "CHAINS" FROM',
        batches.sql,
        'GROUP BY "RUN_ID"',
    )
    return words(
        'SELECT COALESCE(r."RUN_ID", b."RUN_ID"), r."SAID", COALESCE(b."FOUND", 0), r."ROWS", r."TIPS",',
        'r."BEGAN", COALESCE(b."CHAINS", 0) FROM',
        f'({ended}) AS r FULL OUTER JOIN ({found}) AS b ON b."RUN_ID" = r."RUN_ID"',
    )


def digests_at(batches: TableName, places: Sequence[tuple[str, int]]) -> str:
    """SELECT of chain, number and digest at places in tables' chains."""
    wanted = " OR ".join(
        f'("CHAIN" = {literal(name)} AND "CHAIN_NUMBER" = {number})' for name, number in places
    )
    return words('SELECT "CHAIN", "CHAIN_NUMBER", "CHAIN_DIGEST" FROM', batches.sql, "WHERE", wanted)


def run_digests_at(names: Sequence[TableName], places: Sequence[tuple[str, int]]) -> str:
    """SELECT of chain, number and digest at places in runs' chains."""
    wanted = " OR ".join(
        f'(e."CHAIN" = {literal(name)} AND e."CHAIN_NUMBER" = {number})' for name, number in places
    )
    return words(
        'SELECT e."CHAIN", e."CHAIN_NUMBER", e."FOUND" FROM', f"({run_entries(names)}) AS e WHERE", wanted
    )


def beside_purged(names: Sequence[TableName], checkpoints: TableName) -> str:
    """SELECT of chain, number and digest of all that is left of runs' chains that lost links by purge."""
    purged = words(
        'SELECT DISTINCT "OF_CHAIN" FROM', checkpoints.sql, 'WHERE "KIND" = \'purge\' AND "LINKS" IS NOT NULL'
    )
    entries = f"({run_entries(names)}) AS e"
    return words(
        'SELECT e."CHAIN", e."CHAIN_NUMBER", e."FOUND" FROM',
        f'{entries} JOIN ({purged}) AS p ON p."OF_CHAIN" = e."CHAIN"',
    )


def _blank(table: Table) -> str:
    """Whether what `erase` blanks is blank; the rest of the payload may be what it left."""
    texts = [
        (f"TO_JSON(t.{identifier(c.name)})" if c.type == JSON else f"t.{identifier(c.name)}")
        for c in table.columns
        if c.name in BLANKS[table.name]
    ]
    empty = ", ".join(map(literal, _EMPTY))
    return " AND ".join(f"COALESCE({text}, '') IN ({empty})" for text in texts)
