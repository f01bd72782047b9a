"""Built rows of all sources together: one budget, the oldest dropped first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_x3.model import Document, Entry, Row

CACHED_ROWS = 40_000  # 60 to 120 MB; holds all there is at a scale of 2,000
Place = tuple[str, int]  # name of the source, number of the document


@dataclass(frozen=True, slots=True)
class Cached:
    """A document that was built, or only its own row."""

    entry: Entry
    row: Row
    document: Document | None
    size: int


class Cache:
    """At most `limit` rows, lines counted too; the newest item is kept even if it is larger."""

    def __init__(self, limit: int = CACHED_ROWS) -> None:
        """Start empty."""
        self.limit = limit
        self.rows = 0
        self._kept: OrderedDict[Place, Cached] = OrderedDict()

    def get(self, place: Place) -> Cached | None:
        """Return what is kept of a document."""
        return self._kept.get(place)

    def keep(self, place: Place, item: Cached) -> None:
        """Keep an item instead of what was kept of the same document; drop the oldest ones for it."""
        self.forget(place)
        self._kept[place] = item
        self.rows += item.size
        while self.rows > self.limit and len(self._kept) > 1:
            self.rows -= self._kept.popitem(last=False)[1].size

    def forget(self, place: Place) -> None:
        """Drop what is kept of a document."""
        item = self._kept.pop(place, None)
        if item is not None:
            self.rows -= item.size

    def clear(self, name: str) -> None:
        """Drop everything of one source."""
        for place in [place for place in self._kept if place[0] == name]:
            self.forget(place)
