"""Reading ahead: background threads get the next pages of lists while the current one is converted."""

from __future__ import annotations

import queue
import threading
import typing as t
from collections import deque
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Item = t.TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _End:
    """The last thing that the thread hands over: an error, or None at the end of the list."""

    error: BaseException | None


def ahead(items: Iterator[_Item], depth: int) -> Iterator[_Item]:
    """The same items in the same order, up to `depth` of them got ahead of the consumer; 0 gets none.

    An error is raised where its item would be. When the consumer stops, the thread ends after the item that
    it is getting; nobody waits for that, since a request can take minutes.
    """
    if depth == 0:
        yield from items
        return
    reader = _Ahead(items, depth)
    try:
        while True:
            item = reader.take()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        reader.stop()


class Fetches(t.Generic[_Item]):
    """Things that up to `workers` threads get side by side, handed over as they come.

    The consumer may ask for more all the time. After `close` the threads end with what they are getting;
    nobody waits for that.
    """

    def __init__(self, workers: int) -> None:
        """Nothing is got before it is asked for."""
        self._workers = workers
        self._asked: queue.SimpleQueue[tuple[int, Callable[[], _Item]] | None] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[tuple[int, _Item | _End]] = queue.SimpleQueue()
        self._threads = 0
        self._closed = False

    def ask(self, number: int, get: Callable[[], _Item]) -> None:
        """Have a thread call `get`; what it gives comes with the number."""
        self._asked.put((number, get))
        if self._threads < self._workers:
            self._threads += 1
            threading.Thread(target=self._run, name="fetch", daemon=True).start()

    def next(self) -> tuple[int, _Item]:
        """Wait for what comes first of all that was asked for; an error is raised here."""
        number, item = self._found.get()
        if isinstance(item, _End):
            raise t.cast("BaseException", item.error)
        return number, item

    def close(self) -> None:
        """Let the threads end."""
        self._closed = True
        for _ in range(self._threads):
            self._asked.put(None)

    def _run(self) -> None:
        while True:
            task = self._asked.get()
            if task is None or self._closed:
                return
            number, get = task
            try:
                self._found.put((number, get()))
            except BaseException as error:  # noqa: BLE001 - the consumer raises it
                self._found.put((number, _End(error)))


class _Ahead(t.Generic[_Item]):
    """What thread and consumer share. Each free place is a permit to get one item more."""

    def __init__(self, items: Iterator[_Item], depth: int) -> None:
        self._items = items
        self._free = threading.Semaphore(depth)
        self._ready = threading.Semaphore(0)
        self._found: deque[_Item | _End] = deque()
        self._stopped = False
        threading.Thread(target=self._run, name="read-ahead", daemon=True).start()

    def take(self) -> _Item | _End:
        """Wait for the next item."""
        self._ready.acquire()
        item = self._found.popleft()
        self._free.release()
        return item

    def stop(self) -> None:
        """Let the thread end."""
        self._stopped = True
        self._free.release()

    def _run(self) -> None:
        end = _End(None)
        try:
            while self._may_go_on():
                self._hand_over(next(self._items))
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            end = _End(error)
        self._hand_over(end)

    def _may_go_on(self) -> bool:
        """Wait for a free place; False once the consumer has stopped."""
        self._free.acquire()
        return not self._stopped

    def _hand_over(self, item: _Item | _End) -> None:
        self._found.append(item)
        self._ready.release()
