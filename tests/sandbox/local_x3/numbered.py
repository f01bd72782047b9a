"""Numbered X3 columns FIELD(n), which GraphQL shows as one denormalized collection [D]."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "standard" / "numbered.toml"
NUMBERED = re.compile(r"([A-Z][A-Z0-9]*?)(\d{1,2})")
INDEXED = re.compile(r"(\w+)\[(\d+)\]\.(.+)")


@dataclass(frozen=True, slots=True)
class Numbered:
    """The place of a numbered column: its collection, its index there, and the member that shows it."""

    collection: str
    index: int
    column: str
    path: tuple[str, ...]
    text: str


@cache
def standard() -> dict[tuple[str, str], tuple[str, str, str]]:
    """Return (table, column without its number) -> (collection, path of the member, text)."""
    return {
        (table, column): (collection, path, text)
        for table, collections in tomllib.loads(TABLE.read_text("utf-8")).items()
        for collection, columns in collections.items()
        for column, (path, text) in columns.items()
    }


def numbered(tables: tuple[str, ...], column: str, path: str, text: str) -> Numbered | None:
    """Say where a column is shown; None when it is no numbered one.

    Args:
        tables: those that may have the column, the most likely first.
        column: name of the X3 column.
        path: as declared: for the columns of a site, `collection[index].member` is taken as it is.
        text: as declared.
    """
    split = NUMBERED.fullmatch(column)
    if split is None:
        return None
    base, number = split[1], int(split[2])
    for table in tables:
        known = standard().get((table, base))
        if known is not None:
            return Numbered(known[0], number, base, tuple(known[1].split(".")), known[2])
    own = INDEXED.fullmatch(path)
    return Numbered(own[1], int(own[2]), base, tuple(own[3].split(".")), text) if own else None
