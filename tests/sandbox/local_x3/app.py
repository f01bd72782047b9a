"""Puts the APIs, the control endpoint, faults and counters behind one HTTP handler."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from local_x3.access.basic import CHALLENGE, basic_allowed
from local_x3.access.cloud_http import ROOT, UNAUTHORISED, CloudApi, bearer, refusal
from local_x3.access.connected_app import check_authorization
from local_x3.access.writes import is_write
from local_x3.control.commands import control, parse
from local_x3.control.state import State
from local_x3.errors import ControlError, RestError, TokenError
from local_x3.faults.answers import spoil
from local_x3.faults.pages import what_is_listed
from local_x3.faults.rules import Armed, Hit
from local_x3.graphql.api import PATH, GraphQLApi
from local_x3.http_server import Request, Response
from local_x3.replay import replay_key
from local_x3.rest.api import RestApi
from local_x3.rest.messages import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_x3.access.cloud import Gateway
    from local_x3.access.credentials import Credentials
    from local_x3.clock import Clock
    from local_x3.faults.rules import Answer
    from local_x3.graphql.options import Options
    from local_x3.rest.site import Site
    from local_x3.store import Store

ENCODER = msgspec.json.Encoder(decimal_format="number")
PLAIN = "text/plain; charset=utf-8"
CONTROL = "/_control"


def json_response(status: int, body: object) -> Response:
    """Encode a body; decimals are JSON numbers with every digit."""
    return Response(status, ENCODER.encode(body))


class App:
    """One X3 server: endpoint, credentials, data and state."""

    def __init__(
        self,
        stores: list[Store],
        folder: str,
        credentials: Credentials,
        clock: Clock,
        *,
        gateway: Gateway | None,
        xtrem: bool,
        site: Site | None = None,
        options: Options | None = None,
    ) -> None:
        """Serve `stores` in `folder`; `xtrem` says whether this release has the GraphQL API.

        A `gateway` gives the GraphQL API to the applications that are paired with it, too; `options`
        are those of that API.
        """
        self.rest = RestApi(stores, folder, clock, site)
        self.graphql = GraphQLApi(stores, folder, options) if xtrem else None
        self.credentials = credentials
        self.clock = clock
        self.cloud = CloudApi(gateway, folder) if gateway is not None and xtrem else None
        self.state = State(stores, clock, self.rest, credentials, gateway, parse, graphql=self.graphql)
        self.origin = ""

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        if request.path == CONTROL:
            return self._control(request)
        kind, answer = self._route(request)
        counters = self.state.counters
        counters[kind] += 1
        counters["requests"] += 1
        if is_write(request, kind):
            self.state.count_write(kind, request.method)
            request = replace(request, writing=True)
        answer = self._remembering(answer)
        for armed in reversed(self.state.faults.pick(kind, request)):
            answer = self._spoilt(armed, kind, answer)
        response = answer(request)
        counters[f"status_{response.status}"] += 1
        return response

    def _route(self, request: Request) -> tuple[str, Answer]:
        """Name the kind of a request and say what answers it."""
        path = request.path.rstrip("/")
        if self.rest.serves(request.path):
            return self.rest.kind(request.path), self._rest
        if path == PATH and self.graphql is not None:
            return "graphql", self._graphql
        if self.cloud is not None and (path == ROOT or path.startswith(ROOT + "/")):
            kind = self.cloud.kind(request.path)
            return kind, self._gateway if kind == "gateway" else self._cloud
        return "unknown", _not_found

    def _spoilt(self, armed: Armed, kind: str, answer: Answer) -> Answer:
        """Wrap an answer in a fault and the control commands around it."""

        def struck(request: Request) -> Response:
            for command in armed.before:
                command()
            response = spoil(Hit(armed.rule, kind, request, answer, self.state.faults.last))
            for command in armed.after:
                command()
            return response

        return struck

    def _remembering(self, answer: Answer) -> Answer:
        """Keep the last page of each list while a fault may ask for it."""
        faults = self.state.faults
        if not any(armed.rule.fault == "repeat" for armed in faults.rules):
            return answer
        pages = dict(faults.last)

        def remember(request: Request) -> Response:
            response = answer(request)
            faults.last = pages | {what_is_listed(request): response.body}
            return response

        return remember

    def _rest(self, request: Request) -> Response:
        """Answer api1: Basic only; whether a connected application's token would do is unknown [?]."""
        if not basic_allowed(request.headers.get("authorization", ""), self.credentials):
            response = json_response(401, RestError(401, "Unauthorized").body())
            response.headers["WWW-Authenticate"] = CHALLENGE
            return response
        if request.writing or request.method not in {"GET", "HEAD"}:
            problem = RestError(405, f"{request.method} refused: this server is read-only")
            return Response(405, ENCODER.encode(problem.body()), headers={"Allow": "GET, HEAD"})
        if self.rest.keeps_sessions(request.path):
            return self._read(request)
        return self._replayed(request, lambda: self._read(request))

    def _read(self, request: Request) -> Response:
        origin = self._origin(request)
        reply = self.rest.reply(Call(request.method, request.path, request.query, request.headers, origin))
        self.state.counters.update(reply.counted)
        response = json_response(reply.status, reply.body)
        response.headers.update(reply.headers)
        response.lasting = reply.lasting
        return response

    def _graphql(self, request: Request) -> Response:
        try:
            check_authorization(request.headers.get("authorization", ""), self.credentials, self.clock)
        except TokenError as problem:
            return Response(401, str(problem).encode(), PLAIN)
        return self._query(request, request.headers.get("x-xtrem-endpoint"))

    def _gateway(self, request: Request) -> Response:
        """Answer GraphQL through the gateway: the folder is in the path, not in a header [D]."""
        cloud = self.cloud
        if cloud is None or not cloud.gateway.allows(bearer(request)):
            return refusal(UNAUTHORISED)
        return self._query(request, cloud.folder)

    def _query(self, request: Request, endpoint: str | None) -> Response:
        api = self.graphql
        if request.method != "POST" or api is None:
            return Response(405, b"Use POST", PLAIN, {"Allow": "POST"})
        refused = api.refusal(request.headers.get("content-type", ""))
        if refused is not None:
            return json_response(refused.status, refused.body)

        def compute() -> Response:
            answer = api.answer(request.body, endpoint)
            return json_response(answer.status, answer.body)

        return self._replayed(request, compute)

    def _cloud(self, request: Request) -> Response:
        cloud = self.cloud
        return _not_found(request) if cloud is None else cloud.answer(request, self._origin(request))

    def _replayed(self, request: Request, compute: Callable[[], Response]) -> Response:
        """Give an answer that was computed before, when that is switched on; else compute it."""
        replay = self.state.replay
        key = replay_key(request, self._origin(request)) if replay.enabled else None
        if key is None:
            return compute()
        body = replay.find(key, self.state.stores, self.state.site)
        if body is not None:
            self.state.counters["replayed"] += 1
            return Response(200, body)
        response = compute()
        if response.status == 200 and response.lasting:
            replay.keep(key, response.body)
        return response

    def _origin(self, request: Request) -> str:
        if self.state.link_origin:
            return self.state.link_origin
        host = request.headers.get("host")
        scheme = self.origin.partition(":")[0]
        return f"{scheme}://{host}" if host else self.origin

    def _control(self, request: Request) -> Response:
        try:
            return json_response(200, {"result": control(self.state, request.body)})
        except ControlError as problem:
            return json_response(400, {"error": str(problem)})


def _not_found(_: Request) -> Response:
    return Response(404, b"Not found", PLAIN)
