"""TLS, private authorities, client certificates and proxies, on the wire."""

from __future__ import annotations

import logging
import typing as t
from base64 import b64encode

import pytest
from certificates import Authority
from forward_proxy import forward_proxy
from processes import server
from raw_server import raw_server
from tap_runs import catalog_of, config_for, run_tap
from tap_sagex3 import transport
from tap_sagex3.errors import ApiError, ConnectionFailedError, SettingsError
from tap_sagex3.settings import read_settings
from tap_sagex3.transport import Transport
from tap_sagex3.web import session
from tap_sagex3.web.tls import check_files
from x3_servers import Tls, local_x3_with_tls

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from processes import Server
    from tap_runs import Config
    from x3_control import X3Control

PATH = "/api1/x3/erp/SEED/GDIE?representation=GDIE.$query"
PROXY_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.02)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def other(folder: Path) -> Authority:
    return Authority(folder, "other")


@pytest.fixture(scope="module")
def tls(authority: Authority) -> Tls:
    own, client = authority.sign("server"), authority.sign("client")
    return Tls(own.certificate, own.key, authority.file, (client.certificate, client.key))


@pytest.fixture(scope="module")
def secure(tls: Tls) -> Iterator[Server]:
    """A local X3 with TLS and without client certificates."""
    plain = Tls(tls.certificate, tls.key, tls.ca)
    with local_x3_with_tls(plain, "--scale", "10") as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tls: Tls) -> Iterator[Server]:
    """A local X3 that wants a client certificate."""
    with local_x3_with_tls(tls, "--scale", "10") as running:
        yield running


def get(running: Server, **changes: object) -> int:
    settings = read_settings({**config_for(running, "rest"), "max_retries": 0, **changes})
    check_files(settings)
    return Transport(settings, "rest").get(settings.server_url + PATH).status


def test_a_private_authority_is_trusted_by_ca_bundle(secure: Server, tls: Tls) -> None:
    assert get(secure, ca_bundle=tls.ca) == 200
    config: Config = {**config_for(secure, "graphql"), "ca_bundle": tls.ca}
    assert run_tap(config, catalog=catalog_of(config, "suppliers")).counts()["suppliers"] > 0


def test_the_environments_bundle_is_used(secure: Server, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tls.ca)
    assert get(secure) == 200


def test_an_unknown_authority_is_refused(secure: Server, other: Authority) -> None:
    for changes in ({}, {"ca_bundle": other.file}):
        with pytest.raises(ConnectionFailedError, match=r"TLS with https://127.*ca_bundle.*server_url"):
            get(secure, **changes)


