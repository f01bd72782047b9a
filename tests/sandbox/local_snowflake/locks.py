"""Table locks of UPDATE, DELETE, MERGE and TRUNCATE, held to the end of the transaction.

Rules restored (transactions and parameters pages): a second writer of a table waits, at most LOCK_TIMEOUT
seconds and never longer than STATEMENT_TIMEOUT_IN_SECONDS; more than 20 waiters are refused; INSERT and
COPY block nobody; a session that blocks others and has been idle for 5 minutes of the sandbox's clock loses
its transaction. The numbers of lock timeouts and deadlocks are not documented [?]: all are 000625 (57014)
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import SnowflakeError, timed_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from .clock import Clock
    from .names import ObjectName
    from .session import Session

IDLE_BLOCKING_ABORT = 300.0  # seconds
WAITER_LIMIT = 20
_POLL = 0.25  # seconds between looks at the clock; a release or a moved clock wakes at once


@dataclass(frozen=True)
class _Held:
    session: Session
    since: float
    query_id: str


class Locks:
    """Who holds which table, who waits, and which tables changed when."""

    def __init__(self, clock: Clock) -> None:
        """Wait on the clock's condition, so that moving the clock wakes waiters."""
        self._clock = clock
        self._changed = clock.moved
        self._held: dict[ObjectName, _Held] = {}
        self._waiting: dict[int, ObjectName] = {}
        self._commits = 0
        self._versions: dict[ObjectName, int] = {}
        self.abort: Callable[[Session], bool] = lambda _session: False

    def acquire(self, session: Session, table: ObjectName, query_id: str) -> None:
        """Take a table's lock, waiting for whoever holds it.

        Raises:
            SnowflakeError: 625 after LOCK_TIMEOUT, for too many waiters and for a deadlock; 630 after the
                statement's time.
        """
        started = self._clock.now()
        with self._changed:
            try:
                while (holder := self._held.get(table)) is not None and holder.session is not session:
                    self._wait(session, table, holder, started)
            finally:
                self._waiting.pop(session.id, None)
            self._held.setdefault(table, _Held(session, self._clock.now(), query_id))

    def release(self, session: Session) -> None:
        """Release what a session holds and wake the waiters."""
        with self._changed:
            for table in [table for table, held in self._held.items() if held.session is session]:
                del self._held[table]
            self._changed.notify_all()

    def committed(self, tables: set[ObjectName]) -> None:
        """Note that a commit changed these tables."""
        with self._changed:
            self._commits += 1
            self._versions.update(dict.fromkeys(tables, self._commits))

    def snapshot(self) -> int:
        """The number of the last commit; what a transaction that begins now sees."""
        return self._commits

    def newer(self, table: ObjectName, snapshot: int) -> bool:
        """Whether a commit after `snapshot` changed the table."""
        return self._versions.get(table, 0) > snapshot

    def listed(self) -> list[dict[str, Any]]:
        """Held locks and waiters, for tests and SHOW LOCKS."""
        with self._changed:
            held = [
                {
                    "table": str(table),
                    "state": "HOLDING",
                    "session": h.session.id,
                    "user": h.session.user.name,
                }
                | {"since": h.since, "query_id": h.query_id, "tag": str(h.session.parameters["QUERY_TAG"])}
                | {"transaction": h.session.transaction.id if h.session.transaction else None}
                for table, h in self._held.items()
            ]
            waiting = [
                {"table": str(table), "state": "WAITING", "session": session_id}
                for session_id, table in self._waiting.items()
            ]
        return held + waiting

    def _wait(self, session: Session, table: ObjectName, holder: _Held, started: float) -> None:
        waiters = [s for s, wanted in self._waiting.items() if wanted == table and s != session.id]
        if len(waiters) >= WAITER_LIMIT:
            raise self._refused(
                table, holder, f"the number of waiters exceeds the {WAITER_LIMIT} statement limit"
            )
        self._waiting[session.id] = table
        if self._deadlock(session):
            raise self._refused(table, holder, "of a deadlock")
        now = self._clock.now()
        if self._idle(holder.session, now) and self.abort(holder.session):
            return
        if now - started >= session.parameters["LOCK_TIMEOUT"]:
            raise self._refused(table, holder, "LOCK_TIMEOUT has passed")
        limit = int(session.parameters["STATEMENT_TIMEOUT_IN_SECONDS"])
        if now - started >= limit > 0:
            raise timed_out(limit)
        session.check_alive(now)
        self._changed.wait(_POLL)

    @staticmethod
    def _idle(holder: Session, now: float) -> bool:
        return not holder.running and now - holder.last_activity >= IDLE_BLOCKING_ABORT

    def _deadlock(self, session: Session) -> bool:
        seen: set[int] = set()
        current = session.id
        while current not in seen:
            seen.add(current)
            wanted = self._waiting.get(current)
            held = self._held.get(wanted) if wanted is not None else None
            if held is None:
                return False
            current = held.session.id
        return current == session.id

    @staticmethod
    def _refused(table: ObjectName, holder: _Held, why: str) -> SnowflakeError:
        transaction = holder.session.transaction
        message = (
            f"Statement '{holder.query_id}' has locked table '{table}' in transaction "
            f"{transaction.id if transaction else 'unknown'} and this lock has not yet been released.\n"
            f"Your statement was aborted because {why}."
        )
        return SnowflakeError(625, "57014", message)
