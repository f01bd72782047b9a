"""Finds the rows that a control command names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_x3.errors import ControlError
from local_x3.model import pick
from local_x3.store import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_x3.control.state import Records, State
    from local_x3.declarations import Level
    from local_x3.model import Document, Entry, Key


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a table: its store, entry, level and the documents from the outermost down to it."""

    store: Records
    entry: Entry
    level: Level
    chain: list[Document]


def stores_of(state: State, name: str) -> list[Records]:
    """Return the stores that hold a REST class or a table.

    Raises:
        ControlError: none does.
    """
    stores = [
        store
        for store in state.stores
        if name == store.source.rest_class or any(name == level.table for level in levels(store.source.level))
    ]
    if not stores:
        tables = sorted({level.table for store in state.stores for level in levels(store.source.level)})
        msg = f"class or table {name!r} not found; tables: {', '.join(tables)}"
        raise ControlError(msg)
    return stores


def levels(level: Level) -> Iterator[Level]:
    """Yield a level and all below it."""
    yield level
    for child in level.children.values():
        yield from levels(child)


def level_of(store: Records, name: str) -> Level:
    """Return the level of a table, or the documents' own for a class."""
    return next((level for level in levels(store.source.level) if level.table == name), store.source.level)


def full_key(store: Records, level: Level) -> tuple[str, ...]:
    """Return the key columns of a level, the document's first."""

    def search(here: Level, above: tuple[str, ...]) -> tuple[str, ...] | None:
        names = (*above, *here.key)
        if here is level:
            return names
        found = (search(child, names) for child in here.children.values())
        return next((item for item in found if item), None)

    return search(store.source.level, ()) or store.source.key


def find(state: State, name: str, raw: str | int | list[str | int]) -> Place:
    """Find one row by its key: a list of values, the document's first; or one value for a single key.

    Raises:
        ControlError: there is none.
    """
    key: Key = tuple(raw) if isinstance(raw, list) else (raw,)
    for store in stores_of(state, name):
        level = level_of(store, name)
        entry = store.by_key.get(key[: len(store.source.key)])
        if entry is None:
            continue
        names = full_key(store, level)
        for here, chain in walk(store.document(entry), store.source.level):
            if here is level and pick(chain[-1].row, names) == key:
                return Place(store, entry, level, chain)
    msg = f"no row with key {raw!r} in {name}"
    raise ControlError(msg)


def opened(state: State, name: str, raw: str | int | list[str | int]) -> Place:
    """Find a row, open its document for a change and find the row in it again.

    Raises:
        ControlError: there is no such row, or an open transaction holds its document.
    """
    place = find(state, name, raw)
    check_lock(state, place.store, place.entry.key)
    place.store.open(place.entry)
    return find(state, name, raw)


def check_lock(state: State, store: Records, key: Key) -> None:
    """Check that no open transaction, but the one that asks, has touched a document: X3 locks it [I].

    Raises:
        ControlError: one has.
    """
    holder = state.locked.get((store.source.rest_class, key), state.inside)
    if holder != state.inside:
        msg = f"{store.source.rest_class} {key!r} is locked by transaction {holder}"
        raise ControlError(msg)
