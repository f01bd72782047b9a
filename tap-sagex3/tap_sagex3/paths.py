"""Paths of GraphQL properties in declarations: `orderDate`, `company.code`, `taxes[1].tax.code`. Pure.

An index names one item of a denormalized collection, in which X3 shows its numbered columns FIELD(1..n).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PATH = re.compile(rf"(?:({_NAME})\[([1-9][0-9]{{0,2}})\]\.)?({_NAME}(?:\.{_NAME})*)")
EXPECTED_PATH = "expected names joined with points, the first one perhaps with an index: taxes[1].tax.code"

INDEX = "denormalizedIndex"
"""Member of an item that holds its number, from 1."""


@dataclass(frozen=True, slots=True)
class PropertyPath:
    """Where a property is: names from outside to inside, below item `index` of `collection` if it has one."""

    names: tuple[str, ...]
    collection: str | None = None
    index: int = 0


@cache
def property_path(text: str) -> PropertyPath:
    """Read a path.

    Raises:
        ValueError: the text is not a path; says what was expected.
    """
    found = _PATH.fullmatch(text)
    if found is None:
        msg = f"{text!r}: {EXPECTED_PATH}"
        raise ValueError(msg)
    collection, index, names = found.groups()
    return PropertyPath(tuple(names.split(".")), collection, int(index or 0))
