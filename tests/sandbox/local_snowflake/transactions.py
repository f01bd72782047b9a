"""Transactions as Snowflake runs them, on DuckDB's.

Rules restored (transactions page): BEGIN in an open transaction is ignored; DDL commits the open one first; COMMIT
and ROLLBACK without one succeed; autocommit off opens one at the first change; a failed statement leaves the
transaction open. DuckDB's starts at the first statement that touches data, after the locks are held, so that it sees
what the former holder committed. DuckDB gives up a transaction in which a statement failed while running: with no
change before, it is simply begun again; otherwise everything but ROLLBACK is refused (real Snowflake would go on).
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from .errors import SnowflakeError
from .session import Session, Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .clock import Clock
    from .locks import Locks

_COMPILE_ERRORS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


class Transactions:
    """Opens and ends the transactions of all sessions."""

    def __init__(self, clock: Clock, locks: Locks) -> None:
        """Ids begin at the start time in nanoseconds, as Snowflake's do."""
        self._clock = clock
        self._locks = locks
        self._ids = itertools.count(int(clock.now() * 1e9))

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
        transaction, session.transaction = session.transaction, None
        try:
            if transaction and transaction.begun:
                session.duck.execute("COMMIT")
        finally:
            self._locks.release(session)

    def rollback(self, session: Session) -> None:
        """Roll the open transaction back, if any."""
        transaction, session.transaction = session.transaction, None
        try:
            if transaction and transaction.begun:
                session.duck.execute("ROLLBACK")
        finally:
            self._locks.release(session)

    @contextmanager
    def statement(self, session: Session, *, changes: bool) -> Iterator[None]:
        """Run the body in the open transaction, or in one of its own."""
        if session.transaction is None and changes and not session.parameters["AUTOCOMMIT"]:
            self.begin(session)
        if session.transaction is None:
            yield from self._alone(session)
            return
        self._refuse_broken(session)
        transaction = session.transaction
        if not transaction.begun:
            session.duck.execute("BEGIN TRANSACTION")
            transaction.begun = True
        try:
            yield
        except Exception as error:
            self._failed(session, transaction, error)
            raise
        transaction.wrote = transaction.wrote or changes

    def _alone(self, session: Session) -> Iterator[None]:
        session.duck.execute("BEGIN TRANSACTION")
        try:
            yield
        except Exception:
            session.duck.execute("ROLLBACK")
            raise
        else:
            session.duck.execute("COMMIT")
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
                "the local Snowflake gave this transaction up after a failed statement; only ROLLBACK is possible "
                f"(the real one would go on). The failure was: {session.transaction.broken}"
            )
            raise SnowflakeError(90232, "25000", message)
