"""Faults on demand: what a test wants to go wrong, and when.

A fault is armed for statements (or the login, or an upload) that match a pattern; it strikes at the n-th
match, then `times` times. `when`: "before" the statement takes effect, or "after" it did (COMMIT included),
which is what a lost answer looks like to a client; "during" an upload, after its first part.
"""

from __future__ import annotations

import re
import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import client_process
from .errors import SnowflakeError
from .statements import kind_of

if TYPE_CHECKING:
    from .clock import Clock
    from .session import Session

KINDS = {"error", "reset", "slow", "kill"}
MOMENTS = {"before", "after", "during"}
PLACES = {"statement", "login", "upload"}
MESSAGES = {
    603: "SQL execution internal error: Processing aborted by error 300010.",
    604: "SQL execution canceled",
    608: "Warehouse 'LOAD_WH' cannot be resumed because resource monitor has exceeded its quota.",
    625: "Statement has locked table in transaction and this lock has not yet been released.",
    390111: "Session no longer exists.  New login required to access the service.",
    390112: "Session token has expired.",
    390114: "Authentication token has expired.  The user must authenticate again.",
}
STATES = {603: "XX000", 604: "57014", 608: "57P03", 625: "57014"}
# After these the session is gone; 390112 only asks the client to renew its token.
SESSION_LOST = {390111, 390114}
_LOGIN_CODES = range(390_000, 396_000)
_POLL = 0.05  # seconds between looks of a slow statement
_HOLDING = threading.Lock()


_OWN = {"id", "seen", "struck", "holding", "cleared"}


class ConnectionReset(Exception):  # noqa: N818 - it is an order to the server, not an error of it
    """The connection must be cut without an answer."""


@dataclass(frozen=True)
class Victim:
    """Whose statement a fault strikes. `peer`: the TCP port of its client."""

    clock: Clock
    session: Session
    peer: int


@dataclass
class Fault:
    """One armed fault. `on`: statement, login or upload; `seconds`: how long a slow one takes.

    `statement`: only statements of this kind, such as MERGE or CREATE TABLE; `status`: HTTP status of a
    refused upload; `signal` and `pid`: what a kill sends, and to whom; 0 is the process that sent it.
    `holding`: how many statements or logins a slow one holds up right now.
    """

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
    statement: str = ""
    status: int = 403
    signal: str = "SIGKILL"
    pid: int = 0
    seen: int = 0
    struck: int = 0
    holding: int = 0
    cleared: bool = False

    def strikes(self, on: str, text: str, user: str) -> bool:
        """Whether it strikes now; counts the match."""
        if self.on != on or self.struck >= self.times or self.user not in {"", user}:
            return False
        if not re.search(self.pattern, text, re.IGNORECASE | re.DOTALL):
            return False
        if self.statement and kind_of(text) != self.statement.upper():
            return False
        self.seen += 1
        if self.seen < self.nth:
            return False
        self.struck += 1
        return True

    def error(self) -> SnowflakeError:
        """What the client gets."""
        message = self.message or MESSAGES.get(self.code, "a fault that the test asked for")
        usual = "08001" if self.code in _LOGIN_CODES else STATES.get(self.code, "XX000")
        return SnowflakeError(self.code, self.sqlstate or usual, message)


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
        unknown = wanted.keys() - Fault.__dataclass_fields__.keys() | wanted.keys() & _OWN
        if unknown:
            known = ", ".join(sorted(Fault.__dataclass_fields__.keys() - _OWN))
            msg = f"unknown fault field {', '.join(sorted(unknown))}; there are {known}"
            raise ValueError(msg)
        with self._lock:
            self._ids += 1
            fault = Fault(self._ids, **{"kind": "", **wanted})
            _check(fault)
            self._armed.append(fault)
            return self._ids

    def clear(self) -> None:
        """Disarm all; what a slow one holds up goes on."""
        with self._lock:
            for fault in self._armed:
                fault.cleared = True
            self._armed.clear()

    def struck(self) -> dict[int, int]:
        """How often each fault struck, by id."""
        with self._lock:
            return {fault.id: fault.struck for fault in self._armed}

    def holding(self) -> list[int]:
        """The ids of slow faults that hold something up right now."""
        with self._lock:
            return [fault.id for fault in self._armed if fault.holding]

    def choose(self, on: str, text: str, user: str = "") -> Fault | None:
        """The first fault that strikes for this event."""
        with self._lock:
            return next((fault for fault in self._armed if fault.strikes(on, text, user)), None)


def _check(fault: Fault) -> None:
    """Refuse a fault that could never strike as it is meant.

    Raises:
        ValueError: with the reason.
    """
    for name, value, known in (
        ("fault kind", fault.kind, KINDS),
        ("when", fault.when, MOMENTS),
        ("on", fault.on, PLACES),
    ):
        if value not in known:
            msg = f"{name} must be one of {sorted(known)}, not {value!r}"
            raise ValueError(msg)
    try:
        re.compile(fault.pattern)
    except re.error as error:
        msg = f"pattern: {error}"
        raise ValueError(msg) from None
    if fault.when == "during" and fault.on != "upload":
        msg = "only an upload can be struck during it"
        raise ValueError(msg)
    if fault.kind == "kill":
        if fault.on != "statement":
            msg = "a kill strikes at a statement"
            raise ValueError(msg)
        client_process.check(fault.pid, fault.signal)


def strike(fault: Fault | None, moment: str, victim: Victim | None = None) -> None:
    """Do what a chosen fault does at this moment: "before", "during" or "after".

    Raises:
        SnowflakeError: for an error.
        ConnectionReset: for a reset, and for a client that was killed.
    """
    if fault is None or fault.when != moment:
        return
    if fault.kind == "slow":
        _sleep(fault, victim)
    elif fault.kind == "reset":
        raise ConnectionReset
    elif fault.kind == "kill":
        _kill(fault, victim)
    else:
        raise fault.error()


def _sleep(fault: Fault, victim: Victim | None) -> None:
    """Take time; a cancelled statement, or one past its time, ends at once."""
    ends = time.monotonic() + fault.seconds
    with _HOLDING:
        fault.holding += 1
    try:
        while (left := ends - time.monotonic()) > 0 and not fault.cleared:
            if victim is not None and victim.session.running:
                victim.session.check_alive(victim.clock.now())
            time.sleep(min(left, _POLL))
    finally:
        with _HOLDING:
            fault.holding -= 1


def _kill(fault: Fault, victim: Victim | None) -> None:
    pid = fault.pid or client_process.of_port(victim.peer if victim else 0)
    client_process.send(pid, signal.Signals[fault.signal])
    if fault.signal == "SIGKILL":
        raise ConnectionReset
