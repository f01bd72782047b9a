"""Sort keys over native values: numbers before texts, so that a value of the wrong type still sorts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import total_ordering
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_x3.model import Value

Order = tuple[tuple[str, bool], ...]  # (column, descending)
SortKey = tuple[Any, ...]


@total_ordering
@dataclass(frozen=True, slots=True)
class Descending:
    """Turns the order of what it holds round."""

    rank: tuple[bool, Value]

    def __lt__(self, other: Descending) -> bool:
        """Sort behind what is larger."""
        return other.rank < self.rank


def rank(value: object) -> tuple[bool, Value]:
    """Return what a value is sorted by: a value of no type that X3 has (put there by a test) as its text."""
    if isinstance(value, (int, Decimal)):
        return (False, value)
    return (True, value if isinstance(value, str) else str(value))


def sort_key(values: Sequence[Value], order: Order) -> SortKey:
    """Return the sort key of the values of the columns of `order`."""
    return tuple(
        Descending(rank(value)) if descending else rank(value)
        for value, (_, descending) in zip(values, order, strict=True)
    )
