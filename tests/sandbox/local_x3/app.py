"""Puts the APIs, the control endpoint, faults and counters behind one HTTP handler."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec

from local_x3.control.commands import control
from local_x3.control.state import State
from local_x3.errors import ControlError, RestError, TokenError
from local_x3.faults import spoil
from local_x3.graphql.api import PATH, GraphQLApi
from local_x3.graphql.tokens import Credentials, basic_allowed, check_authorization
from local_x3.http_server import Request, Response
from local_x3.rest.api import PREFIX, RestApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_x3.clock import Clock
    from local_x3.store import Store

ENCODER = msgspec.json.Encoder(decimal_format="number")
PLAIN = "text/plain; charset=utf-8"
CONTROL = "/_control"
READING = frozenset({"GET", "HEAD"})


def json_response(status: int, body: object) -> Response:
    """Encode a body; decimals are JSON numbers with every digit."""
    return Response(status, ENCODER.encode(body))


class App:
    """One X3 server: endpoint, credentials, data and state."""

    def __init__(
        self, stores: list[Store], folder: str, credentials: Credentials, clock: Clock, *, xtrem: bool
    ) -> None:
        """Serve `stores` in `folder`; `xtrem` says whether this release has the GraphQL API."""
        self.rest = RestApi(stores, folder)
        self.graphql = GraphQLApi(stores, folder) if xtrem else None
        self.credentials = credentials
        self.clock = clock
        self.state = State(stores, clock, self.rest)
        self.origin = ""

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        if request.path == CONTROL:
            return self._control(request)
        kind, answer = self._route(request)
        self.state.counters[kind] += 1
        self.state.counters["requests"] += 1
        rule = self.state.faults.pick(kind, f"{request.path}?{request.query}")
        response = spoil(rule, answer) if rule is not None else answer()
        self.state.counters[f"status_{response.status}"] += 1
        return response

    def _route(self, request: Request) -> tuple[str, Callable[[], Response]]:
        if request.path.startswith(PREFIX):
            return self.rest.kind(request.path), lambda: self._rest(request)
        if request.path.rstrip("/") == PATH and self.graphql is not None:
            api = self.graphql
            return "graphql", lambda: self._graphql(request, api)
        return "unknown", lambda: Response(404, b"Not found", PLAIN)

    def _rest(self, request: Request) -> Response:
        if not basic_allowed(request.headers.get("authorization", ""), self.credentials):
            response = json_response(401, RestError(401, "Unauthorized").body())
            response.headers["WWW-Authenticate"] = 'Basic realm="syracuse"'
            return response
        if request.method not in READING:  # nothing here may ever be written
            self.state.counters["writes_refused"] += 1
            return json_response(
                405, RestError(405, f"{request.method} refused: this server is read-only").body()
            )
        try:
            pairs = parse_qsl(request.query, keep_blank_values=True, strict_parsing=bool(request.query))
            parameters = dict(pairs)
            if len(parameters) != len(pairs):
                return json_response(400, RestError(400, "A parameter is given twice").body())
            return json_response(200, self.rest.answer(request.path, parameters, self._origin(request)))
        except ValueError as problem:
            return json_response(400, RestError(400, f"Malformed query: {problem}").body())
        except RestError as problem:
            return json_response(problem.status, problem.body())

    def _graphql(self, request: Request, api: GraphQLApi) -> Response:
        try:
            check_authorization(request.headers.get("authorization", ""), self.credentials, self.clock)
        except TokenError as problem:
            return Response(401, str(problem).encode(), PLAIN)
        if request.method != "POST":
            return Response(405, b"Use POST", PLAIN, {"Allow": "POST"})
        before = api.mutations_refused
        answer = api.answer(request.body, request.headers.get("x-xtrem-endpoint"))
        self.state.counters["writes_refused"] += api.mutations_refused - before
        return json_response(answer.status, answer.body)

    def _origin(self, request: Request) -> str:
        if self.state.link_origin:
            return self.state.link_origin
        host = request.headers.get("host")
        return f"http://{host}" if host else self.origin

    def _control(self, request: Request) -> Response:
        try:
            return json_response(200, {"result": control(self.state, request.body)})
        except ControlError as problem:
            return json_response(400, {"error": str(problem)})


def basic_header(username: str, password: str) -> str:
    """Return the value of an `Authorization: Basic` header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
