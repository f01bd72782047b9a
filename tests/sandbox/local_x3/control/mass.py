"""One command that changes many rows at once, with one stamp for all, as X3's mass updates do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from local_x3.control.places import check_lock, full_key, level_of, stores_of
from local_x3.control.records import TECHNICAL, Change, check_values, put_stamp
from local_x3.store import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_x3.control.state import Records, State
    from local_x3.declarations import Level
    from local_x3.model import Entry, Row


class MassUpdate(Change, tag="mass_update", kw_only=True):
    """Change and stamp rows of a table at once: those that equal `match`, and of them every n-th.

    All get one stamp, `values` and nothing else; a line's document keeps its own stamp.
    """

    match: dict[str, Any] = msgspec.field(default_factory=dict)
    values: dict[str, Any] = msgspec.field(default_factory=dict)
    every: Annotated[int, msgspec.Meta(ge=1)] = 1
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def apply(self, state: State) -> object:
        """Return how many rows were changed, and their stamp."""
        stamp = self.moment(state)
        chosen = list(self._chosen(state))
        for store, entry, _ in chosen:
            check_lock(state, store, entry.key)
        for store, entry, number in chosen:
            self._change(state, (store, entry, number), stamp)
        return {"rows": len(chosen), "stamp": stamp}

    def _chosen(self, state: State) -> Iterator[tuple[Records, Entry, int]]:
        """Yield the rows by document and number in it."""
        matched = given = 0
        for store in stores_of(state, self.place):
            level = level_of(store, self.place)
            key = full_key(store, level)
            check_values(level, self.values, {*level.columns, *TECHNICAL}, key)
            check_values(level, self.match, {*level.columns, *key, *TECHNICAL}, ())
            for entry in list(store.by_key.values()):
                for number, row in enumerate(_rows(store, entry, level)):
                    if any(row.get(name) != value for name, value in self.match.items()):
                        continue
                    matched += 1
                    if (matched - 1) % self.every:
                        continue
                    if self.limit is not None and given >= self.limit:
                        return
                    given += 1
                    yield store, entry, number

    def _change(self, state: State, place: tuple[Records, Entry, int], stamp: str | None) -> None:
        store, entry, number = place
        store.open(entry)
        entry = store.by_key.get(entry.key) or entry  # an open transaction has its own copy
        row = _rows(store, entry, level_of(store, self.place))[number]
        row.update(self.values)
        put_stamp(row, stamp, state)
        store.changed(entry)


def _rows(store: Records, entry: Entry, level: Level) -> list[Row]:
    found = walk(store.document(entry), store.source.level)
    return [chain[-1].row for here, chain in found if here is level]


COMMANDS = (MassUpdate,)
