"""Lists of a node or class: filtered and sorted, kept as numbers, looked up when a page asks for them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from local_x3.ordering import Order, SortKey, rank, sort_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_x3.model import Entry, Row, Value
    from local_x3.store import Store

    Test = Callable[[Row], bool]
    Condition = tuple[frozenset[str], Test | None, Test | None]  # columns read, test, test on key and stamps

CACHED_SELECTIONS = 16
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lazy(Sequence[T], Generic[T]):
    """A sequence whose items are made from numbers each time they are read."""

    places: array[int]
    make: Callable[[int], T]

    def __len__(self) -> int:
        """Return how many items there are."""
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        """Make one item, or those of a slice."""
        if isinstance(index, slice):
            return [self.make(place) for place in self.places[index]]
        return self.make(self.places[index])


@dataclass(frozen=True, slots=True)
class Selection:
    """The entries that match a condition, sorted, with their sort keys: four bytes each."""

    keys: Lazy[SortKey]
    found: Lazy[tuple[Store, Entry]]


class Selector:
    """Filters and sorts the entries of one or several stores, and remembers the last results."""

    def __init__(self, stores: list[Store]) -> None:
        """Select from `stores`."""
        self.stores = stores
        self._cache: OrderedDict[tuple[object, Order], tuple[tuple[int, ...], Selection]] = OrderedDict()

    def select(
        self,
        name: object,
        columns: frozenset[str],
        matches: Test | None,
        order: Order,
        first: Test | None = None,
    ) -> Selection:
        """Return what matches, sorted by `order`.

        Args:
            name: identifies the condition among all conditions of this selector (its text).
            columns: the columns `matches` reads.
            matches: the condition; None takes all.
            order: columns to sort by, all of them present in every row.
            first: a condition on key and stamps that must hold as well; it spares building documents.
        """
        versions = tuple(store.version for store in self.stores)
        cached = self._cache.get((name, order))
        if cached is not None and cached[0] == versions:
            self._cache.move_to_end((name, order))
            return cached[1]
        numbering = Numbering(self.stores)
        selection = numbering.selection(self._places(numbering, (columns, matches, first), order), order)
        self._cache[name, order] = (versions, selection)
        if len(self._cache) > CACHED_SELECTIONS:
            self._cache.popitem(last=False)
        return selection

    def _places(self, numbering: Numbering, condition: Condition, order: Order) -> array[int]:
        """Read every row once, keeping nothing but numbers and the values to sort by."""
        columns, matches, first = condition
        sorting = order
        if len(self.stores) == 1:
            sorting = without_key(order, self.stores[0].source.key)
            if matches is None and first is None and not sorting:
                return self.stores[0].order[:]
        needed = columns.union(column for column, _ in sorting)
        places = array("I")
        values: list[list[Value]] = [[] for _ in sorting]
        for store, start in zip(self.stores, numbering.starts, strict=True):
            for index, row in store.scan(needed, first):
                if matches is None or matches(row):
                    places.append(start + index)
                    for kept, (column, _) in zip(values, sorting, strict=True):
                        kept.append(row.get(column, ""))
        return sorted_places(places, values, sorting)


class Numbering:
    """Numbers the documents of several stores one after the other."""

    def __init__(self, stores: list[Store]) -> None:
        """Number what the stores have now."""
        self.stores = stores
        self.starts = [0]
        for store in stores[:-1]:
            self.starts.append(self.starts[-1] + store.numbers)

    def locate(self, place: int) -> tuple[Store, Entry]:
        """Return what has a number."""
        at = bisect_right(self.starts, place) - 1
        store = self.stores[at]
        return store, store.entry(place - self.starts[at])

    def selection(self, places: array[int], order: Order) -> Selection:
        """Return the documents at some numbers, with their sort keys in `order`."""
        columns = [column for column, _ in order]

        def key(place: int) -> SortKey:
            store, entry = self.locate(place)
            row = store.row(entry, columns)
            return sort_key([row.get(column, "") for column in columns], order)

        return Selection(Lazy(places, key), Lazy(places, self.locate))


def without_key(order: Order, key: tuple[str, ...]) -> Order:
    """Leave out the key at the end: rows are read in its order, and sorting keeps the order of equals."""
    tail = tuple((column, False) for column in key)
    return order[: -len(tail)] if order[-len(tail) :] == tail else order


def sorted_places(places: array[int], values: list[list[Value]], order: Order) -> array[int]:
    """Sort by the last column first: each pass needs the ranks of one column only."""
    if not order:
        return places
    numbers = list(range(len(places)))
    for column, (_, descending) in reversed(list(zip(values, order, strict=True))):
        numbers.sort(key=lambda number, column=column: rank(column[number]), reverse=descending)  # type: ignore[misc]
    return array(places.typecode, (places[number] for number in numbers))
