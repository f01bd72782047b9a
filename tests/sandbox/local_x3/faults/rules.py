"""When a fault strikes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from local_x3.http_server import Request, Response

Kind = Literal[
    "rest_query", "rest_details", "rest_prototypes", "rest_admin", "sdata", "graphql", "gateway", "token",
    "cloud", "unknown",
]  # fmt: skip
Fault = Literal[
    "none", "status", "unauthorized", "reset", "cut", "slow", "trickle", "truncated", "malformed", "html",
    "diagnoses", "partial", "repeat", "loop", "shrink", "next_host", "chunked", "gzip", "closed",
]  # fmt: skip
Number = Annotated[int, msgspec.Meta(ge=1)]


class Rule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One fault.

    `on` is a kind of request or `any`; `path` must be in the path and query when given, `text` in the body.
    `nth` counts the requests that match from now on, from 1; `times` is how often in a row. `before` and
    `after` are control commands that run before and after each answer that the rule strikes.
    """

    fault: Fault
    on: Kind | Literal["any"] = "any"
    path: str = ""
    text: str = ""
    nth: Number = 1
    times: Number = 1
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 503
    body: str = ""
    retry_after: str = ""
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    pieces: Annotated[int, msgspec.Meta(ge=2)] = 4
    keep: Annotated[int, msgspec.Meta(ge=1)] = 1
    origin: str = "http://other-host.invalid"
    before: list[msgspec.Raw] = msgspec.field(default_factory=list)
    after: list[msgspec.Raw] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        """Keep `partial` to GraphQL: no answer of another kind has a part that can be null.

        Raises:
            ValueError: it was asked for another kind of request.
        """
        if self.fault != "partial":
            return
        if self.on not in {"any", "graphql"}:
            msg = f"partial strikes graphql only, not {self.on}"
            raise ValueError(msg)
        self.on = "graphql"


Answer = Callable[[Request], Response]


@dataclass(slots=True)
class Hit:
    """A rule that strikes: the request, its kind, and what makes the right answer to a request."""

    rule: Rule
    kind: str
    request: Request
    answer: Answer
    last: dict[str, bytes]  # body of the last page by what it lists

    def right(self) -> Response:
        """Return the answer as it should be."""
        return self.answer(self.request)


@dataclass(slots=True)
class Armed:
    """A rule in force, the commands it runs, and the requests it has counted."""

    rule: Rule
    before: Sequence[Callable[[], object]] = ()
    after: Sequence[Callable[[], object]] = ()
    seen: int = 0

    def strikes(self, kind: str, request: Request) -> bool:
        """Count a request and say whether the fault strikes it."""
        rule = self.rule
        if rule.on not in {"any", kind} or rule.path not in f"{request.path}?{request.query}":
            return False
        if rule.text and rule.text.encode() not in request.body:
            return False
        self.seen += 1
        return rule.nth <= self.seen < rule.nth + rule.times


@dataclass(slots=True)
class Faults:
    """The rules in force."""

    rules: list[Armed] = field(default_factory=list)
    last: dict[str, bytes] = field(default_factory=dict)

    def set(self, rules: list[Armed]) -> None:
        """Replace all rules."""
        self.rules = rules
        self.last.clear()

    def pick(self, kind: str, request: Request) -> list[Armed]:
        """Count a request against every rule and return those that strike, the first one outermost."""
        return [armed for armed in self.rules if armed.strikes(kind, request)]
