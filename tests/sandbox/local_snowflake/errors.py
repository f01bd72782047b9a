"""Error numbers and SQLSTATEs as Snowflake gives them, made from what DuckDB and fakesnow raise.

Rule restored: a client sees a ProgrammingError with Snowflake's number for every failure, never an HTTP 500,
which the connectors would retry for minutes. Numbers come from the drivers' sources and public threads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
import snowflake.connector.errors as connector_errors
from sqlglot.errors import SqlglotError


@dataclass
class SnowflakeError(Exception):
    """What goes to the client: `code` without leading zeros, five-character `sqlstate`, `message`."""

    code: int
    sqlstate: str
    message: str

    def __str__(self) -> str:
        """The message as the connectors print it."""
        return f"{self.code:06d} ({self.sqlstate}): {self.message}"


def unsupported(what: str) -> SnowflakeError:
    """Something that real Snowflake may allow and that this stand-in cannot do faithfully."""
    return SnowflakeError(2, "0A000", f"Unsupported feature: the local Snowflake cannot do this: {what}")


def not_found(kind: str, name: str) -> SnowflakeError:
    """A missing or unauthorised object, in Snowflake's words."""
    if kind in {"Database", "Schema", "Stage", "File format", "Role", "Warehouse", "User"}:
        code, state = (
            (2003 if kind in {"Stage", "File format", "Schema", "Database", "Role"} else 2043),
            "02000",
        )
        return SnowflakeError(
            code, state, f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized."
        )
    return SnowflakeError(
        2003, "42S02", f"SQL compilation error:\nObject '{name}' does not exist or not authorized."
    )


