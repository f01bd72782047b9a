"""Sessions of a run: a thread borrows one at a time, and no session is ever used by two threads.

A transaction belongs to a session, so sharing one would mix batches of two streams
(docs.snowflake.com/en/sql-reference/transactions).
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_snowflake_audit.session import Session

logger = logging.getLogger(__name__)


@dataclass
class Lane:
    """One session and what it holds: temporary tables are gone with the session that made them."""

    open_session: Callable[[], Session]
    made: dict[str, object] = field(default_factory=dict)
    """Temporary tables by name, with what they were made for."""
    used: set[str] = field(default_factory=set)
    """Temporary tables that hold rows of an earlier batch."""
    _session: Session | None = None

    def session(self) -> Session:
        """Give the session, logging in when there is none.

        Raises:
            SettingError: a setting is wrong, or the audit schema is not set up.
            StatementError: Snowflake cannot be reached or refused the login.
        """
        if self._session is not None and not self._session.is_alive():
            logger.info("A session has ended while it was idle; logging in again")
            self.drop()
        if self._session is None:
            self.made.clear()
            self.used.clear()
            self._session = self.open_session()
        return self._session

    def drop(self) -> None:
        """Roll back and close: the next statement logs in again."""
        if self._session is not None:
            self._session.rollback()
            self._session.close()
            self._session = None

    def rest(self) -> None:
        """Leave nothing open for the next borrower."""
        if self._session is not None:
            self._session.rollback()


class Lanes:
    """At most `most` lanes; those that were used last are lent first, so that few sessions are opened."""

    def __init__(self, open_session: Callable[[], Session], most: int) -> None:
        """Start without any session."""
        self._open_session = open_session
        self._free = threading.Semaphore(max(1, most))
        self._idle: list[Lane] = []
        self._lock = threading.Lock()
        self._here = threading.local()

    @contextmanager
    def borrow(self) -> Iterator[Lane]:
        """Lend this thread a lane, waiting for one if need be; within it the same lane is lent again."""
        lent: Lane | None = getattr(self._here, "lane", None)
        if lent is not None:
            yield lent
            return
        self._free.acquire()
        try:
            with self._lock:
                lane = self._idle.pop() if self._idle else Lane(self._open_session)
            self._here.lane = lane
            try:
                yield lane
            finally:
                self._here.lane = None
                lane.rest()
                with self._lock:
                    self._idle.append(lane)
        finally:
            self._free.release()

    @property
    def here(self) -> Lane:
        """The lane that this thread has borrowed.

        Raises:
            RuntimeError: it has none.
        """
        lane: Lane | None = getattr(self._here, "lane", None)
        if lane is None:
            message = "no session is lent to this thread"
            raise RuntimeError(message)
        return lane

    def close(self) -> None:
        """Close the sessions that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for lane in idle:
            lane.drop()
