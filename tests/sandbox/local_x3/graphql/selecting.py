"""Finds and sorts the documents of a node, and remembers the last answers."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from local_x3.ordering import Order, SortKey, sort_key
from local_x3.store import CACHED_SELECTIONS, Selection, Store

if TYPE_CHECKING:
    from local_x3.graphql.conditions import Condition
    from local_x3.model import Entry

Versions = tuple[int, ...]


class NodeSelector:
    """All documents of a node, over the sources that share it."""

    def __init__(self, stores: list[Store]) -> None:
        """Search all of `stores` as one list."""
        self.stores = stores
        self._cache: OrderedDict[tuple[str, Order], tuple[Versions, Selection]] = OrderedDict()

    def select(self, text: str, condition: Condition, order: Order) -> Selection:
        """Return what matches the condition that `text` was compiled to, sorted by `order`.

        A document is built only where its key and stamp are not enough.
        """
        versions = tuple(store.version for store in self.stores)
        for target in condition.targets:
            versions += target.versions
        cached = self._cache.get((text, order))
        if cached is not None and cached[0] == versions:
            return cached[1]
        found: list[tuple[SortKey, Store, Entry]] = []
        for store in self.stores:
            self._search(store, condition, order, found)
        found.sort(key=lambda item: item[0])
        selection = Selection([item[0] for item in found], [(item[1], item[2]) for item in found])
        self._cache[text, order] = (versions, selection)
        if len(self._cache) > CACHED_SELECTIONS:
            self._cache.popitem(last=False)
        return selection

    def _search(
        self, store: Store, condition: Condition, order: Order, found: list[tuple[SortKey, Store, Entry]]
    ) -> None:
        sorted_by = [column for column, _ in order]
        needed = condition.columns.union(sorted_by)
        matches, whole = condition.matches, condition.whole
        for entry in store.by_key.values():
            if whole:
                document = store.document(entry)
                row, children = document.row, document.children
            else:
                row, children = store.row(entry, needed), {}
            if matches(row, children):
                found.append((sort_key([row.get(column, "") for column in sorted_by], order), store, entry))
