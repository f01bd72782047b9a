"""Who may log in, with what."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import stat
import uuid
from base64 import b64encode
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from snowflake_account import Account


def _login(
    snow: Account, query: Mapping[str, str] = MappingProxyType({}), /, **data: object
) -> dict[str, Any]:
    """A login request as the connectors send it, without a connector that retries or explains."""
    url = f"http://{snow.ready['host']}:{snow.ready['port']}/session/v1/login-request"
    body = {"data": {"CLIENT_APP_ID": "test", "SESSION_PARAMETERS": {}, **data}}
    answer = requests.post(url, json=body, params={"requestId": str(uuid.uuid4()), **query}, timeout=10)
    assert answer.status_code == 200
    return dict(answer.json())


def _fingerprint(key: rsa.RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "SHA256:" + b64encode(hashlib.sha256(der).digest()).decode()


def _public(key: rsa.RSAPrivateKey, *, pem: bool = False) -> str:
    """A public key as RSA_PUBLIC_KEY takes it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    if pem:
        return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    return b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def _statement(snow: Account, token: str, sql: str) -> dict[str, Any]:
    """Run a statement without a connector."""
    answer = requests.post(
        f"http://{snow.ready['host']}:{snow.ready['port']}/queries/v1/query-request",
        params={"requestId": str(uuid.uuid4())},
        headers={"Authorization": f'Snowflake Token="{token}"'},
        json={"sqlText": sql},
        timeout=10,
    )
    return dict(answer.json())


def _token(
    signing: rsa.RSAPrivateKey, named: rsa.RSAPrivateKey, _without: Iterable[str] = (), **claims: object
) -> str:
    now = dt.datetime.now(dt.UTC)
    told = {
        "iss": f"SANDBOX.LOADER.{_fingerprint(named)}",
        "sub": "SANDBOX.LOADER",
        "iat": now,
        "exp": now + dt.timedelta(minutes=1),
        **claims,
    }
    kept = {name: value for name, value in told.items() if name not in _without}
    return jwt.encode(kept, signing, algorithm="RS256")


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


def test_a_key_that_nobody_registered_and_a_signature_of_another_key(
    snow: Account, key: rsa.RSAPrivateKey
) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert _jwt(snow, _token(other, other))["code"] == "394304"
    assert _jwt(snow, _token(other, key))["code"] == "394306"


def _ago(minutes: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "SANDBOX.ADMIN"}, "390144"),
        ({"iss": "SANDBOX.LOADER"}, "394304"),
        ({"iss": "SANDBOX.NOBODY.SHA256:x"}, "394300"),
        ({"iss": "ELSEWHERE.LOADER.SHA256:x"}, "394307"),
        ({"iat": None}, "394301"),
        ({"exp": None}, "394301"),
        ({"iat": 3.0, "exp": -3.0}, "394302"),
        ({"iat": -3.0, "exp": -5.0}, "394302"),
        ({"iat": 0.5, "exp": 0.1}, "394303"),
        ({"iat": 0.0, "exp": -62.0}, "394303"),
    ],
)
def test_each_claim_is_checked(
    snow: Account, key: rsa.RSAPrivateKey, claims: dict[str, object], code: str
) -> None:
    """Numbers are minutes ago; None leaves a claim out."""
    given = {
        name: _ago(value) if isinstance(value, float) else value
        for name, value in claims.items()
        if value is not None
    }
    refused = _jwt(snow, _token(key, key, **given, _without=claims.keys() - given.keys()))
    assert refused["code"] == code
    assert re.fullmatch(r"JWT token is invalid\. \[[0-9a-f-]{36}\]", refused["message"])


def test_a_jwt_of_nobody_and_of_another_algorithm(snow: Account, key: rsa.RSAPrivateKey) -> None:
    token = _token(key, key)
    refused = _login(snow, LOGIN_NAME="NOBODY", AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=token)
    assert refused["code"] == "390144"
    told = jwt.decode(token, options={"verify_signature": False})
    assert _jwt(snow, jwt.encode(told, "x" * 32, algorithm="HS256"))["code"] == "394305"
    elliptic = ec.generate_private_key(ec.SECP256R1())
    assert _jwt(snow, jwt.encode(told, elliptic, algorithm="ES256"))["code"] == "394305"
    assert _jwt(snow, "rubbish")["code"] == "390144"


