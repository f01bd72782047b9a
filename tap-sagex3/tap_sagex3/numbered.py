"""Columns that GraphQL shows in items of a denormalized collection, such as `taxes[1].taxAmount`. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tap_sagex3.errors import INCOMPLETE, IncompleteAnswerError
from tap_sagex3.paths import INDEX
from tap_sagex3.values import MisfitError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_sagex3.values import Converter

JsonObject = dict[str, t.Any]
Misfits = list[tuple[str, t.Any, str]]
Filler = t.Callable[[JsonObject, JsonObject, Misfits], None]
"""Fills columns of a row from a wire object; values that do not fit go in unchanged and are noted."""


@dataclass(frozen=True, slots=True)
class Member:
    """A column: its name, the index of its item, its path in there, and what it is when there is no item."""

    name: str
    index: int
    path: tuple[str, ...]
    convert: Converter
    empty: t.Any


def numbered_filler(collection: str, members: Sequence[Member]) -> Filler:
    """A function that fills the columns of one collection; it looks through the items once."""
    plain = [(item.name, item.index, item.path, item.convert, item.empty) for item in members]

    def fill(node: JsonObject, row: JsonObject, misfits: Misfits) -> None:
        items = _by_index(node, collection)
        for name, index, path, convert, empty in plain:
            value = items.get(index)
            for part in path:
                if value is None:
                    break
                value = value.get(part)
            try:
                row[name] = empty if value is None else convert(value)
            except (MisfitError, TypeError) as error:
                row[name] = value
                misfits.append((name, value, expectation(error)))

    return fill


def expectation(error: Exception) -> str:
    """What a value was expected to be; a TypeError comes from an object or a list."""
    return str(error) if isinstance(error, MisfitError) else "expected a single value"


def _by_index(node: JsonObject, collection: str) -> dict[t.Any, t.Any]:
    """The items by their number.

    Raises:
        IncompleteAnswerError: this is no collection of items; taking it as empty would lose values.
    """
    try:
        return {edge["node"][INDEX]: edge["node"] for edge in node[collection]["query"]["edges"]}
    except (KeyError, TypeError):
        msg = f"Collection {collection} is not a list of numbered items: {INCOMPLETE}"
        raise IncompleteAnswerError(msg) from None
