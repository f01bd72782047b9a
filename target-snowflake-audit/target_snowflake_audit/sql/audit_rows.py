"""INSERTs into the audit tables. Actor, role and time are Snowflake's own, taken in the statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_snowflake_audit.audit.tables import BY_NAME, JSON, TIME, WHOLE
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_snowflake_audit.values import Json

_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")

_SNOWFLAKE = {
    "ACTOR": "CURRENT_USER()",
    "ACTOR_ROLE": "CURRENT_ROLE()",
    "AT": "SYSDATE()",
    "SESSION_ID": "CURRENT_SESSION()",
}


def insert(table: TableName, rows: Sequence[Mapping[str, Any]]) -> str:
    """INSERT of rows given as Python values by column; columns left out are null.

    Rows of one call have the same columns. INSERT ... SELECT is used because VALUES takes no functions such
    as PARSE_JSON (docs.snowflake.com/en/sql-reference/sql/insert).

    Raises:
        KeyError: a column that the table does not have.
    """
    declared = BY_NAME[table.table]
    types = {column.name: column.type for column in declared.columns}
    unknown = [name for name in rows[0] if name not in types]
    if unknown:
        raise KeyError(unknown[0])
    own = [name for name in _SNOWFLAKE if name in types and name not in rows[0]]
    names = [*rows[0], *own]
    selects = " UNION ALL ".join(
        "SELECT "
        + ", ".join([*(_value(types[name], row[name]) for name in rows[0]), *(_SNOWFLAKE[n] for n in own)])
        for row in rows
    )
    columns = ", ".join(identifier(name) for name in names)
    return words("INSERT INTO", table.sql, f"({columns})", selects)


class Sql(str):
    """An expression that goes into the statement as it is."""

    __slots__ = ()


def _value(kind: str, value: Json) -> str:
    if isinstance(value, Sql):
        return value
    if value is None:
        return "NULL"
    if kind == WHOLE:
        return number(value)
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
        "DEAD_LETTER_ID": 'l."BODY":"id"::VARCHAR',
        **{name: _value(types[name], value) for name, value in facts.items()},
        "KEY": 'l."BODY":"key"',
        "KEY_HASH": 'l."KEY_HASH"',
        "PHASE": 'l."BODY":"phase"::VARCHAR',
        "REASON": 'l."BODY":"reason"::VARCHAR',
        "ERRORS": 'l."BODY":"errors"',
        "RECORD": 'TRY_PARSE_JSON(l."RECORD")',
        "RECORD_TEXT": 'l."RECORD"',
        "RECORD_SHA256": 'l."BODY":"sha256"::VARCHAR',
        "ERRNO": 'TRY_TO_NUMBER(l."BODY":"errno"::VARCHAR)',
        "SQLSTATE": 'l."BODY":"sqlstate"::VARCHAR',
        "QUERY_ID": 'l."BODY":"query"::VARCHAR',
        "SOURCE_TIME": 'TRY_TO_TIMESTAMP_NTZ(l."BODY":"source"::VARCHAR)',
        "EXTRACTED_AT": 'TRY_TO_TIMESTAMP_NTZ(l."EXTRACTED")',
        "SEQ": 'l."SEQ"',
        "AT": "SYSDATE()",
    }
    staged = 's."SEQ", s."KEY_HASH", s."EXTRACTED", s."RECORD", PARSE_JSON(s."LETTER") AS "BODY"'
    body = words("SELECT", staged, "FROM", staging.sql, "AS s WHERE s.\"STATE\" = 'D'")
    rank = 'ROW_NUMBER() OVER (PARTITION BY b."BODY":"id"::VARCHAR ORDER BY b."SEQ")'
    once = words("SELECT b.* FROM", f"({body})", "AS b QUALIFY", rank, "= 1")
    return words(
        "INSERT INTO",
        table.sql,
        f"({', '.join(identifier(name) for name in columns)})",
        "SELECT",
        ", ".join(columns.values()),
        f"FROM ({once}) AS l",
        f'LEFT JOIN {table.sql} AS d ON d."DEAD_LETTER_ID" = l."BODY":"id"::VARCHAR',
        'WHERE d."DEAD_LETTER_ID" IS NULL',
    )
