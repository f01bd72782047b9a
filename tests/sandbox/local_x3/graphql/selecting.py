"""Finds and sorts the documents of a node, and remembers the last answers."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from local_x3.ordering import Order, SortKey, sort_key
from local_x3.store import CACHED_SELECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local_x3.graphql.conditions import Condition
    from local_x3.model import Document, Entry, Key, Row

Versions = tuple[int, ...]


class Records(Protocol):
    """Where the documents of a node are: a store, or a view of stores."""

    @property
    def version(self) -> int:
        """Change with each change of a document."""

    @property
    def by_key(self) -> dict[Key, Entry]:
        """Entries by key, sorted by key when first made."""

    def row(self, entry: Entry, columns: Iterable[str]) -> Row:
        """Return a row that holds at least `columns`."""

    def header(self, entry: Entry) -> Row:
        """Return the document's own row."""

    def document(self, entry: Entry) -> Document:
        """Return the document."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The entries that match a condition, sorted, with their sort keys."""

    keys: list[SortKey]
    found: list[tuple[Records, Entry]]


class NodeSelector:
    """All documents of a node, over the sources that share it."""

    def __init__(self, stores: Sequence[Records]) -> None:
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
        found: list[tuple[SortKey, Records, Entry]] = []
        for store in self.stores:
            self._search(store, condition, order, found)
        found.sort(key=lambda item: item[0])
        selection = Selection([item[0] for item in found], [(item[1], item[2]) for item in found])
        self._cache[text, order] = (versions, selection)
        if len(self._cache) > CACHED_SELECTIONS:
            self._cache.popitem(last=False)
        return selection

    def _search(
        self, store: Records, condition: Condition, order: Order, found: list[tuple[SortKey, Records, Entry]]
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
