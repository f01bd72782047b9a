"""The documents of one source: found by key, built when needed, changed by tests.

Nothing is kept of a document that nobody has changed but its place in the order of keys (4 bytes): key
and stamp are made from its number again, its rows too unless the cache still has them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from local_x3.cache import Cache, Cached
from local_x3.model import STAMP, STAMP_DATE, Document, Entry, Key, Row, Value, pick
from local_x3.ordering import rank
from local_x3.selection import Selection, Selector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from local_x3.declarations import Level, Source

__all__ = ["Cache", "Dataset", "Selection", "Selector", "Store", "Table", "count_values", "walk"]


class Table(Protocol):
    """The documents of one source as they are at the start, by number; the same ones each time."""

    @property
    def count(self) -> int:
        """How many documents there are."""

    def key(self, index: int) -> Key:
        """Return the key of a document."""

    def stamp(self, index: int) -> str:
        """Return the change stamp of a document."""

    def day(self, index: int) -> str:
        """Return the day of a document's change, as its row has it."""

    def document(self, index: int) -> Document:
        """Make a document; nobody else has this one."""

    def header(self, index: int) -> Row:
        """Make a document's own row, its lines not."""


class Dataset(Protocol):
    """Where documents come from."""

    def table(self, source: Source) -> Table:
        """Return the documents of a source."""


class Store:
    """All documents of one source."""

    def __init__(self, source: Source, dataset: Dataset, cache: Cache | None = None) -> None:
        """Keep the source; its keys are sorted at the first use. Stores may share a cache."""
        self.source = source
        self.version = 0
        self.built = 0  # rows and documents made so far, for tests of what a list costs
        self.by_key = KeyIndex(self)
        self.light_columns = frozenset({*source.key, STAMP, STAMP_DATE})
        self._dataset = dataset
        self._cache = Cache() if cache is None else cache
        self._table: Table | None = None
        self._order: array[int] | None = None
        self._changed: dict[int, Entry] = {}
        self._added = 0

    @property
    def table(self) -> Table:
        """The documents at the start."""
        if self._table is None:
            self._table = self._dataset.table(self.source)
        return self._table

    @property
    def order(self) -> array[int]:
        """The numbers of all documents, sorted by key."""
        if self._order is None:
            self._order = _by_key(self.table, len(self.source.key))
        return self._order

    @property
    def numbers(self) -> int:
        """Above every number in use."""
        return self.table.count + self._added

    def key(self, index: int) -> Key:
        """Return the key of a document."""
        entry = self._changed.get(index)
        return self.table.key(index) if entry is None else entry.key

    def entry(self, index: int) -> Entry:
        """Return the entry of a document: the same one only while the document is changed or cached."""
        entry = self._changed.get(index)
        if entry is not None:
            return entry
        cached = self._cache.get((self.source.name, index))
        if cached is not None:
            return cached.entry
        return Entry(self.table.key(index), self.table.stamp(index), index)

    def document(self, entry: Entry) -> Document:
        """Return the document of an entry."""
        if entry.document is not None:
            return entry.document
        place = (self.source.name, entry.index)
        cached = self._cache.get(place)
        if cached is not None and cached.document is not None:
            return cached.document
        built = self.table.document(entry.index)
        self.built += 1
        self._cache.keep(place, Cached(entry, built.row, built, count_values(built)))
        return built

    def light(self, entry: Entry) -> Row:
        """Return key and stamp columns only, without building the document."""
        row: Row = dict(zip(self.source.key, entry.key, strict=True))
        row[STAMP] = entry.stamp
        row[STAMP_DATE] = self._day(entry)
        return row

    def _day(self, entry: Entry) -> Value:
        if entry.document is not None:
            return entry.document.row.get(STAMP_DATE, "")
        return self.table.day(entry.index)

    def row(self, entry: Entry, columns: Iterable[str]) -> Row:
        """Return a row that holds at least `columns`, the cheapest one."""
        return self.light(entry) if self.light_columns.issuperset(columns) else self.header(entry)

    def header(self, entry: Entry) -> Row:
        """Return the document's own row; its lines are not built for it."""
        if entry.document is not None:
            return entry.document.row
        place = (self.source.name, entry.index)
        cached = self._cache.get(place)
        if cached is None:
            row = self.table.header(entry.index)
            cached = Cached(entry, row, None, len(row))
            self.built += 1
            self._cache.keep(place, cached)
        return cached.row

    def scan(
        self, columns: frozenset[str], first: Callable[[Row], bool] | None = None
    ) -> Iterator[tuple[int, Row]]:
        """Yield number and row of every document by key; what is built for it is not kept.

        A document is passed over, and not built, when `first`, a condition on key and stamps, does not hold.
        """
        light = self.light_columns.issuperset(columns)
        for index in self.order:
            entry = self._changed.get(index)
            if light or first is not None:
                row = self.light(entry or Entry(self.table.key(index), self.table.stamp(index), index))
                if first is not None and not first(row):
                    continue
            yield index, row if light else self._scanned(index, entry)

    def _scanned(self, index: int, entry: Entry | None) -> Row:
        """Return a document's own row, and do not keep it."""
        if entry is not None:
            return self.header(entry)
        cached = self._cache.get((self.source.name, index))
        if cached is not None:
            return cached.row
        self.built += 1
        return self.table.header(index)

    def documents(self, first: Callable[[Row], bool] | None = None) -> Iterator[tuple[int, Document]]:
        """Yield number and document of every document by key; what is built is kept where there is room.

        A document is passed over, and not built, when `first`, a condition on its key, does not hold.
        """
        for index in self.order:
            if first is not None and not first(dict(zip(self.source.key, self.key(index), strict=True))):
                continue
            yield index, self._whole(index)

    def _whole(self, index: int) -> Document:
        """Return a document, and drop no other one from the cache for it."""
        entry = self.entry(index)
        cached = self._cache.get((self.source.name, index))
        if entry.document is not None:
            return entry.document
        if cached is not None and cached.document is not None:
            return cached.document
        built = self.table.document(index)
        self.built += 1
        size = count_values(built)
        if self._cache.has_room(size):
            self._cache.keep((self.source.name, index), Cached(entry, built.row, built, size))
        return built

    def find(self, key: Key) -> int | None:
        """Return the place of a key in `order`."""
        if not all(isinstance(part, (str, int, Decimal)) for part in key):
            return None
        at = self._place(key)
        return at if at < len(self.order) and self.key(self.order[at]) == key else None

    def _place(self, key: Key) -> int:
        wanted = [rank(part) for part in key]
        return bisect_left(self.order, wanted, key=lambda index: [rank(part) for part in self.key(index)])

    def open(self, entry: Entry) -> Document:
        """Return the document for a change; it is kept from now on. Call `changed` when done."""
        entry.document = self.document(entry)
        self._changed[entry.index] = entry
        self._cache.forget((self.source.name, entry.index))
        return entry.document

    def changed(self, entry: Entry) -> None:
        """Take over the stamp of a changed document."""
        if entry.document is not None:
            entry.stamp = str(entry.document.row[STAMP])
        self.version += 1

    def reset(self) -> None:
        """Undo every change."""
        self._order = None
        self._changed.clear()
        self._added = 0
        self._cache.clear(self.source.name)
        self.version += 1

    def add(self, document: Document) -> Entry:
        """Add a document under the key its row holds."""
        entry = Entry(pick(document.row, self.source.key), str(document.row[STAMP]), self.numbers, document)
        at = self._place(entry.key)
        self._changed[entry.index] = entry
        self._added += 1
        self.order.insert(at, entry.index)
        self.version += 1
        return entry

    def remove(self, key: Key) -> None:
        """Delete a document.

        Raises:
            KeyError: there is none of this key.
        """
        at = self.find(key)
        if at is None:
            raise KeyError(key)
        index = self.order.pop(at)
        self._changed.pop(index, None)
        self._cache.forget((self.source.name, index))
        self.version += 1


