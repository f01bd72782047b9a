"""Ends work that takes too long: a regular expression, a query whose answer would never be complete.

The handler of a timer signal raises; CPython looks for signals inside its regular expressions too. What
counts is the time this process computes: on a busy machine nothing ends earlier than on an idle one.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON = 0.02  # an outer end that came meanwhile is due when the inner one has been dealt with, not before


class TimeUpError(BaseException):
    """The time is up. Not an `Exception`: nothing on the way may take it for an error of one field."""


class PartTimeUpError(TimeUpError):
    """The time of a part is up, that of the whole is not."""


@contextmanager
def at_most(seconds: float, error: type[TimeUpError] = TimeUpError) -> Iterator[None]:
    """Raise `error` inside when it computes longer.

    Inside another one the earlier end counts, with its own error. Outside of the main thread, where no
    signal arrives, there is no limit.
    """
    outer = signal.getitimer(signal.ITIMER_VIRTUAL)[0]
    if threading.current_thread() is not threading.main_thread() or 0 < outer <= seconds:
        yield
        return

    def ring(_number: int, _frame: object) -> NoReturn:
        raise error

    before = signal.signal(signal.SIGVTALRM, ring)
    start = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        if outer:
            left = outer - (time.process_time() - start)
            signal.setitimer(signal.ITIMER_VIRTUAL, max(left, SOON))
