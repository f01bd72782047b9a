"""Bind values as the connectors send them.

Rule restored: values arrive as text with a type; numbers stay exact.
"""

from __future__ import annotations

from typing import Any

from fakesnow.converter import from_binding


def rows_of(bindings: dict[str, dict[str, Any]]) -> list[list[object]]:
    """One list of values for each row that a statement runs for; one empty list without values."""
    if not bindings:
        return [[]]
    ordered = [bindings[key] for key in sorted(bindings, key=int)]
    if any(isinstance(entry["value"], list) for entry in ordered):
        columns = [[_value({**entry, "value": value}) for value in entry["value"]] for entry in ordered]
        return [list(row) for row in zip(*columns, strict=True)]
    return [[_value(entry) for entry in ordered]]


def _value(entry: dict[str, Any]) -> object:
    return None if entry["value"] is None else from_binding(entry)