class KeyIndex:
    """The entries of a store by document key, in order of key."""

    def __init__(self, store: Store) -> None:
        """Look into `store`."""
        self._store = store

    def get(self, key: Key) -> Entry | None:
        """Return the entry of a key."""
        at = self._store.find(key)
        return None if at is None else self._store.entry(self._store.order[at])

    def values(self) -> Iterator[Entry]:
        """Yield every entry."""
        return (self._store.entry(index) for index in self._store.order)

    def __contains__(self, key: Key) -> bool:
        """Say whether there is a document of this key."""
        return self._store.find(key) is not None

    def __iter__(self) -> Iterator[Key]:
        """Yield every key."""
        return (self._store.key(index) for index in self._store.order)

    def __len__(self) -> int:
        """Return how many documents there are."""
        return len(self._store.order)


def _by_key(table: Table, parts: int) -> array[int]:
    """Sort numbers by key, the last part first: no more than one part of each key is held at a time."""
    numbers = list(range(table.count))
    for part in reversed(range(parts)):
        ranks = [rank(table.key(index)[part]) for index in range(table.count)]
        numbers.sort(key=ranks.__getitem__)
    return array("I", numbers)


def count_values(document: Document) -> int:
    """Return how many values a document has in its own row and in those of its lines."""
    lines = (count_values(line) for found in document.children.values() for line in found)
    return len(document.row) + sum(lines)


def walk(document: Document, level: Level) -> Iterable[tuple[Level, list[Document]]]:
    """Yield each (level, documents from the outermost down to that level) of a document."""
    stack: list[tuple[Level, list[Document]]] = [(level, [document])]
    while stack:
        here, chain = stack.pop()
        yield here, chain
        stack.extend(
            (child, [*chain, item])
            for name, child in here.children.items()
            for item in reversed(chain[-1].children.get(name, []))
        )
