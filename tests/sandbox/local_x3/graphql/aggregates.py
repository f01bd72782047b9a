"""Aggregate values over rows, exact: sums and averages are decimals as text [D]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING

from local_x3.graphql.nodes import stored
from local_x3.graphql.values import comparable, decimal_text, shower

if TYPE_CHECKING:
    from local_x3.declarations import Column
    from local_x3.model import Row, Value

EXACT = Context(prec=400)
AVERAGE_PLACES = Decimal("1e-13")  # Sage's sample shows 13 decimals [D]; the rounding is inferred [I]
Aggregate = Callable[[Sequence["Row"], list["Column"]], object]


def numbers(rows: Sequence[Row], columns: list[Column]) -> list[Decimal | int]:
    """Return the numbers in the rows; empty values and values of another type are left out."""
    convert = comparable(columns[0])
    found = (convert(value) for row in rows if (value := stored(row, columns)) is not None)
    return [value for value in found if isinstance(value, (Decimal, int)) and not isinstance(value, bool)]


def total(values: Sequence[Decimal | int]) -> Decimal:
    """Add numbers without rounding."""
    found = Decimal(0)
    for value in values:
        found = EXACT.add(found, Decimal(value))
    return found


def _sum(rows: Sequence[Row], columns: list[Column]) -> object:
    """Null for no values, as in SQL [I]."""
    values = numbers(rows, columns)
    return decimal_text(total(values)) if values else None


def _avg(rows: Sequence[Row], columns: list[Column]) -> object:
    values = numbers(rows, columns)
    if not values:
        return None
    exact = EXACT.divide(total(values), Decimal(len(values)))
    return decimal_text(exact.quantize(AVERAGE_PLACES, ROUND_HALF_UP, EXACT))


def _extreme(best: Callable[[list[tuple[object, Value]]], tuple[object, Value]]) -> Aggregate:
    def find(rows: Sequence[Row], columns: list[Column]) -> object:
        convert, show = comparable(columns[0]), shower(columns[0])
        text = columns[0].type in {"date", "datetime"}
        values = [value for row in rows if (value := stored(row, columns)) is not None]
        pairs = [(convert(value), value) for value in values]
        fitting = [pair for pair in pairs if pair[0] is not None and isinstance(pair[0], str) is text]
        return show(best(fitting)[1]) if fitting else None

    return find


def _lowest(pairs: list[tuple[object, Value]]) -> tuple[object, Value]:
    return min(pairs, key=lambda pair: pair[0])  # type: ignore[arg-type, return-value]


def _highest(pairs: list[tuple[object, Value]]) -> tuple[object, Value]:
    return max(pairs, key=lambda pair: pair[0])  # type: ignore[arg-type, return-value]


def _distinct(rows: Sequence[Row], columns: list[Column]) -> object:
    """Nulls do not count, as in SQL [I]."""
    show = shower(columns[0])
    shown = (show(value) for row in rows if (value := stored(row, columns)) is not None)
    return len({value for value in shown if value is not None})


FUNCTIONS: dict[str, Aggregate] = {
    "min": _extreme(_lowest), "max": _extreme(_highest), "sum": _sum, "avg": _avg, "distinctCount": _distinct,
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
