"""The HTTP side: what the connectors ask, and the control endpoint.

Rules restored: the login answer has the fields that connector 5 insists on; session parameters that it
sends as text are read as what they mean; an upload address answers HEAD and honours "do not overwrite";
every failure is JSON with HTTP 200 and Snowflake's number, since the connectors retry an HTTP 500 for
minutes.
"""

from __future__ import annotations

import gzip
import json
import logging
import time
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import control, results, session_commands
from .answers import Answers, Cut
from .binds import rows_of
from .engine import run
from .errors import SnowflakeError, from_exception
from .faults import SESSION_LOST, ConnectionReset, strike
from .names import normalise
from .stage_commands import upload_order
from .translate import VERSION
from .users import authenticate

if TYPE_CHECKING:
    from starlette.requests import Request

    from .faults import Fault
    from .session import Session
    from .world import World

logger = logging.getLogger("local_snowflake")


async def _json(request: Request) -> dict[str, Any]:
    content = await request.body()
    if request.headers.get("content-encoding") == "gzip":
        content = gzip.decompress(content)
    decoded = json.loads(content or b"{}")
    return decoded if isinstance(decoded, dict) else {}


def _answer(data: dict[str, Any] | None) -> JSONResponse:
    return JSONResponse({"data": data, "code": None, "message": None, "success": True})


def _failure(error: SnowflakeError, query_id: str | None = None, status: int = 200) -> JSONResponse:
    code = f"{error.code:06d}"
    data = {
        "internalError": False,
        "errorCode": code,
        "sqlState": error.sqlstate,
        "queryId": query_id,
        "age": 0,
    }
    content = {"data": data, "code": code, "message": error.message, "success": False, "headers": None}
    return JSONResponse(content, status_code=status)


