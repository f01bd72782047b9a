"""Finds the documents of a node: conditions on rows, on whole documents, and through references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from local_x3.selection import Selection, Selector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from local_x3.graphql.conditions import Condition
    from local_x3.model import Document, Entry, Key, Row
    from local_x3.ordering import Order, SortKey
    from local_x3.store import Store

NO_CHILDREN: Mapping[str, list[Document]] = {}


class Found(Protocol):
    """What a condition has found, sorted."""

    @property
    def keys(self) -> Sequence[SortKey]:
        """The sort keys."""

    @property
    def found(self) -> Sequence[Any]:
        """The places of the documents."""


class Records(Protocol):
    """The records of a node, be they documents or the items of a collection of theirs."""

    @property
    def versions(self) -> tuple[int, ...]:
        """Change with each change of a record."""

    def select(self, text: str, condition: Condition, order: Order) -> Found:
        """Return what matches the condition that `text` was compiled to, sorted by `order`."""

    def documents(self, places: Iterable[Any]) -> list[Document]:
        """Return the records at some places of what was found."""

    def rows(self, text: str, condition: Condition, order: Order) -> Iterator[Row]:
        """Yield the rows of what matches."""

    def find(self, key: Key) -> Document | None:
        """Return the record with this key; None when there is none."""

    def identified(self, identifier: str) -> Document | None:
        """Return the record with this `_id`; None when there is none."""


class NodeSelector:
    """All documents of a node, over the sources that share it."""

    def __init__(self, stores: list[Store]) -> None:
        """Search all of `stores` as one list."""
        self._stores = stores
        self._selector = Selector(stores)

    def stores(self) -> list[Store]:
        """Return the stores as they are now."""
        return self._stores

    @property
    def versions(self) -> tuple[int, ...]:
        """Change with each change of a document."""
        return tuple(store.version for store in self.stores())

    def select(self, text: str, condition: Condition, order: Order) -> Selection:
        """Return what matches the condition that `text` was compiled to, sorted by `order`.

        A document is built only where its key and stamp are not enough, its lines only for a quantifier.
        """
        if not text:
            return self._selector.select("", frozenset(), None, order)
        name = (text, tuple(target.versions for target in condition.targets))
        matches = condition.matches
        if condition.whole:  # the selector asks about every document once, in the order of its stores
            verdicts = self._verdicts(condition)
            return self._selector.select(name, frozenset(), lambda _: next(verdicts), order)
        return self._selector.select(name, condition.columns, lambda row: matches(row, NO_CHILDREN), order)

    def documents(self, places: Iterable[tuple[Store, Entry]]) -> list[Document]:
        """Return the documents at some places of what was found."""
        return [store.document(entry) for store, entry in places]

    def rows(self, text: str, condition: Condition, order: Order) -> Iterator[Row]:
        """Yield the documents' own rows."""
        for store, entry in self.select(text, condition, order).found:
            yield store.header(entry)

    def find(self, key: Key) -> Document | None:
        """Return the document with this key; None when there is none."""
        for store in self.stores():
            entry = store.by_key.get(key)
            if entry is not None:
                return store.document(entry)
        return None

    def identified(self, identifier: str) -> Document | None:
        """Return the document with this `_id`; None when there is none."""
        found = self.find(tuple(identifier.split("|")))
        if found is not None:
            return found
        for store in self.stores():  # a key that holds numbers, or a text with `|`
            for entry in store.by_key.values():
                if "|".join(map(str, entry.key)) == identifier:
                    return store.document(entry)
        return None

    def _verdicts(self, condition: Condition) -> Iterator[bool]:
        for store in self.stores():
            for index in store.order:
                document = store.document(store.entry(index))
                yield condition.matches(document.row, document.children)
