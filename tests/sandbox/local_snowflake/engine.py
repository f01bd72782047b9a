"""Runs one statement of a session, from its text to its result."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
from fakesnow import statement_type

from . import (
    access,
    account_functions,
    copying,
    ddl,
    describing,
    dml,
    merge,
    quoted_names,
    session_commands,
    show,
    stage_commands,
)
from .errors import SnowflakeError, from_exception, unsupported
from .faults import ConnectionReset
from .query_log import Entry
from .requests import StatementRequest
from .results import Result, status
from .statements import Statement, parse, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .session import Session
    from .world import World

DDL_WAIT_SECONDS = 60.0


@dataclass
class Call:
    """A statement on its way: who asks, what, and with which bind values."""

    world: World
    session: Session
    statement: Statement
    query_id: str
    binds: Sequence[object] = ()
    now: float = 0.0


def _begin(call: Call) -> Result:
    call.world.transactions.begin(call.session)
    return status(type_id=statement_type.TCL)


def _commit(call: Call) -> Result:
    call.world.transactions.commit(call.session)
    return status(type_id=statement_type.TCL)


def _rollback(call: Call) -> Result:
    call.world.transactions.rollback(call.session)
    return status(type_id=statement_type.TCL)


_HANDLERS: dict[str, Callable[[Call], Result]] = {
    "BEGIN": _begin,
    "COMMIT": _commit,
    "ROLLBACK": _rollback,
    "SELECT": dml.select,
    "INSERT": dml.insert,
    "UPDATE": dml.update,
    "DELETE": dml.delete,
    "TRUNCATE": dml.truncate,
    "MERGE": merge.merge,
    "COPY": copying.copy_into,
    "PUT": stage_commands.put,
    "LIST": stage_commands.list_files,
    "REMOVE": stage_commands.remove,
    "USE": session_commands.use,
    "ALTER SESSION": session_commands.alter_session,
    "SHOW": show.show,
    "DESCRIBE": show.describe,
    **ddl.HANDLERS,
}


def run(
    world: World,
    session: Session,
    text: str,
    binds: Sequence[object] = (),
    order: StatementRequest | None = None,
) -> tuple[str, Result]:
    """Run a statement, log it, and give its query id and result. `order`: what else its request asked for.

    Raises:
        SnowflakeError: for every failure, whatever its cause.
        ConnectionReset: a fault cuts the connection before the statement takes effect.
    """
    query_id, order = str(uuid.uuid4()), order or StatementRequest(text)
    with session.lock, session.statement(order.request_id, order.parameters):
        session.query_id = query_id
        try:
            return query_id, _logged(_Trace(world, session, text, query_id), binds, order)
        finally:  # while it still counts as running: else a waiter could find it idle since its last one
            session.last_query_id = query_id
            session.last_activity = world.clock.now()


def _logged(trace: _Trace, binds: Sequence[object], order: StatementRequest) -> Result:
    world, session = trace.world, trace.session
    watch = world.time_limit(session)
    try:
        world.transactions.expire(session)
        order.before()
        result = _run(trace, binds, describe_only=order.describe_only)
        if not order.describe_only:
            trace.log(rows=result.rows)
    except ConnectionReset:
        raise
    except Exception as error:
        failure = session.cancelled or from_exception(error)
        trace.log(error=failure)
        raise failure from error
    finally:
        watch.cancel()
    return result


class _Trace:
    """What the query log needs to know, taken before the statement changes it."""

    def __init__(self, world: World, session: Session, text: str, query_id: str) -> None:
        self.world, self.session, self.text, self.query_id = world, session, text, query_id
        self.statement: Statement | None = None
        self._transaction = session.transaction.id if session.transaction else None
        self._at, self._started = world.clock.now(), time.perf_counter()

    def log(self, *, rows: int = 0, error: SnowflakeError | None = None) -> None:
        """Add the entry."""
        session = self.session
        if self.statement is None and error is not None:
            self.statement = parsed(self.text)  # a fault struck before it was looked at
        after = session.transaction.id if session.transaction else None
        entry = Entry(
            query_id=self.query_id,
            statement=self.text,
            kind=self.statement.kind if self.statement else "",
            session=session.id,
            user=session.user.name,
            role=session.role,
            warehouse=session.warehouse,
            database=session.database,
            transaction=self._transaction if self._transaction is not None else after,
            query_tag=str(session.parameters["QUERY_TAG"] or ""),
            needs_warehouse=self.statement.needs_warehouse if self.statement else True,
            rows=rows,
            error=error.code if error else None,
            message=error.message if error else None,
            stale=list(session.stale),
            at=self._at,
            ms=(time.perf_counter() - self._started) * 1000,
        )
        self.world.query_log.add(entry)


def _run(trace: _Trace, binds: Sequence[object], *, describe_only: bool) -> Result:
    world, session = trace.world, trace.session
    trace.statement = statement = parse(trace.text)
    if world.contract and session.user.name != "ADMIN":
        world.contract.check(statement)
    quoted_names.fold(statement, session)
    call = Call(world, session, statement, trace.query_id, binds, world.clock.now())
    handler = account_functions.handler(statement) or _HANDLERS.get(statement.kind)
    if handler is None:
        raise unsupported(statement.kind)
    if describe_only:
        return describing.described(call)
    if statement.needs_warehouse:
        access.require_warehouse(call)
    if statement.is_ddl:
        world.transactions.commit(session)
        return _define(call, handler)
    return handler(call)


def _define(call: Call, handler: Callable[[Call], Result]) -> Result:
    """Run a DDL statement, one at a time; DuckDB refuses a concurrent one at once, Snowflake lets it wait."""
    deadline = time.monotonic() + min(float(str(call.session.parameters["LOCK_TIMEOUT"])), DDL_WAIT_SECONDS)
    while True:
        try:
            with call.world.ddl:
                return handler(call)
        except duckdb.TransactionException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
