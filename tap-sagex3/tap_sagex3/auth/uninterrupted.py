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


_lock = threading.Lock()
_here = threading.local()
_postponed: list[int] = []


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let no signal end the program meanwhile.

    Signals are blocked in this thread. Another thread may get one all the same, whose handler then runs in
    the main thread: handlers ask `postpone` first.
    """
    _here.inside = True
    before = _mask(_SIGNALS)
    try:
        with _lock:
            yield
    finally:
        _unmask(before)  # a handler may run here: it finds `inside`, and nothing that it could wait for
        _here.inside = False
        came, _postponed[:] = list(_postponed), []
        for signum in came:
            os.kill(os.getpid(), signum)


def postpone(signum: int) -> bool:
    """Called by a signal handler before it ends the program.

    Returns:
        True when the handler interrupts a renewal and must return: the signal comes again after it. Else a
        renewal in another thread was waited for.
    """
    if getattr(_here, "inside", False):
        _postponed.append(signum)
        return True
    if _lock.acquire(timeout=LONGEST):
        _lock.release()
    return False


def _mask(signals: set[signal.Signals]) -> set[int | signal.Signals] | None:
    return signal.pthread_sigmask(signal.SIG_BLOCK, signals) if hasattr(signal, "pthread_sigmask") else None


def _unmask(before: set[int | signal.Signals] | None) -> None:
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
