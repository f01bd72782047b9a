"""Changes of a source, each as the commands of the local X3 that make it."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from interleaving_families import Family, Level
    from tap_runs import Record
    from x3_control import X3Control

Key = tuple[t.Any, ...]
PLACES = "0MPZ"
"""New keys come before all others, among them, and behind them."""
NEW_DOCUMENTS, FIRST_LINE = 5, 500


class Change(t.NamedTuple):
    """A change: the document it is in, the commands that make it, and whether it stamps the document."""

    document: Key
    commands: tuple[Record, ...]
    stamps: bool = True


class Changes:
    """Makes changes inside the model for a family, from what the source has at the time."""

    def __init__(self, x3: X3Control, family: Family) -> None:
        """Nothing is changed yet."""
        self._x3 = x3
        self._family = family
        self._number = 0
        self.names: dict[str, Callable[[int, int], Change | None]] = {
            "header": self._header,
            "line": self._line,
            "new": self._new,
            "add": self._add,
            "remove": self._remove,
        }

    def ties(self, amount: int) -> Record:
        """The command that gives many documents one stamp."""
        level = self._family.levels[0]
        return {"do": "mass_update", "table": level.table, "every": 1 + amount % 3}

    def _header(self, which: int, amount: int) -> Change:
        level = self._family.levels[0]
        key = self._pick(level, which)
        return Change(key, (_set(level, key, f"H{amount}"),))

    def _line(self, which: int, amount: int) -> Change | None:
        """A line changes, its document does not."""
        if not self._family.levels[1:]:
            return None
        level = self._below(amount)
        key = self._pick(level, which)
        return Change(self._document(key), (_set(level, key, self._next()),), stamps=False)

    def _new(self, which: int, amount: int) -> Change | None:
        """A document comes, with its lines."""
        top = self._family.levels[0]
        name = f"{PLACES[amount % len(PLACES)]}N{which % NEW_DOCUMENTS}"
        keys = self._keys(top)
        key = (*keys[which % len(keys)][:-1], name)
        if key in keys:
            return None
        values = self._values(0, key, 1 + amount % 3)
        return Change(key, ({"do": "add", "table": top.table, "values": values},))

    def _add(self, which: int, amount: int) -> Change | None:
        """A line comes: a new one, or one that was there before."""
        if not self._family.levels[1:]:
            return None
        level = self._below(amount)
        number = self._family.levels.index(level)
        parent = self._family.levels[number - 1]
        above = self._pick(parent, which)
        key = (*above, *_inner(level, parent, FIRST_LINE + amount % 4))
        if key in self._keys(level):
            return None
        document = self._document(above)
        added = {
            "do": "add",
            "table": level.table,
            "parent": parent.table,
            "key": list(above),
            "values": self._values(number, key, 0),
        }
        return Change(document, (added, self._touch(document)))

    def _remove(self, which: int, amount: int) -> Change | None:
        """A line goes; one of each table must stay in a document that has some: all gone is not told."""
        if not self._family.levels[1:]:
            return None
        level = self._below(amount)
        key = self._pick(level, which)
        document = self._document(key)
        for lower in self._family.levels[self._family.levels.index(level) :]:
            mine = [found for found in self._keys(lower) if self._document(found) == document]
            if mine and all(found[: len(key)] == key for found in mine):
                return None
        gone = {"do": "remove", "table": level.table, "key": list(key)}
        return Change(document, (gone, self._touch(document)))

    def _values(self, number: int, key: Key, lines: int) -> Record:
        """A new row, with so many rows below it, and as many below each of them."""
        levels = self._family.levels
        level, above = levels[number], () if number == 0 else levels[number - 1].key
        own = dict(zip(level.key[len(above) :], key[len(above) :], strict=True))
        values: Record = {**own, **level.given}
        for below in levels[number + 1 : number + 2] if lines else ():
            values[below.collection] = [
                self._values(number + 1, (*key, *_inner(below, level, FIRST_LINE + line)), lines)
                for line in range(lines)
            ]
        return values

    def _keys(self, level: Level) -> list[Key]:
        rows = [row for row in self._x3.rows(level.table) if level.given.items() <= row.items()]
        return [tuple(row[name] for name in level.key) for row in rows]

    def _pick(self, level: Level, which: int) -> Key:
        keys = self._keys(level)
        return keys[which % len(keys)]

    def _below(self, amount: int) -> Level:
        return self._family.levels[1 + amount % (len(self._family.levels) - 1)]

    def _document(self, key: Key) -> Key:
        return key[: len(self._family.levels[0].key)]

    def _touch(self, document: Key) -> Record:
        return {"do": "touch", "table": self._family.levels[0].table, "key": list(document)}

    def _next(self) -> int:
        self._number += 1
        return self._number


def _set(level: Level, key: Key, value: object) -> Record:
    return {"do": "set", "table": level.table, "key": list(key), "values": {level.column: value}}


def _inner(level: Level, above: Level, number: int) -> Key:
    """The part of a key that a table adds to the key of the one around it."""
    return (number, *(1 for _ in level.key[len(above.key) + 1 :]))
