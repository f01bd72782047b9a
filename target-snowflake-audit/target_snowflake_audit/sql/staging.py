"""Statements that bring a batch file into the session's staging table.

The staging table holds text only, so that no value can stop a COPY; the typed table holds what the second
net made of it. Both are temporary: private to the session, gone with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.checking.plan import OVERWRITE
from target_snowflake_audit.columntypes import MAX_TEXT
from target_snowflake_audit.sql.quoting import TableName, identifier, words

if TYPE_CHECKING:
    from pathlib import Path

    from target_snowflake_audit.checking.plan import StreamPlan

STAGED = ("SEQ", "STATE", "KEY_HASH", "ROW_HASH", "EXTRACTED", "LETTER", "RECORD")
"""Columns before the stream's own, in the order of the file."""

_VALUE = f"VARCHAR({MAX_TEXT})"
"""Plain VARCHAR ends at 16777216 characters: one longer value would stop the COPY, and so the stream."""
_STAGED_TYPES = ("NUMBER(38,0)", *["VARCHAR"] * 4, _VALUE, _VALUE)
_TYPED = (
    ("SEQ", "NUMBER(38,0)"),
    ("OP", "VARCHAR"),
    ("KEY_HASH", "VARCHAR"),
    ("ROW_HASH", "VARCHAR"),
    ("HASH_BEFORE", "VARCHAR"),
    ("EXTRACTED", "TIMESTAMP_NTZ(9)"),
    ("BAD", "VARCHAR"),
)
STORED = (("BATCH_BEFORE", "VARCHAR"), ("LOADED_BEFORE", "TIMESTAMP_NTZ(9)"))
"""Further columns of the typed table of an overwrite: who wrote a row that stays as it is, and when."""
TYPED = tuple(name for name, _ in _TYPED)


def value_column(at: int) -> str:
    """Name of the staging column of a plan's column; short, and never a name of ours."""
    return f"C{at}"


def foreign_column(at: int) -> str:
    """Name in the typed table of a column that the target table has and the stream has not."""
    return f"O{at}"


def create_staging(plan: StreamPlan, table: TableName) -> str:
    """CREATE TEMPORARY TABLE of the text form."""
    columns = [f"{identifier(name)} {kind}" for name, kind in zip(STAGED, _STAGED_TYPES, strict=True)]
    columns += [f"{identifier(value_column(at))} {_VALUE}" for at in range(len(plan.columns))]
    return f"CREATE OR REPLACE TEMPORARY TABLE {table.sql} ({', '.join(columns)})"


def create_typed(plan: StreamPlan, table: TableName) -> str:
    """CREATE TEMPORARY TABLE of the typed form."""
    columns = [f"{identifier(name)} {kind}" for name, kind in _TYPED]
    if plan.method == OVERWRITE:
        columns += [f"{identifier(name)} {kind}" for name, kind in STORED]
    columns += [f"{identifier(value_column(at))} {column.type.sql}" for at, column in enumerate(plan.columns)]
    columns += [f"{identifier(foreign_column(at))} {kind}" for at, (_, kind) in enumerate(plan.foreign)]
    return f"CREATE OR REPLACE TEMPORARY TABLE {table.sql} ({', '.join(columns)})"


def put(file: Path, folder: str) -> str:
    """PUT of a compressed file; `folder` is a stage path ending in `/`."""
    # The path as it is, for nobody decodes `%20`; with the escapes that the connector's own PUT uses.
    path = file.resolve().as_posix().replace("\\", "\\\\").replace("'", "\\'")
    return f"PUT 'file://{path}' {folder} AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = GZIP OVERWRITE = TRUE"


def remove(folder: str) -> str:
    """REMOVE of a folder of the stage."""
    return f"REMOVE {folder}"


def list_files(folder: str) -> str:
    """LIST of a folder of the stage."""
    return f"LIST {folder}"


def copy(plan: StreamPlan, table: TableName, folder: str) -> str:
    """COPY of the folder's file into the staging table.

    The path ends in `/`, since COPY takes it as a prefix. Options are all written out, so that no default of
    the account and no file format can turn text into null: see `staging.fields`.
    """
    names = [*STAGED, *(value_column(at) for at in range(len(plan.columns)))]
    columns = ", ".join(identifier(name) for name in names)
    return (
        f"COPY INTO {table.sql} ({columns}) FROM {folder} FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP"
        " FIELD_DELIMITER = ',' RECORD_DELIMITER = '\\n' SKIP_HEADER = 0 FIELD_OPTIONALLY_ENCLOSED_BY = '\"'"
        " ESCAPE = NONE ESCAPE_UNENCLOSED_FIELD = NONE NULL_IF = () EMPTY_FIELD_AS_NULL = TRUE"
        " TRIM_SPACE = FALSE ENCODING = 'UTF8') FORCE = TRUE ON_ERROR = ABORT_STATEMENT"
    )


def empty(table: TableName) -> str:
    """DELETE of the rows of an earlier batch; TRUNCATE in a transaction is not clearly documented."""
    return words("DELETE FROM", table.sql)
