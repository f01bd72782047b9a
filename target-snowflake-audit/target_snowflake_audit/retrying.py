"""Tries a batch again where that can help: by error class, with full jitter, on a new session each time."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from target_snowflake_audit.audit.tables import RETRIES
from target_snowflake_audit.errors import InterruptedRunError
from target_snowflake_audit.retry_classes import CONTENTION, NETWORK, ErrorClass
from target_snowflake_audit.run import utc_now
from target_snowflake_audit.session import StatementError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from target_snowflake_audit.counts import Counts
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.transaction import Work

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_MAX_MESSAGE = 2000


def wait_seconds(found: ErrorClass, attempt: int, chance: float) -> float:
    """How long to wait after a failed attempt (from 1): full jitter, `chance` from 0 to 1."""
    return chance * min(found.cap, found.base * 2.0 ** (attempt - 1))


def may_retry(found: ErrorClass, attempt: int, elapsed: float, *, attempts: int, seconds: float) -> bool:
    """Whether another attempt may start after attempt number `attempt` failed."""
    return found.retryable and attempt < min(found.attempts, attempts) and elapsed < seconds


@dataclass(frozen=True)
class Subject:
    """What is tried, for RETRIES and the log. `said` names it; `batch_id` is None for what is no batch."""

    said: str
    stream: str | None = None
    table: str | None = None
    batch_id: str | None = None


class Retrier:
    """Runs one unit of work until it succeeds or may not be tried again; every failure is a RETRIES row."""

    def __init__(self, run: Run, stopping: threading.Event) -> None:
        """`stopping` wakes a wait: SIGTERM must not wait for a backoff."""
        self._run = run
        self._stopping = stopping

    def define(self, stream: str, table: str, action: Callable[[], Result]) -> Result:
        """Run what makes or changes a table, with a session of its own; it may run again from its start.

        Raises:
            StatementError: the last failure, when it may not be tried again.
            InterruptedRunError: a signal came while waiting.
        """
        return self._again(Subject(f"The definition of {table}", stream, table), action)

    def log_in(self) -> None:
        """Make sure of a login; raises as `define` does."""
        if not self._run.logged_in:
            self._again(Subject("The login"), self._run.check)

    def _again(self, subject: Subject, action: Callable[[], Result]) -> Result:
        began, number = time.monotonic(), 1
        with self._run.lane():
            while True:
                try:
                    return action()
                except StatementError as error:
                    self._failed(subject, number, error, time.monotonic() - began)
                number += 1

    def load(
        self,
        work: Work,
        attempt: Callable[[Work], Counts],
        isolate: Callable[[Work], dict[int, StatementError]],
    ) -> Counts:
        """Load a batch in the session that this thread has borrowed.

        Args:
            work: the batch.
            attempt: loads it.
            isolate: finds the rows that Snowflake refuses, after a data error.

        Raises:
            StatementError: the last failure, when it may not be tried again.
            InterruptedRunError: a signal came while waiting.
        """
        plan = work.batch.plan
        said = f"Batch {work.batch.number} of {plan.stream}"
        subject = Subject(said, plan.stream, str(plan.table), work.batch.batch_id)
        began = time.monotonic()
        while True:
            try:
                counts = attempt(work)
            except StatementError as error:
                if error.error_class.data:
                    self._isolate(subject, work, error, isolate)
                else:
                    self._failed(subject, work.attempt, error, time.monotonic() - began)
                work.attempt += 1
            else:
                if work.attempt > 1:
                    self._run.write_pending()
                return counts

    def _failed(self, subject: Subject, attempt: int, error: StatementError, elapsed: float) -> None:
        """Note the failure; wait if another attempt may follow, else raise it."""
        attempts = int(self._run.settings.get("retry_max_attempts", 6))
        seconds = float(self._run.settings.get("retry_max_seconds", 900))
        found = error.error_class
        again = may_retry(found, attempt, elapsed, attempts=attempts, seconds=seconds)
        if error.step == "connect" and found is NETWORK and not self._run.logged_in:
            again = (
                False  # the connector has tried for a minute, and no login shows that the settings are right
            )
        wait = wait_seconds(found, attempt, random.random()) if again else 0.0  # noqa: S311 - no secret
        self._note(subject, attempt, error, wait, outcome="retried" if again else "gave_up")
        if not again:
            raise error
        who = f"; another session holds the fence of {subject.table}" if found is CONTENTION else ""
        logger.warning(
            "%s, attempt %s: %s%s; next attempt in %.1f s", subject.said, attempt, error, who, wait
        )
        self._run.drop_session()
        if self._stopping.wait(wait):
            message = f"stopped by a signal while waiting to try again: {subject.said}"
            raise InterruptedRunError(message)

    def _isolate(
        self,
        subject: Subject,
        work: Work,
        error: StatementError,
        isolate: Callable[[Work], dict[int, StatementError]],
    ) -> None:
        """Make dead letters of the rows that a data error is about, and let the rest be tried again."""
        logger.warning("%s: %s; looking for the rows", subject.said, error)
        try:
            found = isolate(work)
        except StatementError as stopped:
            self._note(subject, work.attempt, stopped, 0.0, outcome="gave_up")
            raise
        self._note(subject, work.attempt, error, 0.0, outcome="split" if found else "gave_up")
        if not found:
            raise error
        work.refused |= found

    def _note(
        self, subject: Subject, attempt: int, error: StatementError, wait: float, *, outcome: str
    ) -> None:
        row: dict[str, Any] = {
            "RUN_ID": self._run.run_id,
            "BATCH_ID": subject.batch_id,
            "STREAM": subject.stream,
            "TARGET_TABLE": subject.table,
            "ATTEMPT": attempt,
            "STEP": error.step,
            "ERROR_CLASS": error.error_class.name,
            "ERRNO": error.errno,
            "SQLSTATE": error.sqlstate,
            "QUERY_ID": error.query_id,
            "MESSAGE": error.reason[:_MAX_MESSAGE],
            "WAIT_MS": round(wait * 1000),
            "OUTCOME": outcome,
            "FAILED_AT": utc_now(),
        }
        self._run.later(RETRIES, row)
