"""Arithmetic of the `where` language: exact decimals of at most 38 digits, within bounds."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DIGITS = 38  # of a literal or a result; X3's longest amounts have 30 [I]
LARGEST = 60  # power of ten that ends a calculation: pow(10, 999999) fails instead of eating the memory
CONTEXT = Context(
    prec=MAX_DIGITS, Emax=LARGEST, Emin=-LARGEST, traps=[InvalidOperation, DivisionByZero, Overflow]
)


def number(value: object) -> Decimal:
    """Return a value as a number.

    Raises:
        TypeError, ValueError: it is none, such as a text that a test has put into an amount.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(value)
    found = Decimal(value)
    if not found.is_finite():
        raise ValueError(value)
    return found


def whole(value: object, least: int, most: int) -> int:
    """Return a value as a whole number within bounds.

    Raises:
        TypeError, ValueError: it is none, or outside.
    """
    found = number(value)
    if not least <= found <= most or found != found.to_integral_value():
        raise ValueError(value)
    return int(found)


def rounded(value: Decimal, digits: Decimal, rounding: str) -> Decimal:
    """Round to so many digits behind the point, before it when negative."""
    step = Decimal(1).scaleb(-whole(digits, -MAX_DIGITS, MAX_DIGITS))
    return value.quantize(step, rounding=rounding, context=CONTEXT)


def sign(value: Decimal) -> Decimal:
    """Return -1, 0 or 1."""
    return Decimal((value > 0) - (value < 0))


def half_up(value: Decimal, digits: Decimal = Decimal(0)) -> Decimal:
    """Round; a half goes away from zero [I]."""
    return rounded(value, digits, ROUND_HALF_UP)


def cut_off(value: Decimal, digits: Decimal = Decimal(0)) -> Decimal:
    """Truncate."""
    return rounded(value, digits, ROUND_DOWN)


ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "add": CONTEXT.add, "subtract": CONTEXT.subtract, "multiply": CONTEXT.multiply,
    "divide": CONTEXT.divide, "modulo": CONTEXT.remainder,
}  # fmt: skip
