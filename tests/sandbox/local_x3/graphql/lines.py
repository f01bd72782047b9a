"""Finds the items of a collection over all documents, as nodes of their own such as `journalEntryLine`.

Nothing is kept of an item but its place: the number of its document and its own number in it, eight bytes
each in the lists that are still kept. A document is built again when one of its items is asked for.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_x3.model import pick
from local_x3.ordering import rank, sort_key
from local_x3.selection import Lazy, Numbering, sorted_places, without_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from local_x3.graphql.conditions import Condition
    from local_x3.model import Document, Key, Row, Value
    from local_x3.ordering import Order, SortKey
    from local_x3.store import Store

CACHED_SELECTIONS = 4
BITS = 24  # of a place: the number of an item in its document
MASK = (1 << BITS) - 1


@dataclass(frozen=True, slots=True)
class ItemsOf:
    """The documents that have the items, and the REST names of the collections that lead to them."""

    store: Store
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineSelection:
    """The items that match a condition, sorted, with their sort keys."""

    keys: Lazy[SortKey]
    found: Lazy[Document]


class LineSelector:
    """All items of a collection, over all documents of the sources that share its node."""

    def __init__(self, origins: list[ItemsOf], key: tuple[str, ...]) -> None:
        """Search the items of `origins` as one list; `key` is that of an item, its document's first."""
        self._origins = origins
        self._key = key
        self._cache: OrderedDict[tuple[object, Order], tuple[tuple[int, ...], LineSelection]] = OrderedDict()
        self._last: tuple[Document, tuple[int, ...], list[Document]] | None = None

    @property
    def versions(self) -> tuple[int, ...]:
        """Change with each change of a document."""
        return tuple(origin.store.version for origin in self._origins)

    def select(self, text: str, condition: Condition, order: Order) -> LineSelection:
        """Return the items that match the condition that `text` was compiled to, sorted by `order`."""
        name = (text, tuple(target.versions for target in condition.targets))
        cached = self._cache.get((name, order))
        if cached is not None and cached[0] == self.versions:
            self._cache.move_to_end((name, order))
            return cached[1]
        found = self._selection(condition, order)
        self._cache[name, order] = (self.versions, found)
        if len(self._cache) > CACHED_SELECTIONS:
            self._cache.popitem(last=False)
        return found

    def documents(self, places: Iterable[Document]) -> list[Document]:
        """Return the items themselves."""
        return list(places)

    def rows(self, _text: str, condition: Condition, _order: Order) -> Iterator[Row]:
        """Yield the rows of the items that match, one document after the other."""
        for origin in self._origins:
            for _, document in origin.store.documents(_first(condition, origin.store)):
                for item in self._items(document, origin.path):
                    if condition.matches(item.row, item.children):
                        yield item.row

    def find(self, key: Key) -> Document | None:
        """Return the item with this key; None when there is none."""
        for origin in self._origins:
            entry = origin.store.by_key.get(key[: len(origin.store.source.key)])
            if entry is not None:
                for item in self._items(origin.store.document(entry), origin.path):
                    if pick(item.row, self._key) == key:
                        return item
        return None

    def identified(self, identifier: str) -> Document | None:
        """Return the item with this `_id`; None when there is none."""
        for origin in self._origins:
            store = origin.store
            for index in store.order:
                if identifier.startswith("|".join(map(str, (*store.key(index), "")))):
                    for item in self._items(store.document(store.entry(index)), origin.path):
                        if "|".join(map(str, pick(item.row, self._key))) == identifier:
                            return item
        return None

    def _items(self, document: Document, path: tuple[str, ...]) -> list[Document]:
        """Return the items of a document by key."""
        versions = self.versions
        if self._last is not None and self._last[0] is document and self._last[1] == versions:
            return self._last[2]
        found = [document]
        for name in path:
            found = [child for parent in found for child in parent.children.get(name, ())]
        found.sort(key=lambda item: [rank(item.row.get(column, "")) for column in self._key])
        self._last = (document, versions, found)
        return found

    def _selection(self, condition: Condition, order: Order) -> LineSelection:
        numbering = Numbering([origin.store for origin in self._origins])
        paths = {origin.store.source.name: origin.path for origin in self._origins}
        columns = [column for column, _ in order]

        def locate(place: int) -> Document:
            store, entry = numbering.locate(place >> BITS)
            return self._items(store.document(entry), paths[store.source.name])[place & MASK]

        def key(place: int) -> SortKey:
            row = locate(place).row
            return sort_key([row.get(column, "") for column in columns], order)

        places = self._places(numbering.starts, condition, order)
        return LineSelection(Lazy(places, key), Lazy(places, locate))

    def _places(self, starts: list[int], condition: Condition, order: Order) -> array[int]:
        """Read every item once, keeping nothing but numbers and the values to sort by."""
        sorting = without_key(order, self._key) if len(self._origins) == 1 else order
        places = array("Q")
        values: list[list[Value]] = [[] for _ in sorting]
        for origin, start in zip(self._origins, starts, strict=True):
            for index, document in origin.store.documents(_first(condition, origin.store)):
                for number, item in enumerate(self._items(document, origin.path)):
                    if condition.matches(item.row, item.children):
                        places.append((start + index) << BITS | number)
                        for kept, (column, _) in zip(values, sorting, strict=True):
                            kept.append(item.row.get(column, ""))
        return sorted_places(places, values, sorting)


def _first(condition: Condition, store: Store) -> Callable[[Row], bool] | None:
    """Return the condition when it asks for nothing but the key of the documents."""
    if condition.whole or not condition.columns or not condition.columns.issubset(store.source.key):
        return None
    matches = condition.matches
    return lambda row: matches(row, {})
