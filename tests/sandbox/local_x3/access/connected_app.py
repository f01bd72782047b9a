"""A connected application's own HS256 token, checked claim by claim; a Basic user works too [D]/[C]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt

from local_x3.access.basic import basic_allowed
from local_x3.errors import TokenError

if TYPE_CHECKING:
    from jwt.types import Options

    from local_x3.access.credentials import Credentials
    from local_x3.clock import Clock

FUTURE, ISSUER, USER, AUDIENCE, INVALID = 21, 41, 42, 45, 50
SIGNATURE_ONLY: Options = {
    "verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False, "verify_iss": False,
    "verify_sub": False, "verify_jti": False,
}  # fmt: skip


def check_authorization(header: str, credentials: Credentials, clock: Clock) -> None:
    """Accept a Basic user or a valid token. A token without `Bearer` before it is none [D].

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

    Error numbers: 21 issued in the future, 41 unknown issuer, 42 user not allowed, 45 wrong audience (one
    text, byte for byte), 50 bad signature or expired [C]. Unknown is what a token without a claim gets, one
    that lives longer than the application's "Tokens validity", or whose `nbf` lies ahead: the number of that
    claim, 50 and 21 [?]; and in which order X3 checks [?].
    """
    claims = _claims(token)
    _require(credentials.connected_app and claims.get("iss") == credentials.client_id, ISSUER)
    _check_signature(token, credentials.client_secret)
    now = clock.seconds()
    issued, expires = _time(claims, "iat"), _time(claims, "exp")
    _require(issued <= now and ("nbf" not in claims or _time(claims, "nbf") <= now), FUTURE)
    _require(expires > now and expires - issued <= credentials.tokens_validity, INVALID)
    _require(claims.get("sub") == credentials.allowed_user, USER)
    _require(claims.get("aud") == credentials.audience, AUDIENCE)


def _check_signature(token: str, secret: str) -> None:
    """Take HS256 and nothing else: no `none`, no longer hash, no public key in place of the secret."""
    try:
        jwt.decode(token, secret, algorithms=["HS256"], options=SIGNATURE_ONLY)
    except jwt.PyJWTError:
        raise _error(INVALID) from None


def _claims(token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise _error(INVALID) from None
    return claims


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _error(INVALID)
    return value


def _require(fine: bool, number: int) -> None:  # noqa: FBT001 - reads as a sentence at the call
    if not fine:
        raise _error(number)


def _error(number: int) -> TokenError:
    return TokenError(f"Error {number}: Invalid token")
