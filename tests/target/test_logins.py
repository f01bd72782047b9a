"""Every way to log in, over the wire; what a refused login and a network that ends too soon say."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from certificates import Authority
from cryptography.hazmat.primitives.asymmetric import rsa
from service_worker import NONE, pem
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.login import login_arguments, warn_once
from target_snowflake_audit.reachability import obstacle
from target_snowflake_audit.retry_classes import AUTHENTICATION, CLOCK
from target_snowflake_audit.session import StatementError, connect

if TYPE_CHECKING:
    from pathlib import Path

    from service_worker import Worker
    from target_world import World


def test_every_way_to_log_in(worker: Worker) -> None:
    for what, settings in worker.ways().items():
        session = connect(worker.world.settings(**settings))
        found = session.execute("SELECT CURRENT_USER(), CURRENT_ROLE()", "test").rows
        assert found == [(settings.get("user", "LOADER"), "SAGEX3_LOADER")], what
        session.close()


def test_the_file_of_a_workload_token_is_read_at_each_login(worker: Worker) -> None:
    settings = worker.world.settings(**worker.ways()["workload, file"])
    connect(settings).close()
    worker.token_file.write_text(worker.provider.token("another job"))
    with pytest.raises(StatementError, match=r"issuer, subject and audience in the user's WORKLOAD_IDENTITY"):
        connect(settings)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {},
            "`private_key_path`: no login is configured: set one of .*`token`, `oauth_token`, `workload_id",
        ),
        (
            {"password": "x", "token": "y", "private_key": "z"},
            r"several logins are configured \(`private_key`, `token`, `password`\): keep one",
        ),
        (
            {"private_key": "x", "private_key_path": "y"},
            r"several logins are configured \(`private_key_path`, `private_key`\)",
        ),
        (
            {"workload_identity_provider": "MARS"},
            "`workload_identity_provider`: is MARS; there are AWS, AZURE",
        ),
        ({"workload_identity_provider": "oidc"}, "set either `workload_identity_token` or"),
        (
            {"workload_identity_provider": "OIDC", "workload_identity_token_path": "/none/there"},
            "`workload_identity_token_path`: cannot read /none/there: No such file",
        ),
        (
            {"workload_identity_provider": "AWS", "workload_identity_token": "x"},
            "`workload_identity_token`: is for `workload_identity_provider: OIDC`",
        ),
    ],
)
def test_logins_that_are_none_or_several(change: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingError, match=expected):
        login_arguments(change)


def test_a_password_is_warned_about_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    name = f"PERSON_{world.schema}"
    world.control.create_user(name, "a fine password", "SAGEX3_LOADER")
    settings = world.settings(user=name, private_key_path=None, password="a fine password")  # noqa: S106
    warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            connect(settings).close()
    warnings = [r.getMessage() for r in caplog.records if r.name.startswith("target_snowflake_audit")]
    assert len(warnings) == 1
    assert "Snowflake closes password-only logins of service users" in warnings[0]
    assert "fine" not in warnings[0]


def test_refused_logins_say_who_where_and_what_to_check(worker: Worker) -> None:
    stranger = pem(rsa.generate_private_key(65537, 2048))
    own = {**NONE, "user": worker.name}
    expired = worker.world.control.oauth_token(worker.name, seconds=0)
    identity = {"workload_identity_provider": "OIDC"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({**NONE, "private_key": stranger}, r"the user's: ALTER USER \.\.\. SET RSA_PUBLIC_KEY"),
        ({**own, "token": "a wrong word"}, "`token` has expired, was removed"),
        ({**own, "oauth_token": "a wrong word"}, "get a new `oauth_token`: this one is not"),
        ({**own, "oauth_token": expired}, "get a new `oauth_token`; a run that outlives"),
        ({**NONE, "oauth_token": worker.world.control.oauth_token(worker.name, 60)}, "of another user than"),
        ({**NONE, "password": "a wrong word"}, "check `user`, `account` and `password`"),
        ({"user": "NOBODY"}, "check `user`"),
        (
            {**own, **identity, "workload_identity_token": worker.provider.token("x", audience="y")},
            "issuer, subject and audience",
        ),
    ]
    for change, expected in cases:
        settings = worker.world.settings(**change)
        with pytest.raises(StatementError, match=expected) as raised:
            connect(settings)
        worker.world.control.unlock_users()
        text = str(raised.value)
        assert f"refused the login of user {settings['user']} on 127.0.0.1" in text
        assert raised.value.error_class is AUTHENTICATION
        assert "wrong word" not in text


def test_an_identity_that_cannot_be_shown_names_its_setting(worker: Worker) -> None:
    change = {**NONE, "workload_identity_provider": "OIDC", "workload_identity_token": "no token"}
    with pytest.raises(
        SettingError, match=r"`workload_identity_provider`: OIDC gave no identity: "
    ) as raised:
        connect(worker.world.settings(**change))
    assert "no token" not in str(raised.value)


def test_a_role_that_is_not_granted_names_its_setting(world: World) -> None:
    with pytest.raises(SettingError, match=r"`role`: .*not granted to this user"):
        connect(world.settings(role="ACCOUNTADMIN"))


@pytest.mark.parametrize("code", [394302, 394303])
def test_a_wrong_clock_is_called_so_and_may_be_tried_again(world: World, code: int) -> None:
    world.control.fault("error", on="login", code=code, sqlstate="08001", message="JWT token is invalid. [1]")
    with pytest.raises(StatementError, match=r"this machine's clock differs .* NTP") as raised:
        connect(world.settings())
    assert raised.value.error_class is CLOCK


def test_networks_that_end_too_soon(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.session.LOGIN_TIMEOUT_SECONDS", 2)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        cases: list[tuple[dict[str, Any], str]] = [
            ({"port": port}, f"port {port} does not answer .*HTTPS_PROXY.*`account`, `host`, `port`"),
            (
                {"host": None, "port": None, "protocol": "https", "account": "no_such.invalid"},
                r"the name no-such.invalid.snowflakecomputing.com is not known \(DNS\) for host",
            ),
            ({"protocol": "https"}, "TLS: no secure connection"),
        ]
        for change, expected in cases:
            with pytest.raises(StatementError, match=rf"cannot reach Snowflake at .*{expected}"):
                connect(world.settings(**change))
        monkeypatch.setenv("HTTPS_PROXY", f"http://clerk:hush-hush@127.0.0.1:{port}")
        with pytest.raises(StatementError, match=f"the proxy 127.0.0.1:{port} .*does not answer") as raised:
            connect(world.settings(host="snowflake.example", protocol="https"))
        assert "hush-hush" not in str(raised.value)


def test_a_certificate_of_an_unknown_authority_is_called_so(tmp_path: Path) -> None:
    files = Authority(tmp_path).sign("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):  # the port is tried first, then TLS
                plain, _ = server.accept()
                with suppress(OSError):
                    context.wrap_socket(plain, server_side=True).close()

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        found = obstacle({"account": "x", "host": "127.0.0.1", "port": server.getsockname()[1]})
        serving.join(10)
    assert "TLS: the certificate is not accepted" in found
    assert "certificate authority must be installed" in found
