"""Built rows of all sources together: one budget, the oldest dropped first.

The budget counts values, since a row of the ledger has three times as many as one of the stock; a value takes
about 60 bytes with its share of the row.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_x3.model import Document, Entry, Row

CACHED_VALUES = 1_500_000  # about 90 MB; holds what there is at a scale of 2,000
Place = tuple[str, int]  # name of the source, number of the document


@dataclass(frozen=True, slots=True)
class Cached:
    """A document that was built, or only its own row."""

    entry: Entry
    row: Row
    document: Document | None
    size: int


class Cache:
    """At most `limit` values, those of lines too; the newest item is kept even if it is larger."""

    def __init__(self, limit: int = CACHED_VALUES) -> None:
        """Start empty."""
        self.limit = limit
        self.values = 0
        self._kept: OrderedDict[Place, Cached] = OrderedDict()

    def get(self, place: Place) -> Cached | None:
        """Return what is kept of a document."""
        return self._kept.get(place)

    def keep(self, place: Place, item: Cached) -> None:
        """Keep an item instead of what was kept of the same document; drop the oldest ones for it."""
        self.forget(place)
        self._kept[place] = item
        self.values += item.size
        while self.values > self.limit and len(self._kept) > 1:
            self.values -= self._kept.popitem(last=False)[1].size

    def has_room(self, size: int) -> bool:
        """Say whether an item can be kept without dropping another."""
        return self.values + size <= self.limit

    def forget(self, place: Place) -> None:
        """Drop what is kept of a document."""
        item = self._kept.pop(place, None)
        if item is not None:
            self.values -= item.size

    def clear(self, name: str) -> None:
        """Drop everything of one source."""
        for place in [place for place in self._kept if place[0] == name]:
            self.forget(place)
