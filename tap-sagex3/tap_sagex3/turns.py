"""How soon a thread that got an answer takes its turn from the one that converts.

Each change of threads costs the one that converts a part of its time. One thread that reads ahead has to ask
for the next page soon, or it falls behind; where several only wait for answers, none of them is missed.
"""

from __future__ import annotations

import sys
import threading
import typing as t
from contextlib import contextmanager

if t.TYPE_CHECKING:
    from collections.abc import Iterator

HURRIED = 0.0001
"""Seconds; a page has several waits. For the whole run, set at its start."""
UNHURRIED = 0.005
"""Seconds while several threads wait: up to a fourth faster than HURRIED."""
_HALF = 0.0000005
"""Of a microsecond. Python cuts an interval to whole ones: what it tells, set again, would get shorter."""


class _Turns:
    """How many are unhurried now, and the interval from before the first of them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # the collector of garbage may end a reader at any place
        self._unhurried = 0
        self._before = 0.0

    def enter(self) -> None:
        with self._lock:
            if not self._unhurried:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(UNHURRIED)
            self._unhurried += 1

    def leave(self) -> None:
        with self._lock:
            self._unhurried -= 1
            if not self._unhurried:
                sys.setswitchinterval(self._before + _HALF)


_turns = _Turns()


@contextmanager
def unhurried() -> Iterator[None]:
    """While several threads wait for answers; may be entered again before it is left, in any order."""
    _turns.enter()
    try:
        yield
    finally:
        _turns.leave()
