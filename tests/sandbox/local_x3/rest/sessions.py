"""Sessions of `/sdata/`, the interactive contract that must not be used for web services [D].

Each call without the cookie of a living session opens another one, which takes a licence token until it has
been idle for a while [D]. How long that is, and what a call gets when no token is left, is unknown [?]: 20
minutes by the server's clock, and 503. With `X-Requested-With: stateless`, which one client sends [C], the
session ends with the call [I]: it needs a free token, but does not keep it.
"""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from local_x3.errors import RestError

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "syracuse.sid.8124"  # named after Syracuse's own port [C]
IDLE_SECONDS = 20 * 60


class Sessions:
    """The living sessions and when each was used last."""

    def __init__(self) -> None:
        """Start without one."""
        self._used: dict[str, float] = {}

    def enter(self, headers: Mapping[str, str], now: float, licences: int) -> str | None:
        """Go on with a session, or open one and return its number.

        Raises:
            RestError: 503 when no licence token is left.
        """
        self._used = {name: used for name, used in self._used.items() if now - used < IDLE_SECONDS}
        known = _cookie(headers.get("cookie", ""))
        if known in self._used:
            self._used[known] = now
            return None
        if len(self._used) >= licences:
            raise RestError(503, f"No licence token is left: {licences} sessions are open")
        opened = secrets.token_hex(16)
        if headers.get("x-requested-with", "").lower() != "stateless":
            self._used[opened] = now
        return opened

    def reset(self) -> None:
        """End all sessions."""
        self._used.clear()


def _cookie(text: str) -> str:
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