def test_five_wrong_logins_lock_a_user_for_fifteen_minutes(snow: Account, key: rsa.RSAPrivateKey) -> None:
    for _ in range(4):
        assert _login(snow, LOGIN_NAME="LOADER", PASSWORD="guess")["code"] == "390100"  # noqa: S106
    assert _jwt(snow, _token(key, key))["success"], "a good login starts the count again"
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for _ in range(5):
        assert _jwt(snow, _token(other, other))["code"] == "394304"
    locked = _jwt(snow, _token(key, key))
    assert locked["code"] == "390102"
    assert "temporarily locked" in locked["message"]
    snow.control.advance_clock(899)
    assert _jwt(snow, _token(key, key))["code"] == "390102"
    snow.control.advance_clock(2)
    assert _jwt(snow, _token(key, key))["success"]


def test_an_owner_unlocks_disables_and_drops_a_user(snow: Account) -> None:
    with snow.admin() as admin:
        admin.rows("CREATE USER GUEST PASSWORD = 'it''s; one -- password' DEFAULT_ROLE = PUBLIC")
        assert admin.error("CREATE USER GUEST")[0] == 2002
        good = {"LOGIN_NAME": "guest", "PASSWORD": "it's; one -- password"}
        assert _login(snow, **good)["data"]["sessionInfo"]["roleName"] == "PUBLIC"
        for _ in range(5):
            _login(snow, LOGIN_NAME="GUEST", PASSWORD="guess")  # noqa: S106
        assert _login(snow, **good)["code"] == "390102"
        admin.rows("ALTER USER GUEST SET MINS_TO_UNLOCK = 0")
        assert _login(snow, **good)["success"]
        admin.rows("ALTER USER GUEST SET DISABLED = TRUE")
        assert _login(snow, **good)["code"] == "390101"
        assert _login(snow, LOGIN_NAME="GUEST", PASSWORD="guess")["code"] == "390100"  # noqa: S106
        admin.rows("DROP USER GUEST")
        assert _login(snow, **good)["code"] == "390100"
        assert admin.error("ALTER USER GUEST SET DISABLED = FALSE")[0] == 2043


def test_a_service_user_has_no_password(snow: Account) -> None:
    with snow.admin() as admin:
        refused = admin.error("CREATE USER ROBOT TYPE = SERVICE PASSWORD = 'x'")
        assert refused == (1008, "22023")
        admin.rows("CREATE USER IF NOT EXISTS ROBOT TYPE = SERVICE DEFAULT_ROLE = PUBLIC")
        assert admin.error("ALTER USER ROBOT SET PASSWORD = 'x'") == (1008, "22023")
        assert _login(snow, LOGIN_NAME="ROBOT", PASSWORD="x")["code"] == "390100"  # noqa: S106
        assert admin.error("ALTER USER ROBOT SET NO_SUCH_THING = 1") == (2, "0A000")
        admin.rows("DROP USER ROBOT")


def test_keys_are_rotated_by_the_owner(snow: Account) -> None:
    """As the README says: the second key is registered, tried, and then the first one goes."""
    old, new = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))

    def tried(key: rsa.RSAPrivateKey) -> str:
        claims = {"iss": f"SANDBOX.ROTOR.{_fingerprint(key)}", "sub": "SANDBOX.ROTOR"}
        answer = _login(
            snow, LOGIN_NAME="ROTOR", AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=_token(key, key, **claims)
        )
        return str(answer["code"])

    with snow.admin() as admin:
        admin.rows("CREATE USER ROTOR TYPE = SERVICE DEFAULT_ROLE = PUBLIC")
        assert tried(old) == "394304"
        admin.rows(f"ALTER USER ROTOR SET RSA_PUBLIC_KEY = '{_public(old)}'")
        assert tried(old) == "None"
        admin.rows(f"ALTER USER ROTOR SET RSA_PUBLIC_KEY_2 = '{_public(new, pem=True)}'")
        assert (tried(old), tried(new)) == ("None", "None")
        described = {row[0]: row[1] for row in admin.rows("DESC USER ROTOR")}
        assert described["RSA_PUBLIC_KEY_FP"] == _fingerprint(old)
        assert described["RSA_PUBLIC_KEY_2_FP"] == _fingerprint(new)
        admin.rows("ALTER USER ROTOR UNSET RSA_PUBLIC_KEY")
        assert (tried(old), tried(new)) == ("394304", "None")
        small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is refused
        for text in ("rubbish", _public(small)):
            assert admin.error(f"ALTER USER ROTOR SET RSA_PUBLIC_KEY = '{text}'") == (2028, "22023")
        admin.rows("DROP USER ROTOR")


