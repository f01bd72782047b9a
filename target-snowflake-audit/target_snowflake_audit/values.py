"""Names of types used in many places."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Any JSON value: None, bool, int, Decimal, str, list or dict."""

_KINDS: dict[type, str] = {
    str: "a text",
    bool: "true or false",
    dict: "an object",
    list: "an array",
    type(None): "null",
}


def kind_of(value: object) -> str:
    """Kind of a JSON value in words, for errors that must not show the value."""
    return _KINDS.get(type(value), "a number")
