"""STATE leaves only when every record before it is committed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_snowflake_audit.values import Json


class StateBarrier:
    """Holds STATE values back until the records before them are safe; pure bookkeeping.

    Records are numbered from 1 over all streams. A stream's `open` number is its first record that is not
    committed yet.
    """

    def __init__(self) -> None:
        """Nothing received yet."""
        self._waiting: deque[tuple[int, Any]] = deque()
        self._open: dict[str, int] = {}
        self.received = 0
        self.latest: Any = None

    def record(self, stream: str) -> int:
        """Number a record of a stream; it is open until `committed`."""
        self.received += 1
        self._open.setdefault(stream, self.received)
        return self.received

    def state(self, value: Json) -> None:
        """Take a STATE that covers all records so far."""
        self.latest = value
        if self._waiting and self._waiting[-1][0] == self.received:
            self._waiting.pop()
        self._waiting.append((self.received, value))

    def committed(self, stream: str) -> None:
        """All records of the stream so far are committed."""
        self._open.pop(stream, None)

    def reopen(self, stream: str, number: int) -> None:
        """A record received before `committed` belongs to the stream's next batch."""
        self._open[stream] = number

    def ready(self) -> tuple[bool, Any]:
        """Give (True, value) for the newest STATE that may leave, and forget it and those before it."""
        safe = min(self._open.values(), default=self.received + 1) - 1
        found: tuple[bool, Any] = (False, None)
        while self._waiting and self._waiting[0][0] <= safe:
            found = (True, self._waiting.popleft()[1])
        return found
