"""Reading ahead: a background thread gets the next pages of a list while the current one is converted."""

from __future__ import annotations

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
