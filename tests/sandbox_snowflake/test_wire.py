"""Broken requests: every answer is JSON with a number, or a plain refusal, never an HTTP 500."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowflake_account import Account, Session

UNFORESEEN = re.compile(r"[a-z]Error: ")  # a KeyError, say; DuckDB's own begin "Binder Error: "
QUERY = "/queries/v1/query-request"
PATHS = [
    "/session/v1/login-request",
    "/session/token-request",
    "/session/heartbeat",
    "/session",
    QUERY,
    "/queries/v1/abort-request",
    "/telemetry/send",
]
BODIES: list[tuple[bytes, dict[str, str]]] = [
    (b"", {}),
    (b"{", {}),
    (b"[]", {}),
    (b"null", {}),
    (b"\xff\xfe", {}),
    (b'"text"', {}),
    (b"not gzip", {"content-encoding": "gzip"}),
    (gzip.compress(b"{}")[:-3], {"content-encoding": "gzip"}),
    (b"[" * 100_000, {}),
    (b'{"data": 7}', {"content-type": "text/plain"}),
    (b'{"data": {"SESSION_PARAMETERS": 7, "LOGIN_NAME": [], "PASSWORD": {}}}', {}),
    (b'{"sqlText": 7}', {}),
    (b'{"sqlText": "SELECT 1", "bindings": []}', {}),
    (b'{"sqlText": "SELECT ?", "bindings": {"1": {"type": "TEXT"}}}', {}),
    (b'{"sqlText": "SELECT ?", "bindings": {"x": {"type": "TEXT", "value": "1"}}}', {}),
    (b'{"sqlText": "SELECT ?", "bindings": {"1": {"type": "TEXT", "value": 1}}}', {}),
    (b'{"sqlText": "SELECT ?", "bindings": {"1": {"type": "NOTHING", "value": "1"}}}', {}),
    (b'{"sqlText": "SELECT ?", "bindings": {"1": {"type": "DATE", "value": "soon"}}}', {}),
    (b'{"sqlText": "SELECT ?", "bindings": {"1": {"type": 7, "value": "1"}}}', {}),
    (b'{"sqlText": "SELECT ?", "bindings": {"2": {"type": "FIXED", "value": "1"}}}', {}),
    (b'{"sqlText": "SELECT 1", "parameters": []}', {}),
    (b'{"requestId": {}}', {}),
]


@pytest.fixture
def post(snow: Account) -> Callable[..., requests.Response]:
    """Send bytes as a session of the administrator, or as nobody."""
    url = f"http://{snow.ready['host']}:{snow.ready['port']}"
    data = {"LOGIN_NAME": "ADMIN", "PASSWORD": snow.ready["admin_password"]}
    answer = requests.post(f"{url}/session/v1/login-request", json={"data": data}, timeout=10)
    token = answer.json()["data"]["token"]

    def send(
        path: str, body: bytes, headers: dict[str, str] | None = None, *, nobody: bool = False
    ) -> requests.Response:
        known = {} if nobody else {"Authorization": f'Snowflake Token="{token}"'}
        query = {"requestId": str(uuid.uuid4())}
        return requests.post(
            url + path, data=body, headers={**known, **(headers or {})}, params=query, timeout=10
        )

    return send


def _check(answer: requests.Response) -> dict[str, Any]:
    """An answer, or an error with Snowflake's number that the stand-in meant: none of its own exceptions."""
    assert answer.status_code in {200, 400}, answer.text
    told: dict[str, Any] = answer.json()
    if not told["success"]:
        assert len(told["code"]) == 6
        assert told["code"].isdecimal()
        assert told["message"]
        assert not UNFORESEEN.search(told["message"]), told["message"]
    else:
        assert answer.status_code == 200
    return told


@pytest.mark.parametrize("path", PATHS)
def test_broken_bodies_and_tokens(post: Callable[..., requests.Response], path: str) -> None:
    for body, headers in BODIES:
        for nobody in (True, False):
            _check(post(path, body, headers, nobody=nobody))
    _check(post(path, b"{}", {"Authorization": "Bearer x"}))
    _check(post(path, b"{}", {"Authorization": 'Snowflake Token="'}))


def test_bad_bind_values_are_refused_and_say_why(post: Callable[..., requests.Response]) -> None:
    for body, headers in BODIES[11:21]:
        assert _check(post(QUERY, body, headers))["success"] is False, body


def test_unknown_paths_and_methods(snow: Account) -> None:
    url = f"http://{snow.ready['host']}:{snow.ready['port']}"
    assert requests.get(f"{url}/nowhere", timeout=10).status_code == 404
    assert requests.get(url + QUERY, timeout=10).status_code == 405
    assert requests.post(f"{url}/fs_bucket/files/x", timeout=10).status_code == 405
    for path in ("%00", "files", "a" * 5000, "files/" + "b/" * 3000, "%2e%2e/%2e%2e/etc/passwd"):
        assert requests.head(f"{url}/fs_bucket/{path}", timeout=10).status_code in {400, 404}
        assert requests.put(f"{url}/fs_bucket/{path}", data=b"x", timeout=10).status_code in {400, 403}
    for body in (b"", b"[]", b"{", b'{"do": []}', b'{"do": "fault", "kind": "error", "pattern": "("}'):
        assert requests.post(f"{url}/_control", data=body, timeout=10).status_code == 400


TOKENS = (
    "SELECT FROM INSERT INTO VALUES CREATE TABLE ALTER USER SESSION SET GRANT SHOW LOCKS GRANTS TO ROLE USE "
    'DESCRIBE BEGIN COMMIT COPY PUT LIST REMOVE TRANSACTION FOR T 1 ( ) , ; = * @~ "T" $1 -- /* */ $$ \' '
    "'x' "
    '" \\ \0 SYSTEM$WAIT(1) é 😀 :: :a'
)
WORDS = st.lists(st.sampled_from(TOKENS.split()), max_size=9)


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(WORDS)
def test_any_words_get_a_number(post: Callable[..., requests.Response], words: list[str]) -> None:
    _check(post(QUERY, json.dumps({"sqlText": " ".join(words)}).encode()))


def test_several_statements_in_one_request_are_refused(db: Session) -> None:
    with pytest.raises(Exception, match="MULTI_STATEMENT_COUNT"):
        db.connection.cursor().execute("SELECT 1; SELECT 2", num_statements=2)
    assert db.error("SELECT 1; SELECT 2") == (8, "0A000")
