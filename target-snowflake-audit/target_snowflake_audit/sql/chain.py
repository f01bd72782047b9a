"""Digests of audit rows, and the links between them: computed where the rows are stored, never in the client.

A row's digest is `1:` and the SHA-256 of `TABLE,` and, for each column that is not null, in the order of the
names, `NAME=text,`. So a column that is added later changes nothing for rows without a value in it, and null
differs from ''. The text is

* for VARCHAR its length in characters, a colon and the value (`STREAM=2:gl,`): nothing can look like two
  columns;
* for NUMBER(38,0) its digits, for TIMESTAMP_NTZ(9) `2026-01-31 08:00:00.000000000`;
* for VARIANT the SHA-256 of TO_JSON. Its text is Snowflake's own: names in an order that Snowflake keeps but
  does not promise (docs.snowflake.com/en/sql-reference/functions/to_json), so it is computed by the same
  expression when it is written and when it is verified, and by nobody else;
* for the columns that hold values of records, all together, PAYLOAD_DIGEST: `1:` and the SHA-256 of `TABLE,`
  and `NAME=SHA-256,` for each that is not null. A row whose values were erased keeps it, so the row itself
  still verifies.

Rows of one batch, or of one statement of a run, are a set: `1:COUNT:SHA-256` over their digests in order. The
digests are first joined by their first two digits: LISTAGG gives a text, and a text ends at 16 MB
(docs.snowflake.com/en/sql-reference/functions/listagg, data-types-text), which 250,000 digests fill; this way
64 million rows fit.

The time is CURRENT_TIMESTAMP, one value a statement: SYSDATE could be another one in the digest than in the
row (docs.snowflake.com/en/sql-reference/functions/current_timestamp). Sessions are in UTC.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from target_snowflake_audit.audit.tables import (
    BY_NAME,
    JSON,
    PAYLOAD_DIGEST,
    TEXT,
    TIME,
    WHOLE,
)
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_snowflake_audit.audit.tables import Column, Table

VERSION = "1"
NOW = "CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_NTZ(9))"
CHAIN, NUMBER, PREVIOUS, DIGEST = "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST"
_RUN, _BATCH = "run:", "batch:"
_DIGITS = 2
_PLAIN = re.compile(r"'[^'\\]*'")
"""A literal without anything that is written otherwise than it reads."""
_AT = len(VERSION) + 2
"""Place of a digest's first digit, from 1."""

SETS = {
    "HISTORY_DIGEST": "RECORD_HISTORY",
    "LETTERS_DIGEST": "DEAD_LETTERS",
    "EVENTS_DIGEST": "DEAD_LETTER_EVENTS",
    "WATERMARK_DIGEST": "WATERMARKS",
}
"""Columns of BATCHES and the tables whose rows of the batch they cover."""


def of_run(run_id: str) -> str:
    """Name of a run's chain."""
    return _RUN + run_id


def of_batch(batch_id: str) -> str:
    """CHAIN of events that a batch wrote: its row in BATCHES covers them."""
    return _BATCH + batch_id


def row_digest(
    table: Table, alias: str, present: Collection[str], known: Mapping[str, str | int] | None = None
) -> str:
    """Expression of a row's digest over the columns `present` of `alias`; the others are null.

    PAYLOAD_DIGEST, where the table has it, must be among them. `known` are values that are the same in every
    row: their text is written out, since functions of constants cost more than the row itself.
    """
    taken = [c for c in table.columns if c.name in present and c.covered and not c.payload]
    values = known or {}
    parts = [
        _told(column, values.get(column.name)) or _part(column, alias)
        for column in _sorted(taken)
        if column.name != table.digest
    ]
    return _digest(table, parts)


def payload_digest(table: Table, alias: str, present: Collection[str]) -> str:
    """Expression of the digest over the columns that hold values of records."""
    taken = [column for column in table.columns if column.name in present and column.payload]
    return _digest(table, [_hashed(column, alias) for column in _sorted(taken)])


