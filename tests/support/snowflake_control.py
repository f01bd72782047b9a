"""Typed client of the local Snowflake's control endpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import requests

Entry = dict[str, Any]


@dataclass
class SnowflakeControl:
    """Sees and changes what a test cannot over SQL: the query log, the clock, locks, faults."""

    own_server: ClassVar[bool] = True
    """The server is the tests' own: they may drop what it holds."""

    host: str
    port: int
    _http: requests.Session = field(default_factory=requests.Session, repr=False)

    def do(self, order: str, **details: object) -> Any:  # noqa: ANN401 - JSON of any shape
        """Send an order and give its result.

        Raises:
            ValueError: the server refused it, with its reason.
        """
        answer = self._http.post(
            f"http://{self.host}:{self.port}/_control", json={"do": order, **details}, timeout=30
        )
        content = answer.json()
        if not content["ok"]:
            raise ValueError(content["error"])
        return content["result"]

    def query_log(self, **wanted: object) -> list[Entry]:
        """Statements in the order in which they ended, those whose fields equal `wanted`.

        Fields: query_id, statement, kind, session, user, role, warehouse, database, transaction, query_tag,
        needs_warehouse, rows, error, message, stale, at (seconds since 1970), ms.
        """
        entries: list[Entry] = self.do("query_log")
        return [e for e in entries if all(e[name] == value for name, value in wanted.items())]

    def statements(self, **wanted: object) -> list[str]:
        """Only the texts of `query_log`."""
        return [entry["statement"] for entry in self.query_log(**wanted)]

    def clear_log(self) -> None:
        """Forget the query log."""
        self.do("clear_log")

    def advance_clock(self, seconds: float) -> float:
        """Move the sandbox's clock forward and give its time, seconds since 1970."""
        return float(self.do("advance_clock", seconds=seconds))

    def now(self) -> float:
        """Seconds since 1970 on the sandbox's clock."""
        return float(self.do("now"))

    def locks(self) -> list[Entry]:
        """Held locks and waiters: table, state (HOLDING or WAITING), session, and more for holders."""
        return list(self.do("locks"))

    def wait_for_waiter(self, table: str, timeout: float = 10.0) -> None:
        """Return when some session waits for `table` (its full name).

        Raises:
            TimeoutError: nobody did.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if any(entry["state"] == "WAITING" and entry["table"] == table for entry in self.locks()):
                return
            time.sleep(0.02)
        message = f"nobody waits for {table}: {self.locks()}"
        raise TimeoutError(message)

    def sessions(self) -> list[Entry]:
        """Open sessions: id, user, role, application, transaction, running, request_id, query_id, parameters.

        `detached`: its statement runs, and its client has gone.
        """
        return list(self.do("sessions"))

    def wait_until_idle(self, user: str, timeout: float = 30.0) -> None:
        """Return when no session of a user runs a statement: those of a killed client go on to their end.

        Only then is a session idle, from then on: a clock that is moved on before says nothing of it.

        Raises:
            TimeoutError: one still does.
        """
        deadline = time.monotonic() + timeout
        while any(entry["running"] for entry in self.sessions() if entry["user"] == user):
            if time.monotonic() > deadline:
                message = f"statements of {user} do not end: {self.sessions()}"
                raise TimeoutError(message)
            time.sleep(0.02)

    def fault(self, kind: str, **details: object) -> int:
        """Arm a fault and give its id.

        Args:
            kind: error, reset, slow or kill.
            details: `pattern` (regular expression on the statement), `statement` (its kind, such as MERGE),
                `on` (statement, login or upload), `when` (before or after it took effect, during an upload),
                `nth` (which match), `times`, `code`, `sqlstate`, `message`, `status` (of a refused upload),
                `seconds` (slow), `user`, `signal` and `pid` (kill; without a pid the process that sent it).
        """
        return int(self.do("fault", kind=kind, **details))

    def struck(self, fault: int) -> int:
        """How often a fault has struck."""
        return int(self.do("faults")[str(fault)])

    def wait_until_held(self, fault: int, timeout: float = 30.0) -> None:
        """Return when a slow fault holds a statement up: before it takes effect, or with its answer ready.

        Raises:
            TimeoutError: it did not.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if fault in self.do("holding"):
                return
            time.sleep(0.02)
        message = f"the slow fault {fault} holds nothing up; it struck {self.struck(fault)} times"
        raise TimeoutError(message)

    def clear_faults(self) -> None:
        """Disarm all faults."""
        self.do("clear_faults")

    def unlock_users(self) -> None:
        """End every lock-out after failed logins."""
        self.do("unlock_users")

    def oauth_token(self, name: str, seconds: float) -> str:
        """A further OAuth token of a user, good for some seconds of the sandbox's clock."""
        return str(self.do("oauth_token", name=name, seconds=seconds))

    def logins(self) -> list[dict[str, str]]:
        """Logins that were tried: `user`, and `proof`, a digest of the token or password that was shown."""
        return list(self.do("logins"))

    def oidc_provider(self, issuer: str, public_key: str) -> None:
        """Make an OIDC provider known, with the key (PEM) that checks the signatures of its tokens."""
        self.do("oidc_provider", issuer=issuer, public_key=public_key)

    def create_user(self, name: str, password: str, role: str) -> None:
        """Make a further user with a password; the role must exist."""
        self.do("create_user", name=name, password=password, role=role)
