from __future__ import annotations

import base64
import threading
import typing as t
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from tap_sagex3 import transport
from tap_sagex3.auth import BasicLogin, ConnectedAppLogin, Refusal, explain_refusal
from tap_sagex3.declarations import RestSource
from tap_sagex3.errors import ApiError, ConnectionFailedError, IncompleteAnswerError, SettingsError
from tap_sagex3.rest.client import RestClient
from tap_sagex3.settings import api_of_version, read_settings
from tap_sagex3.transport import Transport

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_sagex3.settings import Settings

SECRET = "x" * 40
SOURCE = RestSource("CLASS", "REPR", ("NUM",), details=False)


def settings(**changes: object) -> Settings:
    base: dict[str, t.Any] = {
        "server_url": "http://127.0.0.1:1", "folder": "SEED", "auth": "connected_app", "client_id": "client",
        "client_secret": SECRET, "allowed_user": "USER", "username": "user", "password": "pass",
    }  # fmt: skip
    return read_settings({**base, **changes})


class Handler(BaseHTTPRequestHandler):
    """Answers with what the test put there, and notes what came."""

    answers: t.ClassVar[list[tuple[int, dict[str, str], bytes]]] = []
    seen: t.ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        """Send the next answer; the last one again and again."""
        Handler.seen.append((self.path, dict(self.headers)))
        status, headers, body = Handler.answers.pop(0) if len(Handler.answers) > 1 else Handler.answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - signature of the standard library
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Transport]]:
    """A server of our own that gives the answers it is told, for what the local X3 never says."""
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.01)
    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    Handler.seen = []

    def start(*answers: tuple[int, dict[str, str], bytes], **changes: object) -> Transport:
        Handler.answers = list(answers)
        url = f"http://127.0.0.1:{http.server_port}"
        return Transport(settings(server_url=url, auth="basic", max_retries=2, **changes), "rest")

    yield start
    http.shutdown()
    http.server_close()
    thread.join()


def test_basic() -> None:
    header = BasicLogin("usér", "pa:ss").header()
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "usér:pa:ss"


def test_a_token_has_the_claims_of_the_connected_application() -> None:
    login = ConnectedAppLogin(settings(audience="https://x3/xtrem/api"), clock=lambda: 1_700_000_000.0)
    token = login.header().removeprefix("Bearer ")
    claims = jwt.decode(
        token,
        SECRET,
        algorithms=["HS256"],
        audience="https://x3/xtrem/api",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims == {
        "iss": "client",
        "sub": "USER",
        "aud": "https://x3/xtrem/api",
        "iat": 1_700_000_000 - 30,
        "exp": 1_700_000_000 - 30 + 300,
    }


def test_a_token_is_used_until_shortly_before_it_ends() -> None:
    now = [1_700_000_000.0]
    login = ConnectedAppLogin(settings(token_lifetime=300), clock=lambda: now[0])
    first = login.header()
    now[0] += 239
    assert login.header() == first
    now[0] += 2  # 30 s before it ends
    second = login.header()
    assert second != first
    assert login.renew(second, Refusal())
    now[0] += 1
    assert login.header() != second


def test_an_empty_audience_stays_empty_and_a_missing_one_is_the_usual_url() -> None:
    assert settings(audience="").audience == ""
    assert settings().audience == "http://127.0.0.1:1/xtrem/api"


@pytest.mark.parametrize("code", [21, 41, 42, 45, 50])
def test_each_refusal_is_explained(code: int) -> None:
    text = explain_refusal(settings(), "graphql", f"Error {code}: Invalid token")
    assert text.startswith(f"error {code}: ")
    assert SECRET not in text


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("V6", "rest"),
        ("v9.0", "rest"),
        ("11", "rest"),
        ("V12", "graphql"),
        ("V12.0.34", "graphql"),
        ("V13", "graphql"),
    ],
)
def test_the_version_chooses_the_api(version: str, api: str) -> None:
    assert api_of_version(version) == api


