"""Logins: Basic, and connected applications that sign tokens of their own.

A connected application has no token endpoint: the client signs a JWT (HS256 with the client secret) with the
claims iss (client id), sub (allowed user), aud (registered URL), iat and exp. The server answers a bad token
with HTTP 401 and a plain-text code.
"""

from __future__ import annotations

import re
import threading
import time
import typing as t
from base64 import b64encode

import jwt

from tap_sagex3.errors import SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_sagex3.settings import Settings

CLOCK_ALLOWANCE = 30
"""Seconds by which `iat` is set back: a token from the future is refused, and clocks differ."""

_CODE = re.compile(r"\bError\s+(\d+)\b", re.IGNORECASE)
_ADVICE = {
    21: "the token was issued in the future: set the clock of this machine (or of the X3 server) right",
    41: "the client id is unknown: check setting client_id and that the connected application is active",
    42: "the user is not the allowed user of the connected application: check setting allowed_user",
    45: "the audience is not the URL registered in the connected application: check setting audience, "
    "which must be the same byte for byte (slash at the end, http or https, host name)",
    50: "the signature is wrong or the token has expired: check settings client_secret and token_lifetime "
    "(at most the validity set in the connected application) and the clock of this machine",
}


class Login(t.Protocol):
    """Something that gives the Authorization header of a request."""

    def header(self) -> str:
        """Value of the Authorization header, fresh enough to be used now."""

    def renew(self) -> bool:
        """Forget what the server just refused; False when trying again makes no sense."""


class BasicLogin:
    """User name and password of a Syracuse user, with every request."""

    def __init__(self, username: str, password: str) -> None:
        """Encode the header once."""
        self._header = "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")

    def header(self) -> str:
        """Value of the Authorization header."""
        return self._header

    def renew(self) -> bool:
        """A refused password stays refused."""
        return False


class ConnectedAppLogin:
    """Signed tokens of a connected application, each used until shortly before it ends."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Keep what is signed; `clock` gives epoch seconds."""
        self._claims = {
            "iss": settings.client_id,
            "sub": settings.allowed_user,
            "aud": settings.audience,
        }
        self._secret = settings.client_secret or ""
        self._lifetime = settings.token_lifetime
        self._allowance = min(CLOCK_ALLOWANCE, settings.token_lifetime // 4)
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def header(self) -> str:
        """Value of the Authorization header; signs a new token when the last one is about to end."""
        with self._lock:
            now = self._clock()
            if now >= self._renew_at:
                issued = int(now) - self._allowance
                ends = issued + self._lifetime
                self._token = jwt.encode({**self._claims, "iat": issued, "exp": ends}, self._secret, "HS256")
                self._renew_at = ends - self._allowance
            return f"Bearer {self._token}"

    def renew(self) -> bool:
        """Sign a new token for the next request."""
        with self._lock:
            self._renew_at = 0.0
        return True


def make_login(settings: Settings, api: str) -> Login:
    """The login for an API.

    Raises:
        SettingsError: REST cannot be read with a connected application and no other user is given.
    """
    if settings.auth == "basic":
        return BasicLogin(settings.username or "", settings.password or "")
    if api == "graphql":
        return ConnectedAppLogin(settings)
    if settings.rest_username and settings.rest_password:
        return BasicLogin(settings.rest_username, settings.rest_password)
    msg = (
        "REST needs a user name and a password, but auth is connected_app: give rest_username and "
        "rest_password, or auth basic with username and password, or read through GraphQL (setting api)."
    )
    raise SettingsError(msg)


def explain_refusal(settings: Settings, api: str, body: str) -> str:
    """What to check when the server answers 401; the code comes from the answer's plain text."""
    if settings.auth == "basic" or api == "rest":
        names = "username and password" if settings.auth == "basic" else "rest_username and rest_password"
        return f"check settings {names}, and that Basic authentication is on in the server (session.auth)"
    found = _CODE.search(body[:500])
    code = int(found.group(1)) if found else None
    if code in _ADVICE:
        return f"error {code}: {_ADVICE[code]}"
    return (
        "check settings client_id, client_secret, allowed_user and audience against the connected application"
    )
