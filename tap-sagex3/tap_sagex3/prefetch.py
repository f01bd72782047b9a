"""Reading ahead: background threads get the next pages of lists while the current one is converted."""

from __future__ import annotations

import queue
import threading
import typing as t
from collections import deque
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterator

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


class Interleaved(t.Generic[_Item]):
    """Items of several iterators as they come, each with the number of its iterator; None ends one.

    Each of up to `workers` threads takes one iterator after the other. Twice as many items may be under way,
    waiting, or with the consumer, so that no thread waits while that one is busy. The consumer may add
    iterators all the time. An error is raised where its item would be. After `close` the threads end with the
    items that they are getting.
    """

    def __init__(self, workers: int) -> None:
        """Nothing is got before there is an iterator."""
        self._workers = workers
        self._found: queue.SimpleQueue[tuple[int, _Item | _End]] = queue.SimpleQueue()
        self._permits = threading.Semaphore(2 * workers)
        self._waiting: deque[tuple[int, Iterator[_Item]]] = deque()
        self._lock = threading.Lock()
        self._threads = 0
        self._added = 0
        self._left = 0
        self._stopped = False

    def add(self, items: Iterator[_Item]) -> int:
        """Take one iterator more; its number, counted from 0."""
        number = self._added
        self._added += 1
        self._left += 1
        with self._lock:
            self._waiting.append((number, items))
            if self._threads < self._workers:
                self._threads += 1
                threading.Thread(target=self._run, name="read-range", daemon=True).start()
        return number

    def __iter__(self) -> Iterator[tuple[int, _Item | None]]:
        """What was got, until all iterators have ended."""
        while self._left:
            number, item = self._found.get()
            if not isinstance(item, _End):
                yield number, item
                self._permits.release()
                continue
            if item.error is not None:
                raise item.error
            self._left -= 1
            yield number, None

    def close(self) -> None:
        """Let the threads end."""
        self._stopped = True
        for _ in range(self._workers):
            self._permits.release()

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stopped or not self._waiting:
                    self._threads -= 1
                    return
                number, items = self._waiting.popleft()
            self._found.put((number, self._hand_over(number, items)))

    def _hand_over(self, number: int, items: Iterator[_Item]) -> _End:
        """Hand over the items of an iterator; how it ended."""
        try:
            while self._may_go_on():
                self._found.put((number, next(items)))
        except StopIteration:
            self._permits.release()
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            self._permits.release()
            return _End(error)
        return _End(None)

    def _may_go_on(self) -> bool:
        """Wait for a permit; False once the consumer has stopped."""
        self._permits.acquire()
        return not self._stopped


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