def test_tokens_of_the_cloud_go_through_tls_too(
    secure: Server, tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - here only

    monkeypatch.setenv("SAGEX3_SECRETS_KEY", Fernet.generate_key().decode())
    names = ("token_url", "client_id", "client_secret", "refresh_token")
    config: Config = {
        **{name: secure.ready["cloud"][name] for name in names},
        "server_url": secure.ready["url"],
        "folder": "SEED",
        "auth": "cloud",
        "token_store": str(tmp_path / "tokens"),
    }
    with pytest.raises(ConnectionFailedError, match="TLS with"):
        run_tap(config)
    config["ca_bundle"] = tls.ca
    assert run_tap(config, catalog=catalog_of(config, "suppliers")).counts()["suppliers"] > 0


@pytest.mark.parametrize("kind", ["host", "expired"])
def test_a_certificate_that_does_not_hold_is_refused(authority: Authority, tls: Tls, kind: str) -> None:
    wrong = (
        authority.sign("elsewhere", host="127.0.0.2")
        if kind == "host"
        else authority.sign("old", expired_days=5)
    )
    with (
        server("local_x3", "--tls", wrong.certificate, wrong.key, "--scale", "5") as running,
        pytest.raises(ConnectionFailedError, match=r"IP address mismatch|expired"),
    ):
        get(running, ca_bundle=tls.ca)


def test_tls_that_is_not_checked_is_warned_about_once(
    secure: Server, caplog: pytest.LogCaptureFixture, other: Authority
) -> None:
    session._warned.clear()  # noqa: SLF001 - another test may have been first
    with caplog.at_level(logging.WARNING, logger="tap-sagex3"):
        assert get(secure, verify_tls=False) == 200
        assert get(secure, verify_tls=False, ca_bundle=other.file) == 200
    told = [record.getMessage() for record in caplog.records if "verify_tls is off" in record.getMessage()]
    assert len(told) == 1


def test_a_client_certificate_opens_the_server(guarded: Server, tls: Tls, folder: Path) -> None:
    assert tls.client is not None
    certificate, key = tls.client
    assert get(guarded, ca_bundle=tls.ca, client_certificate=certificate, client_key=key) == 200
    both = folder / "both.pem"
    with open(certificate, "rb") as one, open(key, "rb") as two:  # noqa: PTH123
        both.write_bytes(one.read() + two.read())
    assert get(guarded, ca_bundle=tls.ca, client_certificate=str(both)) == 200


def test_a_client_certificate_that_is_missing_or_wrong_is_told(
    guarded: Server, tls: Tls, other: Authority
) -> None:
    with pytest.raises(ConnectionFailedError, match="setting client_certificate"):
        get(guarded, ca_bundle=tls.ca)
    strange = other.sign("stranger")
    with pytest.raises(ConnectionFailedError, match="setting client_certificate"):
        get(guarded, ca_bundle=tls.ca, client_certificate=strange.certificate, client_key=strange.key)


def test_files_are_checked_before_anything_is_sent(secure: Server, authority: Authority, tls: Tls) -> None:
    locked = authority.sign("locked", password=b"planted-password")
    key = locked.key
    wrong: list[tuple[dict[str, str], str]] = [
        ({"ca_bundle": "/nowhere.pem"}, "ca_bundle is '/nowhere.pem': No such file"),
        ({"ca_bundle": key}, "ca_bundle .* no certificates in PEM form"),
        ({"client_certificate": "/nowhere.pem"}, "client_certificate is '/nowhere.pem': No such file"),
        (
            {"client_certificate": tls.certificate, "client_key": "/nowhere.key"},
            "client_key is '/nowhere.key'",
        ),
        ({"client_certificate": tls.certificate}, "client_certificate: expected PEM files"),
        ({"client_certificate": tls.certificate, "client_key": key}, "the key without a password"),
        (
            {"client_certificate": locked.certificate, "client_key": tls.key},
            "client_certificate and client_key",
        ),
        ({"client_key": tls.key}, "client_certificate is missing"),
    ]
    for changes, text in wrong:
        with pytest.raises(SettingsError, match=text):
            get(secure, **changes)


def test_the_wrong_scheme_is_told(secure: Server, running_x3: Server, tls: Tls) -> None:
    plain = running_x3.ready["url"].replace("http:", "https:")
    with pytest.raises(ConnectionFailedError, match=r"does not speak TLS there: check http or https"):
        get(running_x3, server_url=plain)
    with pytest.raises(ConnectionFailedError, match="failed once"):
        get(secure, server_url=secure.ready["url"].replace("https:", "http:"), ca_bundle=tls.ca)


def test_a_proxy_of_the_environment_is_used_and_gets_no_credentials_of_https(
    secure: Server, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert get(secure, ca_bundle=tls.ca) == 200
        ((method, target, headers),) = proxy.seen
        assert method == "CONNECT"
        assert target in secure.ready["url"]
        assert "Authorization" not in headers
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert get(secure, ca_bundle=tls.ca) == 200
        assert len(proxy.seen) == 1


def test_a_plain_server_is_reached_through_a_proxy(
    running_x3: Server, x3: X3Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        x3.link_origin(
            "http://other-host.invalid"
        )  # links lead elsewhere: put back on server_url, by the proxy
        try:
            config = {**config_for(running_x3, "rest"), "page_size": 5}
            run = run_tap(config, catalog=catalog_of(config, "suppliers"))
        finally:
            x3.link_origin()
        assert run.counts()["suppliers"] > 5
        assert len(proxy.seen) > 2
        assert all(target.startswith(running_x3.ready["url"]) for _, target, _ in proxy.seen)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_login_is_told(
    secure: Server, running_x3: Server, tls: Tls, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    login = "Basic " + b64encode(b"me:planted").decode()
    running = secure if scheme == "https" else running_x3
    with forward_proxy(login) as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.url)
        with pytest.raises(ConnectionFailedError, match=r"proxy .* wants a login \(HTTP 407\)"):
            get(running, ca_bundle=tls.ca)
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.url.replace("://", "://me:planted@"))
        assert get(running, ca_bundle=tls.ca) == 200


def test_a_proxy_that_is_not_there_is_told_without_its_password(
    running_x3: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:planted@127.0.0.1:9")
    with pytest.raises(ConnectionFailedError, match=r"proxy: .*refused") as error:
        get(running_x3)
    assert "planted" not in str(error.value)
    assert str(error.value).endswith("refused. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.")


def test_a_proxy_that_does_not_reach_the_server_leaves_both_to_be_checked(
    secure: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(ConnectionFailedError, match=r"502.*Check server_url, HTTPS_PROXY, HTTP_PROXY"):
            get(secure)


def test_a_connection_that_ends_within_tls_asks_for_the_certificate_only(running_x3: Server) -> None:
    with raw_server(b"") as url, pytest.raises(ConnectionFailedError) as error:
        get(running_x3, server_url=url.replace("http:", "https:"))
    assert str(error.value).endswith("wants a client certificate: setting client_certificate).")


def test_another_origin_gets_no_credentials_through_a_proxy_either(
    running_x3: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        settings = read_settings(config_for(running_x3, "rest"))
        with pytest.raises(ApiError, match="Refused to send credentials"):
            Transport(settings, "rest").get("http://elsewhere.invalid/api1")
        assert proxy.seen == []
