"""Logins with ECDSA keys and with a workload's OIDC token, over the wire of both connectors."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from base64 import b64encode
from typing import TYPE_CHECKING

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from oidc import IdentityProvider

if TYPE_CHECKING:
    from snowflake_account import Account

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PKIX = serialization.PublicFormat.SubjectPublicKeyInfo
CURVES: list[tuple[ec.EllipticCurve, str]] = [
    (ec.SECP256R1(), "ES256"),
    (ec.SECP384R1(), "ES384"),
    (ec.SECP521R1(), "ES512"),
]


def login(snow: Account, name: str, method: str, token: str, **data: object) -> str:
    """The number of a login's answer; empty for a session."""
    answer = requests.post(
        f"http://{snow.ready['host']}:{snow.ready['port']}/session/v1/login-request",
        params={"requestId": str(uuid.uuid4())},
        json={"data": {"LOGIN_NAME": name, "AUTHENTICATOR": method, "TOKEN": token, **data}},
        timeout=10,
    ).json()
    return "" if answer["success"] else str(answer["code"])


def public(key: Key) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, PKIX)


def signed(key: Key, named: Key, algorithm: str) -> str:
    """A token of user CURVED, signed with a key, naming the fingerprint of another or the same."""
    now = dt.datetime.now(dt.UTC)
    mark = b64encode(hashlib.sha256(public(named)).digest()).decode()
    claims = {"iss": f"SANDBOX.CURVED.SHA256:{mark}", "sub": "SANDBOX.CURVED"}
    return jwt.encode({**claims, "iat": now, "exp": now + dt.timedelta(minutes=1)}, key, algorithm=algorithm)


@pytest.mark.parametrize(("curve", "algorithm"), CURVES)
def test_ecdsa_keys_sign_with_the_algorithm_of_their_curve(
    snow: Account, curve: ec.EllipticCurve, algorithm: str
) -> None:
    key, other = ec.generate_private_key(curve), ec.generate_private_key(curve)
    with snow.admin() as admin:
        admin.rows(f"CREATE USER CURVED TYPE = SERVICE RSA_PUBLIC_KEY = '{b64encode(public(key)).decode()}'")
        assert login(snow, "CURVED", "SNOWFLAKE_JWT", signed(key, key, algorithm)) == ""
        assert login(snow, "CURVED", "SNOWFLAKE_JWT", signed(other, key, algorithm)) == "394306"
        assert login(snow, "CURVED", "SNOWFLAKE_JWT", signed(other, other, algorithm)) == "394304"
        wrong = rsa.generate_private_key(65537, 2048)
        token = signed(wrong, key, "RS256")
        assert login(snow, "CURVED", "SNOWFLAKE_JWT", token) == "394305"
        admin.rows("DROP USER CURVED")


def test_other_curves_are_not_registered(snow: Account) -> None:
    key = b64encode(public(ec.generate_private_key(ec.SECP256K1()))).decode()
    with snow.admin() as admin:
        assert admin.error(f"CREATE USER CURVED TYPE = SERVICE RSA_PUBLIC_KEY = '{key}'") == (2028, "22023")


def test_a_workload_shows_a_token_of_its_provider(snow: Account) -> None:
    provider = IdentityProvider("https://tokens.example/a")
    snow.control.oidc_provider(provider.issuer, provider.public_key)

    def tried(token: str, name: str = "WORKER", **data: str) -> str:
        return login(snow, name, "WORKLOAD_IDENTITY", token, **{"PROVIDER": "OIDC", **data})

    with snow.admin() as admin:
        identity = f"TYPE = OIDC ISSUER = '{provider.issuer}' SUBJECT = 'job (1)'"
        admin.rows(f"CREATE USER WORKER TYPE = SERVICE WORKLOAD_IDENTITY = ({identity})")
        assert tried(provider.token("job (1)")) == ""
        assert tried(provider.token("job (1)"), "") == ""
        for token in (
            provider.token("job (2)"),
            provider.token("job (1)", audience="elsewhere"),
            provider.token("job (1)", seconds=-61),
            provider.token("job (1)", without=("exp",)),
            IdentityProvider(provider.issuer).token("job (1)"),
            IdentityProvider("https://unknown.example").token("job (1)"),
            "rubbish",
        ):
            assert tried(token) == "390144"
            admin.rows("ALTER USER WORKER SET MINS_TO_UNLOCK = 0")
        assert tried(provider.token("job (1)"), PROVIDER="GCP") == "390144"
        assert tried(provider.token("job (1)"), "LOADER") == "390144"
        admin.rows(
            f"ALTER USER WORKER SET WORKLOAD_IDENTITY = ({identity} OIDC_AUDIENCE_LIST = ('one', 'two'))"
        )
        assert tried(provider.token("job (1)")) == "390144"
        assert tried(provider.token("job (1)", audience="two")) == ""
        admin.rows("ALTER USER WORKER UNSET WORKLOAD_IDENTITY")
        assert tried(provider.token("job (1)", audience="two")) == "390144"
        admin.rows("DROP USER WORKER")


@pytest.mark.parametrize(
    ("properties", "error"),
    [
        ("TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = AWS ARN = 'arn:aws:iam::1:role/x')", (2, "0A000")),
        ("TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = OIDC SUBJECT = 'x')", (1008, "22023")),
        ("TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = OIDC ISSUER = 'https://a')", (1008, "22023")),
        (
            "TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = OIDC ISSUER = 'http://a' SUBJECT = 'x')",
            (1008, "22023"),
        ),
        ("WORKLOAD_IDENTITY = (TYPE = OIDC ISSUER = 'https://a' SUBJECT = 'x')", (1008, "22023")),
    ],
)
def test_what_is_no_workload_identity(snow: Account, properties: str, error: tuple[int, str]) -> None:
    with snow.admin() as admin:
        assert admin.error(f"CREATE USER WORKER {properties}") == error
