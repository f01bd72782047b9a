"""The HTTP side: what the connectors ask, and the control endpoint.

Rules restored: the login answer has the fields that connector 5 insists on; session parameters that it
sends as text are read as what they mean; an upload address answers HEAD and honours "do not overwrite";
every failure is JSON with HTTP 200 and Snowflake's number, since the connectors retry an HTTP 500 for
minutes.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import control, login, requests, results, uploads
from .answers import Answers, Cut
from .binds import rows_of
from .engine import run
from .errors import SnowflakeError, from_exception
from .faults import SESSION_LOST, ConnectionReset, Victim, strike
from .requests import MalformedRequest
from .session import canceled
from .sessions import IDLE_LIFE, TOKEN_LIFE
from .stage_commands import upload_order

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.requests import Request

    from .faults import Fault
    from .requests import StatementRequest
    from .session import Session
    from .world import World

logger = logging.getLogger("local_snowflake")


def _answer(data: dict[str, Any] | None) -> JSONResponse:
    return JSONResponse({"data": data, "code": None, "message": None, "success": True})


def _failure(error: SnowflakeError, *, status: int = 200, without_data: bool = False) -> JSONResponse:
    code = f"{error.code:06d}"
    data = {
        "internalError": False,
        "errorCode": code,
        "sqlState": error.sqlstate,
        "queryId": None,
        "age": 0,
    }
    content = {
        "data": None if without_data else data,
        "code": code,
        "message": error.message,
        "success": False,
        "headers": None,
    }
    return JSONResponse(content, status_code=status)


_WATCH = 0.5  # seconds between looks whether the client is still there


class Service:
    """Handlers of one account."""

    def __init__(self, world: World) -> None:
        """Serve this account."""
        self.world = world
        self._answers = Answers()

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/session/v1/login-request", self.login, methods=["POST"]),
            Route("/session/token-request", self.renew, methods=["POST"]),
            Route("/session/heartbeat", self.heartbeat, methods=["POST"]),
            Route("/session", self.session, methods=["POST"]),
            Route("/queries/v1/query-request", self.query, methods=["POST"]),
            Route("/queries/v1/abort-request", self.abort, methods=["POST"]),
            Route("/telemetry/send", self.telemetry, methods=["POST"]),
            Route("/telemetry/send/sessionless", self.telemetry, methods=["POST"]),
            Route("/_control", self.control, methods=["POST"]),
            Route("/fs_bucket/{path:path}", self.upload, methods=["PUT"]),
            Route("/fs_bucket/{path:path}", self.head, methods=["HEAD"]),
        ]
        return Starlette(
            routes=routes, exception_handlers={MalformedRequest: _malformed, Exception: _unforeseen}
        )

    async def login(self, request: Request) -> Response:
        """Check credentials and open a session."""
        asked = (await requests.json_body(request)).get("data")
        asked = asked if isinstance(asked, dict) else {}
        fault = self.world.faults.choose("login", "", str(asked.get("LOGIN_NAME") or "").upper())
        try:
            await run_in_threadpool(strike, fault, "before")
            session = await run_in_threadpool(login.login, self.world, asked, dict(request.query_params))
            await run_in_threadpool(strike, fault, "after")
        except SnowflakeError as error:
            return _failure(error)
        except ConnectionReset:
            return Cut()
        return _answer(login.answer(session))

    async def renew(self, request: Request) -> Response:
        """Give the session of a master token a new session token."""
        try:
            session, token = await run_in_threadpool(self.world.sessions.renew, requests.token(request))
        except SnowflakeError as error:
            return _failure(error, without_data=True)  # connector 5 takes any data for a new token
        told = {"sessionToken": token, "validityInSecondsST": int(TOKEN_LIFE), "sessionId": session.id}
        told |= {"masterToken": session.master_token, "validityInSecondsMT": int(IDLE_LIFE)}
        return _answer(told)

    async def heartbeat(self, request: Request) -> Response:
        """Keep a session alive."""
        try:
            self.world.sessions.heartbeat(requests.token(request))
        except SnowflakeError as error:
            return _failure(error)
        return _answer(None)

    async def session(self, request: Request) -> Response:
        """Close a session when asked with `?delete=true`."""
        try:
            session = self.world.sessions.find(requests.token(request))
        except SnowflakeError as error:
            return _failure(error)
        if request.query_params.get("delete"):
            await run_in_threadpool(self.world.close_session, session)
        return _answer(None)

    async def query(self, request: Request) -> Response:
        """Run a statement, once for each request id."""
        asked = await requests.json_body(request)
        try:
            session = self.world.sessions.find(requests.token(request))
        except SnowflakeError as error:
            return _failure(error)  # never kept: the client renews its token and asks again with the same id
        order = requests.statement(request, asked)
        running = self._answers.once(
            f"{session.id}:{order.request_id or uuid.uuid4()}",
            lambda: run_in_threadpool(self._query, session, order),
        )
        return await self._watched(request, session, running)

    async def _watched(self, request: Request, session: Session, running: Awaitable[Response]) -> Response:
        """The answer; notes on the way when its client has gone (ABORT_DETACHED_QUERY)."""
        session.detached_since = None
        task = asyncio.ensure_future(running)
        while not (await asyncio.wait({task}, timeout=_WATCH))[0]:
            if session.detached_since is None and await request.is_disconnected():
                session.detached_since = self.world.clock.now()
        return task.result()

    def _query(self, session: Session, order: StatementRequest) -> Response:
        fault = self.world.faults.choose("statement", order.text, session.user.name)
        try:
            answered = self._run(session, order, fault)
        except ConnectionReset:
            return Cut()
        except Exception as error:  # noqa: BLE001 - logged there
            answered = self._refused(session, fault, error)
        return self._after(session, order, fault, answered)

    def _refused(self, session: Session, fault: Fault | None, error: Exception) -> Response:
        """The answer to a statement that failed."""
        if not isinstance(error, SnowflakeError):
            logger.error("unexpected failure", exc_info=error)
            return _failure(from_exception(error))
        if fault and fault.kind == "error" and error.code in SESSION_LOST:
            self.world.close_session(session)
        return _failure(error)

    def _after(
        self, session: Session, order: StatementRequest, fault: Fault | None, answered: Response
    ) -> Response:
        """The answer, unless a fault strikes now: an answer that says no can be lost as any other."""
        try:
            strike(fault, "after", Victim(self.world.clock, session, order.peer))
        except ConnectionReset:
            return Cut(answered, fault.times if fault else 1)
        except Exception as error:  # noqa: BLE001 - logged there
            return self._refused(session, fault, error)
        return answered

    def _run(self, session: Session, order: StatementRequest, fault: Fault | None) -> Response:
        """Run a statement for each row of bind values, and build the answer."""
        total, query_id, result = 0, "", results.status()
        rows = rows_of(order.bindings)
        victim = Victim(self.world.clock, session, order.peer)
        for number, binds in enumerate(rows):
            order.before = (lambda: None) if number else (lambda: strike(fault, "before", victim))
            query_id, result = run(self.world, session, order.text, binds, order)
            total += result.rows
        if result.put is not None:
            return _answer(self._upload(result.put, order.base, order.client) | {"queryId": query_id})
        if limit := int(str(session.parameters["ROWS_PER_RESULTSET"])):
            result = results.cut(result, limit)
        data = _session_data(session) | results.body(result) | {"queryId": query_id}
        if len(rows) > 1:
            data |= {"queryResultFormat": "json", "rowset": [[str(total)]], "total": 1, "returned": 1}
        return _answer(data | {"statementTypeId": result.type_id})

    def _upload(self, order: dict[str, Any], base: str, client: str) -> dict[str, Any]:
        """The upload address of a PUT; connector 4 asks again with the final name, 5 never does."""
        name = order["source"].rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
        if order["auto_compress"] and not name.endswith(".gz") and "PythonConnector/4" not in client:
            name += ".gz"
        target = self.world.stages.target(order["location"], name)
        return upload_order(order, self.world.stages.bucket_path(target), base)

    async def control(self, request: Request) -> Response:
        """What tests see and change."""
        content, status = await run_in_threadpool(
            control.answer, self.world, await requests.json_body(request)
        )
        return JSONResponse(content, status_code=status)

    async def upload(self, request: Request) -> Response:
        """Store an uploaded file."""
        return await uploads.upload(self.world, request)

    async def head(self, request: Request) -> Response:
        """Whether an uploaded file is there."""
        try:
            target = self.world.stages.from_bucket(request.path_params["path"])
            there = target.is_file()
        except (SnowflakeError, OSError, ValueError):
            return Response(status_code=400)
        if not there:
            return Response(status_code=404)
        return Response(headers={"content-length": str(target.stat().st_size)})

    async def abort(self, request: Request) -> Response:
        """A client gives a statement up: it ends with 604 where it waits or runs."""
        asked = await requests.json_body(request)
        try:
            self.world.sessions.find(requests.token(request))
        except SnowflakeError as error:
            return _failure(error)
        session = self.world.sessions.running(str(asked.get("requestId") or ""))
        if session is not None:
            await run_in_threadpool(self.world.cancel, session, canceled())
        return _answer(None)

    async def telemetry(self, _request: Request) -> Response:
        """Connectors send usage data; it goes nowhere."""
        return _answer(None)


async def _malformed(_request: Request, error: Exception) -> Response:
    """A request that no connector sends: what is wrong with it, with HTTP 400."""
    return _failure(SnowflakeError(390400, "08001", f"Bad request: {error}"), status=400)


async def _unforeseen(_request: Request, error: Exception) -> Response:
    """What nobody foresaw is a refusal with HTTP 200; the connectors would send an HTTP 500 again."""
    if isinstance(error, ClientDisconnect):
        return Cut()
    logger.error("unexpected failure", exc_info=error)
    return _failure(from_exception(error))


def _session_data(session: Session) -> dict[str, Any]:
    return {
        "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalWarehouseName": session.warehouse,
        "finalRoleName": session.role,
        "numberOfBinds": 0,
        "arrayBindSupported": False,
        "version": 1,
        "sendResultTime": int(time.time() * 1000),
    }
