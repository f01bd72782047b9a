"""The gateway's HTTP side: root, authorise, approval page, tokens, folders [D]; the app answers GraphQL."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from local_x3.errors import GatewayError
from local_x3.http_server import Request, Response

if TYPE_CHECKING:
    from local_x3.access.cloud import Gateway

ROOT = "/v1"
AUTHORISE = f"{ROOT}/token/authorise"
APPROVAL = f"{ROOT}/token/approval"  # ours: the page on which a customer's user accepts
TOKEN = f"{ROOT}/token"
FOLDERS = f"{ROOT}/folders"
SOLUTION = "X3CLOUDV2"
HTML = "text/html; charset=utf-8"


def service_path(folder: str) -> str:
    """Return the path of a folder's GraphQL API; Sage's own samples end in `api` and in `graphQL` [D]."""
    return f"{ROOT}/service/{SOLUTION}_{folder}/api"


def refusal(problem: GatewayError) -> Response:
    """Return the documented form of a refusal."""
    return Response(problem.status, msgspec.json.encode({"message": str(problem)}))


def bearer(request: Request) -> str:
    """Return the token of a request, empty when it has none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


UNAUTHORISED = GatewayError(401, "Unauthorised")  # the access token is missing or expired [D]


class CloudApi:
    """Answers everything below `/v1` but GraphQL."""

    def __init__(self, gateway: Gateway, folder: str) -> None:
        """Serve one folder through a gateway."""
        self.gateway = gateway
        self.folder = folder
        self.service = service_path(folder)

    def kind(self, path: str) -> str:
        """Name the kind of a request, for counters and faults."""
        if path == self.service:
            return "gateway"
        return "token" if path in {AUTHORISE, APPROVAL, TOKEN} else "cloud"

    def answer(self, request: Request, origin: str) -> Response:
        """Answer a request; `origin` is how the client reaches this server."""
        routes = {
            ("GET", ROOT): self._root,
            ("GET", AUTHORISE): self._authorise,
            ("POST", APPROVAL): self._approve,
            ("POST", TOKEN): self._token,
            ("GET", FOLDERS): self._folders,
        }
        route = routes.get((request.method, request.path))
        if route is None:
            known = request.path in {path for _, path in routes}
            return refusal(
                GatewayError(405, "Method not allowed") if known else GatewayError(404, "Not found")
            )
        try:
            return route(request, origin)
        except GatewayError as problem:
            return refusal(problem)

    def _root(self, _: Request, origin: str) -> Response:
        return _json({"customerUsage": {"folder": origin + FOLDERS, "token": origin + TOKEN}})

    def _folders(self, request: Request, origin: str) -> Response:
        if not self.gateway.allows(bearer(request)):
            raise UNAUTHORISED
        urls = {"dataService": origin + self.service}
        return _json({"folders": [{"name": self.folder, "$urls": urls}]})

    def _authorise(self, request: Request, _: str) -> Response:
        """Show the page on which the customer's user accepts, picking the folder [D]."""
        asked = self.gateway.ask(_form(request.query))
        code, state = html.escape(asked.code), html.escape(asked.state)
        page = (
            f'<!DOCTYPE html><html><body><form method="post" action="{APPROVAL}">'
            f"<p>Allow access to folder {html.escape(self.folder)}: {html.escape(asked.scopes)}</p>"
            f'<input type="hidden" name="authorizationCode" value="{code}">'
            f'<input type="hidden" name="state" value="{state}"><button>Accept</button></form></body></html>'
        )
        return Response(200, page.encode(), HTML)

    def _approve(self, request: Request, _: str) -> Response:
        """Accept a request: the browser sends code and state on to the callback, by POST [D]."""
        given = _form(request.body.decode("latin-1"))
        asked = self.gateway.requests.get(given.get("authorizationCode", ""))
        if asked is None or given.get("state") != asked.state:
            raise GatewayError(404, "Unknown request")
        asked.accepted = True
        return Response(307, b"", HTML, {"Location": asked.redirect_uri})

    def _token(self, request: Request, _: str) -> Response:
        """Take the documented JSON body; anything else lacks its parameters."""
        try:
            given = msgspec.json.decode(request.body, type=dict[str, Any])
        except msgspec.DecodeError:
            given = {}
        return _json(self.gateway.tokens(given))


def _form(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _json(body: object) -> Response:
    return Response(200, msgspec.json.encode(body), headers={"Cache-Control": "no-store"})
