"""Identifiers and qualified names.

Rule restored: an unquoted name is upper-cased, a quoted one is taken as it is (identifiers-syntax page).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import SnowflakeError, syntax

_PART = re.compile(r'\s*("(?:[^"]|"")*"|[A-Za-z_%~][\w$]*)\s*')


class ObjectName(NamedTuple):
    """A fully qualified name: database, schema, object."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        """`DB.SCHEMA.NAME` without quotes, as error messages print it."""
        return ".".join(self)

    @property
    def duck(self) -> str:
        """Quoted for DuckDB."""
        return ".".join(quote(part) for part in self)


def quote(name: str) -> str:
    """A double-quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A single-quoted DuckDB text literal."""
    return "'" + text.replace("'", "''") + "'"


def normalise(part: str) -> str:
    """One identifier as Snowflake stores it."""
    part = part.strip()
    if len(part) > 1 and part[0] == part[-1] == '"':
        return part[1:-1].replace('""', '"')
    return part.upper()


def split(text: str) -> list[str]:
    """The normalised parts of a dotted name.

    Raises:
        SnowflakeError: 1003 when the text is not a name.
    """
    parts, position = [], 0
    while match := _PART.match(text, position):
        parts.append(normalise(match[1]))
        position = match.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            break
        position += 1
    message = f"'{text}' is not a name"
    raise syntax(message)


def qualify(parts: list[str], database: str | None, schema: str | None) -> ObjectName:
    """Complete a name of one to three parts with the session's database and schema.

    Raises:
        SnowflakeError: 90105 or 90106 when the session has none.
    """
    if len(parts) > 3:
        raise syntax("too many parts in " + ".".join(parts))
    full = [*([None] * (3 - len(parts))), *parts]
    full_database, full_schema = full[0] or database, full[1] or schema
    if not full_database:
        message = "Cannot perform the statement. This session does not have a current database. "
        raise SnowflakeError(90105, "22000", message + "Call 'USE DATABASE', or use a qualified name.")
    if not full_schema:
        message = "Cannot perform the statement. This session does not have a current schema. "
        raise SnowflakeError(90106, "22000", message + "Call 'USE SCHEMA', or use a qualified name.")
    return ObjectName(full_database, full_schema, str(full[2]))