def insert(table: TableName, columns: Mapping[str, str], source: str) -> str:
    """INSERT ... SELECT of rows together with their digests.

    Args:
        table: an audit table.
        columns: expressions by column over `source`; typed as the columns are. Those that are NULL are left
            out: what a row does not have is in no digest.
        source: what follows the list of a SELECT, `FROM ...`; may be ''.
    """
    filled = {name: sql for name, sql in columns.items() if sql != "NULL"}
    selected = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in filled.items())
    known = {name: sql[1:-1] for name, sql in filled.items() if _PLAIN.fullmatch(sql)}
    return insert_from(table, list(filled), words("SELECT", selected, source), known)


def insert_from(
    table: TableName, names: list[str], query: str, known: Mapping[str, str | int] | None = None
) -> str:
    """INSERT of a query's rows with their digests; `names` are its columns, `known` as in `row_digest`."""
    declared = BY_NAME[table.table]
    if not declared.digest:
        return words("INSERT INTO", table.sql, f"({', '.join(map(identifier, names))})", query)
    shown = ", ".join(f"r.{identifier(name)}" for name in names)
    all_names = [*names]
    present = set(names)
    if PAYLOAD_DIGEST in declared.names:
        payload = payload_digest(declared, "q", present)
        query = words("SELECT q.*,", payload, f'AS "{PAYLOAD_DIGEST}" FROM ({query}) AS q')
        shown += f', r."{PAYLOAD_DIGEST}"'
        all_names.append(PAYLOAD_DIGEST)
        present.add(PAYLOAD_DIGEST)
    digest = row_digest(declared, "r", present, known)
    listed = ", ".join(identifier(name) for name in (*all_names, declared.digest))
    return words("INSERT INTO", table.sql, f"({listed}) SELECT", shown + ",", digest, f"FROM ({query}) AS r")


def link(chain: str, number: int, previous: str) -> dict[str, str]:
    """Columns of the rows of one statement in a run's chain; `previous` is the SQL of CHAIN_PREVIOUS."""
    return _link(chain, str(number), previous)


def table_tip(batches: TableName, chain: str) -> str:
    """SELECT of the last link of a table's chain, whose fence must be held: name, number, 0 and digest."""
    tip = f'COALESCE(MAX("{NUMBER}"), 0), 0, MAX_BY("{DIGEST}", "{NUMBER}") FROM'
    return words("SELECT", literal(chain) + ",", tip, batches.sql, f'WHERE "{CHAIN}" =', literal(chain))


def with_tip(counts: str, batches: TableName, chain: str, more: str = "") -> str:
    """SELECT of a batch's counts (operation, rows, bad rows, null) and, as a further row, of `table_tip`.

    `more` is a SELECT of one more such row.
    """
    rows = words("SELECT c.*,", typed_null(TEXT), f"FROM ({counts}) AS c")
    selects = [rows, table_tip(batches, chain), *([more] if more else [])]
    return " UNION ALL ".join(selects)


def table_link(chain: str, number: int, digest: str | None) -> dict[str, str]:
    """Columns of the row of BATCHES that follows on a link."""
    return _link(chain, str(number + 1), literal(digest))


def _link(chain: str, number: str, previous: str) -> dict[str, str]:
    return {
        CHAIN: literal(chain),
        NUMBER: f"CAST({number} AS {WHOLE})",
        PREVIOUS: f"CAST({previous} AS {TEXT})",
    }


def rows_of_batch(table: TableName, batch_id: str) -> str:
    """Scalar subquery: the digest of a batch's rows in one of the tables of SETS."""
    declared = BY_NAME[table.table]
    condition = f'"BATCH_ID" = {literal(batch_id)}'
    if CHAIN in declared.names:
        condition = f'"{CHAIN}" = {literal(of_batch(batch_id))}'
    return f"CAST(({set_digest(table, condition)}) AS {TEXT})"


def entry(table: TableName, chain: str, number: int) -> str:
    """Scalar subquery: the digest of what one statement of a run wrote into a table."""
    condition = f'"{CHAIN}" = {literal(chain)} AND "{NUMBER}" = {number}'
    return f"({set_digest(table, condition)})"


