"""INSERTs into the audit tables. Actor, role and time are Snowflake's own, taken in the statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from target_snowflake_audit.audit.tables import BY_NAME, JSON, PAYLOAD_DIGEST, TEXT, TIME, WHOLE
from target_snowflake_audit.sql import chain
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_snowflake_audit.values import Json

_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")

_SNOWFLAKE = {
    "ACTOR": "CURRENT_USER()",
    "ACTOR_ROLE": "CURRENT_ROLE()",
    "AT": chain.NOW,
    "SESSION_ID": "CURRENT_SESSION()",
}


def insert(
    table: TableName,
    rows: Sequence[Mapping[str, Any]],
    link: Mapping[str, str] | None = None,
    unless: str = "",
) -> str:
    """INSERT of rows given as Python values by column, with their digests; columns left out are null.

    `link` holds the SQL of the chain's columns, for tables that have them. `unless` is a SELECT that gives
    DEAD_LETTER_ID of letters whose rows are left out.

    Rows of one call have the same columns; those without any value are left out. INSERT ... SELECT is used
    because VALUES takes no functions such as PARSE_JSON
    (docs.snowflake.com/en/sql-reference/sql/insert).

    Raises:
        KeyError: a column that the table does not have, or a digest, which is computed.
    """
    declared = BY_NAME[table.table]
    types = {column.name: column.type for column in declared.columns}
    made = {PAYLOAD_DIGEST, declared.digest}
    unknown = [name for name in rows[0] if name not in types or name in made]
    if unknown:
        raise KeyError(unknown[0])
    given = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    own = [name for name in _SNOWFLAKE if name in types and name not in rows[0]]
    selects = " UNION ALL ".join(
        "SELECT "
        + ", ".join(
            f"{sql} AS {identifier(name)}"
            for name, sql in (
                *((name, _value(types[name], row[name])) for name in given),
                *((name, _SNOWFLAKE[name]) for name in own),
            )
        )
        for row in rows
    )
    names = [*given, *own]
    if link:
        linked = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in link.items())
        selects = words("SELECT u.*,", linked, "FROM", f"({selects})", "AS u", _without(unless))
        names += link
    return chain.insert_from(table, names, selects, _known(types, rows))


def _known(types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str | int]:
    """The texts and whole numbers that all rows share, by column."""
    kinds = {WHOLE: int, TEXT: str}
    shared = [
        (name, kinds[types[name]], value)
        for name, value in rows[0].items()
        if types[name] in kinds and not isinstance(value, Sql) and all(row[name] == value for row in rows)
    ]
    return {name: kind(value) for name, kind, value in shared if value is not None}


def _without(letters: str) -> str:
    if not letters:
        return ""
    same = 'x."DEAD_LETTER_ID" = u."DEAD_LETTER_ID"'
    return f'LEFT JOIN ({letters}) AS x ON {same} WHERE x."DEAD_LETTER_ID" IS NULL'


def facts_of_snowflake(table: TableName) -> dict[str, str]:
    """Columns of an audit table whose values are Snowflake's own, with their SQL."""
    return {name: sql for name, sql in _SNOWFLAKE.items() if name in BY_NAME[table.table].names}


MOST_TEXT = 200_000
"""Characters of values in one INSERT; Snowflake takes statements of 1 MB
(docs.snowflake.com/en/user-guide/query-size-limits)."""


def fitting(rows: Sequence[Mapping[str, Any]]) -> int:
    """Give how many of the first rows go into one INSERT; at least one."""
    size = 0
    for at, row in enumerate(rows):
        size += sum(len(str(value)) for value in row.values())
        if size > MOST_TEXT and at:
            return at
    return len(rows)


class Sql(str):
    """An expression that goes into the statement as it is."""

    __slots__ = ()


