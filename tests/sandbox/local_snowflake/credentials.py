"""The check of a login: who asks, and whether what they show is registered.

Rules restored: each failed check of a key-pair token has the number of its list
(/sql-reference/functions/system_get_login_failure_details); that number reaches the client (public driver
tests), with a UUID in the message. An unknown user gets the answer of a wrong password. Five wrong logins in
a row lock the user for 15 minutes (create-password-policy page); that wrong tokens count too is the stricter
reading, and the number of that answer is not documented.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import jwt

from . import workload_identity
from .errors import SnowflakeError
from .users import ACCOUNT, ALGORITHMS, User, Users, algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .users import AccessToken, PublicKey

MAX_JWT_LIFE = 3600.0  # seconds; a longer life is refused here (real Snowflake caps it)
MAX_JWT_AGE = 60.0  # seconds between issue and arrival, either way
MAX_FAILURES = 5
LOCKED_FOR = 900.0  # seconds

INCORRECT, DISABLED, LOCKED = 390100, 390101, 390102
BAD_JWT, OTHER_ACCOUNT, NO_SUCH_ISSUER, NO_TIMES = 390144, 394307, 394300, 394301
ISSUE_TIME, EXPIRED_JWT, FINGERPRINT, ALGORITHM, SIGNATURE = 394302, 394303, 394304, 394305, 394306
OAUTH_INVALID, OAUTH_OTHER_USER, OAUTH_EXPIRED = 390303, 390309, 390318
PAT_INVALID, NETWORK_POLICY = 394400, 390432

_LOCKED = (
    "Your user account has been temporarily locked due to too many failed attempts. Try again after 15 "
    "minutes or contact your account administrator for assistance."
)


def _refuse(code: int, message: str) -> SnowflakeError:
    return SnowflakeError(code, "08001", message)


def _bad_jwt(code: int = BAD_JWT) -> SnowflakeError:
    return _refuse(code, f"JWT token is invalid. [{uuid.uuid4()}]")


def _incorrect() -> SnowflakeError:
    return _refuse(INCORRECT, "Incorrect username or password was specified.")


def _claims(token: str) -> dict[str, Any]:
    """What a token claims, before anything of it is believed.

    Raises:
        SnowflakeError: 394305 for another algorithm, 390144 for what is not a token.
    """
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise _bad_jwt() from error
    if header.get("alg") not in {"RS256", *ALGORITHMS.values()}:
        raise _bad_jwt(ALGORITHM)
    return claims


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, (int, float)) or not isinstance(expires, (int, float)):
        raise _bad_jwt(NO_TIMES)
    if abs(now - issued) > MAX_JWT_AGE:
        raise _bad_jwt(ISSUE_TIME)
    if expires <= now or expires - issued > MAX_JWT_LIFE:
        raise _bad_jwt(EXPIRED_JWT)


def _jwt(users: Users, name: str, token: str, real_now: float) -> User:
    """The user of a key-pair token.

    Raises:
        SnowflakeError: with the number of the failed check.
    """
    claims = _claims(token)
    account, _, rest = str(claims.get("iss", "")).partition(".")
    issuer, _, print_ = rest.partition(".SHA256:")
    if account != ACCOUNT:
        raise _bad_jwt(OTHER_ACCOUNT)
    user = users.get(issuer)
    if user is None:
        raise _bad_jwt(NO_SUCH_ISSUER)
    if claims.get("sub") != f"{ACCOUNT}.{issuer}" or issuer != name:
        raise _bad_jwt()
    _check_times(claims, real_now)
    key = user.key(f"SHA256:{print_}")
    if key is None:
        raise _bad_jwt(FINGERPRINT)
    if jwt.get_unverified_header(token)["alg"] != algorithm(key):
        raise _bad_jwt(ALGORITHM)
    try:
        jwt.decode(
            token,
            key,
            algorithms=[algorithm(key)],
            options={"verify_exp": False, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise _bad_jwt(SIGNATURE) from error
    return user


def _access_token(users: Users, name: str, secret: str, now: float) -> tuple[User, AccessToken]:
    user = users.get(name)
    found = next((t for t in user.tokens if t.secret == secret), None) if user else None
    # That an expired or removed token gets the same answer is an inference.
    if user is None or found is None or found.expires <= now or user.kind == "LEGACY_SERVICE":
        raise _refuse(PAT_INVALID, "Programmatic access token is invalid.")
    if user.kind == "SERVICE" and user.network_policy is None:
        raise _refuse(NETWORK_POLICY, "Network policy is required.")
    return user, found


def _oauth(users: Users, name: str, secret: str, now: float) -> User:
    for user in users.values():
        for token in user.oauth_tokens:
            if token.secret != secret:
                continue
            if name and name != user.name:
                message = "The user you were trying to authenticate as differs from the token's user."
                raise _refuse(OAUTH_OTHER_USER, message)
            if token.expires <= now:
                raise _refuse(OAUTH_EXPIRED, f"OAuth access token expired. [{uuid.uuid4()}]")
            return user
    raise _refuse(OAUTH_INVALID, f"Invalid OAuth access token. [{uuid.uuid4()}]")


def _password(users: Users, name: str, password: object) -> User:
    user = users.get(name)
    if user is None or user.kind == "SERVICE" or not user.password or password != user.password:
        raise _incorrect()
    return user


def authenticate(
    users: Users, data: dict[str, Any], issuers: Mapping[str, PublicKey], *, now: float, real_now: float
) -> tuple[User, str | None]:
    """The user that a login request's `data` proves to be, and the one role that their token allows, if any.

    Args:
        users: everybody.
        data: `data` of the request.
        issuers: keys of OIDC providers by their address, as the real service reads them there.
        now: the sandbox's clock, for tokens and lock-outs.
        real_now: the clock that the client has too, for key-pair tokens.

    Raises:
        SnowflakeError: with the number of the refusal.
    """
    name = _login_name(data)
    if str(data.get("AUTHENTICATOR") or "").upper() == "WORKLOAD_IDENTITY":
        name = name or workload_identity.claimed(users, data)
    known = users.get(name)
    if known and known.locked_until > now:
        raise _refuse(LOCKED, _LOCKED)
    try:
        user, role = _proven(users, name, data, issuers, (now, real_now))
    except SnowflakeError:
        if known:
            _count_failure(known, now)
        raise
    if user.disabled:
        raise _refuse(DISABLED, "User access disabled. Contact your local system administrator.")
    user.failures = 0
    return user, role


def _login_name(data: dict[str, Any]) -> str:
    account = str(data.get("ACCOUNT_NAME") or ACCOUNT).upper().partition(".")[0]
    return str(data.get("LOGIN_NAME") or "").upper() if account == ACCOUNT else ""


def _proven(
    users: Users,
    name: str,
    data: dict[str, Any],
    issuers: Mapping[str, PublicKey],
    times: tuple[float, float],
) -> tuple[User, str | None]:
    now, real_now = times
    method, token = str(data.get("AUTHENTICATOR") or "SNOWFLAKE").upper(), str(data.get("TOKEN") or "")
    if method == "PROGRAMMATIC_ACCESS_TOKEN":
        user, found = _access_token(users, name, token, now)
        return user, found.role
    ways: dict[str, Callable[[], User]] = {
        "SNOWFLAKE_JWT": lambda: _jwt(users, name, token, real_now),
        "OAUTH": lambda: _oauth(users, name, token, now),
        "WORKLOAD_IDENTITY": lambda: workload_identity.proven(users, name, data, issuers),
        "SNOWFLAKE": lambda: _password(users, name, data.get("PASSWORD")),
    }
    if method not in ways:
        raise _incorrect()
    return ways[method](), None


def _count_failure(user: User, now: float) -> None:
    user.failures += 1
    if user.failures >= MAX_FAILURES:
        user.failures, user.locked_until = 0, now + LOCKED_FOR
