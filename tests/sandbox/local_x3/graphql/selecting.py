"""Finds the documents of a node: conditions on rows, on whole documents, and through references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.selection import Selection, Selector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local_x3.graphql.conditions import Condition
    from local_x3.model import Document
    from local_x3.ordering import Order
    from local_x3.store import Store

NO_CHILDREN: Mapping[str, list[Document]] = {}


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

    def _verdicts(self, condition: Condition) -> Iterator[bool]:
        for store in self.stores():
            for index in store.order:
                document = store.document(store.entry(index))
                yield condition.matches(document.row, document.children)
