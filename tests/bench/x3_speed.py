"""How fast the local X3 itself answers, so that a benchmark of the tap is known to measure the tap."""

from __future__ import annotations

import base64
import http.client
import time
import tomllib
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec

from .figures import Figure, median
from .measure import BenchError
from .options import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox

    from .options import Options

REST = "x3_rest_rows_per_s"
GRAPHQL = "x3_graphql_rows_per_s"
PAGE = 1_000
FIELDS = 20
ENTITIES = ROOT / "tap-sagex3" / "tap_sagex3" / "entities"


def measure_rest(options: Options, sandbox: Sandbox) -> Figure:
    """Read pages of up to 1,000 GL entry headers through api1 `$query`."""
    variables = sandbox.environment
    folder = quote(variables["TAP_SAGEX3_FOLDER"])
    path = f"/api1/x3/erp/{folder}/GACCENTRY?representation=GACCENTRY.%24query&count={PAGE}"
    headers = {"Authorization": _basic(variables), "Accept": "application/json"}
    url = variables["TAP_SAGEX3_SERVER_URL"]
    return _rate(
        REST, options, sandbox,
        lambda: _get(url, "GET", path, headers, None), lambda page: page["$resources"],
    )  # fmt: skip


def measure_graphql(options: Options, sandbox: Sandbox) -> Figure:
    """Read pages of up to 1,000 GL entry headers of 20 fields through `/xtrem/api`."""
    variables = sandbox.environment
    declared = tomllib.loads((ENTITIES / "gl_entry.toml").read_text())
    node = declared["source"][0]["graphql"]
    paths = [item["graphql"] for item in declared["stream"][0]["fields"] if "." not in item["graphql"]]
    selection = " ".join(paths[:FIELDS])
    edges = f"query(first: {PAGE}) {{ edges {{ node {{ {selection} }} }} }}"
    query = f"{{ {node['package']} {{ {node['node']} {{ {edges} }} }} }}"
    headers = {
        "Authorization": _basic(variables),
        "Content-Type": "application/json",
        "x-xtrem-endpoint": variables["TAP_SAGEX3_FOLDER"],
    }
    url, body = variables["TAP_SAGEX3_SERVER_URL"], msgspec.json.encode({"query": query})

    def rows(page: dict[str, Any]) -> list[Any]:
        found: list[Any] = page["data"][node["package"]][node["node"]]["query"]["edges"]
        return found

    return _rate(
        GRAPHQL,
        options,
        sandbox,
        lambda: _get(url, "POST", "/xtrem/api", headers, body),
        rows,
        fields=len(paths[:FIELDS]),
    )


def _rate(
    name: str,
    options: Options,
    sandbox: Sandbox,
    request: Callable[[], bytes],
    rows: Callable[[dict[str, Any]], list[Any]],
    **basis: int,
) -> Figure:
    """Send one request over and over while the clock runs; answers are only counted then.

    Once more with answers that the server replays: what it could feed to a client that is faster than it.
    """
    a_page = len(rows(msgspec.json.decode(request())))
    if not a_page:
        message = f"{name}: the local X3 answered with an empty page"
        raise BenchError(message)
    runs = [a_page * _pages_per_s(options, request) for _ in range(options.repeats)]
    sandbox.x3.replay(enabled=True)
    request()
    replayed = int(a_page * _pages_per_s(options, request))
    sandbox.x3.replay(enabled=False)
    return median(name, runs, rows_a_page=a_page, replayed_rows_per_s=replayed, **basis)


def _pages_per_s(options: Options, request: Callable[[], bytes]) -> float:
    pages, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < options.seconds_a_run:
        request()
        pages += 1
    return pages / passed


def _get(url: str, method: str, path: str, headers: dict[str, str], body: bytes | None) -> bytes:
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
    if answer.status != http.HTTPStatus.OK:
        message = f"{method} {path} was answered with {answer.status}: {text[:500]!r}"
        raise BenchError(message)
    return text


def _basic(variables: dict[str, str]) -> str:
    login = f"{variables['TAP_SAGEX3_USERNAME']}:{variables['TAP_SAGEX3_PASSWORD']}"
    return "Basic " + base64.b64encode(login.encode()).decode()