def test_access_tokens_end_are_removed_and_are_tied_to_a_role(snow: Account) -> None:
    def login(secret: str, **more: str) -> dict[str, Any]:
        return _login(snow, more, LOGIN_NAME="CLERK", AUTHENTICATOR="PROGRAMMATIC_ACCESS_TOKEN", TOKEN=secret)

    with snow.admin() as admin:
        admin.rows("CREATE USER CLERK TYPE = SERVICE DEFAULT_ROLE = PUBLIC")
        admin.rows("GRANT ROLE SAGEX3_REVIEWER TO USER CLERK")
        add = "ALTER USER CLERK ADD PROGRAMMATIC ACCESS TOKEN"
        assert admin.error(f"{add} T DAYS_TO_EXPIRY = 1") == (1008, "22023")
        assert admin.error(f"{add} T ROLE_RESTRICTION = 'SAGEX3_LOADER'")[0] == 2003
        assert admin.error(f"{add} T ROLE_RESTRICTION = 'SAGEX3_REVIEWER'") == (1008, "22023")
        admin.rows("ALTER USER CLERK SET NETWORK_POLICY = ANYWHERE")
        [[_, secret]] = admin.rows(f"{add} T ROLE_RESTRICTION = 'SAGEX3_REVIEWER' DAYS_TO_EXPIRY = 1")
        admin.rows("ALTER USER CLERK UNSET NETWORK_POLICY")
        assert login(secret)["code"] == "390432"
        admin.rows("ALTER USER CLERK SET NETWORK_POLICY = ANYWHERE")
        assert login(secret)["data"]["sessionInfo"]["roleName"] == "SAGEX3_REVIEWER"
        assert login(secret, roleName="PUBLIC")["code"] == "390189"
        token = login(secret)["data"]["token"]
        assert _statement(snow, token, "USE ROLE PUBLIC")["code"] == "003013"
    snow.control.advance_clock(86_401)
    assert login(secret)["code"] == "394400"
    with snow.admin() as admin:
        [[_, later]] = admin.rows(f"{add} U ROLE_RESTRICTION = 'SAGEX3_REVIEWER'")
        assert login(later)["success"]
        admin.rows("ALTER USER CLERK REMOVE PROGRAMMATIC ACCESS TOKEN U")
        assert login(later)["code"] == "394400"
        admin.rows("DROP USER CLERK")


def test_oauth_tokens_expire_and_belong_to_one_user(snow: Account) -> None:
    secret = snow.control.oauth_token("LOADER", seconds=60)
    good = {"LOGIN_NAME": "LOADER", "AUTHENTICATOR": "OAUTH", "TOKEN": secret}
    assert _login(snow, **good)["success"]
    assert _login(snow, **{**good, "LOGIN_NAME": "ADMIN"})["code"] == "390309"
    snow.control.advance_clock(61)
    assert _login(snow, **good)["code"] == "390318"


def test_another_account_and_an_unknown_way_in(snow: Account) -> None:
    admin = {"LOGIN_NAME": "ADMIN", "PASSWORD": snow.ready["admin_password"]}
    assert _login(snow, **admin, ACCOUNT_NAME="sandbox.eu-west-1")["success"]
    assert _login(snow, **admin, ACCOUNT_NAME="ELSEWHERE")["code"] == "390100"
    assert _login(snow, **admin, AUTHENTICATOR="EXTERNALBROWSER")["code"] == "390100"


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
            "private_key_password": passphrase,
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
