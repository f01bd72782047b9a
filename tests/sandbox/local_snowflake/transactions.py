"""Transactions as Snowflake runs them, on DuckDB's.

Rules restored (transactions page): BEGIN in an open transaction is ignored; DDL commits the open one first;
COMMIT and ROLLBACK without one succeed; autocommit off opens one at the first change; a failed statement
leaves the transaction open; each statement sees what was committed before it (READ COMMITTED).

DuckDB has snapshot isolation, so: its transaction starts at the first statement that touches data, after
the locks are held, and is started again before each statement until something was changed. After that the
snapshot stands: a change of a table that somebody else has committed to meanwhile is refused, a read of one
is noted in the query log. DuckDB also gives up a transaction in which a statement failed while running.
With no change before it is begun again; otherwise everything but ROLLBACK is refused, where the real one
would go on.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from .errors import SnowflakeError, unsupported
from .session import Session, Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .catalogue import Table
    from .clock import Clock
    from .locks import Locks

_REMEMBERED = 1000
OLDEST = 4 * 3600.0  # seconds
_COMPILE_ERRORS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


@dataclass(frozen=True)
class Ended:
    """A transaction that is over. `state`: committed, rolled_back or aborted."""

    user: str
    session: int
    started: float
    ended: float
    state: str


class Transactions:
    """Opens and ends the transactions of all sessions."""

    def __init__(self, clock: Clock, locks: Locks) -> None:
        """Ids begin at the start time in nanoseconds, as Snowflake's do."""
        self._clock = clock
        self._locks = locks
        self._ids = itertools.count(int(clock.now() * 1e9))
        self.ended: OrderedDict[str, Ended] = OrderedDict()
        locks.abort = self.abort

    def begin(self, session: Session) -> None:
        """Open a transaction, or ignore the wish when one is open."""
        if session.transaction is None:
            session.transaction = Transaction(next(self._ids), self._clock.now())

    def commit(self, session: Session) -> None:
        """Commit the open transaction, if any.

        Raises:
            SnowflakeError: when the stand-in had to give the transaction up.
        """
        self._refuse_broken(session)
        transaction = self._end(session, "committed")
        try:
            if transaction and transaction.begun:
                session.duck.execute("COMMIT")
                self._locks.committed(transaction.touched)
        finally:
            self._locks.release(session)

    def _end(self, session: Session, state: str) -> Transaction | None:
        """Take the open transaction, if any, from its session, and remember how it ended."""
        transaction, session.transaction = session.transaction, None
        if transaction:
            now = self._clock.now()
            self.ended[str(transaction.id)] = Ended(
                session.user.name, session.id, transaction.started, now, state
            )
            while len(self.ended) > _REMEMBERED:
                self.ended.popitem(last=False)
        return transaction

    def rollback(self, session: Session, state: str = "rolled_back") -> None:
        """Roll the open transaction back, if any."""
        transaction = self._end(session, state)
        try:
            if transaction and transaction.begun:
                session.duck.execute("ROLLBACK")
        finally:
            self._locks.release(session)

    def expire(self, session: Session) -> None:
        """Roll back a transaction of a waking session that is older than four hours (transactions page)."""
        transaction = session.transaction
        if transaction and self._clock.now() - transaction.started >= OLDEST:
            self.rollback(session, "aborted")

    def abort(self, session: Session) -> bool:
        """Roll back for an idle session that blocks others; False when it has just become busy."""
        if not session.lock.acquire(blocking=False):
            return False
        try:
            self.rollback(session, "aborted")
        finally:
            session.lock.release()
        return True

    @contextmanager
    def statement(
        self, session: Session, *, reads: Iterable[Table] = (), changes: Table | None
    ) -> Iterator[None]:
        """Run the body in the open transaction, or in one of its own.

        Args:
            session: whose statement it is.
            reads: the tables that it reads.
            changes: the table that it changes.
        """
        if session.transaction is None and changes and not session.parameters["AUTOCOMMIT"]:
            self.begin(session)
        if session.transaction is None:
            yield from self._alone(session, changes)
            return
        self._refuse_broken(session)
        transaction = session.transaction
        self._start(session, transaction)
        self._compare(session, transaction, reads, changes)
        try:
            yield
        except Exception as error:
            self._failed(session, transaction, error)
            raise
        if changes:
            transaction.wrote = True
            transaction.touched |= set() if changes.temporary else {changes.name}

    def _start(self, session: Session, transaction: Transaction) -> None:
        """Begin DuckDB's transaction; until something was changed, a new one for each statement."""
        if transaction.wrote:
            return
        if transaction.begun:
            session.duck.execute("COMMIT")
        transaction.snapshot = self._locks.snapshot()
        session.duck.execute("BEGIN TRANSACTION")
        transaction.begun = True

    def _compare(
        self, session: Session, transaction: Transaction, reads: Iterable[Table], changes: Table | None
    ) -> None:
        newer = {t.name for t in reads if self._locks.newer(t.name, transaction.snapshot)}
        if changes and changes.name in newer and not changes.temporary:
            message = (
                f"changing {changes.name}, to which another session has committed since this transaction's "
                "first change: real Snowflake would see those rows"
            )
            raise unsupported(message)
        session.stale = sorted(str(name) for name in newer)

    def _alone(self, session: Session, changes: Table | None) -> Iterator[None]:
        session.duck.execute("BEGIN TRANSACTION")
        try:
            yield
        except Exception:
            session.duck.execute("ROLLBACK")
            raise
        else:
            session.duck.execute("COMMIT")
            if changes and not changes.temporary:
                self._locks.committed({changes.name})
        finally:
            self._locks.release(session)

    def _failed(self, session: Session, transaction: Transaction, error: Exception) -> None:
        cause = error.__cause__ or error
        if isinstance(cause, (*_COMPILE_ERRORS, SnowflakeError)):
            return
        if transaction.wrote:
            transaction.broken = str(error).split("\n", 1)[0]
            return
        session.duck.execute("ROLLBACK")
        transaction.begun = False

    @staticmethod
    def _refuse_broken(session: Session) -> None:
        if session.transaction and session.transaction.broken:
            message = (
                "the local Snowflake gave this transaction up after a failed statement; only ROLLBACK is "
                f"possible (the real one would go on). The failure was: {session.transaction.broken}"
            )
            raise SnowflakeError(90232, "25000", message)
