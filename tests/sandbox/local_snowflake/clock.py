"""The sandbox's own clock: real time plus what the control endpoint added."""

from __future__ import annotations

import threading
import time


class Clock:
    """Seconds since 1970 that a test can move forward; waiters are woken when it moves."""

    def __init__(self) -> None:
        """Start with real time."""
        self._offset = 0.0
        self.moved = threading.Condition()

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC on the sandbox's clock."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            ValueError: for a negative step; time never runs backwards here.
        """
        if seconds < 0:
            msg = f"the clock can only move forward, not by {seconds} s"
            raise ValueError(msg)
        with self.moved:
            self._offset += seconds
            self.moved.notify_all()
