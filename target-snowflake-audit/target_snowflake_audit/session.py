"""One Snowflake session: opened, used by one caller at a time, and never trusted with DDL in a transaction.

DDL, temporary tables included, commits an open transaction without a word
(docs.snowflake.com/en/sql-reference/transactions), so the wrapper refuses it there.

Snowflake itself aborts a transaction that holds what others wait for and is idle for five minutes (a machine
that slept, a network that was gone), and an administrator may abort any. What the session then does is not
documented. So the session never commits by itself: whatever comes after such an abort is part of a new
transaction, and before COMMIT the wrapper asks whether the open transaction is still the one that it began.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
import time
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.setup_sql import lock_schema
from target_snowflake_audit.errors import CONNECT, SettingError, StatementError, TargetError
from target_snowflake_audit.importing import lasting
from target_snowflake_audit.login import login_arguments
from target_snowflake_audit.login_errors import explained
from target_snowflake_audit.query_tag import QueryTag, read_query_tag
from target_snowflake_audit.retry_classes import (
    ABORTED,
    AUTHENTICATION,
    AUTHORISATION,
    COMPILATION,
    LOGIN_TOKEN_NUMBERS,
    NETWORK,
    SESSION,
    UNKNOWN,
    classify,
)
from target_snowflake_audit.settings_read import names_of
from target_snowflake_audit.warehouse_time import WarehouseMeter, needs_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.errors import Error as ConnectorError

logger = logging.getLogger(__name__)

_CONNECTOR = "snowflake.connector"
LOCK_TIMEOUT_SECONDS = 900
STATEMENT_TIMEOUT_SECONDS = 3600
DOUBT_SECONDS = 120
"""Snowflake aborts after 300 idle seconds: a COMMIT that took longer than this may have come too late."""
_LOGIN_FAILED = 250001
_TRANSACTION = "transaction"
_REFUSALS = (AUTHORISATION, COMPILATION, UNKNOWN)
"""Classes of a statement that this account does not let this session run."""
LOOK_AFTER_SECONDS = 600
"""A session that was idle for longer may have ended: the machine slept, or an administrator ended it."""
LOGIN_TIMEOUT_SECONDS = 60
NETWORK_TIMEOUT_SECONDS = 1800

_PINNED: dict[str, bool | int | str] = {
    # Conversions without a format read and write by these, and an account or a user may have set them to
    # anything: 2026-03-04 could be 3 April (docs.snowflake.com/en/sql-reference/date-time-input-output).
    "TIMEZONE": "UTC",
    "DATE_INPUT_FORMAT": "AUTO",
    "TIME_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS.FF9",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM",
    # Bytes as text, in history and in the console.
    "BINARY_OUTPUT_FORMAT": "HEX",
    # Another value cuts results off, and nothing says so: tables, fences and chains would seem to be missing.
    "ROWS_PER_RESULTSET": 0,
    # Names in quotes keep their case; a MERGE that is not certain fails.
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    # DEFAULT_DDL_COLLATION is no parameter of a session, but of account, database, schema and table: a column
    # that got a collation that way is refused by its type (`reconcile`), as "a" could equal "A" in it.
}

_DDL = re.compile(r"\s*(create|alter|drop|comment|grant|revoke|undrop|truncate)\b", re.IGNORECASE)
_BEGIN = re.compile(r"\s*begin\b", re.IGNORECASE)
_CHANGE = re.compile(r"\s*(insert|update|delete|merge|copy)\b", re.IGNORECASE)
_END = re.compile(r"\s*(commit|rollback)\b", re.IGNORECASE)

__all__ = ["Answer", "DdlInTransactionError", "Session", "StatementError", "Timing", "connect"]


class DdlInTransactionError(TargetError):
    """Our own mistake: DDL would have committed half a batch."""


@dataclass(frozen=True)
class Answer:
    """What a statement gave: rows as tuples, affected rows, Snowflake's query id and the time it took."""

    rows: list[tuple[Any, ...]]
    columns: tuple[str, ...]
    affected: int
    query_id: str
    milliseconds: int


@dataclass
class Timing:
    """Query ids and times of the statements of one batch, by step; a step may occur several times."""

    query_ids: dict[str, str] = field(default_factory=dict)
    milliseconds: dict[str, int] = field(default_factory=dict)
    statements: int = 0
    warehouse_ms: int = 0
    """Milliseconds of the statements that need a warehouse."""

    def add(self, step: str, answer: Answer, warehouse_ms: int = 0) -> None:
        """Note one statement."""
        self.statements += 1
        self.warehouse_ms += warehouse_ms
        self.query_ids[step] = answer.query_id
        self.milliseconds[step] = self.milliseconds.get(step, 0) + answer.milliseconds