def tips(batches: TableName, run_id: str) -> str:
    """SELECT of the last link that a run has written to each table's chain: chain, number, digest."""
    return words(
        f'SELECT "{CHAIN}", MAX("{NUMBER}"), MAX_BY("{DIGEST}", "{NUMBER}") FROM',
        batches.sql,
        f'WHERE "RUN_ID" = {literal(run_id)} GROUP BY "{CHAIN}" ORDER BY "{CHAIN}"',
    )


def set_digest(table: TableName, condition: str) -> str:
    """SELECT of the digest of a set of rows, `1:COUNT:SHA-256`; null when there is no row."""
    digest = identifier(BY_NAME[table.table].digest)
    rows = words("SELECT", digest, 'AS "D" FROM', table.sql, "WHERE", condition)
    return words("SELECT", TOTAL, "FROM", f"({buckets(rows)})", "AS b")


def buckets(rows: str, keys: tuple[str, ...] = ()) -> str:
    """SELECT of count and digest by first digits over `rows`, a query that gives D and the `keys`."""
    names = "".join(f"s.{identifier(key)}, " for key in keys)
    first = f's."D", {_AT}, {_DIGITS}'
    listed = 'SHA2(LISTAGG(s."D") WITHIN GROUP (ORDER BY s."D"), 256)'
    return words(
        f'SELECT {names}SUBSTR({first}) AS "P", COUNT(*) AS "N", {listed} AS "B"',
        f"FROM ({rows}) AS s GROUP BY {names}SUBSTR({first})",
    )


TOTAL = (
    f"CONCAT('{VERSION}:', TO_VARCHAR(SUM(b.\"N\")), ':', "
    'SHA2(LISTAGG(b."B") WITHIN GROUP (ORDER BY b."P"), 256))'
)
"""Digest of a set from its `buckets`; no row gives NULL, since SUM does."""


def typed_null(kind: str) -> str:
    """NULL of a column's type."""
    return f"CAST(NULL AS {kind})"


def _sorted(columns: list[Column]) -> list[Column]:
    return sorted(columns, key=lambda column: column.name)


class _Text(str):
    """A part of a digest's text that is known as it is."""

    __slots__ = ()


def _told(column: Column, value: str | int | None) -> _Text | None:
    """The part of a column whose value is known, where LENGTH and TO_VARCHAR surely give what Python does."""
    if column.type == WHOLE and isinstance(value, int):
        return _Text(f"{column.name}={value},")
    if column.type == TEXT and isinstance(value, str) and value.isascii():
        return _Text(f"{column.name}={len(value)}:{value},")
    return None


def _digest(table: Table, parts: list[str]) -> str:
    listed = [_Text(f"{table.name},"), *parts]
    runs = groupby(listed, lambda part: isinstance(part, _Text))
    texts = [sql for told, run in runs for sql in ([literal("".join(run))] if told else run)]
    text = ", ".join([*texts, literal("")])
    return f"CONCAT('{VERSION}:', SHA2(CONCAT({text}), 256))"


def _part(column: Column, alias: str) -> str:
    """`NAME=text,` of a column, '' for null: CONCAT of a null is null."""
    value = f"{alias}.{identifier(column.name)}"
    if column.type == TEXT:
        return f"COALESCE(CONCAT('{column.name}=', TO_VARCHAR(LENGTH({value})), ':', {value}, ','), '')"
    if column.type == WHOLE:
        return f"COALESCE(CONCAT('{column.name}=', TO_VARCHAR({value}), ','), '')"
    if column.type == TIME:
        shown = f"TO_VARCHAR({value}, 'YYYY-MM-DD HH24:MI:SS.FF9')"
        return f"COALESCE(CONCAT('{column.name}=', {shown}, ','), '')"
    return _hashed(column, alias)


def _hashed(column: Column, alias: str) -> str:
    value = f"{alias}.{identifier(column.name)}"
    text = f"TO_JSON({value})" if column.type == JSON else value
    return f"COALESCE(CONCAT('{column.name}=', SHA2({text}, 256), ','), '')"
