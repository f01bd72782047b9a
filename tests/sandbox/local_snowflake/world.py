"""The whole account: what all sessions share."""

from __future__ import annotations

import itertools
import json
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakesnow import info_schema
from fakesnow.instance import FakeSnow

from . import macros, parameters, variants
from .catalogue import Catalogue
from .clock import Clock
from .errors import already_exists, not_found, timed_out, too_long
from .faults import Faults
from .grants import Grants
from .locks import Locks
from .names import literal, quote
from .query_log import QueryLog
from .session import Session, canceled
from .sessions import Sessions
from .stages import Stages
from .transactions import Transactions

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .contract import Contract
    from .errors import SnowflakeError
    from .users import PublicKey, User, Users


LONGEST_STATEMENT = 600.0  # seconds by the real clock; a statement that runs on would keep the machine busy
_MEMORY, _SPILLED = "4GB", "20GB"
_IN_PARALLEL = "PRAGMA verify_parallelism"
"""DuckDB gives a thread at least 122,880 rows of a table: most of our statements would run on one core.
So it gives out vectors of 2,048 rows, as a warehouse uses all its cores for the partitions of a table."""

_WAREHOUSES = "warehouses.json"


class World:
    """Databases, stages, users, sessions, locks and the clock; one DuckDB instance for all connections."""

    def __init__(self, users: Users, persist: Path | None = None) -> None:
        """Open the databases under `persist`, or keep everything in memory."""
        self.clock = Clock()
        self.users = users
        self.network_rules: dict[tuple[str, ...], list[str]] = {}
        self.network_policies: dict[str, list[tuple[str, ...]]] = {}
        self.logins: list[dict[str, str]] = []
        self.issuers: dict[str, PublicKey] = {}
        kept = persist / _WAREHOUSES if persist else None
        self.warehouses: set[str] = set(json.loads(kept.read_text())) if kept and kept.exists() else set()
        self.file_formats: dict[str, dict[str, Any]] = {}
        self._persist = persist
        self._temporary = None if persist else tempfile.TemporaryDirectory(prefix="local-snowflake-")
        root = persist or Path(self._temporary.name if self._temporary else "")
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
        self.longest_statement = LONGEST_STATEMENT
        self.fake = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
        self._duck: DuckDBPyConnection = self.fake.duck_conn
        self._spilled = tempfile.TemporaryDirectory(prefix="local-snowflake-spilled-")
        self._duck.execute(f"SET memory_limit = '{_MEMORY}'")
        self._duck.execute(f"SET temp_directory = {literal(self._spilled.name)}")
        self._duck.execute(f"SET max_temp_directory_size = '{_SPILLED}'")
        variants.register(self._duck)
        macros.create(self._duck, parameters.DEFAULTS)
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
        self.sessions = Sessions(self.clock, self.close_session)
        self._ids = itertools.count(1_000_001)
        self.ddl = threading.RLock()

    def open_session(self, user: User, role: str) -> Session:
        """A new session of a user; its DuckDB connection shares the one instance."""
        fake = self.fake.connect()
        duck = fake._duck_conn  # noqa: SLF001 - the cursor that FakeSnow made for this connection
        duck.execute(_IN_PARALLEL)
        session = Session(next(self._ids), user, role, duck, fake)
        macros.follow(duck, session.parameters)
        session.opened = self.clock.now()
        session.token, session.master_token = self.sessions.add(session)
        return session

    def cancel(self, session: Session, why: SnowflakeError) -> None:
        """End the statement that a session runs, wherever it is: in DuckDB, or waiting for a lock."""
        session.cancelled = why
        session.duck.interrupt()
        with self.clock.moved:
            self.clock.moved.notify_all()

    def time_limit(self, session: Session) -> threading.Timer:
        """A timer that ends a statement at its time-out, at the latest after `longest_statement`."""
        limit = float(str(session.parameters["STATEMENT_TIMEOUT_IN_SECONDS"])) or self.longest_statement
        seconds = min(limit, self.longest_statement)
        why = timed_out(int(limit)) if seconds == limit else too_long(seconds)
        timer = threading.Timer(seconds, self.cancel, (session, why))
        timer.daemon = True
        timer.start()
        return timer

    def cancel_all(self) -> None:
        """End every statement that runs."""
        for session in self.sessions.all():
            if session.running:
                self.cancel(session, canceled())

    def add_warehouse(self, name: str) -> None:
        """A further warehouse, also after a restart."""
        self.warehouses.add(name)
        if self._persist:
            (self._persist / _WAREHOUSES).write_text(json.dumps(sorted(self.warehouses)))

    def close_session(self, session: Session) -> None:
        """End a session: roll its transaction back and drop its temporary tables."""
        self.sessions.remove(session)
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

    def close_sessions(self) -> None:
        """End every session; open transactions are rolled back."""
        for session in self.sessions.all():
            self.close_session(session)

    def stop(self) -> None:
        """Close everything."""
        self.close_sessions()
        self._duck.close()
        self.remove_files()

    def remove_files(self) -> None:
        """Remove what is not to be kept."""
        self._spilled.cleanup()
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
        inside = f"{quote(name)}._fs_information_schema"
        self._duck.execute(  # fakesnow's view lacks the views
            f"CREATE OR REPLACE VIEW {inside}._ls_tables AS SELECT * FROM {inside}._fs_tables "
            'UNION ALL BY NAME SELECT database_name AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", '
            'view_name AS "TABLE_NAME", \'VIEW\' AS "TABLE_TYPE" FROM duckdb_views() WHERE NOT internal '
            f"AND database_name = {literal(name)} AND schema_name <> '_fs_information_schema'"
        )
        self._duck.execute(
            f"CREATE TABLE IF NOT EXISTS {inside}._ls_loads "
            "(schema_name VARCHAR, table_name VARCHAR, path VARCHAR, md5 VARCHAR)"
        )
