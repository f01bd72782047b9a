"""Values in messages, written as a client writes them."""

from __future__ import annotations

from decimal import Decimal


def in_words(value: object) -> str:
    """Write a value of a filter or a variable; an object or a list by its kind."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Decimal):
        return format(value, "f") if -20 < value.adjusted() < 20 else f"{value:e}"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return f"'{value}'" if isinstance(value, str) else str(value)
