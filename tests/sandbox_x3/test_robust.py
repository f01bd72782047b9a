"""Whatever is sent: an answer of the documented kind, never a failure of the server itself."""

from __future__ import annotations

import json
import socket
import typing as t
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if t.TYPE_CHECKING:
    from x3_client import X3Client
    from x3_control import X3Control

FIXED = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NAMES = ["POHNUM", "POHPOQ", "DIE", "x"]
TEXTS = st.sampled_from(["", "PORDER", "PORDERQ", "GDIE", "S00001", "2031-01-01T00:00:00Z", "nope", "~", "é"])
PLAIN = st.one_of(TEXTS, st.integers(-3, 3), st.booleans(), st.none(), st.just(1.5))
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip


def raw(x3: X3Client, *requests_: bytes) -> bytes:
    """Send bytes over one connection and return everything that comes back until the server closes it."""
    parts = urlsplit(x3.url)
    answer = b""
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        for request in requests_:
            connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/1.1 more\r\n\r\n", 400),
        (b"POST /v1/token HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST /v1/token HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1/token HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 400),
        (b"POST /v1/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /api1/" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /api1/" + b"y" * 8_000_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 8_000_000 + b"\r\n\r\n", 431),
        (b"POST /v1/token HTTP/1.1\r\nContent-Length: 20000000\r\n\r\n" + b"y" * 8_000_000, 400),
        (b"GET /nowhere HTTP/1.1\r\n\r\n", 404),
        (b"GET /\xff\xfe HTTP/1.1\r\nNo colon\r\n\r\n", 404),
        (b"GET /api1/x3/erp/SEED/%ff%00 HTTP/1.1\r\n\r\n", 401),
    ],
)
def test_what_is_no_good_request_gets_a_status(x3: X3Client, request_: bytes, status: int) -> None:
    assert raw(x3, request_).split(b" ", 2)[:2] == [b"HTTP/1.1", str(status).encode()]
    assert x3.rest("GDIE").status_code == 200


def test_a_client_that_goes_away_harms_nobody(x3: X3Client) -> None:
    assert raw(x3, b"POST /v1/token HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc") == b""
    assert raw(x3, b"GET /v1 HTTP") == b""
    assert raw(x3) == b""
    assert x3.rest("GDIE").status_code == 200


def test_several_requests_on_one_connection_are_answered_in_order(x3: X3Client) -> None:
    answer = raw(x3, b"GET /v1 HTTP/1.1\r\n\r\nGET /nowhere HTTP/1.1\r\n\r\nHEAD /v1 HTTP/1.1\r\n\r\n")
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")] == [b"", b"200", b"404", b"405"]
    closed = raw(x3, b"GET /v1 HTTP/1.1\r\nConnection: close\r\n\r\nGET /v1 HTTP/1.1\r\n\r\n")
    assert closed.count(b"HTTP/1.1 200 ") == 1
    old = raw(x3, b"GET /v1 HTTP/1.0\r\n\r\nGET /v1 HTTP/1.0\r\n\r\n")
    assert old.count(b"HTTP/1.1 200 ") == 1


def test_head_has_the_length_of_a_body_that_does_not_come(x3: X3Client) -> None:
    path = f"{x3.url}/api1/x3/erp/SEED/GDIE?representation=GDIE.$query"
    head, whole = (x3.session.request(method, path, auth=x3.basic, timeout=10) for method in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]


@FIXED
@given(data=st.data())
def test_no_command_makes_the_server_fail(own: X3Client, control: X3Control, data: st.DataObject) -> None:
    commands = control.help()
    name = data.draw(
        st.sampled_from(sorted(set(commands) - {"clock", "replay", "logins", "links", "faults"}))
    )
    known = sorted(commands[name]["arguments"])
    chosen = data.draw(st.sets(st.sampled_from(known))) if known else set()
    command = {"do": name, **{argument: data.draw(VALUES) for argument in sorted(chosen)}}
    answer = requests.post(f"{own.url}/_control", data=json.dumps(command), timeout=10)
    assert answer.status_code in {200, 400}, (command, answer.text)
    assert ("error" in answer.json()) == (answer.status_code == 400)


@FIXED
@given(
    value=st.text(st.characters(max_codepoint=255, blacklist_characters="\r\n"), max_size=60), scheme=TEXTS
)
def test_any_authorization_is_refused_plainly(x3: X3Client, value: str, scheme: str) -> None:
    for word in ("Basic ", "Bearer ", scheme):
        headers = {"Authorization": (word + value).strip().encode("latin-1", "replace").decode("latin-1")}
        rest = requests.get(f"{x3.url}/api1/x3/erp/SEED/GDIE", headers=t.cast("t.Any", headers), timeout=10)
        graphql = requests.post(f"{x3.url}/xtrem/api", headers=t.cast("t.Any", headers), timeout=10)
        assert (rest.status_code, graphql.status_code) == (401, 401)


@FIXED
@given(body=VALUES, code=TEXTS)
def test_any_body_of_the_token_endpoint_is_refused_plainly(x3: X3Client, body: object, code: str) -> None:
    url = x3.ready["cloud"]["token_url"]
    ids = {name: x3.ready["cloud"][name] for name in ("client_id", "client_secret")}
    known = {**ids, "grant_type": "refresh_token", "refresh_token": code, "redirect_uri": body}
    for given_ in (
        body,
        {"grant_type": body},
        known,
        {**known, "grant_type": "authorization_code", "code": code},
    ):
        answer = requests.post(url, json=given_, timeout=10)
        assert answer.status_code in {400, 403, 404}
        assert answer.json()["message"]
