"""The whole account: what all sessions share."""

from __future__ import annotations

import itertools
import secrets
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakesnow import info_schema
from fakesnow.instance import FakeSnow

from . import macros
from .catalogue import Catalogue
from .clock import Clock
from .errors import SnowflakeError, already_exists, not_found
from .faults import Faults
from .grants import Grants
from .locks import Locks
from .names import literal, quote
from .query_log import QueryLog
from .session import Session
from .stages import Stages
from .transactions import Transactions

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .contract import Contract
    from .users import User

SESSION_GONE = 390104


class World:
    """Databases, stages, users, sessions, locks and the clock; one DuckDB instance for all connections."""

    def __init__(self, users: dict[str, User], persist: Path | None = None) -> None:
        """Open the databases under `persist`, or keep everything in memory."""
        self.clock = Clock()
        self.users = users
        self.warehouses: set[str] = set()
        self.file_formats: dict[str, dict[str, Any]] = {}
        self._persist = persist
        self._temporary = None if persist else tempfile.TemporaryDirectory(prefix="local-snowflake-")
        root = persist or Path(self._temporary.name if self._temporary else "")
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
        self.fake = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
        self._duck: DuckDBPyConnection = self.fake.duck_conn
        for file in sorted(root.glob("*.duckdb")):
            self._attach(file.stem)
        self.catalogue = Catalogue(self._duck.cursor(), root / "catalogue.json" if persist else None)
        self.stages = Stages(root / "stages")
        self.locks = Locks(self.clock)
        self.transactions = Transactions(self.clock, self.locks)
        self.grants = Grants(root / "grants.json" if persist else None)
        self.contract: Contract | None = None
        self.query_log = QueryLog()
        self.faults = Faults()
        self.sessions: dict[str, Session] = {}
        self._ids = itertools.count(1_000_001)
        self.ddl = threading.RLock()

    def open_session(self, user: User, role: str) -> Session:
        """A new session of a user; its DuckDB connection shares the one instance."""
        fake = self.fake.connect()
        duck = fake._duck_conn  # noqa: SLF001 - the cursor that FakeSnow made for this connection
        macros.create(duck)
        session = Session(next(self._ids), secrets.token_urlsafe(32), user, role, duck, fake)
        session.last_activity = self.clock.now()
        self.sessions[session.token] = session
        return session

    def session(self, token: str) -> Session:
        """The session of a token.

        Raises:
            SnowflakeError: 390104 when there is none.
        """
        session = self.sessions.get(token)
        if session is None:
            raise SnowflakeError(SESSION_GONE, "08001", "User must login again to access the service.")
        return session

    def close_session(self, session: Session) -> None:
        """End a session: roll its transaction back and drop its temporary tables."""
        self.sessions.pop(session.token, None)
        with session.lock:
            if not session.closed:
                session.closed = True
                self.transactions.rollback(session)
                session.duck.close()

    def create_database(self, name: str, *, exists_ok: bool) -> bool:
        """Create a database with its PUBLIC schema; False when it was there and that is fine.

        Raises:
            SnowflakeError: 2002 when it is there.
        """
        if name in self.catalogue.databases():
            if exists_ok:
                return False
            raise already_exists(name)
        self._attach(name)
        self._duck.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(name)}.{quote('PUBLIC')}")
        self.catalogue.changed()
        return True

    def drop_database(self, name: str, *, exists_ok: bool) -> None:
        """Drop a database with everything in it.

        Raises:
            SnowflakeError: 2003 when it is missing and IF EXISTS was not said.
        """
        if name not in self.catalogue.databases():
            if exists_ok:
                return
            kind = "Database"
            raise not_found(kind, name)
        self._duck.execute(f"DETACH {quote(name)}")
        self._file(name).unlink(missing_ok=True)
        self.stages.drop_schema(name, None)
        self.catalogue.changed()

    def stop(self) -> None:
        """Close everything; open transactions are rolled back."""
        for session in list(self.sessions.values()):
            self.close_session(session)
        self._duck.close()
        if self._temporary:
            self._temporary.cleanup()

    def _file(self, name: str) -> Path:
        return self._root / f"{name}.duckdb"

    def _attach(self, name: str) -> None:
        where = str(self._file(name)) if self._persist else ":memory:"
        self._duck.execute(f"ATTACH {literal(where)} AS {quote(name)}")
        self._duck.execute(
            info_schema.per_db_creation_sql(quote(name)).replace(f"'{quote(name)}'", literal(name))
        )
        self._duck.execute(
            f"CREATE TABLE IF NOT EXISTS {quote(name)}._fs_information_schema._ls_loads "
            "(schema_name VARCHAR, table_name VARCHAR, path VARCHAR, md5 VARCHAR)"
        )