class Session:
    """A connection that one caller uses; `step` names a statement in errors, logs and audit rows."""

    def __init__(self, connection: SnowflakeConnection, tag: QueryTag | None = None) -> None:
        """Wrap an open connection; `tag` makes the tags of batches."""
        self._connection = connection
        self._tag = tag or QueryTag()
        self._parameters: dict[str, str] | None = None
        self._cursor = connection.cursor()
        self.in_transaction = False
        self._transaction: str | None = None
        self._torn = False
        """ROLLBACK has failed: whether the transaction is open nobody knows, and the next may not join it."""
        self._used = time.time()  # unlike the monotonic clock it goes on while a machine sleeps
        self.timing = Timing()
        self.meter = WarehouseMeter()

    def execute(self, sql: str, step: str) -> Answer:
        """Run one statement.

        Raises:
            DdlInTransactionError: DDL while a transaction is open.
            StatementError: Snowflake refused it, or did not answer.
        """
        if self.in_transaction and _DDL.match(sql):
            message = f"step `{step}` would commit the open transaction: {sql[:60]}"
            raise DdlInTransactionError(message)
        if sql == "COMMIT":
            return self._commit(step)
        if _BEGIN.match(sql):
            self.in_transaction = True
        answer = self._send(sql, step)
        if _BEGIN.match(sql):
            self._transaction = self._current()
        elif _END.match(sql):
            self.in_transaction = False
        elif not self.in_transaction and _CHANGE.match(sql):
            self._send("COMMIT", step)
        return answer

    def is_alive(self) -> bool:
        """Whether the session can go on; Snowflake is asked only after a long pause, without a warehouse."""
        if self._torn:
            return False
        if self.in_transaction or time.time() - self._used < LOOK_AFTER_SECONDS:
            return True
        try:
            self._run("SELECT CURRENT_TRANSACTION()", _TRANSACTION, time.monotonic())
        except StatementError as error:
            return error.error_class not in {SESSION, NETWORK}
        return True

    @contextmanager
    def tagged(self, stream: str, batch_id: str) -> Iterator[None]:
        """Mark the statements of the block as those of a batch; needs no statement of its own."""
        before, self._parameters = self._parameters, {"QUERY_TAG": self._tag.text(stream, batch_id)}
        try:
            yield
        finally:
            self._parameters = before

    def check_transaction(self) -> None:
        """Make sure that the open transaction is the one that was begun.

        Raises:
            StatementError: Snowflake has aborted it; nothing of it is stored, and nothing after it is.
        """
        if self.in_transaction and (self._transaction is None or self._current() != self._transaction):
            message = (
                f"transaction {self._transaction} was aborted: it was idle too long, or somebody ended it"
            )
            raise StatementError(_TRANSACTION, message, ABORTED)

    def _current(self) -> str | None:
        """Id of the open transaction; asking needs no warehouse."""
        found = self._send("SELECT CURRENT_TRANSACTION()", _TRANSACTION).rows[0][0]
        return None if found is None else str(found)

    def _commit(self, step: str) -> Answer:
        """Commit what was begun.

        Raises:
            StatementError: it was aborted, or so much time has passed that it may have been.
        """
        asked = time.time()  # unlike the monotonic clock it goes on while a machine sleeps
        self.check_transaction()
        answer = self._send("COMMIT", step)
        self.in_transaction = False
        if time.time() - asked > DOUBT_SECONDS:
            message = "COMMIT took so long that the transaction may have been aborted before"
            raise StatementError(step, message, NETWORK)
        return answer

    def _send(self, sql: str, step: str) -> Answer:
        answer = self._run(sql, step, time.monotonic())
        logger.debug("%s: %s ms, query %s", step, answer.milliseconds, answer.query_id)
        spent = answer.milliseconds if needs_warehouse(sql) else 0
        self.meter.add(spent)
        self.timing.add(step, answer, spent)
        return answer

    def rollback(self) -> None:
        """Roll back if a transaction is open; a session that is gone has rolled back by itself or will."""
        if self.in_transaction:
            try:
                self.execute("ROLLBACK", "rollback")
            except StatementError:
                self._torn = True
            self.in_transaction = False

    def close(self) -> None:
        """Close the session; errors while closing say nothing about the load."""
        try:
            self._connection.close()
        except Exception as error:  # noqa: BLE001 - the connector raises whatever its core raised
            logger.debug("closing the session: %s", error)

    def _run(self, sql: str, step: str, began: float) -> Answer:
        try:
            self._cursor.execute(sql, _statement_params=self._parameters)
            rows = self._cursor.fetchall()
        except _connector().errors.Error as error:
            raise _statement_error(step, error) from None
        self._used = time.time()
        columns = tuple(str(column[0]).lower() for column in self._cursor.description or ())
        affected = self._cursor.rowcount
        elapsed = round((time.monotonic() - began) * 1000)
        return Answer(rows, columns, -1 if affected is None else affected, self._cursor.sfqid or "", elapsed)


def connect(settings: Mapping[str, Any], *, query_tag: QueryTag | None = None) -> Session:
    """Log in and give a session with the parameters that loading relies on.

    Raises:
        SettingError: a setting is missing, or names something that is not there.
        StatementError: Snowflake could not be reached or refused the login.
    """
    tag = query_tag or read_query_tag(settings)
    arguments = connection_arguments(settings, query_tag=tag.text())
    connector = _connector()
    try:
        with warnings.catch_warnings():
            # The connector announces changes of its own defaults here; we pass what we rely on.
            warnings.simplefilter("ignore")
            session = Session(connector.connect(**arguments), tag)
    except connector.errors.Error as error:
        raise explained(settings, _statement_error(CONNECT, error)) from None
    _leave_other_roles(session, settings)
    _check_place(session, settings)
    return session


