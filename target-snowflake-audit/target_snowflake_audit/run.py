"""One run of the target: its identity, its session, and the rows it leaves in the audit schema."""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
import uuid
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import __version__, hashing
from target_snowflake_audit.audit import tables as audit
from target_snowflake_audit.audit import tips, upgrade
from target_snowflake_audit.audit.run_chain import RunChain
from target_snowflake_audit.audit.setup_sql import STAGE, lock_schema
from target_snowflake_audit.counts import Counts
from target_snowflake_audit.errors import IntegrityError, InterruptedRunError, SettingError
from target_snowflake_audit.lanes import Lane, Lanes
from target_snowflake_audit.query_tag import read_query_tag
from target_snowflake_audit.redaction import SALT_TABLE
from target_snowflake_audit.retry_classes import AUTHENTICATION, OBJECT_EXISTS
from target_snowflake_audit.session import Session, StatementError, connect
from target_snowflake_audit.settings import SECRETS
from target_snowflake_audit.settings_read import names_of
from target_snowflake_audit.sql import audit_rows, salt, staging
from target_snowflake_audit.sql.quoting import TableName
from target_snowflake_audit.staging.orphans import orphans
from target_snowflake_audit.warehouse_time import WarehouseMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from target_snowflake_audit.audit.tips import Tip

logger = logging.getLogger(__name__)

_MAPPING = (
    "stream_maps",
    "schema_mapping",
    "column_types",
    "column_naming",
    "number_type",
    "timestamp_type",
    "type_conflict",
)
_MAX_MESSAGE = 2000
MAX_PARALLELISM = 4
"""Sessions of a run unless `max_parallelism` says otherwise."""


def _once(action: Callable[[], None]) -> None:
    action()


