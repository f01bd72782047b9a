"""Faults on demand: at the n-th request of a kind, so many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from local_x3.http_server import Response

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["status", "reset", "cut", "malformed", "html", "diagnoses", "slow", "unauthorized", "partial"]
HTML = b"<!DOCTYPE html><html><head><title>Sage X3</title></head><body>Please sign in</body></html>"


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """One fault.

    `on` is a kind of request (rest_query, rest_details, rest_prototypes, graphql) or `any`; `path` must be in
    the path and query when given; `nth` counts the requests that match from now on, from 1; `times` is how
    often in a row.
    """

    fault: Kind
    on: str = "any"
    path: str = ""
    nth: int = 1
    times: int = 1
    status: int = 503
    body: str = ""
    retry_after: str = ""
    seconds: float = 1.0
    seen: int = 0


@dataclass(slots=True)
class Faults:
    """The rules in force."""

    rules: list[Rule]

    def pick(self, kind: str, target: str) -> Rule | None:
        """Count a request against every rule and return the first rule that strikes."""
        struck: Rule | None = None
        for rule in self.rules:
            if rule.on not in {"any", kind} or rule.path not in target:
                continue
            rule.seen += 1
            if struck is None and rule.nth <= rule.seen < rule.nth + rule.times:
                struck = rule
        return struck


def spoil(rule: Rule, answer: Callable[[], Response]) -> Response:
    """Return the answer as the fault leaves it; `answer` makes the right one, where the fault needs it."""
    return ACTIONS[rule.fault](rule, answer)


def _status(rule: Rule, _: Callable[[], Response]) -> Response:
    headers = {"Retry-After": rule.retry_after} if rule.retry_after else {}
    return Response(rule.status, rule.body.encode(), "text/plain; charset=utf-8", headers)


def _reset(_: Rule, __: Callable[[], Response]) -> Response:
    return Response(200, b"", reset=True)


def _cut(_: Rule, answer: Callable[[], Response]) -> Response:
    response = answer()
    response.cut_at = len(response.body) // 2
    return response


def _malformed(_: Rule, answer: Callable[[], Response]) -> Response:
    """An unescaped backslash inside a text, as public code had to repair [C]."""
    response = answer()
    place = response.body.rfind(b'"')
    response.body = response.body[:place] + b"C:\\X3" + response.body[place:]
    return response


def _html(_: Rule, __: Callable[[], Response]) -> Response:
    return Response(200, HTML, "text/html; charset=utf-8")


def _diagnoses(rule: Rule, _: Callable[[], Response]) -> Response:
    body = {"$diagnoses": [{"$severity": "error", "$message": rule.body or "4GL session was interrupted"}]}
    return Response(200, msgspec.json.encode(body))


def _slow(rule: Rule, answer: Callable[[], Response]) -> Response:
    response = answer()
    response.delay = rule.seconds
    return response


def _partial(rule: Rule, answer: Callable[[], Response]) -> Response:
    """GraphQL data together with an error: a part that the user may not read is null [C]."""
    response = answer()
    body = msgspec.json.decode(response.body)  # Xtrem's decimals are texts: nothing goes through a float
    path = _blank(body.get("data"), [])
    message = rule.body or "Read is not authorized"
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


def _unauthorized(rule: Rule, _: Callable[[], Response]) -> Response:
    return Response(401, (rule.body or "Error 50: Invalid token").encode(), "text/plain; charset=utf-8")


ACTIONS: dict[str, Callable[[Rule, Callable[[], Response]], Response]] = {
    "status": _status, "reset": _reset, "cut": _cut, "malformed": _malformed, "html": _html,
    "diagnoses": _diagnoses, "slow": _slow, "unauthorized": _unauthorized, "partial": _partial,
}  # fmt: skip
