"""Faults on demand: what a test wants to go wrong, and when.

A fault is armed for statements (or the login, or an upload) that match a pattern; it strikes at the n-th
match, then `times` times. `when`: "before" the statement takes effect, or "after" it did (COMMIT included),
which is what a lost answer looks like to a client.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import Any

from .errors import SnowflakeError

KINDS = {"error", "reset", "slow"}
MESSAGES = {
    603: "SQL execution internal error: Processing aborted by error 300010.",
    604: "SQL execution canceled",
    608: "Warehouse 'LOAD_WH' cannot be resumed because resource monitor has exceeded its quota.",
    625: "Statement has locked table in transaction and this lock has not yet been released.",
    390112: "Your session has expired. Please login again.",
    390114: "Authentication token has expired.  The user must authenticate again.",
}
STATES = {603: "XX000", 604: "57014", 608: "57P03", 625: "57014", 390112: "08001", 390114: "08001"}
# After these the session is gone; 390112 only asks the client to renew its token.
SESSION_LOST = {390111, 390114}


class ConnectionReset(Exception):  # noqa: N818 - it is an order to the server, not an error of it
    """The connection must be cut without an answer."""


@dataclass
class Fault:
    """One armed fault. `on`: statement, login or upload; `seconds`: how long a slow one takes."""

    id: int
    kind: str
    pattern: str = ""
    on: str = "statement"
    when: str = "before"
    nth: int = 1
    times: int = 1
    code: int = 603
    sqlstate: str = ""
    message: str = ""
    seconds: float = 0.0
    user: str = ""
    seen: int = 0
    struck: int = 0

    def strikes(self, on: str, text: str, user: str) -> bool:
        """Whether it strikes now; counts the match."""
        if self.on != on or self.struck >= self.times or self.user not in {"", user}:
            return False
        if not re.search(self.pattern, text, re.IGNORECASE | re.DOTALL):
            return False
        self.seen += 1
        if self.seen < self.nth:
            return False
        self.struck += 1
        return True

    def error(self) -> SnowflakeError:
        """What the client gets."""
        message = self.message or MESSAGES.get(self.code, "a fault that the test asked for")
        return SnowflakeError(self.code, self.sqlstate or STATES.get(self.code, "XX000"), message)


class Faults:
    """All armed faults."""

    def __init__(self) -> None:
        """None is armed."""
        self._armed: list[Fault] = []
        self._lock = threading.Lock()
        self._ids = 0

    def arm(self, wanted: dict[str, Any]) -> int:
        """Arm a fault and give its id.

        Raises:
            ValueError: for an unknown kind or field.
        """
        if wanted.get("kind") not in KINDS:
            msg = f"fault kind must be one of {sorted(KINDS)}, not {wanted.get('kind')!r}"
            raise ValueError(msg)
        unknown = wanted.keys() - Fault.__dataclass_fields__.keys() | wanted.keys() & {"id", "seen", "struck"}
        if unknown:
            msg = f"unknown fault field {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        re.compile(str(wanted.get("pattern", "")))
        with self._lock:
            self._ids += 1
            self._armed.append(Fault(self._ids, **wanted))
            return self._ids

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._armed.clear()

    def struck(self) -> dict[int, int]:
        """How often each fault struck, by id."""
        with self._lock:
            return {fault.id: fault.struck for fault in self._armed}

    def choose(self, on: str, text: str, user: str = "") -> Fault | None:
        """The first fault that strikes for this event."""
        with self._lock:
            return next((fault for fault in self._armed if fault.strikes(on, text, user)), None)


def strike(fault: Fault | None, moment: str) -> None:
    """Do what a chosen fault does at this moment: "before" or "after".

    Raises:
        SnowflakeError: for an error.
        ConnectionReset: for a reset.
    """
    if fault is None or fault.when != moment:
        return
    if fault.kind == "slow":
        time.sleep(fault.seconds)
    elif fault.kind == "reset":
        raise ConnectionReset
    else:
        raise fault.error()