@dataclass
class Run:
    """What all streams of a run share; safe to use from the threads that load.

    Statements need a session: `with run.lane():` borrows one for the thread, and `session` gives it.
    """

    settings: Mapping[str, Any]
    program: str = "target-snowflake-audit"
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    totals: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    batches: int = 0
    batch_number: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    """Guards what the run knows, and the rows that belong to the run itself."""
    lost_records: bool = False
    """Records that were sent have not come: from now on nothing is taken for gone because it did not come."""
    _started: bool = False
    _ended: bool = False
    _first_row: dict[str, Any] = field(default_factory=dict, repr=False)
    _last_row: dict[str, Any] = field(default_factory=dict, repr=False)
    _checked: bool = False
    _refused: StatementError | None = None
    _logged_in: bool = False
    tables: dict[TableName, dict[str, bool]] = field(default_factory=dict)
    """Streams that are sent to each target table, and whether one removes lines of its documents."""
    shadows: set[TableName] = field(default_factory=set)
    """Tables in which streams of load method overwrite are gathered."""
    _fences: set[str] | None = None
    _salt: str = field(default="", repr=False)
    _pending: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the names once."""
        self.names = names_of(self.settings)
        self.query_tag = read_query_tag(self.settings, self.program, self.run_id)
        self._lanes = Lanes(self._connect, int(self.settings.get("max_parallelism") or MAX_PARALLELISM))
        self.meter = WarehouseMeter()
        self.chain = RunChain(self.run_id, self.audit_table)
        self._tip_key = next(iter(tips.keys_of(self.settings)), None)

    def audit_table(self, name: str) -> TableName:
        """Full name of an audit table."""
        return TableName(self.names.database, self.names.audit_schema, name)

    def lock_table(self, name: str) -> TableName:
        """Full name of a table beside the fences."""
        return TableName(self.names.database, lock_schema(self.names.audit_schema), name)

    def stage_folder(self, *parts: str) -> str:
        """Stage path of this run, ending in `/`: COPY takes a path as a prefix."""
        path = "/".join((self.run_id, *parts))
        return f"@{self.lock_table(STAGE).sql}/{path}/"

    @contextmanager
    def lane(self) -> Iterator[Lane]:
        """Borrow a session for this thread; at most `max_parallelism` are lent at a time."""
        with self._lanes.borrow() as lane:
            yield lane

    @property
    def here(self) -> Lane:
        """The lane that this thread has borrowed."""
        return self._lanes.here

    def session(self) -> Session:
        """Give this thread's session, logging in when there is none; only inside `lane`.

        Raises:
            SettingError: a setting is wrong, or the audit schema is not set up.
            StatementError: Snowflake cannot be reached or refused the login.
        """
        return self._lanes.here.session()

    def check(self) -> None:
        """Log in and look at the audit schema, so that wrong settings are told before there is any record."""
        with self.lane():
            self.session()

    @property
    def logged_in(self) -> bool:
        """Whether some login of this run has succeeded: the settings are right then."""
        return self._logged_in

    def _connect(self) -> Session:
        if self._refused is not None:
            raise self._refused  # a login more with a refused credential brings the user nearer to a lock-out
        try:
            session = connect(self.settings, query_tag=self.query_tag)
        except StatementError as error:
            if error.error_class is AUTHENTICATION:
                self._refused = error
            raise
        session.meter = self.meter
        with self.lock:
            if not self._logged_in:
                logger.info("Logged in to Snowflake, run %s", self.run_id)
            self._logged_in = True
            if not self._checked:
                self._check_audit(session)
                self._checked = True
        return session

    def drop_session(self) -> None:
        """Roll back and close this thread's session: the next statement logs in again."""
        self._lanes.here.drop()

    def committed(self, stream: str, counts: Counts) -> None:
        """Add up what a committed batch did."""
        with self.lock:
            self.batches += 1
            self.totals[stream].add(counts)

    def refused(self, stream: str, letters: int) -> None:
        """Add up the dead letters of a batch that was rolled back."""
        with self.lock:
            self.totals[stream].add(Counts(received=letters, dead=letters))

    def next_batch_number(self) -> int:
        """Number a batch of the run, from 1."""
        with self.lock:
            self.batch_number += 1
            return self.batch_number

    def start(self) -> None:
        """Write the RUNS row of the start, once; needs the warehouse."""
        with self.lane(), self.lock:
            if not self._started:
                # The same row each time: one whose answer was lost is known to the chain.
                self._first_row = self._first_row or {
                    **self._identity(),
                    "EVENT": "started",
                    "STATUS": "running",
                }
                self._insert(audit.RUNS, [self._first_row])
                self._started = True
                self._remove_orphans()

    def _remove_orphans(self) -> None:
        """Remove what killed runs left on the stage; that it cannot be removed is no reason to stop."""
        stage = self.lock_table(STAGE).sql
        try:
            answer = self.session().execute(staging.list_files(f"@{stage}"), "list files")
            name, modified = answer.columns.index("name"), answer.columns.index("last_modified")
            files = [(str(row[name]), str(row[modified])) for row in answer.rows]
            for folder in orphans(files, dt.datetime.now(dt.UTC)):
                self.session().execute(staging.remove(f"@{stage}/{folder}/"), "remove orphans")
                logger.info("Removed the files that run %s left on the stage", folder)
        except StatementError as error:
            logger.warning("Files of killed runs stay on the stage: %s", error)

    def end(
        self, status: str, error: str = "", *, retry: Callable[[Callable[[], None]], None] = _once
    ) -> None:
        """Write the RUNS row of the end and what still waits, then close the sessions.

        A run that did nothing leaves no row and needs no warehouse. One that lost its session, or was told to
        stop while it had none, logs in once more. `retry` runs what writes them, again where that may help.
        """
        try:
            if self._logged_in and (self._started or self._pending):
                with self.lane():
                    retry(lambda: self._record_end(status, error))
        except (StatementError, SettingError, InterruptedRunError) as failure:
            logger.warning("The end of run %s could not be recorded in RUNS: %s", self.run_id, failure)
        self._lanes.close()

    def _record_end(self, status: str, error: str) -> None:
        self.start()
        self.write_pending()
        session = self.session()
        reached = self.chain.table_tips(session)
        if not self._ended:
            # The very same row when it is tried again: it may be there although the answer was lost.
            self._last_row = self._last_row or self._row_of_end(status, error, reached)
            self._insert(audit.RUNS, [self._last_row])
            self._ended = True
        for tip in (*reached, self.chain.own_tip(session)):
            logger.info("Chain tip %s", tip.line(self._tip_key))
        logger.info("Run %s: warehouse time %.1f s", self.run_id, self.meter.milliseconds / 1000)
        # Own files only: the folder is named after the run.
        session.execute(staging.remove(self.stage_folder()), "remove files")

    def _row_of_end(self, status: str, error: str, reached: list[Tip]) -> dict[str, Any]:
        total = Counts()
        for counts in self.totals.values():
            total.add(counts)
        return {
            **self._identity(),
            "EVENT": "ended",
            "STATUS": status,
            "RECORDS": total.received,
            "DEAD_LETTERS": total.dead,
            "BATCHES": self.batches,
            "STREAMS": {stream: vars(counts) for stream, counts in self.totals.items()},
            "STATEMENT_MS": self.meter.milliseconds,
            "TIPS": {tip.chain: tip.as_json(self._tip_key) for tip in reached} or None,
            "ERROR": error[:_MAX_MESSAGE] or None,
        }

    def write(self, table: audit.Table, rows: list[dict[str, Any]], unless: str) -> None:
        """Write rows at once, outside any transaction, but for those that `audit_rows.insert` leaves out.

        When it failed, the very same rows may be given again.
        """
        self.start()
        while rows:
            part = audit_rows.fitting(rows)
            self.chain.insert(self.session(), table, rows[:part], unless)
            rows = rows[part:]

    def later(self, table: audit.Table, row: dict[str, Any]) -> None:
        """Keep an audit row until a warehouse is used anyway."""
        with self.lock:
            self._pending.setdefault(table.name, []).append(row)

    def write_pending(self) -> None:
        """Write the rows kept by `later`, outside any transaction."""
        with self.lock:
            while self._pending:
                name, rows = next(iter(self._pending.items()))
                part = audit_rows.fitting(rows)
                self._insert(audit.BY_NAME[name], rows[:part])
                del rows[:part]
                if not rows:
                    del self._pending[name]

    def fences(self) -> set[str]:
        """Names of the fences that exist; SHOW needs no warehouse."""
        with self.lock:
            if self._fences is None:
                where = self.lock_table(STAGE).schema_sql
                answer = self.session().execute(f"SHOW TABLES IN SCHEMA {where}", "show fences")
                at = answer.columns.index("name")
                self._fences = {str(row[at]) for row in answer.rows}
            return self._fences

    def salt(self) -> str:
        """Give the salt of redacted values, making it the first time anybody needs it; needs the warehouse.

        Raises:
            IntegrityError: its table does not hold exactly one row.
        """
        with self.lane(), self.lock:
            if not self._salt:
                session, table = self.session(), self.lock_table(SALT_TABLE)
                if table.table not in self.fences():
                    try:
                        session.execute(salt.create(table), "create salt")
                    except StatementError as error:
                        if error.errno not in OBJECT_EXISTS:
                            raise
                    self.fences().add(table.table)
                rows = session.execute(salt.read(table), "read salt").rows
                if len(rows) != 1:
                    message = f"{table} has {len(rows)} rows, not one: the salt of redacted values"
                    raise IntegrityError(message)
                self._salt = str(rows[0][0])
            return self._salt

    def _insert(self, table: audit.Table, rows: list[dict[str, Any]]) -> None:
        self.chain.insert(self.session(), table, rows)

    def _check_audit(self, session: Session) -> None:
        """Make missing audit tables and columns where the role may, else say who can.

        Raises:
            SettingError: something is missing and the role may not make it.
        """
        upgrade.complete(session, self.names.database, self.names.audit_schema)

    def _identity(self) -> dict[str, Any]:
        return {
            "RUN_ID": self.run_id,
            "PROGRAM": self.program,
            "PROGRAM_VERSION": __version__,
            "SDK_VERSION": metadata.version("singer-sdk"),
            "CONNECTOR_VERSION": metadata.version("snowflake-connector-python"),
            "CONFIG_SHA256": hashing.of_json({k: v for k, v in self.settings.items() if k not in SECRETS}),
            "MAPPING_SHA256": hashing.of_json({name: self.settings.get(name) for name in _MAPPING}),
            "MELTANO_ENVIRONMENT": os.environ.get("MELTANO_ENVIRONMENT"),
            "MELTANO_RUN_ID": os.environ.get("MELTANO_RUN_ID"),
            "MELTANO_STATE_ID": os.environ.get("MELTANO_STATE_ID"),
            "SESSION_ID": audit_rows.Sql("CURRENT_SESSION()"),
        }


def utc_now() -> str:
    """The target's own clock, UTC, as text."""
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S.%f}"
