"""Identifiers and literals, quoted so that no name and no value can leave its place in a statement."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_IDENTIFIER = 255
"""Longest identifier, in characters (docs.snowflake.com/en/sql-reference/identifiers-syntax)."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")


def identifier(name: str) -> str:
    """Give `name` as a quoted identifier; a quote inside is doubled.

    Raises:
        ValueError: the name is empty, longer than 255 characters, or holds a NUL.
    """
    if not name or len(name) > MAX_IDENTIFIER or "\0" in name:
        message = f"not a Snowflake identifier: {name[:60]!r} (1 to {MAX_IDENTIFIER} characters, no NUL)"
        raise ValueError(message)
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | None) -> str:
    """Give `text` as a string literal, `NULL` for None.

    A backslash starts an escape inside a Snowflake literal, so it is doubled as the quote is
    (docs.snowflake.com/en/sql-reference/data-types-text).
    """
    if text is None:
        return "NULL"
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def number(value: int | None) -> str:
    """Give a whole number as SQL, `NULL` for None."""
    return "NULL" if value is None else str(int(value))


def words(*parts: str) -> str:
    """Join the parts of a statement with spaces, leaving out empty ones."""
    return " ".join(part for part in parts if part)


def fold(name: str) -> str:
    """Give the stored form of a name that a person typed: unquoted names are upper case in Snowflake.

    `analytics` becomes `ANALYTICS`, `"analytics"` stays as written between its quotes; a name that
    could only be written quoted stays as it is.
    """
    if len(name) > 1 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name.upper() if _PLAIN.match(name) else name


@dataclass(frozen=True, order=True)
class TableName:
    """A table's full name, each part as stored (not quoted)."""

    database: str
    schema: str
    table: str

    @property
    def sql(self) -> str:
        """The name for a statement."""
        return f"{self.schema_sql}.{identifier(self.table)}"

    @property
    def schema_sql(self) -> str:
        """Database and schema for a statement."""
        return f"{identifier(self.database)}.{identifier(self.schema)}"

    def __str__(self) -> str:
        """The name for audit rows and messages: parts joined by dots, quoted only where they need it."""
        parts = (self.database, self.schema, self.table)
        return ".".join(
            part if fold(part) == part and _PLAIN.match(part) else identifier(part) for part in parts
        )
