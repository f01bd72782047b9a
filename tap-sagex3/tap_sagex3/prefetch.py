"""Reading ahead: background threads get the next pages of lists while the current one is converted."""

from __future__ import annotations

import queue
import threading
import typing as t
from collections import deque
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def interleaved(sources: Sequence[Iterator[_Item]], workers: int) -> Iterator[tuple[int, _Item | None]]:
    """Items of several iterators as they come, each with the number of its iterator; None ends one.

    Each of up to `workers` threads takes one iterator after the other, and gets one item that the consumer
    did not take yet. An error is raised where its item would be. When the consumer stops, the threads end
    after the items that they are getting.
    """
    readers = _Interleaved(sources, min(workers, len(sources)))
    left = len(sources)
    try:
        while left:
            number, item = readers.found.get()
            if not isinstance(item, _End):
                yield number, item
                readers.permits.release()
                continue
            if item.error is not None:
                raise item.error
            left -= 1
            yield number, None
    finally:
        readers.stop()


class _Interleaved(t.Generic[_Item]):
    """What several threads and their consumer share. Each item that is got takes a permit."""

    def __init__(self, sources: Sequence[Iterator[_Item]], threads: int) -> None:
        self.found: queue.SimpleQueue[tuple[int, _Item | _End]] = queue.SimpleQueue()
        self.permits = threading.Semaphore(threads)
        self._waiting = deque(enumerate(sources))
        self._threads = threads
        self._stopped = False
        for _ in range(threads):
            threading.Thread(target=self._run, name="read-range", daemon=True).start()

    def stop(self) -> None:
        """Let the threads end."""
        self._stopped = True
        for _ in range(self._threads):
            self.permits.release()

    def _run(self) -> None:
        while not self._stopped:
            try:
                number, items = self._waiting.popleft()
            except IndexError:
                return
            self.found.put((number, self._hand_over(number, items)))

    def _hand_over(self, number: int, items: Iterator[_Item]) -> _End:
        """Hand over the items of an iterator; how it ended."""
        try:
            while self._may_go_on():
                self.found.put((number, next(items)))
        except StopIteration:
            self.permits.release()
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            self.permits.release()
            return _End(error)
        return _End(None)

    def _may_go_on(self) -> bool:
        """Wait for a permit; False once the consumer has stopped."""
        self.permits.acquire()
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
