"""HTTP manners: what is tried again, how long, and what each answer is told as."""

from __future__ import annotations

import socket
import threading
import time
import typing as t

import pytest
from raw_server import raw_server
from tap_sagex3 import transport
from tap_sagex3.errors import ApiError, ConnectionFailedError
from tap_sagex3.settings import read_settings
from tap_sagex3.transport import Transport
from tap_sagex3.web import body
from tap_sagex3.web.retries import may_pass, retry_after

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from processes import Server
    from tap_runs import Config
    from x3_control import X3Control

PATH = "/api1/x3/erp/SEED/BPSUPPLIER?representation=BPSUPPLIER.$query"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.02)


@pytest.fixture
def ask(rest_config: Config) -> Callable[..., transport.Answer]:
    """Ask the shared local X3 for a page of suppliers, with some settings changed."""

    def ask(**changes: object) -> transport.Answer:
        settings = read_settings({**rest_config, "max_retries": 2, **changes})
        return Transport(settings, "rest").get(settings.server_url + PATH)

    return ask


def transport_for(url: str, **changes: object) -> Transport:
    base: dict[str, t.Any] = {
        "server_url": url, "folder": "SEED", "x3_version": "V11", "username": "user", "password": "pass",
        "max_retries": 1, "request_timeout": 5,
    }  # fmt: skip
    return Transport(read_settings({**base, **changes}), "rest")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 520, 599])
def test_statuses_that_may_pass(status: int) -> None:
    assert may_pass(status)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 422, 501, 505, 508, 511])
def test_statuses_that_do_not_pass(status: int) -> None:
    assert not may_pass(status)


@pytest.mark.parametrize("status", [501, 505, 511])
def test_a_status_that_does_not_pass_is_told_at_once(
    ask: Callable[..., object], x3: X3Control, status: int
) -> None:
    x3.faults({"fault": "status", "status": status, "body": "no", "times": 9})
    with pytest.raises(ApiError, match=f"HTTP {status} without JSON"):
        ask()
    assert x3.counters()["requests"] == 1


