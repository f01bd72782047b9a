"""Trying again: full-jitter waits, at least as long as Retry-After asks, bounded in tries and in time."""

from __future__ import annotations

import logging
import random
import time
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tap_sagex3.errors import ConnectionFailedError
from tap_sagex3.redaction import clean

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_sagex3.settings import Settings

T = t.TypeVar("T")
logger = logging.getLogger("tap-sagex3")

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
_PASSING = frozenset({408, 425, 429})
_LASTING = frozenset({501, 505, 506, 508, 510, 511})
_SERVER_ERRORS = 500


class PassingError(Exception):
    """A trouble that may pass: the request is tried again."""

    def __init__(self, reason: str, retry_after: float | None = None, advice: str | None = None) -> None:
        """Keep the reason, without any secret in it, and the seconds that the server asked to wait.

        `advice` is a sentence on what to check that fits the reason better than the usual one, or empty.
        """
        super().__init__(clean(reason))
        self.retry_after = retry_after
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long something is tried: further tries, and seconds from the first try on."""

    retries: int
    seconds: float
    first_wait: float = FIRST_WAIT

    @classmethod
    def of(cls, settings: Settings, first_wait: float = FIRST_WAIT) -> Patience:
        """What the settings allow."""
        return cls(settings.max_retries, settings.max_retry_seconds, first_wait)


def persist(call: Callable[[], T], patience: Patience, what: str, advice: str) -> T:
    """Call until it works.

    Args:
        call: raises PassingError for a trouble that may pass.
        patience: the bounds.
        what: what is tried, for messages, such as `GET https://...`.
        advice: what to check when it never works, a sentence; that of the trouble itself goes first.

    Raises:
        ConnectionFailedError: the last try failed, or the next one would be too late.
    """
    started = time.monotonic()
    tries = 0
    while True:
        tries += 1
        try:
            return call()
        except PassingError as error:
            wait = _wait(patience.first_wait, tries, error.retry_after)
            spent = time.monotonic() - started
            late = spent + wait > patience.seconds
            if tries > patience.retries or late:
                msg = f"{what} failed {_times(tries)} in {spent:.0f} s, last reason: {error}."
                if late and tries <= patience.retries:
                    msg += f" {wait:.0f} s more would pass max_retry_seconds ({patience.seconds:.0f})."
                msg = f"{msg} {advice if error.advice is None else error.advice}".rstrip()
                raise ConnectionFailedError(msg) from error
            logger.warning("Try %d of %s failed: %s. Next try in %.1f s.", tries, what, error, wait)
            time.sleep(wait)


def may_pass(status: int) -> bool:
    """Whether an HTTP status tells of a trouble that may pass."""
    return status in _PASSING or (status >= _SERVER_ERRORS and status not in _LASTING)


def server_time(header: str | None) -> datetime | None:
    """The time in a Date or Retry-After header, UTC; None when there is none."""
    if not header:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(headers: t.Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for, given as seconds or as a date (by the server's own clock)."""
    header = headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return float(header)
    moment = server_time(header)
    if moment is None:
        return None
    now = server_time(headers.get("Date")) or datetime.now(UTC)
    return max((moment - now).total_seconds(), 0.0)


def _wait(first: float, tries: int, asked: float | None) -> float:
    """Full jitter: anything up to a doubling limit, but not less than what the server asks for."""
    limit = min(first * 2.0 ** (tries - 1), LONGEST_WAIT)
    return max(random.uniform(0, limit), asked or 0.0)  # noqa: S311 - not for secrets


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"
