"""Keeps signals that end the tap away from a renewal, whose answer would be lost."""

from __future__ import annotations

import os
import signal
import threading
import typing as t
from contextlib import contextmanager

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
LONGEST = 600.0
"""Seconds that a signal waits for a renewal in another thread."""


class _Guard:
    """One renewal at a time; who holds it, and the signals that came meanwhile."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owner: int | None = None
        self.postponed: list[int] = []


_guard = _Guard()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let no signal end the program meanwhile.

    Signals are blocked in this thread. Another thread may get one all the same, whose handler then runs in
    the main thread: handlers ask `postpone` first.
    """
    with _guard.lock:
        _guard.owner = threading.get_ident()
        before = _mask(_SIGNALS)
        try:
            yield
        finally:
            _guard.owner = None
            came, _guard.postponed = _guard.postponed, []
            _unmask(before)
    for signum in came:
        os.kill(os.getpid(), signum)


def postpone(signum: int) -> bool:
    """Called by a signal handler before it ends the program.

    Returns:
        True when the handler interrupts a renewal and must return: the signal comes again after it. Else a
        renewal in another thread was waited for.
    """
    if _guard.owner == threading.get_ident():
        _guard.postponed.append(signum)
        return True
    if _guard.lock.acquire(timeout=LONGEST):
        _guard.lock.release()
    return False


def _mask(signals: set[signal.Signals]) -> set[int | signal.Signals] | None:
    return signal.pthread_sigmask(signal.SIG_BLOCK, signals) if hasattr(signal, "pthread_sigmask") else None


def _unmask(before: set[int | signal.Signals] | None) -> None:
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
