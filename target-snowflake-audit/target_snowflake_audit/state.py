"""STATE leaves only when every record before it is committed."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_snowflake_audit.values import Json


def worth_keeping(waiting: Iterable[tuple[int, Any]], unsafe: Iterable[int]) -> deque[tuple[int, Any]]:
    """Leave out each STATE that cannot leave before the one after it.

    A STATE leaves when no unsafe record has its number or one before. Two with no unsafe record between them
    leave together, and then only the later one is written. Records that come are numbered behind all STATEs,
    so none gets between two of them later.
    """
    marks = sorted(unsafe)
    latest = {bisect_right(marks, number): (number, value) for number, value in waiting}
    return deque(latest.values())


class StateBarrier:
    """Holds STATE values back until the records before them are safe; pure bookkeeping.

    Records are numbered from 1 over all streams. A stream's `open` number is its first record that is not
    handed over, its `loading` number the first one of the batch that is being loaded. One thread reads and
    numbers; any thread may say that a batch is committed and ask what may leave.
    """

    def __init__(self) -> None:
        """Nothing received yet."""
        self._waiting: deque[tuple[int, Any]] = deque()
        self._open: dict[str, int] = {}
        self._loading: dict[str, int] = {}
        self._lost: list[int] = []
        self._lock = threading.Lock()
        self._stated: int | None = None
        self.received = 0
        self.latest: Any = None

    def record(self, stream: str) -> int:
        """Number a record of a stream; it is open until its batch is committed."""
        self.received += 1
        if stream not in self._open:
            with self._lock:
                self._open[stream] = self.received
        return self.received

    def records(self, stream: str, count: int) -> range:
        """Number several records of a stream that came one after another."""
        first = self.record(stream)
        self.received += count - 1
        return range(first, first + count)

    def state(self, value: Json) -> None:
        """Take a STATE that covers all records so far."""
        with self._lock:
            self.latest = value
            self._stated = self.received
            self._waiting.append((self.received, value))
            # One may be large, and wait behind a slow stream, or till the end of the run: few are kept.
            self._waiting = worth_keeping(self._waiting, self._unsafe())

    def handed_over(self, stream: str) -> None:
        """All records of the stream so far are in a batch that is being loaded; one a stream at a time."""
        with self._lock:
            if stream in self._open:
                # An earlier batch that is loaded but still holds STATE back (overwrite) keeps its number. In
                # this order: a signal in between must not lose the number.
                self._loading.setdefault(stream, self._open[stream])
                del self._open[stream]

    def committed(self, stream: str) -> None:
        """The batch that was handed over is committed."""
        with self._lock:
            self._loading.pop(stream, None)

    def replaced(self, stream: str, last: int) -> None:
        """The table was replaced by all records of the stream, whose last one has this number.

        A STATE that covers some of them only never leaves: a tap that goes on from there would send the rest
        alone, and the next run would take that for the whole.
        """
        with self._lock:
            first = self._loading.pop(stream, None)
            if first is not None:
                self._waiting = deque(one for one in self._waiting if not first <= one[0] < last)

    def lost(self, stream: str) -> None:
        """A batch failed in a way that nobody knows: no STATE from its first record on may leave any more."""
        with self._lock:
            found = [numbers[stream] for numbers in (self._loading, self._open) if stream in numbers]
            self._lost += found[:1]

    def is_after_state(self, number: int) -> bool:
        """Whether a record came after the last STATE, in a run that had any."""
        return self._stated is not None and number > self._stated

    def covers(self, number: int) -> bool:
        """Whether a STATE came after a record."""
        return self._stated is not None and number <= self._stated

    def _unsafe(self) -> list[int]:
        """Numbers of the first records that are not safe, of each stream's open and of its loading batch."""
        return [*self._open.values(), *self._loading.values(), *self._lost]

    def ready(self) -> tuple[bool, Any]:
        """Give (True, value) for the newest STATE that may leave, and forget it and those before it."""
        with self._lock:
            safe = min(self._unsafe(), default=self.received + 1) - 1
            found: tuple[bool, Any] = (False, None)
            while self._waiting and self._waiting[0][0] <= safe:
                found = (True, self._waiting.popleft()[1])
            return found
