"""Runs one statement of a session, from its text to its result."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakesnow import statement_type

from . import access, copying, ddl, dml, merge, session_commands, show, stage_commands
from .errors import from_exception, unsupported
from .results import Result, status
from .statements import Statement, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .session import Session
    from .world import World


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


def run(world: World, session: Session, text: str, binds: Sequence[object] = ()) -> tuple[str, Result]:
    """Run a statement and give its query id and result.

    Raises:
        SnowflakeError: for every failure, whatever its cause.
    """
    query_id = str(uuid.uuid4())
    with session.lock:
        session.running = True
        try:
            return query_id, _run(world, session, text, query_id, binds)
        except Exception as error:  # noqa: BLE001 - the client must get Snowflake's form of any failure
            raise from_exception(error) from error
        finally:
            session.running = False
            session.last_query_id = query_id
            session.last_activity = world.clock.now()


def _run(world: World, session: Session, text: str, query_id: str, binds: Sequence[object]) -> Result:
    statement = parse(text)
    call = Call(world, session, statement, query_id, binds, world.clock.now())
    handler = _HANDLERS.get(statement.kind)
    if handler is None:
        raise unsupported(statement.kind)
    if statement.needs_warehouse:
        access.require_warehouse(call)
    if statement.is_ddl:
        world.transactions.commit(session)
    return handler(call)
