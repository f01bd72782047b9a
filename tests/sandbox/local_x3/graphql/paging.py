"""Relay paging: opaque cursors of the form `[values]#NN` [D]."""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from local_x3.errors import FilterError
from local_x3.ordering import Order, SortKey, sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local_x3.graphql.nodes import Shape
    from local_x3.model import Value

DEFAULT_PAGE = 20  # [D]
MAX_PAGE = 1000  # not published [?]
MAX_NESTED_PAGE = 100  # not published [?]: a small cap, so that a client that does not page shows
ENCODER = msgspec.json.Encoder(decimal_format="number")
DECODER = msgspec.json.Decoder(float_hook=Decimal)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arguments:
    """The paging arguments of a query."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


@dataclass(slots=True)
class Connection(Generic[T]):
    """A page of items with its place among all of them; cursors are made when asked for.

    `scope` is what a cursor holds for: node, filter and order.
    """

    items: Sequence[T]
    start: int
    total: int
    values: Callable[[T], list[Value]]
    scope: str

    @property
    def has_next(self) -> bool:
        """Whether items follow."""
        return self.start + len(self.items) < self.total

    @property
    def has_previous(self) -> bool:
        """Whether items go before."""
        return self.start > 0

    def cursor(self, index: int) -> str | None:
        """Return the cursor of an item of the page; None when the page is empty."""
        return write_cursor(self.values(self.items[index]), self.scope) if self.items else None


class Edge:
    """An item of a connection with its place."""

    __slots__ = ("connection", "index")

    def __init__(self, connection: Connection[Any], index: int) -> None:
        """Keep both; the cursor is made when asked for."""
        self.connection = connection
        self.index = index


def edges(connection: Connection[Any]) -> list[Edge]:
    """Return the edges of a page."""
    return [Edge(connection, index) for index in range(len(connection.items))]


def write_cursor(values: list[Value], scope: str) -> str:
    """Return a cursor for an item's sort values; its check number tells lists apart [I]."""
    text = ENCODER.encode(values).decode()
    return f"{text}#{_check(text, scope):02d}"


def read_cursor(text: str, order: Order, scope: str) -> SortKey:
    """Return the sort key a cursor stands for.

    Raises:
        FilterError: the text is not a cursor that this query made, with this order and filter.
    """
    body, _, check = text.rpartition("#")
    msg = f"Invalid cursor: {text}"
    if check != f"{_check(body, scope):02d}":
        raise FilterError(msg)
    try:
        values = DECODER.decode(body)
    except msgspec.DecodeError:
        raise FilterError(msg) from None
    if not isinstance(values, list) or len(values) != len(order) or not all(map(_scalar, values)):
        raise FilterError(msg)
    return sort_key(values, order)


def _scalar(value: object) -> bool:
    return isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)


def _check(text: str, scope: str) -> int:
    return zlib.crc32(f"{text}\n{scope}".encode()) % 100


def scope_of(shape: Shape, filter_text: str | None, order: Order) -> str:
    """Return what tells the list of a query from those of others."""
    return f"{shape.name} {order} {filter_text or ''}"


def paginate(
    keys: Sequence[SortKey], everything: Sequence[T], arguments: Arguments, order: Order, cap: int,
    values: Callable[[T], list[Value]], scope: str,
) -> Connection[T]:  # fmt: skip
    """Cut the page that `arguments` ask for out of sorted items."""
    _check_arguments(arguments)
    low = bisect_right(keys, read_cursor(arguments.after, order, scope)) if arguments.after is not None else 0
    high = (
        bisect_left(keys, read_cursor(arguments.before, order, scope))
        if arguments.before is not None
        else len(keys)
    )
    if arguments.last is not None:
        start, stop = max(high - min(arguments.last, cap), low), high
    else:
        wanted = DEFAULT_PAGE if arguments.first is None else arguments.first
        start, stop = low, min(low + min(wanted, cap), high)
    return Connection(everything[start : max(stop, start)], start, len(keys), values, scope)


def _check_arguments(arguments: Arguments) -> None:
    if arguments.first is not None and arguments.last is not None:
        msg = "first and last cannot both be given"
        raise FilterError(msg)
    for name, value in (("first", arguments.first), ("last", arguments.last)):
        if value is not None and value < 1:
            msg = f"{name} must be positive"
            raise FilterError(msg)
