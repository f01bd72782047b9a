"""A session: who, where, its parameters, its DuckDB connection and its open transaction.

Rules restored: session parameters are kept and readable (parameters page), temporary tables belong to the
session and to the schema they were created in, and times come from the sandbox's clock.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from fakesnow.conn import FakeSnowflakeConnection

    from .catalogue import Table
    from .names import ObjectName
    from .users import User

# Parameters that the code reads, with Snowflake's defaults (parameters page).
DEFAULT_PARAMETERS: dict[str, Any] = {
    "ABORT_DETACHED_QUERY": False,
    "AUTOCOMMIT": True,
    "BINARY_OUTPUT_FORMAT": "HEX",
    "CLIENT_SESSION_KEEP_ALIVE": False,
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "LOCK_TIMEOUT": 43200,
    "QUERY_TAG": "",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 0,
    "STATEMENT_TIMEOUT_IN_SECONDS": 172800,
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMEZONE": "America/Los_Angeles",
    "TRANSACTION_ABORT_ON_ERROR": False,
}


@dataclass
class Transaction:
    """An open transaction.

    `begun`: DuckDB's has started; `wrote`: a statement has changed something; `touched`: which tables;
    `snapshot`: the last commit it sees; `broken`: why only ROLLBACK is possible.
    """

    id: int
    started: float
    begun: bool = False
    wrote: bool = False
    broken: str = ""
    snapshot: int = 0
    touched: set[ObjectName] = field(default_factory=set)


@dataclass
class Session:
    """Everything that belongs to one login."""

    id: int
    token: str
    user: User
    role: str
    duck: DuckDBPyConnection
    fake: FakeSnowflakeConnection
    warehouse: str | None = None
    parameters: dict[str, Any] = field(default_factory=lambda: dict(DEFAULT_PARAMETERS))
    application: str = ""
    transaction: Transaction | None = None
    temporary: dict[ObjectName, Table] = field(default_factory=dict)
    last_query_id: str | None = None
    last_activity: float = 0.0
    running: bool = False
    stale: list[str] = field(default_factory=list)
    closed: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def database(self) -> str | None:
        """The current database."""
        return None if self.fake.database is None else str(self.fake.database)

    @property
    def schema(self) -> str | None:
        """The current schema."""
        return None if self.fake.schema is None else str(self.fake.schema)

    def use(self, database: str | None, schema: str | None) -> None:
        """Change the current database and schema, also in DuckDB, whose macros are found through it."""
        self.fake.database = database
        self.fake._schema = "_FS_INFORMATION_SCHEMA" if schema == "INFORMATION_SCHEMA" else schema  # noqa: SLF001
        self.fake.database_set, self.fake.schema_set = database is not None, schema is not None

    def parameter(self, name: str, text: object) -> None:
        """Set a parameter from text as a connector or ALTER SESSION sends it."""
        default = DEFAULT_PARAMETERS.get(name)
        if isinstance(default, bool) and not isinstance(text, bool):
            self.parameters[name] = str(text).lower() == "true"
        elif isinstance(default, int) and not isinstance(default, bool):
            self.parameters[name] = int(str(text))
        else:
            self.parameters[name] = text
