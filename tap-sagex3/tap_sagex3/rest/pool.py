"""A bounded, ordered pool: several requests under way, results in the order of the input."""

from __future__ import annotations

import threading
import typing as t
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from tap_sagex3.turns import unhurried

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_In = t.TypeVar("_In")
_Out = t.TypeVar("_Out")


def ordered_map(
    function: Callable[[_In], _Out], items: Iterable[_In], workers: int
) -> Iterator[tuple[_In, _Out]]:
    """Call `function` for each item on up to `workers` threads and yield (item, result) in order.

    At most twice as many calls as workers are begun ahead of the consumer. An error of a call is raised where
    its result would be, and no further call is begun.
    """
    if workers == 1:
        for item in items:
            yield item, function(item)
        return
    owner = threading.current_thread()
    pool = ThreadPoolExecutor(workers)
    pending: deque[tuple[_In, Future[_Out]]] = deque()
    try:
        with unhurried():
            for item in items:
                pending.append((item, pool.submit(function, item)))
                if len(pending) >= 2 * workers:
                    first, result = pending.popleft()
                    yield first, result.result()
            while pending:
                first, result = pending.popleft()
                yield first, result.result()
    finally:
        # A reader that is given up may be ended by the collector of garbage on one of these very threads.
        pool.shutdown(wait=threading.current_thread() is owner, cancel_futures=True)
