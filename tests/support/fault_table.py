"""The faults of a server and the places where they strike, as cases; and the table of what came of them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Rule = dict[str, t.Any]
ROW = "fault_row"
"""Property under which a test records its row of the table."""
_HEADER = ("fault", "API", "place", "outcome", "next run")
_WIDTH = 96

REST_PLACES: dict[str, Rule] = {
    "discovery": {"on": "rest_prototypes"},
    "first page": {"on": "rest_query", "path": "PORDER?"},
    "later page": {"on": "rest_query", "path": "PORDER?", "nth": 2},
    "details": {"on": "rest_details", "nth": 2},
}
GRAPHQL_PLACES: dict[str, Rule] = {
    "discovery": {"on": "graphql", "text": "__schema"},
    "first page": {"on": "graphql", "text": "purchaseOrder{query("},
    "later page": {"on": "graphql", "text": "purchaseOrder{query(", "nth": 2},
    "nested page": {"on": "graphql", "text": "read(_id:", "nth": 2},
}
NESTED = "nested page"
ORDERS = ("purchase_orders", "purchase_order_lines", "stock")
INVOICES = ("supplier_invoices", "supplier_invoice_lines")
"""One of them has more lines than a page of a collection."""
PLACES = {"rest": REST_PLACES, "graphql": GRAPHQL_PLACES}
PASSING: dict[str, Rule] = {
    "429 with Retry-After": {"fault": "status", "status": 429, "retry_after": "1"},
    "500": {"fault": "status", "status": 500},
    "502": {"fault": "status", "status": 502},
    "503": {"fault": "status", "status": 503},
    "reset before the answer": {"fault": "reset"},
    "reset in mid-body": {"fault": "cut"},
    "no answer in time": {"fault": "slow", "seconds": 1.5},
    "slow body": {"fault": "trickle", "pieces": 4, "seconds": 0.1},
    "truncated JSON": {"fault": "truncated"},
    "malformed JSON": {"fault": "malformed"},
}
LASTING: dict[str, Rule] = {
    "503 for good": {"fault": "status", "status": 503, "times": 99},
    "malformed JSON for good": {"fault": "malformed", "times": 99},
    "HTML with status 200": {"fault": "html"},
}
PAGES: dict[str, tuple[Rule, str]] = {
    "a repeated page": ({"fault": "repeat"}, "refused"),
    "a page that leads to itself": ({"fault": "loop", "times": 99}, "refused"),
    "a page below count": ({"fault": "shrink", "keep": 1}, "completed"),
}
CHANGE = {"do": "mass_update", "table": "PORDER", "values": {"ORDREF": "MOVED"}, "every": 3}


@dataclass(frozen=True)
class Case:
    """One fault at one place; `outcome` is what must come of it. `changes` says that the data change too."""

    fault: str
    api: str
    place: str
    outcome: str
    rules: tuple[Rule, ...] = ()
    prepare: tuple[Rule, ...] = ()
    login: str = ""
    changes: bool = field(default=False)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams to read."""
        return INVOICES if self.place == NESTED else ORDERS


def _cases() -> Iterator[Case]:
    for api, places in PLACES.items():
        for place, where in places.items():
            for name, rule in PASSING.items():
                yield Case(name, api, place, "completed", ({**where, **rule},))
            for name, rule in LASTING.items():
                quiet = api == "rest" and place == "discovery"  # a list that is not described is read anyway
                outcome = "completed" if quiet and name.startswith("HTML") else "refused"
                yield Case(name, api, place, outcome, ({**where, **rule},))
        yield from _logins(api, places["later page"])
        for name, (rule, outcome) in PAGES.items():
            yield Case(name, api, "later page", outcome, ({**places["later page"], **rule},))
        for name, moment in (
            ("records change while paging", "before"),
            ("records change after a page", "after"),
        ):
            rule = {**places["later page"], "fault": "none", moment: [CHANGE]}
            yield Case(name, api, "later page", "completed", (rule,), changes=True)
        ties = ({**CHANGE, "every": 1},)
        yield Case("one-second stamp ties", api, "all pages", "completed", prepare=ties)
        for name, seconds in (("server clock ahead", 7200), ("server clock behind", -7200)):
            clock = ({"do": "clock", "advance": seconds}, CHANGE)
            yield Case(name, api, "all pages", "completed", prepare=clock, login="basic")
    yield from _of_one_api()


def _logins(api: str, where: Rule) -> Iterator[Case]:
    """A token that ends is renewed; a password that is refused is not."""
    refused = {**where, "fault": "unauthorized"}
    if api == "graphql":
        yield Case("expired token", api, "later page", "completed", (refused,))
        yield Case("revoked token", api, "later page", "refused", ({**refused, "times": 99},))
    yield Case("401 with Basic", api, "later page", "refused", (refused,), login="basic")


def _of_one_api() -> Iterator[Case]:
    rest, graphql = REST_PLACES, GRAPHQL_PLACES
    for place in ("first page", "later page", "details"):
        rule = {**rest[place], "fault": "diagnoses"}
        yield Case("$diagnoses with status 200", "rest", place, "refused", (rule,))
    rule = {**rest["discovery"], "fault": "diagnoses", "times": 99}  # what is not described is read anyway
    yield Case("$diagnoses with status 200", "rest", "discovery", "completed", (rule,))
    rule = {**rest["first page"], "fault": "next_host", "times": 99}
    yield Case("$next to another host", "rest", "every page", "completed", (rule,))
    for place in graphql:
        rule = {**graphql[place], "fault": "partial"}
        yield Case("data together with errors", "graphql", place, "refused", (rule,))


CASES = list(_cases())


def table(rows: Iterable[list[str]]) -> Iterator[str]:
    """The lines of the table."""
    cells = [list(_HEADER), *sorted({tuple(row) for row in rows})]
    widths = [max(len(row[n][:_WIDTH]) for row in cells) for n in range(len(_HEADER))]
    for row in cells:
        yield "  ".join(cell[:_WIDTH].ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