def already_exists(name: str) -> SnowflakeError:
    """CREATE of something that is there."""
    return SnowflakeError(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")


def schema_of_others(name: str) -> SnowflakeError:
    """CREATE SCHEMA of one that is there and that the role may not see, IF NOT EXISTS or not."""
    message = f"Schema '{name}' already exists, but current role has no privileges on it."
    return SnowflakeError(3041, "42710", f"SQL compilation error:\n{message}")


def syntax(detail: str) -> SnowflakeError:
    """A statement that does not parse."""
    return SnowflakeError(1003, "42000", f"SQL compilation error:\nsyntax error: {detail}")


def too_long(seconds: float) -> SnowflakeError:
    """A statement that this stand-in ended, so that it does not run for ever."""
    message = f"SQL execution canceled: no statement runs longer than {seconds:g} s on the local Snowflake"
    return SnowflakeError(604, "57014", message)


def timed_out(limit: int) -> SnowflakeError:
    """A statement past STATEMENT_TIMEOUT_IN_SECONDS."""
    message = f"Statement reached its statement or warehouse timeout of {limit} second(s) and was canceled."
    return SnowflakeError(630, "57014", message)


# A text that is a number, but too large for the type (to_decimal page).
_FAR = r"""ould not convert string ["'] *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *["'] to (DECIMAL|INT\d+)"""
# DuckDB exception class -> [(pattern in the message, code, sqlstate)]; the first match wins.
_RULES: tuple[tuple[type[Exception], str, int, str], ...] = (
    (duckdb.InvalidInputException, r"cannot affect the same target row", 100090, "42P18"),
    (duckdb.InvalidInputException, r"LOCAL:(\d+):(\w{5}):", 0, ""),
    (duckdb.InvalidInputException, r"[Dd]ivision by zero", 100051, "22012"),
    (duckdb.InvalidInputException, r"JSON", 100069, "22P02"),
    (duckdb.InvalidInputException, r"CSV Error", 100080, "22000"),
    (duckdb.ConstraintException, r"NOT NULL", 100072, "22000"),
    (duckdb.ConstraintException, r"", 200001, "22000"),
    (duckdb.TransactionException, r"[Cc]onflict", 625, "57014"),
    (duckdb.TransactionException, r"", 90232, "57014"),
    (duckdb.SequenceException, r"", 2003, "42S02"),
    (duckdb.OutOfRangeException, r"[Dd]ivision", 100051, "22012"),
    (duckdb.OutOfRangeException, r"", 100132, "22003"),
    (duckdb.ConversionException, r"Unimplemented type for cast", 2023, "22000"),
    (duckdb.ConversionException, r"Failed to cast value", 100071, "22000"),
    (duckdb.ConversionException, r"Malformed JSON", 2, "0A000"),
    (duckdb.ConversionException, r"time field value out of range.*HH:MM:SS", 100108, "22007"),
    (duckdb.ConversionException, r"date field", 100040, "22007"),
    (duckdb.ConversionException, r"timestamp field", 100035, "22007"),
    (duckdb.ConversionException, _FAR, 100039, "22003"),
    (duckdb.ConversionException, r"[Cc]ould not cast value .* to DECIMAL|out of range", 100132, "22003"),
    (duckdb.ConversionException, r"DECIMAL|INT\d+|DOUBLE|numerical|FLOAT", 100038, "22018"),
    (duckdb.ConversionException, r"BOOL", 100037, "22018"),
    (duckdb.ConversionException, r"DATE", 100040, "22007"),
    (duckdb.ConversionException, r"JSON", 100069, "22P02"),
    (duckdb.ConversionException, r"", 100035, "22007"),
    (duckdb.ParserException, r"", 1003, "42000"),
    (duckdb.BinderException, r"Duplicate struct entry name|Duplicate named argument", 100103, "22000"),
    (duckdb.BinderException, r"Ambiguous reference", 1010, "42601"),
    (duckdb.BinderException, r"Duplicate column name|Multiple assignments", 2025, "42S21"),
    (duckdb.BinderException, r"Unimplemented type for cast", 2023, "22000"),
    (duckdb.BinderException, r"values were supplied|columns but|columns available but", 2020, "21S01"),
    (
        duckdb.BinderException,
        r"Referenced (column|table)|does not have a column|not found in FROM|Cannot extract field",
        904,
        "42000",
    ),
    (duckdb.BinderException, r"No function matches|[Cc]ould not choose", 1044, "42P13"),
    (duckdb.BinderException, r"not allowed in NOT NULL|NOT NULL", 100072, "22000"),
    (duckdb.BinderException, r"", 2043, "02000"),
    (duckdb.CatalogException, r"Column with name .* already exists", 1430, "42601"),
    (duckdb.CatalogException, r"already exists", 2002, "42710"),
    (duckdb.CatalogException, r"Function with name", 2140, "42601"),
    (duckdb.CatalogException, r"Schema with name|Catalog .* does not exist", 2003, "02000"),
    (duckdb.CatalogException, r"", 2003, "42S02"),
    (duckdb.ResourceInUseException, r"", 2002, "42710"),
    (duckdb.InterruptException, r"", 604, "57014"),
    (duckdb.IOException, r"No files found", 100016, "22000"),
)


def _from_fakesnow(error: connector_errors.Error) -> SnowflakeError:
    """Fakesnow's own number is kept, unless the cause is a DuckDB error that says more."""
    if isinstance(error.__cause__, duckdb.Error):
        return from_exception(error.__cause__)
    message = str(error.msg or error)
    if error.errno in {None, -1, 9999}:
        return unsupported(message)
    return SnowflakeError(int(error.errno or 0), str(error.sqlstate or "42000"), message)


def from_exception(error: Exception) -> SnowflakeError:
    """Any failure as a SnowflakeError; what nobody foresaw becomes an honest refusal."""
    if isinstance(error, SnowflakeError):
        return error
    if isinstance(error, connector_errors.Error):
        return _from_fakesnow(error)
    text = str(error)
    if isinstance(error, SqlglotError):
        return syntax(re.sub(r"\x1b\[\d*m", "", text))
    if told := re.search(r"LOCAL:(\d+):(\w{5}):(.*)", text, re.DOTALL):
        return SnowflakeError(int(told[1]), told[2], told[3].strip())
    first_line = text.split("\n", 1)[0]
    return _from_duckdb(error, text, first_line)


def _from_duckdb(error: Exception, text: str, first_line: str) -> SnowflakeError:
    for kind, pattern, code, state in _RULES:
        if isinstance(error, kind) and re.search(pattern, text):
            return SnowflakeError(code, state, first_line)
    if isinstance(error, duckdb.Error):
        return SnowflakeError(100183, "P0000", first_line)
    return unsupported(f"{type(error).__name__}: {first_line}")