@pytest.mark.parametrize("version", ["", "V5", "twelve", "V", "X12", "-12"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(SettingsError, match="x3_version"):
        api_of_version(version)


@pytest.mark.parametrize(
    "url",
    [
        "x3:8124",
        "ftp://x3",
        "https://",
        "https://x3?password=planted",
        "https://user:planted@x3",
        "https://user:plan/planted@x3",
        "https://planted/x3@y",
        "user:planted@x3",
    ],
)
def test_a_bad_server_url_is_refused_without_showing_credentials(url: str) -> None:
    with pytest.raises(SettingsError, match="server_url") as error:
        settings(server_url=url)
    assert "planted" not in str(error.value)


@pytest.mark.parametrize("url", ["https://x3/", "https://x3/xtrem/api", "https://x3/api1/"])
def test_the_path_of_an_api_is_not_part_of_the_server(url: str) -> None:
    assert settings(server_url=url).server_url == "https://x3"


def page(*rows: str, following: str = "") -> tuple[int, dict[str, str], bytes]:
    links = f',"$links":{{"$next":{{"$url":"{following}"}}}}' if following else ""
    return 200, {"Content-Type": "application/json"}, f'{{"$resources":[{",".join(rows)}]{links}}}'.encode()


def test_the_next_page_is_put_back_on_our_server(server: Callable[..., Transport]) -> None:
    elsewhere = (
        "https://internal-host:8124/api1/x3/erp/SEED/CLASS?representation=REPR.$query&key=gt.1~a%20b&count=20"
    )
    client = RestClient(server(page('{"NUM":1}', following=elsewhere), page('{"NUM":2}')))
    assert [p.rows.nodes() for p in client.pages(SOURCE, {})] == [[{"NUM": 1}], [{"NUM": 2}]]
    paths = [path for path, _ in Handler.seen]
    assert paths[1] == "/api1/x3/erp/SEED/CLASS?representation=REPR.$query&key=gt.1~a%20b&count=20"
    assert all("Authorization" in headers for _, headers in Handler.seen)


def test_a_page_that_names_itself_ends_the_read(server: Callable[..., Transport]) -> None:
    own = "http://other/api1/x3/erp/SEED/CLASS?representation=REPR.$query"
    client = RestClient(server(page('{"NUM":1}', following=own)))
    with pytest.raises(IncompleteAnswerError, match="does not move on"):
        list(client.pages(SOURCE, {}))


def test_an_empty_last_page_ends_the_read(server: Callable[..., Transport]) -> None:
    following = "http://other/api1/x3/erp/SEED/CLASS?representation=REPR.$query&key=gt.1"
    client = RestClient(server(page('{"NUM":1}', following=following), page()))
    assert [p.rows.nodes() for p in client.pages(SOURCE, {})] == [[{"NUM": 1}], []]


@pytest.mark.parametrize("location", ["https://elsewhere.example/login", "/login", ""])
def test_redirects_are_not_followed(server: Callable[..., Transport], location: str) -> None:
    client = RestClient(server((302, {"Location": location}, b"")))
    with pytest.raises(ApiError, match="redirects to"):
        list(client.pages(SOURCE, {}))
    assert len(Handler.seen) == 1


@pytest.mark.parametrize(
    "url",
    ["http://elsewhere/api1", "https://127.0.0.1:1/x", "http://127.0.0.1:2/x", "http://127.0.0.1:1@evil/"],
)
def test_credentials_go_to_no_other_origin(url: str) -> None:
    with pytest.raises(ApiError, match="Refused to send credentials"):
        Transport(settings(), "graphql").get(url)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_statuses_are_tried_again(server: Callable[..., Transport], status: int) -> None:
    sent = server((status, {}, b"no"), (status, {}, b"no"), (200, {}, b'{"NUM":"1"}'))
    assert RestClient(sent).details(SOURCE, ["1"]) == {"NUM": "1"}
    assert len(Handler.seen) == 3


def test_tries_are_bounded_and_the_last_reason_is_told(server: Callable[..., Transport]) -> None:
    sent = server((503, {}, b'{"$diagnoses":[{"$severity":"error","$message":"No session is free"}]}'))
    with pytest.raises(ConnectionFailedError, match=r"failed 3 times.*HTTP 503.*No session is free"):
        sent.get(f"{sent.settings.server_url}/x")
    assert len(Handler.seen) == 3


def test_retry_after_is_honoured(server: Callable[..., Transport]) -> None:
    sent = server((429, {"Retry-After": "1"}, b""), page())
    before = datetime.now(UTC)
    sent.get(f"{sent.settings.server_url}/x")
    assert datetime.now(UTC) - before >= timedelta(seconds=1)


def test_the_first_date_header_is_the_start_of_the_run(server: Callable[..., Transport]) -> None:
    sent = server(page())
    sent.get(f"{sent.settings.server_url}/x")
    first = sent.server_start
    assert first is not None
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=5)
    sent.get(f"{sent.settings.server_url}/x")
    assert sent.server_start is first


def test_other_credentials_of_the_machine_are_not_used(
    server: Callable[..., Transport],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: t.Any,  # noqa: ANN401
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password planted\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    sent = server(page())
    sent.get(f"{sent.settings.server_url}/x")
    assert Handler.seen[0][1]["Authorization"] == BasicLogin("user", "pass").header()


def test_user_agent(server: Callable[..., Transport]) -> None:
    sent = server(page(), user_agent="our-agent/1")
    sent.get(f"{sent.settings.server_url}/x")
    assert Handler.seen[0][1]["User-Agent"] == "our-agent/1"
