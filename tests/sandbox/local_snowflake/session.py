"""A session: who, where, its parameters, its DuckDB connection and its open transaction.

Rules restored: session parameters are kept and readable (parameters page), temporary tables belong to the
session and to the schema they were created in, and times come from the sandbox's clock.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import macros, parameters
from .errors import SnowflakeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from duckdb import DuckDBPyConnection
    from fakesnow.conn import FakeSnowflakeConnection

    from .catalogue import Table
    from .names import ObjectName
    from .users import User

DETACHED_ABORT = 300.0  # seconds (ABORT_DETACHED_QUERY, parameters page)


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
    """Everything that belongs to one login.

    `only_role`: the one role that the access token allows; `request_id`: of the running statement;
    `cancelled`: why that one must end; `detached_since`: when its client went away.
    """

    id: int
    user: User
    role: str
    duck: DuckDBPyConnection
    fake: FakeSnowflakeConnection
    warehouse: str | None = None
    parameters: dict[str, Any] = field(default_factory=lambda: dict(parameters.DEFAULTS))
    application: str = ""
    token: str = field(default="", repr=False)
    master_token: str = field(default="", repr=False)
    transaction: Transaction | None = None
    temporary: dict[ObjectName, Table] = field(default_factory=dict)
    last_query_id: str | None = None
    last_activity: float = 0.0
    running: bool = False
    request_id: str = ""
    query_id: str = ""
    cancelled: SnowflakeError | None = None
    detached_since: float | None = None
    only_role: str | None = None
    opened: float = 0.0
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

    def parameter(self, name: str, value: object) -> None:
        """Set a parameter from what a connector or ALTER SESSION sends.

        Raises:
            SnowflakeError: 1008 or 0A000.
        """
        name = parameters.check(name, value)
        before = dict(self.parameters)
        self.parameters[name] = parameters.typed(name, value)
        self.follow([name], before)

    def follow(self, names: Iterable[str], before: dict[str, Any]) -> None:
        """Let DuckDB follow parameters that have changed.

        Raises:
            SnowflakeError: 0A000 for a format that cannot be written here; the parameters are as before then.
        """
        if parameters.FOLLOWED.isdisjoint(names):
            return
        try:
            macros.follow(self.duck, self.parameters)
        except Exception:
            self.parameters = before
            macros.follow(self.duck, self.parameters)
            raise

    @contextmanager
    def statement(self, request_id: str, own: Mapping[str, object]) -> Iterator[None]:
        """A statement runs: `own` are parameters for it alone (as `_statement_params` sends them).

        Raises:
            SnowflakeError: 1008 or 0A000 for a parameter.
        """
        before = dict(self.parameters)
        changed = {parameters.check(name, value): value for name, value in own.items()}
        overlay = {name: parameters.typed(name, value) for name, value in changed.items()}
        self.running, self.stale, self.cancelled, self.request_id = True, [], None, request_id
        self.parameters |= overlay
        self.follow(overlay, before)
        try:
            yield
        finally:
            for name, value in overlay.items():
                if self.parameters.get(name) == value:
                    self._restore(name, before)
            self.follow(overlay, before)
            self.running, self.request_id, self.query_id, self.detached_since = False, "", "", None

    def _restore(self, name: str, before: Mapping[str, object]) -> None:
        if name in before:
            self.parameters[name] = before[name]
        else:
            self.parameters.pop(name, None)

    def check_alive(self, now: float) -> None:
        """End a statement that waits, when somebody cancelled it or nobody is left to hear its answer.

        Raises:
            SnowflakeError: 604, or the number that the cancelling put there (630 for its time).
        """
        gone_for = now - self.detached_since if self.detached_since is not None else 0.0
        if gone_for >= DETACHED_ABORT and self.parameters["ABORT_DETACHED_QUERY"]:
            self.cancelled = self.cancelled or canceled()
        if self.cancelled:
            raise self.cancelled


def canceled() -> SnowflakeError:
    """A statement that was cancelled."""
    return SnowflakeError(604, "57014", "SQL execution canceled")
