"""The documents of one source: found by key, built when needed, changed by tests."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from local_x3.model import STAMP, STAMP_DATE, Document, Entry, Key, Row, pick
from local_x3.ordering import Order, SortKey, rank, sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local_x3.declarations import Level, Source

CACHED_ROWS = 100_000  # built rows kept for each source, about 180 MB; changed documents are kept in any case
CACHED_HEADERS = 100_000  # rows of documents kept for lists when the documents themselves are no longer kept
CACHED_SELECTIONS = 16


class Dataset(Protocol):
    """Where documents come from."""

    def entries(self, source: Source) -> list[Entry]:
        """Return the entries of a source, in any order."""

    def build(self, source: Source, entry: Entry) -> Document:
        """Make the document of an entry, the same one each time."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The entries that match a condition, sorted, with their sort keys."""

    keys: list[SortKey]
    found: list[tuple[Store, Entry]]


class Store:
    """All documents of one source."""

    def __init__(self, source: Source, dataset: Dataset) -> None:
        """Keep the source; entries are made at the first use."""
        self.source = source
        self.version = 0
        self._dataset = dataset
        self._by_key: dict[Key, Entry] | None = None
        self._built: OrderedDict[Key, Document] = OrderedDict()
        self._built_rows = 0
        self._headers: OrderedDict[Key, Row] = OrderedDict()
        self.light_columns = frozenset({*source.key, STAMP, STAMP_DATE})

    @property
    def by_key(self) -> dict[Key, Entry]:
        """Entries by document key, sorted by key when first made."""
        if self._by_key is None:
            entries = sorted(self._dataset.entries(self.source), key=lambda e: [rank(v) for v in e.key])
            self._by_key = {entry.key: entry for entry in entries}
        return self._by_key

    def document(self, entry: Entry) -> Document:
        """Return the document of an entry."""
        if entry.document is not None:
            return entry.document
        built = self._built.get(entry.key)
        if built is None:
            built = self._dataset.build(self.source, entry)
            self._built[entry.key] = built
            self._built_rows += count_rows(built)
            self._keep_header(entry.key, built.row)
            while self._built_rows > CACHED_ROWS and len(self._built) > 1:
                self._built_rows -= count_rows(self._built.popitem(last=False)[1])
        return built

    def _keep_header(self, key: Key, row: Row) -> None:
        self._headers[key] = row
        if len(self._headers) > CACHED_HEADERS:
            self._headers.popitem(last=False)

    def _forget(self, key: Key) -> None:
        self._headers.pop(key, None)
        built = self._built.pop(key, None)
        if built is not None:
            self._built_rows -= count_rows(built)

    def light(self, entry: Entry) -> Row:
        """Return key and stamp columns only, without building the document."""
        row: Row = dict(zip(self.source.key, entry.key, strict=True))
        row[STAMP] = entry.stamp
        row[STAMP_DATE] = entry.stamp[:10]
        return row

    def row(self, entry: Entry, columns: Iterable[str]) -> Row:
        """Return a row that holds at least `columns`, the cheapest one."""
        return self.light(entry) if self.light_columns.issuperset(columns) else self.header(entry)

    def header(self, entry: Entry) -> Row:
        """Return the document's own row, without its lines when they are no longer at hand."""
        if entry.document is not None:
            return entry.document.row
        row = self._headers.get(entry.key)
        return self.document(entry).row if row is None else row

    def open(self, entry: Entry) -> Document:
        """Return the document for a change; it is kept from now on. Call `changed` when done."""
        entry.document = self.document(entry)
        self._forget(entry.key)
        return entry.document

    def changed(self, entry: Entry) -> None:
        """Take over the stamp of a changed document."""
        if entry.document is not None:
            entry.stamp = str(entry.document.row[STAMP])
        self.version += 1

    def reset(self) -> None:
        """Undo every change."""
        self._by_key = None
        self._built.clear()
        self._headers.clear()
        self._built_rows = 0
        self.version += 1

    def add(self, document: Document) -> Entry:
        """Add a document under the key its row holds."""
        key = pick(document.row, self.source.key)
        entry = Entry(key, str(document.row[STAMP]), document=document)
        self.by_key[key] = entry
        self.version += 1
        return entry

    def remove(self, key: Key) -> None:
        """Delete a document."""
        del self.by_key[key]
        self._forget(key)
        self.version += 1


class Selector:
    """Finds and sorts documents over one or several stores, and remembers the last answers."""

    def __init__(self, stores: list[Store]) -> None:
        """Search all of `stores` as one list."""
        self.stores = stores
        self._cache: OrderedDict[tuple[object, Order], tuple[tuple[int, ...], Selection]] = OrderedDict()

    def select(
        self, name: object, columns: frozenset[str], matches: Callable[[Row], bool] | None, order: Order
    ) -> Selection:
        """Return what matches, sorted by `order`.

        Args:
            name: identifies the condition among all conditions of this selector (its text).
            columns: the columns `matches` reads.
            matches: the condition; None takes all.
            order: columns to sort by, all of them present in every row.
        """
        versions = tuple(store.version for store in self.stores)
        cached = self._cache.get((name, order))
        if cached is not None and cached[0] == versions:
            return cached[1]
        needed = columns.union(column for column, _ in order)
        pairs: list[tuple[SortKey, Store, Entry]] = []
        for store in self.stores:
            for entry in store.by_key.values():
                row = store.row(entry, needed)
                if matches is None or matches(row):
                    pairs.append((sort_key([row.get(c, "") for c, _ in order], order), store, entry))
        pairs.sort(key=lambda pair: pair[0])
        selection = Selection([p[0] for p in pairs], [(p[1], p[2]) for p in pairs])
        self._cache[name, order] = (versions, selection)
        if len(self._cache) > CACHED_SELECTIONS:
            self._cache.popitem(last=False)
        return selection


def count_rows(document: Document) -> int:
    """Return how many rows a document has, its own included."""
    return 1 + sum(count_rows(line) for lines in document.children.values() for line in lines)


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
