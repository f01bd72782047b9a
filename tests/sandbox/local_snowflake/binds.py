"""Bind values as the connectors send them.

Rule restored: values arrive as text with a type; numbers stay exact.
"""

from __future__ import annotations

from decimal import DecimalException
from typing import Any

from fakesnow.converter import from_binding

from .errors import unsupported

# What the converter raises for a value that is not of its type, and for a type that it does not know.
_UNFIT = (ValueError, TypeError, ArithmeticError, DecimalException, NotImplementedError)


def rows_of(bindings: dict[str, dict[str, Any]]) -> list[list[object]]:
    """One list of values for each row that a statement runs for; one empty list without values.

    Raises:
        SnowflakeError: a value is not of the type it is sent with; which number Snowflake gives is not known.
    """
    if not bindings:
        return [[]]
    ordered = [bindings[key] for key in sorted(bindings, key=int)]
    if any(isinstance(entry["value"], list) for entry in ordered):
        columns = [[_value({**entry, "value": value}) for value in entry["value"]] for entry in ordered]
        return [list(row) for row in zip(*columns, strict=True)]
    return [[_value(entry) for entry in ordered]]


def _value(entry: dict[str, Any]) -> object:
    if entry["value"] is None:
        return None
    try:
        return from_binding(entry)
    except _UNFIT:
        msg = f"a bind value of type {entry.get('type')!r} that is {entry['value']!r}"
        raise unsupported(msg) from None
