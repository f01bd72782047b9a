"""What each fault makes of an answer."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import msgspec

from local_x3.faults.paging import loop, next_host, repeat, shrink
from local_x3.http_server import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_x3.faults.rules import Hit

PLAIN = "text/plain; charset=utf-8"
HTML = b"<!DOCTYPE html><html><head><title>Sage X3</title></head><body>Please sign in</body></html>"
GATEWAY_ERROR = b'{"$severity":"error","$dataCode":"InternalServerError","$message":"","$source":"Gateway"}'
TOKEN_ERROR = b'{"message":"An internal error occurred: "}'
REST_UNAUTHORIZED = b'{"$diagnoses":[{"$severity":"error","$message":"Unauthorized"}]}'


def spoil(hit: Hit) -> Response:
    """Return the answer as the fault leaves it."""
    return ACTIONS[hit.rule.fault](hit)


def _none(hit: Hit) -> Response:
    return hit.right()


def _status(hit: Hit) -> Response:
    """Answer with another status; the gateway's 500 and the token API's 501 have documented bodies [D]."""
    rule = hit.rule
    headers = {"Retry-After": rule.retry_after} if rule.retry_after else {}
    known = {("gateway", 500): GATEWAY_ERROR, ("token", 501): TOKEN_ERROR}.get((hit.kind, rule.status))
    if known is not None and not rule.body:
        return Response(rule.status, known, headers=headers)
    return Response(rule.status, rule.body.encode(), PLAIN, headers)


def _unauthorized(hit: Hit) -> Response:
    """Refuse a credential that was good until now, in the words of the API that was called."""
    if hit.rule.body:
        return Response(401, hit.rule.body.encode(), PLAIN)
    if hit.kind.startswith(("rest_", "sdata")):
        return Response(401, REST_UNAUTHORIZED, headers={"WWW-Authenticate": 'Basic realm="syracuse"'})
    if hit.kind in {"gateway", "cloud"}:
        return Response(401, b'{"message":"Unauthorised"}')
    return Response(401, b"Error 50: Invalid token", PLAIN)


def _reset(_: Hit) -> Response:
    return Response(200, b"", reset=True)


def _cut(hit: Hit) -> Response:
    response = hit.right()
    response.cut_at = len(response.body) // 2
    return response


def _slow(hit: Hit) -> Response:
    response = hit.right()
    response.delay = hit.rule.seconds
    return response


def _trickle(hit: Hit) -> Response:
    """Send the body in pieces, `seconds` apart: each read of the client gets something in time."""
    response = hit.right()
    response.pieces, response.pause = hit.rule.pieces, hit.rule.seconds
    return response


def _truncated(hit: Hit) -> Response:
    """Half a body whose Content-Length is right for the half: only its JSON tells."""
    response = hit.right()
    response.body = response.body[: len(response.body) // 2]
    return response


def _malformed(hit: Hit) -> Response:
    """An unescaped backslash inside a text, as public code had to repair [C]."""
    response = hit.right()
    place = response.body.rfind(b'"')
    response.body = response.body[:place] + b"C:\\X3" + response.body[place:]
    return response


def _html(_: Hit) -> Response:
    return Response(200, HTML, "text/html; charset=utf-8")


def _diagnoses(hit: Hit) -> Response:
    message = hit.rule.body or "4GL session was interrupted"
    return Response(200, msgspec.json.encode({"$diagnoses": [{"$severity": "error", "$message": message}]}))


def _partial(hit: Hit) -> Response:
    """GraphQL data together with an error: a part that the user may not read is null [C]."""
    response = hit.right()
    body = msgspec.json.decode(response.body)  # Xtrem's decimals are texts: nothing goes through a float
    path = _blank(body.get("data"), [])
    message = hit.rule.body or "Read is not authorized"
    diagnosis = {"severity": 4, "path": [], "message": message}
    error = {"message": message, "path": path, "extensions": {"code": "FORBIDDEN", "diagnoses": [diagnosis]}}
    response.body = msgspec.json.encode({**body, "errors": [error]})
    return response


def _blank(value: object, path: list[str | int]) -> list[str | int]:
    """Make the first nested object of a node null and return its path."""
    if isinstance(value, list):
        return _blank(value[0], [*path, 0]) if value else path
    if not isinstance(value, dict):
        return path
    inside_node = "node" in path
    for name, inner in value.items():
        if inside_node and isinstance(inner, dict):
            value[name] = None
            return [*path, name]
        if isinstance(inner, dict | list):
            found = _blank(inner, [*path, name])
            if found:
                return found
    return []


def _chunked(hit: Hit) -> Response:
    response = hit.right()
    response.chunked, response.pieces, response.pause = True, hit.rule.pieces, 0.0
    return response


def _gzip(hit: Hit) -> Response:
    """Compress the body for a client that says it takes gzip; others get it as it is."""
    response = hit.right()
    if "gzip" in hit.request.headers.get("accept-encoding", ""):
        response.body = gzip.compress(response.body, 1)
        response.headers["Content-Encoding"] = "gzip"
    return response


def _closed(hit: Hit) -> Response:
    """Close the connection after the answer, as a server does with one that it holds for idle."""
    response = hit.right()
    response.close = True
    return response


ACTIONS: dict[str, Callable[[Hit], Response]] = {
    "none": _none, "status": _status, "unauthorized": _unauthorized, "reset": _reset, "cut": _cut,
    "slow": _slow, "trickle": _trickle, "truncated": _truncated, "malformed": _malformed, "html": _html,
    "diagnoses": _diagnoses, "partial": _partial, "repeat": repeat, "loop": loop, "shrink": shrink,
    "next_host": next_host, "chunked": _chunked, "gzip": _gzip, "closed": _closed,
}  # fmt: skip
