"""The life of sessions: their tokens, what keeps them alive, and their end.

Rules restored (session-policies and parameters pages; numbers from the drivers' sources): a session token
lives an hour, then 390112 asks the client to renew it with the master token; four hours without a statement,
a heartbeat or a renewal end the session, and the renewal gets 390114; a session that was closed is 390111, a
token that nobody gave out 390104. All by the sandbox's clock.
"""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

from .errors import SnowflakeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .clock import Clock
    from .session import Session

TOKEN_LIFE = 3600.0  # seconds
IDLE_LIFE = 4 * 3600.0
TOKEN_UNKNOWN, SESSION_GONE, TOKEN_EXPIRED, MASTER_EXPIRED, MASTER_UNKNOWN = (
    390104,
    390111,
    390112,
    390114,
    390115,
)
_MESSAGES = {
    TOKEN_UNKNOWN: "User must login again to access the service.",
    SESSION_GONE: "Session no longer exists.  New login required to access the service.",
    TOKEN_EXPIRED: "Session token has expired.",
    MASTER_EXPIRED: "Authentication token has expired.  The user must authenticate again.",
    MASTER_UNKNOWN: "Master token is invalid.",
}


def lost(code: int) -> SnowflakeError:
    """A session or token that is no good."""
    return SnowflakeError(code, "08001", _MESSAGES[code])


class Sessions:
    """All sessions by their tokens. `close`: ends one and what belongs to it."""

    def __init__(self, clock: Clock, close: Callable[[Session], None]) -> None:
        """Start with none."""
        self._clock, self._close = clock, close
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[Session, float]] = {}
        self._masters: dict[str, Session] = {}
        self._gone: set[str] = set()

    def add(self, session: Session) -> tuple[str, str]:
        """Register a session and give its token and master token."""
        master = secrets.token_urlsafe(32)
        with self._lock:
            self._masters[master] = session
        return self._token(session), master

    def _token(self, session: Session) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[token] = session, self._clock.now() + TOKEN_LIFE
        session.last_activity = self._clock.now()
        return token

    def known(self, token: str) -> Session | None:
        """The session that a token once stood for, expired or not."""
        found = self._tokens.get(token)
        return found[0] if found else None

    def find(self, token: str) -> Session:
        """The session of a token.

        Raises:
            SnowflakeError: 390104, 390111 or 390112.
        """
        found = self._tokens.get(token)
        if found is None:
            raise lost(SESSION_GONE if token in self._gone else TOKEN_UNKNOWN)
        session, expires = found
        if self._idle(session) or self._clock.now() >= expires:
            raise lost(TOKEN_EXPIRED)
        return session

    def heartbeat(self, token: str) -> None:
        """Keep a session alive.

        Raises:
            SnowflakeError: as `find`.
        """
        self.find(token).last_activity = self._clock.now()

    def renew(self, master: str) -> tuple[Session, str]:
        """A new token for the session of a master token; older ones stay until they expire.

        Raises:
            SnowflakeError: 390111 for a closed session, 390114 for one that idled too long, 390115 for a
                token that nobody gave out.
        """
        session = self._masters.get(master)
        if session is None:
            raise lost(SESSION_GONE if master in self._gone else MASTER_UNKNOWN)
        if self._idle(session):
            self._close(session)
            raise lost(MASTER_EXPIRED)
        return session, self._token(session)

    def remove(self, session: Session) -> None:
        """Forget a session; its tokens are known to have been one's."""
        with self._lock:
            tokens = [token for token, (owner, _) in self._tokens.items() if owner is session]
            masters = [token for token, owner in self._masters.items() if owner is session]
            for token in tokens:
                del self._tokens[token]
            for token in masters:
                del self._masters[token]
            self._gone.update(tokens, masters)

    def all(self) -> list[Session]:
        """Every open session, in the order of their logins."""
        with self._lock:
            return sorted(self._masters.values(), key=lambda session: session.id)

    def running(self, request_id: str) -> Session | None:
        """The session that runs the statement of a request."""
        return next((s for s in self.all() if request_id and s.request_id == request_id), None)

    def _idle(self, session: Session) -> bool:
        return not session.running and self._clock.now() - session.last_activity >= IDLE_LIFE
