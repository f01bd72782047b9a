"""Users, their credentials, and the check of a login.

Rule restored: a login needs the registered key, password or token; anything else gets Snowflake's number
(key-pair-auth-troubleshooting page and the drivers' sources): 390100 wrong user or password, 390144 bad JWT,
394303 a JWT out of its time, 394304 another key's fingerprint.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from .errors import SnowflakeError

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "SANDBOX"
MAX_JWT_LIFE = 3600  # seconds; Snowflake refuses a longer life


@dataclass
class User:
    """A user; secrets never appear in its repr."""

    name: str
    default_role: str
    roles: set[str]
    default_warehouse: str | None = None
    password: str | None = field(default=None, repr=False)
    public_key: rsa.RSAPublicKey | None = field(default=None, repr=False)
    tokens: set[str] = field(default_factory=set, repr=False)
    oauth_tokens: set[str] = field(default_factory=set, repr=False)


def fingerprint(key: rsa.RSAPublicKey) -> str:
    """`SHA256:` and the base64 SHA-256 of the DER SubjectPublicKeyInfo, as DESC USER shows it."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)


def _pem(key: rsa.RSAPrivateKey, protection: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


def make_users(folder: Path) -> dict[str, User]:
    """Create ADMIN, LOADER and REVIEWER with fresh credentials; private keys go to `folder`, mode 0600."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    loader_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    reviewer_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    passphrase = secrets.token_urlsafe(18)
    _write_private(folder / "loader.p8", _pem(loader_key, NoEncryption()))
    _write_private(
        folder / "loader_encrypted.p8", _pem(loader_key, BestAvailableEncryption(passphrase.encode()))
    )
    _write_private(folder / "loader_passphrase.txt", passphrase.encode())
    _write_private(folder / "reviewer.p8", _pem(reviewer_key, NoEncryption()))
    loader = User("LOADER", "SAGEX3_LOADER", {"SAGEX3_LOADER", "PUBLIC"}, public_key=loader_key.public_key())
    loader.tokens.add(secrets.token_urlsafe(32))
    loader.oauth_tokens.add(secrets.token_urlsafe(32))
    reviewer = User(
        "REVIEWER", "SAGEX3_REVIEWER", {"SAGEX3_REVIEWER", "PUBLIC"}, public_key=reviewer_key.public_key()
    )
    admin = User(
        "ADMIN", "ACCOUNTADMIN", {"ACCOUNTADMIN", "PUBLIC"}, "LOAD_WH", password=secrets.token_urlsafe(18)
    )
    return {user.name: user for user in (admin, loader, reviewer)}


def _refuse(code: int, message: str) -> SnowflakeError:
    return SnowflakeError(code, "08001", message)


def _bad_jwt(code: int = 390144) -> SnowflakeError:
    return _refuse(code, f"JWT token is invalid. [{secrets.token_hex(8)}]")


def _check_jwt(user: User | None, token: str, now: float) -> None:
    """Signature, issuer, subject and life of a key-pair JWT.

    Raises:
        SnowflakeError: with the number that real Snowflake logs for the failed check.
    """
    if user is None or user.public_key is None:
        raise _bad_jwt()
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            user.public_key,
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "require": ["iss", "sub", "iat", "exp"]},
        )
    except jwt.InvalidSignatureError as error:
        raise _bad_jwt(394304) from error
    except jwt.PyJWTError as error:
        raise _bad_jwt() from error
    subject = f"{ACCOUNT}.{user.name}"
    if claims["sub"] != subject or claims["iss"] != f"{subject}.{fingerprint(user.public_key)}":
        raise _bad_jwt()
    issued, expires = float(claims["iat"]), float(claims["exp"])
    if expires <= now or issued > now + 60 or expires - issued > MAX_JWT_LIFE:
        raise _bad_jwt(394303)


def authenticate(users: dict[str, User], data: dict[str, Any], now: float) -> User:
    """The user that a login request's `data` proves to be.

    Raises:
        SnowflakeError: 390100, 390144, 394303, 394304, 390303 (OAuth) or 394400 (programmatic access token).
    """
    user = users.get(str(data.get("LOGIN_NAME") or "").upper())
    method = str(data.get("AUTHENTICATOR") or "SNOWFLAKE").upper()
    token = str(data.get("TOKEN") or "")
    if method == "SNOWFLAKE_JWT":
        _check_jwt(user, token, now)
    elif method == "PROGRAMMATIC_ACCESS_TOKEN":
        if user is None or token not in user.tokens:
            raise _refuse(394400, "Programmatic access token is invalid.")
    elif method == "OAUTH":
        user = next((u for u in users.values() if token in u.oauth_tokens), None)
        if user is None:
            raise _refuse(390303, "Invalid OAuth access token.")
    elif user is None or not user.password or data.get("PASSWORD") != user.password:
        raise _refuse(390100, "Incorrect username or password was specified.")
    if user is None:
        raise _bad_jwt()
    return user
