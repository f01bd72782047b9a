"""Aggregate values over rows, exact: sums and averages are decimals as text [D]. No row is kept for them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Protocol

from local_x3.graphql.nodes import stored
from local_x3.graphql.values import comparable, decimal_text, shower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local_x3.declarations import Column
    from local_x3.model import Row, Value

EXACT = Context(prec=400)
AVERAGE_PLACES = Decimal("1e-13")  # Sage's sample shows 13 decimals [D]; the rounding is inferred [I]
Wanted = dict[tuple[str, str], "list[Column]"]  # (first column of a property, function) -> all its columns


class Aggregate(Protocol):
    """One aggregate value in the making; empty values are not added [I]."""

    def add(self, value: Value) -> None:
        """Take in a value."""

    def result(self) -> object:
        """Return the aggregate value of what was added."""


class _Sum:
    """Values of another type are left out; null for no values, as in SQL [I]."""

    def __init__(self, column: Column) -> None:
        self._convert = comparable(column)
        self.count = 0
        self.total = Decimal(0)

    def add(self, value: Value) -> None:
        number = self._convert(value)
        if isinstance(number, (Decimal, int)) and not isinstance(number, bool):
            self.count += 1
            self.total = EXACT.add(self.total, number)

    def result(self) -> object:
        return decimal_text(self.total) if self.count else None


class _Average(_Sum):
    def result(self) -> object:
        if not self.count:
            return None
        exact = EXACT.divide(self.total, Decimal(self.count))
        return decimal_text(exact.quantize(AVERAGE_PLACES, ROUND_HALF_UP, EXACT))


class _Lowest:
    """The lowest value, of those that have the column's type."""

    def __init__(self, column: Column) -> None:
        self._convert, self._show = comparable(column), shower(column)
        self._text = column.type in {"date", "datetime"}
        self._best: tuple[object, Value] | None = None

    def add(self, value: Value) -> None:
        found = self._convert(value)
        if found is None or isinstance(found, str) is not self._text:
            return
        if self._best is None or self.better(found, self._best[0]):
            self._best = (found, value)

    @staticmethod
    def better(found: object, best: object) -> bool:
        return found < best  # type: ignore[operator, no-any-return]

    def result(self) -> object:
        return None if self._best is None else self._show(self._best[1])


class _Highest(_Lowest):
    @staticmethod
    def better(found: object, best: object) -> bool:
        return found > best  # type: ignore[operator, no-any-return]


class _Distinct:
    """Nulls do not count, as in SQL [I]."""

    def __init__(self, column: Column) -> None:
        self._show = shower(column)
        self._found: set[object] = set()

    def add(self, value: Value) -> None:
        shown = self._show(value)
        if shown is not None:
            self._found.add(shown)

    def result(self) -> object:
        return len(self._found)


FUNCTIONS: dict[str, Callable[[Column], Aggregate]] = {
    "min": _Lowest, "max": _Highest, "sum": _Sum, "avg": _Average, "distinctCount": _Distinct,
}  # fmt: skip
OFFERED = {  # numbers as in Sage's samples [D]; for other types only distinctCount is seen, on a text [D]
    "Decimal": ("min", "max", "sum", "avg", "distinctCount"),
    "Int": ("min", "max", "sum", "avg", "distinctCount"),
    "Date": ("min", "max", "distinctCount"),
    "Datetime": ("min", "max", "distinctCount"),
}
OTHERS = ("distinctCount",)


def functions_of(column: Column) -> tuple[str, ...]:
    """Return the aggregates a property has."""
    return OTHERS if column.menu_name else OFFERED.get(column.graphql_type, OTHERS)


class Tally:
    """The aggregate values that a query asks for, over the rows that were added."""

    __slots__ = ("_wanted",)

    def __init__(self, wanted: Wanted) -> None:
        """Begin with no row."""
        self._wanted = {
            place: (columns, FUNCTIONS[place[1]](columns[0])) for place, columns in wanted.items()
        }

    def add(self, row: Row) -> None:
        """Take in a row."""
        for columns, aggregate in self._wanted.values():
            value = stored(row, columns)
            if value is not None:
                aggregate.add(value)

    def result(self, column: str, function: str) -> object:
        """Return an aggregate value of the property whose first column this is."""
        return self._wanted[column, function][1].result()


def tally_of(rows: Iterable[Row], wanted: Wanted) -> Tally:
    """Aggregate all rows."""
    found = Tally(wanted)
    for row in rows:
        found.add(row)
    return found
