"""Tries a batch again where that can help: by error class, with full jitter, on a new session each time."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import random
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from target_snowflake_audit.audit.tables import RETRIES
from target_snowflake_audit.bisection import Search
from target_snowflake_audit.counts import Counts
from target_snowflake_audit.errors import DeadLetterLimitError, InterruptedRunError, TargetError
from target_snowflake_audit.retry_classes import CONTENTION, NETWORK, ErrorClass
from target_snowflake_audit.run import utc_now
from target_snowflake_audit.session import StatementError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from target_snowflake_audit.run import Run
    from target_snowflake_audit.work import Work

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

    def record(self, stream: str, action: Callable[[], None]) -> None:
        """Run what records events of a stream's letters; raises as `define` does."""
        self._again(Subject("The events of dead letters", stream), action)

    def end(self, action: Callable[[], None]) -> None:
        """Run what records the end of the run; raises as `define` does."""
        self._again(Subject("The end of the run"), action)

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
        isolate: Callable[[Work, Search], dict[int, StatementError]],
        look_up: Callable[[Work], bool],
    ) -> Counts:
        """Load a batch in the session that this thread has borrowed.

        Args:
            work: the batch.
            attempt: loads it.
            isolate: finds the rows that Snowflake refuses, after a data error.
            look_up: tells whether it is stored, where no attempt is left and a COMMIT was not answered.

        Raises:
            StatementError: the last failure, when it may not be tried again.
            InterruptedRunError: a signal came while waiting.
        """
        subject = _subject(work)
        began, failures = time.monotonic(), 0
        while True:
            try:
                return attempt(work)
            except StatementError as error:
                if error.error_class.data:
                    self._isolate(subject, work, error, isolate)
                    began, failures = time.monotonic(), 0  # the search may have taken hours
                else:
                    failures += 1
                    elapsed = time.monotonic() - began
                    stored = partial(self._is_stored, subject, work, look_up)
                    done = self._failed(
                        subject, failures, error, elapsed, attempt=work.attempt, stored=stored
                    )
                    if done and work.counts is not None:
                        return work.counts
                work.attempt += 1

    def save(self, work: Work, action: Callable[..., None]) -> None:
        """Save the dead letters of a batch that was rolled back; `action` is told whether it runs `again`.

        Raises:
            StatementError: the last failure, when it may not be tried again.
            InterruptedRunError: a signal came while waiting.
        """
        subject = _subject(work)
        tries = itertools.count()
        said = dataclasses.replace(subject, said=f"Saving the dead letters of {subject.said}")
        self._again(said, lambda: action(work, again=next(tries) > 0))

    def _failed(
        self,
        subject: Subject,
        failures: int,
        error: StatementError,
        elapsed: float,
        attempt: int | None = None,
        stored: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Note the failure; wait if another attempt may follow, else raise it.

        `failures` counts this one; `attempt` is for RETRIES and the log, where it is another number.

        Returns:
            Whether no other attempt is needed: an earlier one did what was to be done, as `stored` tells.
        """
        attempt = attempt or failures
        attempts = int(self._run.settings.get("retry_max_attempts", 6))
        seconds = float(self._run.settings.get("retry_max_seconds", 900))
        found = error.error_class
        again = may_retry(found, failures, elapsed, attempts=attempts, seconds=seconds)
        if error.step == "connect" and found is NETWORK and not self._run.logged_in:
            again = (
                False  # the connector has tried for a minute, and no login shows that the settings are right
            )
        wait = wait_seconds(found, failures, random.random()) if again else 0.0  # noqa: S311 - no secret
        done = not again and stored()
        self._note(subject, attempt, error, wait, outcome="retried" if again or done else "gave_up")
        if not again:
            if done:
                return True
            raise error
        who = f"; another session holds the fence of {subject.table}" if found is CONTENTION else ""
        logger.warning(
            "%s, attempt %s: %s%s; next attempt in %.1f s", subject.said, attempt, error, who, wait
        )
        self._run.drop_session()
        if not self._stopping.wait(wait):
            return False
        if stored():
            return True
        message = f"stopped by a signal while waiting to try again: {subject.said}"
        raise InterruptedRunError(message)

    def _is_stored(self, subject: Subject, work: Work, look_up: Callable[[Work], bool]) -> bool:
        """Look up a batch that was sent to be committed; where that fails it counts as not stored.

        It is tried as often as other statements: what is stored must not be told as failed.
        """
        if work.counts is None:
            return False
        said = f"Looking up whether {subject.said} is stored"
        self._run.drop_session()
        try:
            found = self._again(dataclasses.replace(subject, said=said), partial(look_up, work))
        except TargetError as error:
            logger.warning("%s: %s; BATCHES will tell", said, error)
            return False
        logger.info("%s: %s", said, "yes" if found else "no")
        return found

    def _isolate(
        self,
        subject: Subject,
        work: Work,
        error: StatementError,
        isolate: Callable[[Work, Search], dict[int, StatementError]],
    ) -> None:
        """Make dead letters of the rows that a data error is about, and let the rest be tried again.

        Raises:
            StatementError: the error itself when no row is refused alone, or a failure of the search.
            DeadLetterLimitError: so many rows are refused that the run fails; those found are in `work`.
            InterruptedRunError: a signal came.
        """
        logger.warning("%s: %s; looking for the rows", subject.said, error)
        search = Search(work.batch.seqs)
        search.before_probe = lambda found: self._judge(work, found)
        try:
            found = self._search(subject, work, search, isolate)
        except DeadLetterLimitError:
            work.refused |= search.refused
            self._note(subject, work.attempt, error, 0.0, outcome="gave_up")
            raise
        self._note(subject, work.attempt, error, 0.0, outcome="split" if found else "gave_up")
        if not found:
            raise error
        work.refused |= found

    def _search(
        self,
        subject: Subject,
        work: Work,
        search: Search,
        isolate: Callable[[Work, Search], dict[int, StatementError]],
    ) -> dict[int, StatementError]:
        """Search, with a new session where one is lost; what was found till then stays."""
        began, failures = time.monotonic(), 0
        while True:
            known = search.probes
            try:
                return isolate(work, search)
            except StatementError as error:
                if search.probes > known:
                    began, failures = time.monotonic(), 0  # it got on since, so this is another trouble
                failures += 1
                self._failed(subject, failures, error, time.monotonic() - began, attempt=work.attempt)

    def _judge(self, work: Work, found: int) -> None:
        """End a search whose rows are more than the run tolerates, and one that nobody waits for.

        Raises:
            DeadLetterLimitError: a breaker.
            InterruptedRunError: a signal came.
        """
        if self._stopping.is_set():
            message = f"stopped by a signal while looking for refused rows: {work.batch.plan.stream}"
            raise InterruptedRunError(message)
        dead = work.batch.dead + len(work.refused) + found
        if found:
            work.judge(Counts(received=work.batch.received, dead=dead))

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


def _subject(work: Work) -> Subject:
    plan = work.batch.plan
    return Subject(
        f"Batch {work.batch.number} of {plan.stream}", plan.stream, str(plan.table), work.batch.batch_id
    )
