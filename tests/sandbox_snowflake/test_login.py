"""Who may log in, with what."""

from __future__ import annotations

import datetime as dt
import hashlib
import stat
import uuid
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from snowflake_account import Account


def _login(snow: Account, **data: object) -> dict[str, Any]:
    """A login request as the connectors send it, without a connector that retries or explains."""
    url = f"http://{snow.ready['host']}:{snow.ready['port']}/session/v1/login-request"
    body = {"data": {"CLIENT_APP_ID": "test", "SESSION_PARAMETERS": {}, **data}}
    answer = requests.post(url, json=body, params={"requestId": str(uuid.uuid4())}, timeout=10)
    assert answer.status_code == 200
    return dict(answer.json())


def _fingerprint(key: rsa.RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "SHA256:" + b64encode(hashlib.sha256(der).digest()).decode()


def _token(signing: rsa.RSAPrivateKey, named: rsa.RSAPrivateKey, **claims: object) -> str:
    now = dt.datetime.now(dt.UTC)
    told = {
        "iss": f"SANDBOX.LOADER.{_fingerprint(named)}",
        "sub": "SANDBOX.LOADER",
        "iat": now,
        "exp": now + dt.timedelta(minutes=1),
        **claims,
    }
    return jwt.encode(told, signing, algorithm="RS256")


@pytest.fixture
def key(snow: Account) -> rsa.RSAPrivateKey:
    loaded = serialization.load_pem_private_key(Path(snow.ready["private_key_path"]).read_bytes(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded


def _jwt(snow: Account, token: str) -> dict[str, Any]:
    return _login(snow, LOGIN_NAME="LOADER", AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=token)


def test_a_good_jwt_logs_in(snow: Account, key: rsa.RSAPrivateKey) -> None:
    answer = _jwt(snow, _token(key, key))
    assert answer["success"]
    # Connector 5 refuses a login answer that lacks one of these.
    assert {"token", "masterToken", "validityInSeconds", "sessionId", "sessionInfo"} <= answer["data"].keys()


def test_a_jwt_signed_by_another_key_is_refused(snow: Account, key: rsa.RSAPrivateKey) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert _jwt(snow, _token(other, key))["code"] == "394304"
    assert _jwt(snow, _token(other, other))["code"] == "394304"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "SANDBOX.ADMIN"}, "390144"),
        ({"iss": "SANDBOX.LOADER"}, "390144"),
        ({"iat": 1_600_000_000, "exp": 1_600_000_060}, "394303"),
        ({"exp": dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)}, "394303"),
    ],
)
def test_each_claim_is_checked(
    snow: Account, key: rsa.RSAPrivateKey, claims: dict[str, object], code: str
) -> None:
    assert _jwt(snow, _token(key, key, **claims))["code"] == code


def test_a_jwt_of_nobody_and_of_another_algorithm(snow: Account, key: rsa.RSAPrivateKey) -> None:
    token = _token(key, key)
    refused = _login(snow, LOGIN_NAME="NOBODY", AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=token)
    assert refused["code"] == "390144"
    forged = jwt.encode({"iss": "x", "sub": "y", "iat": 1, "exp": 2}, "x" * 32, algorithm="HS256")
    assert _jwt(snow, forged)["code"] == "390144"


def test_passwords_and_tokens(snow: Account) -> None:
    loader = snow.ready["users"]["LOADER"]
    good = {"LOGIN_NAME": "LOADER", "AUTHENTICATOR": "PROGRAMMATIC_ACCESS_TOKEN", "TOKEN": loader["token"]}
    assert _login(snow, **good)["success"]
    assert _login(snow, **{**good, "TOKEN": "guess"})["code"] == "394400"
    assert _login(snow, LOGIN_NAME="LOADER", AUTHENTICATOR="OAUTH", TOKEN=loader["oauth_token"])["success"]
    assert _login(snow, LOGIN_NAME="LOADER", AUTHENTICATOR="OAUTH", TOKEN="guess")["code"] == "390303"  # noqa: S106
    assert _login(snow, LOGIN_NAME="ADMIN", PASSWORD=snow.ready["admin_password"])["success"]
    for name in ("ADMIN", "LOADER", "NOBODY"):
        assert _login(snow, LOGIN_NAME=name, PASSWORD="guess")["code"] == "390100"  # noqa: S106


def test_the_connector_logs_in_with_key_token_and_encrypted_key(snow: Account) -> None:
    loader = snow.ready["users"]["LOADER"]
    passphrase = Path(loader["passphrase_path"]).read_text()
    ways: list[dict[str, Any]] = [
        snow.loader_settings(),
        {"user": "LOADER", "authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": loader["token"]},
        {
            "user": "LOADER",
            "private_key_file": loader["encrypted_private_key_path"],
            "private_key_file_pwd": passphrase,
        },
    ]
    for way in ways:
        with snow.session(**way) as session:
            assert session.value("SELECT CURRENT_USER()") == "LOADER"


def test_a_wrong_password_and_an_unknown_role_reach_the_client(snow: Account) -> None:
    for details, errno in (
        ({"password": "guess"}, 390100),
        ({"password": snow.ready["admin_password"], "role": "NOROLE"}, 390189),
    ):
        with pytest.raises(snowflake.connector.errors.DatabaseError) as caught:
            snow.connect(user="ADMIN", **details)
        assert caught.value.errno == errno


def test_private_keys_can_be_read_by_nobody_else(snow: Account) -> None:
    for name in ("private_key_path", "encrypted_private_key_path", "passphrase_path"):
        mode = Path(snow.ready["users"]["LOADER"][name]).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


def test_a_login_with_an_unknown_database_succeeds_without_one(snow: Account) -> None:
    with snow.session(database="NOPE", warehouse="NOWHERE") as session:
        assert session.rows("SELECT CURRENT_DATABASE(), CURRENT_WAREHOUSE()") == [(None, None)]
        assert session.error("SELECT * FROM T") == (606, "57P03")
        assert session.error("USE DATABASE NOPE") == (2043, "02000")
        assert session.value("SELECT CURRENT_DATABASE()") is None
        session.rows("USE DATABASE ANALYTICS")
        assert session.value("SELECT CURRENT_DATABASE()") == "ANALYTICS"
