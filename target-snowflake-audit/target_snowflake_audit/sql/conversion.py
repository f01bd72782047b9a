"""Second net: conversions of staged text that give null instead of an error.

TRY_ functions take strings only, and round excess decimals without an error
(docs.snowflake.com/en/sql-reference/functions/try_to_decimal); the first net has refused those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.columntypes import TIMESTAMPS
from target_snowflake_audit.redaction import HASH, HASHED, MASKED
from target_snowflake_audit.sql.quoting import literal, words

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import Column
    from target_snowflake_audit.columntypes import ColumnType

_FUNCTIONS = {
    "FLOAT": "TRY_TO_DOUBLE({})",
    "BOOLEAN": "TRY_TO_BOOLEAN({})",
    "DATE": "TRY_TO_DATE({})",
    "TIME": "TRY_TO_TIME({})",
    **{kind: f"TRY_TO_{kind}({{}})" for kind in TIMESTAMPS},
    "BINARY": "TRY_TO_BINARY({}, 'HEX')",
    "VARIANT": "TRY_PARSE_JSON({})",
}


def typed(kind: ColumnType, text: str) -> str:
    """Expression that converts a text expression, null when it cannot."""
    if kind.family == "VARCHAR":
        return f"IFF(LENGTH({text}) <= {kind.length}, {text}, NULL)"
    if kind.family == "NUMBER":
        return f"TRY_TO_DECIMAL({text}, {kind.precision}, {kind.scale})"
    # Types that are not loaded have columns that get null only.
    return _FUNCTIONS.get(kind.family, f"CAST(NULL AS {kind.sql})").format(text)


def bad(kind: ColumnType, text: str) -> str:
    """Condition that a text is there and cannot be converted."""
    if kind.family == "VARCHAR":
        return f"LENGTH({text}) > {kind.length}"
    return f"{text} IS NOT NULL AND {typed(kind, text)} IS NULL"


def canonical(kind: ColumnType, value: str) -> str:
    """Expression that gives a stored key value's canonical text, as the first net writes it."""
    if kind.family == "DATE":
        return f"TO_VARCHAR({value}, 'YYYY-MM-DD')"
    if kind.family in TIMESTAMPS:
        return f"RTRIM(RTRIM(TO_VARCHAR({utc(kind, value)}, 'YYYY-MM-DD HH24:MI:SS.FF9'), '0'), '.')"
    return value if kind.family == "VARCHAR" else f"TO_VARCHAR({value})"


def utc(kind: ColumnType, stamp: str) -> str:
    """Expression of a stamp as wall time in UTC; one without a zone is that already."""
    return stamp if kind.family not in TIMESTAMPS - {"TIMESTAMP_NTZ"} else f"CONVERT_TIMEZONE('UTC', {stamp})"


def key_hash(parts: list[str]) -> str:
    """Expression of `hashing.key_hash` over canonical texts."""
    texts = ", ".join(f"TO_VARCHAR(LENGTH({part})), ':', {part}, ','" for part in parts)
    return f"SHA2(CONCAT({texts}), 256)"


def redacted(column: Column, value: str, salt: str) -> str:
    """Expression that stands for a redacted value inside BEFORE, AFTER and KEY; null stays null.

    `salt` is SQL of the table that holds it; see `redaction.digest`.
    """
    shown = literal(MASKED)
    if column.redact == HASH:
        text = (
            f"TO_JSON({value})"
            if column.type.family == "VARIANT"
            else f"TO_VARCHAR({audited(column.type, value)})"
        )
        own = words('SELECT x."SALT" FROM', salt, "AS x")
        salted = f"CONCAT(({own}), {text})"
        shown = f"CONCAT({literal(HASHED)}, SHA2({salted}, 256))"
    return f"IFF({value} IS NULL, NULL, {shown})"


def audited(kind: ColumnType, value: str) -> str:
    """Expression of a value inside BEFORE and AFTER.

    Exact numbers are text: a program that reads JSON numbers as binary ones would change an amount.
    """
    if kind.family == "NUMBER":
        return f"TO_VARCHAR({value})"
    if kind.family == "DATE":
        return f"TO_VARCHAR({value}, 'YYYY-MM-DD')"
    if kind.family in TIMESTAMPS:
        return f"TO_VARCHAR({utc(kind, value)}, 'YYYY-MM-DD HH24:MI:SS.FF9')"
    if kind.family in {"TIME", "BINARY"}:
        # By the session's output format: nine digits for a time, hexadecimal for bytes.
        return f"TO_VARCHAR({value})"
    return value