def _value(kind: str, value: Json) -> str:
    if isinstance(value, Sql):
        return value
    if value is None:
        return chain.typed_null(kind)
    if kind == WHOLE:
        return f"CAST({number(value)} AS {WHOLE})"
    if kind == JSON:
        return f"PARSE_JSON({literal(_encoder.encode(value).decode())})"
    text = literal(str(value))
    return f"CAST({text} AS {TIME})" if kind == TIME else text


def dead_letters(table: TableName, staging: TableName, facts: Mapping[str, Any]) -> str:
    """INSERT of the staged dead letters that are not there yet.

    `facts` holds the values that all letters of the batch share: RUN_ID, BATCH_ID, STREAM, TARGET_TABLE,
    SINGER_SCHEMA, SCHEMA_SHA256.
    """
    types = {column.name: column.type for column in BY_NAME[table.table].columns}
    columns = {
        "DEAD_LETTER_ID": 'l."ID"',
        **{name: _value(types[name], value) for name, value in facts.items()},
        "KEY": 'l."BODY":"key"',
        "KEY_HASH": 'l."KEY_HASH"',
        "PHASE": 'l."BODY":"phase"::VARCHAR',
        "REASON": 'l."BODY":"reason"::VARCHAR',
        "ERRORS": 'l."BODY":"errors"',
        "RECORD": 'TRY_PARSE_JSON(IFF(l."BODY":"json"::VARCHAR = \'true\', l."RECORD", NULL))',
        "RECORD_TEXT": 'l."RECORD"',
        "RECORD_SHA256": 'l."BODY":"sha256"::VARCHAR',
        "REDACTED": 'l."BODY":"redacted"',
        "ERRNO": 'TRY_TO_NUMBER(l."BODY":"errno"::VARCHAR)',
        "SQLSTATE": 'l."BODY":"sqlstate"::VARCHAR',
        "QUERY_ID": 'l."BODY":"query"::VARCHAR',
        "SOURCE_TIME": 'TRY_TO_TIMESTAMP_NTZ(l."BODY":"source"::VARCHAR)',
        "EXTRACTED_AT": 'TRY_TO_TIMESTAMP_NTZ(l."EXTRACTED")',
        "SEQ": 'l."SEQ"',
        "AT": chain.NOW,
    }
    staged = 's."SEQ", s."KEY_HASH", s."EXTRACTED", s."RECORD", PARSE_JSON(s."LETTER") AS "BODY"'
    body = words("SELECT", staged, "FROM", staging.sql, "AS s WHERE s.\"STATE\" = 'D'")
    rank = 'ROW_NUMBER() OVER (PARTITION BY i."ID" ORDER BY i."SEQ")'
    named = with_ids(body, table, str(facts["TARGET_TABLE"]))
    once = words("SELECT i.* FROM", f"({named})", "AS i QUALIFY", rank, "= 1")
    known = f'LEFT JOIN {table.sql} AS d ON d."DEAD_LETTER_ID" = l."ID"'
    source = words(f"FROM ({once}) AS l", known, 'WHERE d."DEAD_LETTER_ID" IS NULL')
    return chain.insert(table, columns, source)


def with_ids(rows: str, letters: TableName, target: str) -> str:
    """Staged letters (BODY and more) with ID.

    That of a record that was erased is given to nothing else: the letter holds nothing any more, so a record
    that is refused again after it is another letter.
    """
    erased = words(
        'SELECT "RECORD_SHA256", COUNT(*) AS "N" FROM',
        letters.sql,
        f'WHERE "TARGET_TABLE" = {literal(target)} AND "ERASURE_ID" IS NOT NULL GROUP BY "RECORD_SHA256"',
    )
    own = 'b."BODY":"id"::VARCHAR'
    other = f"SHA2(CONCAT({own}, ':', TO_VARCHAR(e.\"N\")), 256)"
    return words(
        "SELECT b.*,",
        f'IFF(e."N" IS NULL, {own}, {other}) AS "ID" FROM ({rows}) AS b',
        f'LEFT JOIN ({erased}) AS e ON e."RECORD_SHA256" = b."BODY":"sha256"::VARCHAR',
    )


