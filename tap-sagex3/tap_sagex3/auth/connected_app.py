"""Connected applications: tokens that the client signs itself.

There is no token endpoint: the client signs a JWT (HS256 with the client secret) with the claims iss (client
id), sub (allowed user), aud (registered URL), iat and exp. The server answers a bad token with HTTP 401 and a
plain-text code.
"""

from __future__ import annotations

import logging
import threading
import time
import typing as t

import jwt

from tap_sagex3.auth.explain import ISSUED_IN_FUTURE, WRONG_CLAIMS, code_of
from tap_sagex3.auth.login import CLOCK_ALLOWANCE
from tap_sagex3.redaction import hide

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_sagex3.auth.login import Refusal
    from tap_sagex3.settings import Settings

logger = logging.getLogger("tap-sagex3")


class ConnectedAppLogin:
    """Signed tokens of a connected application, each used until shortly before it ends.

    `iat` is set back by an allowance, since a token from the future is refused and clocks differ. When they
    differ by more, the server's Date header tells by how much.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Keep what is signed; `clock` gives epoch seconds."""
        self._claims = {
            "iss": settings.client_id,
            "sub": settings.allowed_user,
            "aud": settings.audience,
        }
        self._secret = settings.client_secret or ""
        hide(self._secret)
        self._lifetime = settings.token_lifetime
        self._allowance = min(CLOCK_ALLOWANCE, settings.token_lifetime // 4)
        self._clock = clock
        self._skew = 0.0  # seconds by which the server's clock is ahead of ours
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def header(self) -> str:
        """Value of the Authorization header; signs a new token when the last one is about to end."""
        with self._lock:
            now = self._clock()
            if now >= self._renew_at:
                issued = int(now + self._skew) - self._allowance
                self._token = jwt.encode(
                    {**self._claims, "iat": issued, "exp": issued + self._lifetime}, self._secret, "HS256"
                )
                hide(self._token)
                self._renew_at = now + self._lifetime - 2 * self._allowance
            return f"Bearer {self._token}"

    def renew(self, refused: str, refusal: Refusal) -> bool:
        """Sign a new token for the next request, by the server's clock when ours seems to be wrong."""
        code = code_of(refusal.text)
        if code in WRONG_CLAIMS:  # a new token would say the same
            return False
        with self._lock:
            if refused == f"Bearer {self._token}":  # and not renewed by another thread meanwhile
                self._renew_at = 0.0
                self._follow(refusal.server_time, always=code == ISSUED_IN_FUTURE)
        return True

    def _follow(self, server_time: float | None, *, always: bool) -> None:
        """Take the server's clock, when it told and differs by more than the allowance."""
        if server_time is None:
            return
        skew = server_time - self._clock()
        if always or abs(skew - self._skew) > self._allowance:
            logger.warning(
                "The clock of the server is %+.0f s from the clock of this machine: tokens are dated by the "
                "server's from now on.",
                skew,
            )
            self._skew = skew
