"""What exists: databases, schemas, tables and columns, with what DuckDB cannot hold.

Rules restored: VARCHAR lengths, primary and unique keys (kept and shown, never enforced), and names that are
equal only in one case (DuckDB ignores case, Snowflake does not).
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from .names import ObjectName

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

MAX_VARCHAR = 134_217_728
DEFAULT_VARCHAR = 16_777_216
_HIDDEN_DATABASES = {"memory", "system", "temp", "_fs_global"}
_HIDDEN_SCHEMAS = {"main", "pg_catalog", "information_schema", "_fs_information_schema"}


@dataclass(frozen=True)
class Column:
    """A column as DuckDB holds it."""

    name: str
    duck_type: str
    nullable: bool = True
    default: str | None = None
    comment: str | None = None


@dataclass
class TableMeta:
    """What DuckDB cannot hold about a table.

    `lengths`: characters by column, absent = the default; `kinds`: ARRAY, OBJECT and TIMESTAMP_LTZ by column;
    `digits`: of a second's fraction, by column, absent = 9 (DuckDB keeps six, whatever is declared);
    `identities`: numbering by AUTOINCREMENT column, and `sequences`: DuckDB's sequence behind it.
    """

    lengths: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    digits: dict[str, int] = field(default_factory=dict)
    primary_key: list[str] = field(default_factory=list)
    unique: list[list[str]] = field(default_factory=list)
    comment: str = ""
    transient: bool = False
    cluster_by: str = ""
    retention_days: int = 1
    created: float = 0.0
    owner: str = "ACCOUNTADMIN"
    identities: dict[str, str] = field(default_factory=dict)
    sequences: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table or view that a statement may name."""

    name: ObjectName
    kind: str
    columns: tuple[Column, ...]
    duck: str
    temporary: bool = False

    def column(self, name: str) -> Column | None:
        """The column of exactly this name."""
        return next((c for c in self.columns if c.name == name), None)


class Catalogue:
    """A cached reading of DuckDB's catalogue plus `TableMeta`, saved to `path` when there is one."""

    def __init__(self, duck: DuckDBPyConnection, path: Path | None = None) -> None:
        """Read the metadata that a former process saved."""
        self._duck = duck
        self._path = path
        self._lock = threading.RLock()
        self._tables: dict[ObjectName, Table] | None = None
        self._schemas: set[tuple[str, str]] = set()
        stored = json.loads(path.read_text()) if path and path.exists() else []
        self.meta: dict[ObjectName, TableMeta] = {
            ObjectName(*entry["name"]): TableMeta(**entry["meta"]) for entry in stored
        }

    def changed(self) -> None:
        """Forget the cached reading after DDL and save the metadata."""
        with self._lock:
            self._tables = None
            known = self.tables()
            self.meta = {name: meta for name, meta in self.meta.items() if name in known}
            if self._path:
                entries = [{"name": name, "meta": asdict(meta)} for name, meta in self.meta.items()]
                self._path.write_text(json.dumps(entries))

    def tables(self) -> dict[ObjectName, Table]:
        """Every table and view, by exact name."""
        with self._lock:
            if self._tables is None:
                self._tables = self._read()
            return self._tables

    def find(self, name: ObjectName) -> Table | None:
        """A table or view of exactly this name."""
        return self.tables().get(name)

    def of(self, name: ObjectName) -> TableMeta:
        """The metadata of a table, empty when nothing was recorded."""
        return self.meta.setdefault(name, TableMeta())

    def databases(self) -> set[str]:
        """Names of all databases."""
        self.tables()
        return {database for database, _ in self._schemas}

    def schemas(self, database: str | None = None) -> set[tuple[str, str]]:
        """Pairs of database and schema."""
        self.tables()
        return {(d, s) for d, s in self._schemas if database in {None, d} and s not in _HIDDEN_SCHEMAS}

    def has_schema(self, database: str, schema: str) -> bool:
        """Whether this schema exists, in exactly this case."""
        return schema == "INFORMATION_SCHEMA" or (database, schema) in self.schemas(database)

    def _read(self) -> dict[ObjectName, Table]:
        rows = self._duck.execute(
            "SELECT catalog_name, schema_name FROM information_schema.schemata"
        ).fetchall()
        self._schemas = {(d, s) for d, s in rows if d not in _HIDDEN_DATABASES}
        columns: dict[ObjectName, list[Column]] = {}
        for database, schema, table, name, kind, nullable, default, comment in self._duck.execute(
            "SELECT database_name, schema_name, table_name, column_name, data_type, is_nullable, "
            "column_default, comment FROM duckdb_columns() WHERE NOT internal ORDER BY column_index"
        ).fetchall():
            key = ObjectName(database, schema, table)
            columns.setdefault(key, []).append(Column(name, kind, nullable, default, comment))
        views = {
            ObjectName(*row)
            for row in self._duck.execute(
                "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal"
            ).fetchall()
        }
        return {
            name: Table(name, "VIEW" if name in views else "TABLE", tuple(found), name.duck)
            for name, found in columns.items()
            if name.database not in _HIDDEN_DATABASES and name.schema not in _HIDDEN_SCHEMAS
        }