SEEN_AGAIN, REFUSED_AGAIN = "seen_again", "refused_again"
SENT_SINCE, LEFT_OUT, OUTDATED = "sent_since", "left_out", "outdated"
"""A letter's row came later and was not written, or was deleted; its document came whole without it; it came
with a document that is older than the stored one, which is without it."""
NOTES = (SEEN_AGAIN, SENT_SINCE, LEFT_OUT, OUTDATED)
"""Events that leave a letter's status alone."""
CLOSED = ("replayed", "replay_skipped", "erased")
"""Events after which a letter is done, until its record is refused again."""


def refused_again(events: TableName, letters: TableName, staging: TableName, facts: Mapping[str, Any]) -> str:
    """INSERT of an event for each staged dead letter that an earlier batch has refused already.

    `refused_again` opens a letter that was replayed since; `seen_again` only says when its record came last
    and leaves its status alone. `facts` holds RUN_ID, BATCH_ID and TARGET_TABLE.
    """
    body = words('SELECT PARSE_JSON(s."LETTER") AS "BODY" FROM', staging.sql, "AS s WHERE s.\"STATE\" = 'D'")
    named = with_ids(body, letters, str(facts["TARGET_TABLE"]))
    came = words('SELECT DISTINCT i."ID" FROM', f"({named})", "AS i")
    batch = _value("VARCHAR", facts["BATCH_ID"])
    columns = {
        "EVENT_ID": f"SHA2(CONCAT(c.\"ID\", ':', {batch}), 256)",
        "DEAD_LETTER_ID": 'c."ID"',
        "EVENT": f'IFF(e."EVENT" IN ({_texts(CLOSED)}), {literal(REFUSED_AGAIN)}, {literal(SEEN_AGAIN)})',
        "RUN_ID": _value("VARCHAR", facts["RUN_ID"]),
        "BATCH_ID": batch,
        **facts_of_snowflake(events),
        chain.CHAIN: literal(chain.of_batch(str(facts["BATCH_ID"]))),
    }
    known = words('SELECT DISTINCT "DEAD_LETTER_ID" FROM', letters.sql, f'WHERE "BATCH_ID" <> {batch}')
    source = words(
        f'FROM ({came}) AS c JOIN ({known}) AS d ON d."DEAD_LETTER_ID" = c."ID"',
        f'LEFT JOIN ({latest_events(events)}) AS e ON e."DEAD_LETTER_ID" = c."ID"',
    )
    return chain.insert(events, columns, source)


def closed(events: TableName, ids: str) -> str:
    """SELECT of the letters among `ids`, which are literals, that are done."""
    latest = f"({latest_events(events, ids)}) AS e"
    return words('SELECT e."DEAD_LETTER_ID" FROM', latest, f'WHERE e."EVENT" IN ({_texts(CLOSED)})')


def latest_events(events: TableName, ids: str = "") -> str:
    """SELECT of the event that gives each letter its status; `ids` are literals, '' = all letters."""
    chosen = f' AND "DEAD_LETTER_ID" IN ({ids})' if ids else ""
    order = 'PARTITION BY "DEAD_LETTER_ID" ORDER BY "AT" DESC, "EVENT_ID" DESC'
    return words(
        'SELECT "DEAD_LETTER_ID", "EVENT" FROM',
        events.sql,
        f'WHERE NOT ("EVENT" IN ({_texts(NOTES)})){chosen}',
        f"QUALIFY ROW_NUMBER() OVER ({order}) = 1",
    )