def _connector() -> ModuleType:
    """The connector, imported with the first session: it takes a second and 40 MB."""
    # It logs every request at INFO, signed upload addresses among them.
    logging.getLogger(_CONNECTOR).setLevel(logging.ERROR)
    with nullcontext() if _CONNECTOR in sys.modules else lasting():
        return importlib.import_module(_CONNECTOR)


def connection_arguments(settings: Mapping[str, Any], *, query_tag: str) -> dict[str, Any]:
    """Give the connector's arguments, with values that the connector lines 4.8 and 5.x read alike.

    Raises:
        SettingError: no login, or more than one, is configured; or the key cannot be read.
    """
    names = names_of(settings)
    arguments: dict[str, Any] = {
        "account": settings["account"],
        "user": settings["user"],
        "database": names.database,
        "schema": lock_schema(names.audit_schema),
        "warehouse": names.warehouse,
        "application": "target_snowflake_audit",
        "login_timeout": LOGIN_TIMEOUT_SECONDS,
        "network_timeout": NETWORK_TIMEOUT_SECONDS,
        "client_session_keep_alive": True,
        # The connector would look for a cloud machine's metadata at every login, which takes seconds.
        "platform_detection_timeout_seconds": 0,
        "session_parameters": {
            "AUTOCOMMIT": False,
            **_PINNED,
            "LOCK_TIMEOUT": LOCK_TIMEOUT_SECONDS,
            "STATEMENT_TIMEOUT_IN_SECONDS": STATEMENT_TIMEOUT_SECONDS,
            "QUERY_TAG": query_tag,
        },
    }
    for optional in ("host", "port", "protocol"):
        if settings.get(optional):
            arguments[optional] = settings[optional]
    if names.role:
        arguments["role"] = names.role
    return {**arguments, **login_arguments(settings)}


def _statement_error(step: str, error: ConnectorError) -> StatementError:
    errno, sqlstate = error.errno, error.sqlstate
    kind = type(error).__name__
    found = classify(errno, sqlstate, operational=kind in {"OperationalError", "InterfaceError"})
    message = " ".join(str(error.msg or error).split())
    if step == CONNECT and errno in LOGIN_TOKEN_NUMBERS:
        found = (
            AUTHENTICATION  # in a session they ask for a new login; at the login the credential is too old
        )
    if errno == _LOGIN_FAILED and "authentication failed" in message.lower():
        # Connector 5.x gives this number to a server that is not there and to a login refused without a
        # number of Snowflake's own. Only its words tell: trying again could lock the user out.
        found = AUTHENTICATION
    if found.data:
        # Such messages quote the value; values stay out of logs and of RETRIES.
        message = f"a value cannot be converted (error {errno}, SQLSTATE {sqlstate})"
    return StatementError(step, message, found, errno=errno, sqlstate=sqlstate, query_id=error.sfqid)


def _leave_other_roles(session: Session, settings: Mapping[str, Any]) -> None:
    """Keep the rights of the session's role only, which is what the audit trail says a row was written with.

    Where DEFAULT_SECONDARY_ROLES of the user is not set, it is ALL: a loader who is a purger too could delete
    (docs.snowflake.com/en/sql-reference/sql/use-secondary-roles; bcr-1692). A session that a token opened may
    not know the command: it has the roles that the token allows, and those of an access token that is
    restricted to a role are this one only (sql-reference/sql/alter-user-add-programmatic-access-token).
    """
    try:
        session.execute("USE SECONDARY ROLES NONE", "use secondary roles")
    except StatementError as error:
        by_token = settings.get("oauth_token") or settings.get("token")
        if not by_token or error.error_class not in _REFUSALS:
            session.close()
            raise
        logger.warning("%s; other roles stay on as far as the token allows them", error)


def _check_place(session: Session, settings: Mapping[str, Any]) -> None:
    """Say clearly which of database, warehouse and lock schema is missing or not granted.

    A login succeeds even if they do not exist. USE needs no warehouse.
    """
    names = names_of(settings)
    locks = lock_schema(names.audit_schema)
    for setting, kind, name, sql in (
        ("database", "database", names.database, names.database_sql),
        ("warehouse", "warehouse", names.warehouse, names.warehouse_sql),
        ("audit_schema", "schema", locks, f"{names.database_sql}.{names.lock_schema_sql}"),
    ):
        try:
            session.execute(f"USE {kind.upper()} {sql}", f"use {kind}")
        except StatementError as error:
            session.close()
            if error.error_class is not AUTHORISATION:
                raise
            hint = "; an owner makes it with `snowflake-audit init-sql`" if kind == "schema" else ""
            problem = (
                f"{kind} {name} does not exist, or role {names.role or 'of the user'} may not use it{hint}"
            )
            raise SettingError(setting, problem) from None