def _token(request: Request) -> str:
    header = request.headers.get("authorization", "")
    return header.removeprefix('Snowflake Token="').removesuffix('"')


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
        return Starlette(routes=routes)

    async def login(self, request: Request) -> Response:
        """Check credentials and open a session."""
        asked = (await _json(request)).get("data") or {}
        fault = self.world.faults.choose("login", "", str(asked.get("LOGIN_NAME") or "").upper())
        try:
            await run_in_threadpool(strike, fault, "before")
            session = await run_in_threadpool(self._login, asked, dict(request.query_params))
            await run_in_threadpool(strike, fault, "after")
        except SnowflakeError as error:
            return _failure(error)
        except ConnectionReset:
            return Cut()
        return _answer(_login_data(session))

    def _login(self, asked: dict[str, Any], query: dict[str, str]) -> Session:
        world = self.world
        user = authenticate(world.users, asked, time.time())
        role = normalise(query["roleName"]) if query.get("roleName") else user.default_role
        if role not in user.roles:
            message = f"Role '{role}' specified in the connect string is not granted to this user."
            raise SnowflakeError(390189, "08001", message)
        session = world.open_session(user, role)
        session.application = str(asked.get("CLIENT_APP_ID") or "")
        for name, value in (asked.get("SESSION_PARAMETERS") or {}).items():
            session.parameter(name.upper(), value)
        self._start_in(session, query)
        return session

    def _start_in(self, session: Session, query: dict[str, str]) -> None:
        """Database, schema and warehouse of the connection; what does not exist is left out."""
        catalogue = self.world.catalogue
        database = normalise(query["databaseName"]) if query.get("databaseName") else None
        if database in catalogue.databases():
            session_commands.use_database(self.world, session, database)
            schema = normalise(query["schemaName"]) if query.get("schemaName") else None
            if schema and catalogue.has_schema(database, schema):
                session.use(database, schema)
        warehouse = normalise(query["warehouse"]) if query.get("warehouse") else None
        warehouse = warehouse or session.user.default_warehouse
        if warehouse in self.world.warehouses:
            session.warehouse = warehouse

    async def renew(self, request: Request) -> Response:
        """Give the same session a fresh life; the tokens stay."""
        token = _token(request).removeprefix("master-")
        try:
            session = self.world.session(token)
        except SnowflakeError:
            lost = "Authentication token has expired.  The user must authenticate again."
            return _failure(SnowflakeError(390114, "08001", lost))
        return _answer(_login_data(session) | {"sessionToken": session.token, "validityInSecondsST": 3600})

    async def heartbeat(self, request: Request) -> Response:
        """Keep a session alive."""
        try:
            self.world.session(_token(request))
        except SnowflakeError as error:
            return _failure(error)
        return _answer(None)

    async def session(self, request: Request) -> Response:
        """Close a session when asked with `?delete=true`."""
        try:
            session = self.world.session(_token(request))
        except SnowflakeError as error:
            return _failure(error)
        if request.query_params.get("delete"):
            await run_in_threadpool(self.world.close_session, session)
        return _answer(None)

    async def query(self, request: Request) -> Response:
        """Run a statement."""
        asked = await _json(request)
        base = f"{request.url.scheme}://{request.url.netloc}"
        client = request.headers.get("user-agent", "")
        key = f"{_token(request)}:{request.query_params.get('requestId')}"
        return await self._answers.once(
            key, lambda: run_in_threadpool(self._query, _token(request), asked, base, client)
        )

    def _query(self, token: str, asked: dict[str, Any], base: str, client: str) -> Response:
        text, fault, session = str(asked.get("sqlText", "")), None, None
        try:
            session = self.world.session(token)
            fault = self.world.faults.choose("statement", text, session.user.name)
            strike(fault, "before")
            answered = self._run(session, text, rows_of(asked.get("bindings") or {}), base, client)
            return self._after(fault, answered)
        except ConnectionReset:
            return Cut()
        except SnowflakeError as error:
            if session and fault and error.code in SESSION_LOST:
                self.world.close_session(session)
            return _failure(error)
        except Exception as error:
            logger.exception("unexpected failure")
            return _failure(from_exception(error))

    @staticmethod
    def _after(fault: Fault | None, answered: Response) -> Response:
        try:
            strike(fault, "after")
        except ConnectionReset:
            return Cut(answered, fault.times if fault else 1)
        return answered

    def _run(self, session: Session, text: str, rows: list[list[object]], base: str, client: str) -> Response:
        """Run a statement for each row of bind values, and build the answer."""
        total, query_id, result = 0, "", results.status()
        for binds in rows:
            query_id, result = run(self.world, session, text, binds)
            total += result.rows
        if result.put is not None:
            return _answer(self._upload(result.put, base, client) | {"queryId": query_id})
        data = results.body(result) | _session_data(session) | {"queryId": query_id}
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
        content, status = await run_in_threadpool(control.answer, self.world, await _json(request))
        return JSONResponse(content, status_code=status)

    async def upload(self, request: Request) -> Response:
        """Store an uploaded file, unless it is there and must not be overwritten."""
        content = await request.body()
        try:
            fault = self.world.faults.choose("upload", request.path_params["path"])
            await run_in_threadpool(strike, fault, "before")
        except ConnectionReset:
            return Cut()
        except SnowflakeError as error:
            return Response(error.message, status_code=403)
        target = self.world.stages.from_bucket(request.path_params["path"])
        if request.headers.get("x-goog-if-generation-match") == "0" and target.exists():
            return Response(status_code=412)
        await run_in_threadpool(_store, target, content)
        return Response()

    async def head(self, request: Request) -> Response:
        """Whether an uploaded file is there."""
        target = self.world.stages.from_bucket(request.path_params["path"])
        if not target.is_file():
            return Response(status_code=404)
        return Response(headers={"content-length": str(target.stat().st_size)})

    async def abort(self, _request: Request) -> Response:
        """A client gives a query up; it is left to end."""
        return _answer(None)

    async def telemetry(self, _request: Request) -> Response:
        """Connectors send usage data; it goes nowhere."""
        return _answer(None)


def _store(target: Any, content: bytes) -> None:  # noqa: ANN401 - pathlib.Path, kept out of runtime imports
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


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


def _login_data(session: Session) -> dict[str, Any]:
    return {
        "token": session.token,
        "masterToken": f"master-{session.token}",
        "validityInSeconds": 3600,
        "masterValidityInSeconds": 14400,
        "displayUserName": session.user.name,
        "serverVersion": VERSION,
        "firstLogin": False,
        "sessionId": session.id,
        "parameters": [
            {"name": "AUTOCOMMIT", "value": session.parameters["AUTOCOMMIT"]},
            {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
            {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
        ],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse,
            "roleName": session.role,
        },
    }