def test_retries_are_logged_with_their_reason(
    ask: Callable[..., object], x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    x3.faults({"fault": "status", "status": 502}, {"fault": "reset", "nth": 2})
    ask()
    told = [record.getMessage() for record in caplog.records if "Next try in" in record.getMessage()]
    assert len(told) == 2
    assert "Try 1 of GET http" in told[0]
    assert "HTTP 502" in told[0]
    assert "Try 2 of GET http" in told[1]
    assert PATH in told[1]


def test_tries_are_bounded_in_time(ask: Callable[..., object], x3: X3Control) -> None:
    x3.faults({"fault": "status", "status": 503, "retry_after": "1", "times": 99})
    started = time.monotonic()
    told = r"failed [23] times.*would pass max_retry_seconds \(3\)\. See the log of the server\.$"
    with pytest.raises(ConnectionFailedError, match=told):
        ask(max_retries=50, max_retry_seconds=3)
    assert time.monotonic() - started < 20  # 50 tries would take 50 s


def test_a_wait_that_the_server_asks_for_is_not_cut_short(ask: Callable[..., object], x3: X3Control) -> None:
    x3.faults({"fault": "status", "status": 429, "retry_after": "3600"})
    with pytest.raises(ConnectionFailedError, match=r"failed once.*HTTP 429.*3600 s more would pass"):
        ask()
    assert x3.counters()["requests"] == 1


def test_retry_after_as_a_date_is_by_the_servers_own_clock() -> None:
    headers = {"Date": "Wed, 01 Jan 2031 00:00:00 GMT", "Retry-After": "Wed, 01 Jan 2031 00:00:07 GMT"}
    assert retry_after(headers) == 7
    assert retry_after({**headers, "Retry-After": "Tue, 31 Dec 2030 00:00:00 GMT"}) == 0
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None


@pytest.mark.parametrize("fault", ["cut", "malformed", "truncated", "reset", "closed"])
def test_a_broken_answer_is_asked_for_again(
    ask: Callable[..., transport.Answer], x3: X3Control, fault: str
) -> None:
    right = ask().body
    x3.faults({"fault": fault})
    assert ask().body == right


def test_json_that_stays_broken_names_the_address(ask: Callable[..., object], x3: X3Control) -> None:
    x3.faults({"fault": "malformed", "times": 9})
    with pytest.raises(ConnectionFailedError, match=r"BPSUPPLIER.*failed 3 times.*malformed JSON"):
        ask()


@pytest.mark.parametrize(
    "cut",
    [
        HEAD + b'Content-Length: 100\r\n\r\n{"half": ',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n9\r\n{"half": \r\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\nff\r\n{"half": ',
        HEAD + b"Content-Length: 20\r\nContent-Encoding: gzip\r\n\r\nthis is not gzip at all",
        HEAD,
        b"",
        b"nonsense\r\n\r\n",
    ],
    ids=["length", "chunks", "chunk", "gzip", "head", "nothing", "nonsense"],
)
def test_an_answer_that_ends_in_the_middle_is_asked_for_again(cut: bytes) -> None:
    whole = HEAD + b'Content-Length: 11\r\n\r\n{"a": 1.50}'
    with raw_server(cut, whole) as url:
        answer = transport_for(url).get(f"{url}/x")
    assert str(answer.body["a"]) == "1.50"
    with raw_server(cut, cut) as url, pytest.raises(ConnectionFailedError, match="failed 2 times"):
        transport_for(url).get(f"{url}/x")


@pytest.mark.parametrize("fault", ["chunked", "gzip"])
def test_other_forms_of_a_body_are_read(
    ask: Callable[..., transport.Answer], x3: X3Control, fault: str
) -> None:
    right = ask().body
    x3.faults({"fault": fault})
    assert ask().body == right


def test_a_body_that_trickles_for_ever_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_TIMEOUTS", 2)
    stopped = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        while not stopped.wait(0.1):
            connection.sendall(b" ")

    started = time.monotonic()
    with raw_server(trickle) as url:
        with pytest.raises(ConnectionFailedError, match=r"not complete after 2 times request_timeout"):
            transport_for(url, request_timeout=1, max_retries=0).get(f"{url}/x")
        stopped.set()
    assert 2 <= time.monotonic() - started < 20


def test_a_slow_body_in_time_is_read(ask: Callable[..., transport.Answer], x3: X3Control) -> None:
    right = ask().body
    x3.faults({"fault": "trickle", "pieces": 4, "seconds": 0.5})
    assert ask(request_timeout=1).body == right  # 1.5 s as a whole, none of the waits longer than 1 s


def test_a_silent_server_is_left_after_request_timeout(ask: Callable[..., object], x3: X3Control) -> None:
    x3.faults({"fault": "slow", "seconds": 3})
    with pytest.raises(ConnectionFailedError, match="timed out"):
        ask(request_timeout=1, max_retries=0)


def test_a_login_page_is_told_as_such_and_not_asked_for_again(
    ask: Callable[..., object], x3: X3Control
) -> None:
    x3.faults({"fault": "html", "times": 9})
    with pytest.raises(ApiError, match=r"asks for a login: this is not the API.*SSO"):
        ask()
    assert x3.counters()["requests"] == 1


def test_another_web_page_is_told_as_such() -> None:
    page = b"<!DOCTYPE html><p>Welcome to nginx</p>"
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page)
    with raw_server(whole) as url, pytest.raises(ApiError, match="answered with a web page: this is not"):
        transport_for(url).get(f"{url}/x")


def test_a_connection_is_used_again(running_x3: Server, rest_config: Config) -> None:
    """Bodies are read to their end, so that the next request needs no new connection."""
    settings = read_settings(rest_config)
    one = Transport(settings, "rest")
    ports: set[int] = set()
    original = socket.socket.connect

    def connect(self: socket.socket, address: t.Any) -> None:  # noqa: ANN401
        original(self, address)
        ports.add(self.getsockname()[1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        for _ in range(5):
            one.get(settings.server_url + PATH)
    assert len(ports) == 1
    assert running_x3.ready["url"] == settings.server_url


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(ConnectionFailedError, match=r"failed 2 times.*Connection refused.*Check server_url"):
        transport_for(url).get(f"{url}/x")