@dataclass(frozen=True)
class Refusals:
    """Tells when records were refused, as (time, batch, run, SEQ); SEQ is known of the first time only.

    A letter may be of several tables, where `stream_maps` make several streams of one: only what the table's
    own batches refused counts, unless there is no such batch (the stream went to another table then).
    """

    letters: TableName
    events: TableName
    batches: TableName
    target: str

    def last(self, ids: str) -> str:
        """SELECT of when each of these letters, given as literals, was refused last; its id comes first."""
        rank = f'ROW_NUMBER() OVER (PARTITION BY r."DEAD_LETTER_ID" ORDER BY {self._latest})'
        return words(
            'SELECT r."DEAD_LETTER_ID", r."AT", r."BATCH_ID", r."RUN_ID", r."SEQ" FROM',
            f"({self._all(ids)}) AS r QUALIFY {rank} = 1",
        )

    def before_replay(self, batches: str, keys: str) -> str:
        """SELECT of when letters were refused last before they were replayed; their batch and key come first.

        `batches` of the replay and `keys`, which are digests, are literals.
        """
        replayed = words(
            'SELECT DISTINCT e."BATCH_ID", d."KEY_HASH", e."DEAD_LETTER_ID", e."AT" FROM',
            f'{self.events.sql} AS e JOIN {self.letters.sql} AS d ON d."DEAD_LETTER_ID" = e."DEAD_LETTER_ID"',
            f'WHERE e."EVENT" = \'replayed\' AND e."BATCH_ID" IN ({batches}) AND d."KEY_HASH" IN ({keys})',
        )
        ids = words('SELECT i."DEAD_LETTER_ID" FROM', f"({replayed})", "AS i")
        part = 'PARTITION BY p."BATCH_ID", p."DEAD_LETTER_ID"'
        return words(
            'SELECT p."BATCH_ID", p."KEY_HASH", r."AT", r."BATCH_ID", r."RUN_ID", r."SEQ" FROM',
            f"({replayed}) AS p JOIN ({self._all(ids)}) AS r",
            'ON r."DEAD_LETTER_ID" = p."DEAD_LETTER_ID" AND r."AT" < p."AT"',
            f"QUALIFY ROW_NUMBER() OVER ({part} ORDER BY {self._latest}) = 1",
        )

    @property
    def _latest(self) -> str:
        return f'IFF(r."TARGET_TABLE" = {literal(self.target)}, 0, 1), r."AT" DESC'

    def _all(self, ids: str) -> str:
        chosen = f'"DEAD_LETTER_ID" IN ({ids})'
        names = '"DEAD_LETTER_ID", "AT", "BATCH_ID", "RUN_ID"'
        of_event = 'v."DEAD_LETTER_ID", v."AT", v."BATCH_ID", v."RUN_ID"'
        again = f'"EVENT" IN ({_texts((SEEN_AGAIN, REFUSED_AGAIN))})'
        events = words("SELECT", names, "FROM", self.events.sql, f"WHERE {chosen} AND {again}")
        return words(
            f'SELECT {names}, "SEQ", "TARGET_TABLE" FROM',
            self.letters.sql,
            f'WHERE {chosen} UNION ALL SELECT {of_event}, CAST(NULL AS NUMBER(38,0)), b."TARGET_TABLE" FROM',
            f'({events}) AS v LEFT JOIN {self.batches.sql} AS b ON b."BATCH_ID" = v."BATCH_ID"',
        )


def other_streams(batches: TableName, target: str, stream: str) -> str:
    """SELECT of the streams other than one that have loaded rows into a table."""
    loaded = f'"TARGET_TABLE" = {literal(target)} AND "STREAM" <> {literal(stream)} AND "INSERTED" > 0'
    return words('SELECT DISTINCT "STREAM" FROM', batches.sql, "WHERE", loaded, 'ORDER BY "STREAM"')


def made_columns(changes: TableName, target: str, stream: str) -> str:
    """SELECT of the statements that made a table's columns for a stream."""
    whose = f'"TARGET_TABLE" = {literal(target)} AND "STREAM" = {literal(stream)}'
    made = "\"CHANGE\" IN ('create_table', 'add_column')"
    return words('SELECT "STATEMENT" FROM', changes.sql, "WHERE", whose, "AND", made)


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(literal, values))
