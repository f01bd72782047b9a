"""Who may call the GraphQL API: a connected application's own HS256 token, or a Basic user [D]/[C]."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from local_x3.errors import TokenError

if TYPE_CHECKING:
    from local_x3.clock import Clock

MAX_LIFETIME = 600  # "Tokens validity" of the connected application, in seconds; Sage's example value [D]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the server accepts."""

    username: str
    password: str
    client_id: str
    client_secret: str
    allowed_user: str
    audience: str


def basic_allowed(header: str, credentials: Credentials) -> bool:
    """Check an `Authorization: Basic` header."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    expected = f"{credentials.username}:{credentials.password}"
    return hmac.compare_digest(text.encode(), expected.encode())


def check_authorization(header: str, credentials: Credentials, clock: Clock) -> None:
    """Accept a Basic user or a valid token.

    Raises:
        TokenError: with the plain text that X3 answers [C].
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer":
        check_token(token.strip(), credentials, clock)
    elif not basic_allowed(header, credentials):
        msg = "Unauthorized"
        raise TokenError(msg)


def check_token(token: str, credentials: Credentials, clock: Clock) -> None:
    """Check a token claim by claim.

    Error numbers: 21 issued in the future, 41 unknown issuer, 42 user not allowed, 45 wrong audience, 50 bad
    signature or expired [C]. Unknown is what a token without a claim gets, or one that lives longer than the
    application allows: the number of that claim, and 50 [?]; and in which order X3 checks [?].
    """
    claims = _claims(token)
    _require(claims.get("iss") == credentials.client_id, 41)
    try:
        jwt.decode(
            token, credentials.client_secret, algorithms=["HS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False, "verify_nbf": False},
        )  # fmt: skip
    except jwt.PyJWTError:
        raise _error(50) from None
    now = clock.seconds()
    issued, expires = _time(claims, "iat"), _time(claims, "exp")
    _require(issued <= now, 21)
    _require(expires > now and expires - issued <= MAX_LIFETIME, 50)
    _require(claims.get("sub") == credentials.allowed_user, 42)
    _require(claims.get("aud") == credentials.audience, 45)


def _claims(token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise _error(50) from None
    return claims


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _error(50)
    return value


def _require(fine: bool, number: int) -> None:  # noqa: FBT001 - reads as a sentence at the call
    if not fine:
        raise _error(number)


def _error(number: int) -> TokenError:
    return TokenError(f"Error {number}: Invalid token")
