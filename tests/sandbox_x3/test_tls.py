"""HTTPS of the local X3, and connections that never say anything whole."""

from __future__ import annotations

import socket
import ssl
import time
import typing as t
from urllib.parse import urlsplit

import pytest
import requests
from certificates import Authority
from processes import server
from x3_client import X3Client
from x3_servers import Tls, local_x3_with_tls

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = "{ x3MasterData { supplier { query { totalCount } } } }"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    authority = Authority(tmp_path_factory.mktemp("tls"))
    own, client = authority.sign("server"), authority.sign("client")
    return Tls(own.certificate, own.key, authority.file, (client.certificate, client.key))


@pytest.fixture(scope="module")
def secure(tls: Tls) -> Iterator[X3Client]:
    """A server with TLS that asks for a client certificate, and a client that has one."""
    with local_x3_with_tls(tls, "--scale", "20") as running:
        client = X3Client(running.ready)
        client.session.verify, client.session.cert, client.session.trust_env = tls.ca, tls.client, False
        yield client
        client.close()


def test_https_only(secure: X3Client) -> None:
    assert secure.url.startswith("https://127.0.0.1:")
    links = secure.rest("GDIE", count="1").json()["$links"]
    assert links["$next"]["$url"].startswith(secure.url + "/api1/")
    assert secure.post(COUNT).json()["data"]["x3MasterData"]["supplier"]["query"]["totalCount"] > 5
    assert secure.ready["cloud"]["token_url"] == f"{secure.url}/v1/token"
    with pytest.raises(requests.ConnectionError):
        requests.get(secure.url.replace("https", "http") + "/v1", timeout=10)


def test_a_client_must_show_its_certificate(secure: X3Client, tls: Tls, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other").sign("stranger")
    for certificate in (None, (other.certificate, other.key)):
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{secure.url}/v1", verify=tls.ca, cert=certificate, timeout=10)
    assert requests.get(f"{secure.url}/v1", verify=tls.ca, cert=tls.client, timeout=10).status_code == 200


def test_a_body_that_is_cut_off_resets_the_connection_with_tls_too(secure: X3Client, tls: Tls) -> None:
    fault = {"do": "faults", "rules": [{"fault": "cut", "on": "cloud"}]}
    control = requests.post(f"{secure.url}/_control", json=fault, verify=tls.ca, cert=tls.client, timeout=10)
    assert control.status_code == 200
    with pytest.raises(requests.RequestException):
        requests.get(f"{secure.url}/v1", verify=tls.ca, cert=tls.client, timeout=10)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--client-ca", "FILE"), "--client-ca needs --tls"),
        (("--tls", "FILE", "/nowhere.key"), "/nowhere.key is not a file"),
        (("--tls", "FILE", "FILE"), "--tls, --client-ca: "),
    ],
    ids=["alone", "missing", "no-key"],
)
def test_files_that_do_not_fit_are_named(tls: Tls, arguments: tuple[str, ...], text: str) -> None:
    given = [tls.ca if argument == "FILE" else argument for argument in arguments]
    with pytest.raises(RuntimeError, match=text), server("local_x3", "--scale", "5", *given):
        pass


def connect(x3: X3Client) -> socket.socket:
    parts = urlsplit(x3.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)


def test_tls_to_the_plain_port_ends_at_once(x3: X3Client) -> None:
    context = ssl.create_default_context()
    started = time.monotonic()
    with connect(x3) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="127.0.0.1")
    assert time.monotonic() - started < 4
    assert x3.rest("GDIE").status_code == 200


def test_a_head_that_never_ends_is_closed(x3: X3Client) -> None:
    answer = b""
    with connect(x3) as connection:
        started = time.monotonic()
        connection.sendall(b"GET /v1 HTTP/1.1\r\nX: ")
        while part := connection.recv(4096):
            answer += part
    assert 4 < time.monotonic() - started < 15
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_connection_may_rest_between_requests(x3: X3Client) -> None:
    with connect(x3) as connection:
        time.sleep(6)
        connection.sendall(b"GET /v1 HTTP/1.1\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
