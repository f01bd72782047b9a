"""Transactions that stay open: what they change is stamped when it is made and seen only after the commit.

So a test makes what no polling by stamps can see without a lookback: a record that appears late with an early
stamp.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from local_x3.control.registry import Command
from local_x3.errors import ControlError
from local_x3.model import STAMP, Document, Entry, Key, pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local_x3.control.state import ByKey, Records, State
    from local_x3.declarations import Source

NO_NUMBER = -1  # an added document gets its number from the store when it is committed


class Overlay:
    """The entries that a transaction sees: the committed ones, but for those that it has touched."""

    def __init__(self, below: Records, touched: Mapping[Key, Entry | None]) -> None:
        """Lay `touched` over `below`; None stands for a removed document."""
        self._below = below
        self._touched = touched

    def get(self, key: Key) -> Entry | None:
        """Return the entry of a key."""
        return self._touched[key] if key in self._touched else self._below.by_key.get(key)

    def values(self) -> Iterator[Entry]:
        """Yield every entry, the transaction's own last."""
        yield from (entry for entry in self._below.by_key.values() if entry.key not in self._touched)
        yield from (entry for entry in self._touched.values() if entry is not None)

    def __contains__(self, key: Key) -> bool:
        """Say whether there is a document of this key."""
        return self.get(key) is not None

    def __len__(self) -> int:
        """Return how many documents there are."""
        committed = sum(key in self._below.by_key for key in self._touched)
        return len(self._below.by_key) - committed + sum(e is not None for e in self._touched.values())


class PendingStore:
    """The documents of one source as an open transaction sees them: its changes over the committed ones."""

    def __init__(self, below: Records, locked: dict[tuple[str, Key], str], name: str) -> None:
        """Keep the committed documents; `locked` tells which transaction holds which document."""
        self.source: Source = below.source
        self.version = 0
        self._below = below
        self._locked = locked
        self._name = name
        self._touched: dict[Key, Entry | None] = {}  # None: removed
        self.by_key: ByKey = Overlay(below, self._touched)

    def document(self, entry: Entry) -> Document:
        """Return the document of an entry."""
        if entry.document is not None:
            return entry.document
        return self._below.document(entry)

    def open(self, entry: Entry) -> Document:
        """Return a copy of the document for a change."""
        mine = self._touched.get(entry.key)
        if mine is None:
            self._lock(entry.key)
            document = copy.deepcopy(self.document(entry))
            mine = self._touched[entry.key] = Entry(entry.key, entry.stamp, entry.index, document)
        return self.document(mine)

    def changed(self, entry: Entry) -> None:
        """Take over the stamp of a changed document."""
        mine = self._touched.get(entry.key)
        if mine is not None and mine.document is not None:
            mine.stamp = str(mine.document.row[STAMP])

    def add(self, document: Document) -> Entry:
        """Add a document."""
        key = pick(document.row, self.source.key)
        self._lock(key)
        entry = self._touched[key] = Entry(key, str(document.row[STAMP]), NO_NUMBER, document)
        return entry

    def remove(self, key: Key) -> None:
        """Delete a document."""
        self._lock(key)
        self._touched[key] = None

    def reset(self) -> None:
        """Forget the changes."""
        self._touched.clear()

    def commit(self) -> int:
        """Make the changes visible to all and return how many documents they touched."""
        for key, entry in self._touched.items():
            before = self._below.by_key.get(key)
            if before is not None and (entry is None or entry.document is None):
                self._below.remove(key)
            elif entry is not None and entry.document is not None and before is None:
                self._below.add(entry.document)
            elif entry is not None and entry.document is not None and before is not None:
                opened = self._below.open(before)
                opened.row, opened.children = entry.document.row, entry.document.children
                self._below.changed(before)
        return len(self._touched)

    def _lock(self, key: Key) -> None:
        self._locked[self.source.rest_class, key] = self._name


class Transaction:
    """An open transaction."""

    def __init__(self, name: str, state: State) -> None:
        """Begin one over the committed data; others that are open hold what they have touched."""
        self.name = name
        self.locked = state.locked
        self.stores = [PendingStore(store, state.locked, name) for store in state.stores]

    def commit(self) -> int:
        """Make the changes visible and return how many documents they touched."""
        touched = sum(store.commit() for store in self.stores)
        self.rollback()
        return touched

    def rollback(self) -> None:
        """Forget the changes and let go what was locked."""
        for store in self.stores:
            store.reset()
        for place in [place for place, holder in self.locked.items() if holder == self.name]:
            del self.locked[place]


def inside(state: State, name: str) -> State:
    """Return the state as an open transaction sees it.

    Raises:
        ControlError: no such transaction is open.
    """
    return replace(state, stores=_open(state, name).stores, inside=name)


def _open(state: State, name: str) -> Transaction:
    if name not in state.transactions:
        msg = f"no transaction {name!r} is open; open: {', '.join(state.transactions) or 'none'}"
        raise ControlError(msg)
    return state.transactions[name]


class Begin(Command, tag="begin", kw_only=True):
    """Open a transaction; changes that name it in `transaction` are stamped now and unseen until `commit`."""

    name: str = ""

    def run(self, state: State) -> object:
        """Return its name."""
        name = self.name or f"T{state.transactions_begun + 1}"
        if name in state.transactions:
            msg = f"transaction {name!r} is open already"
            raise ControlError(msg)
        state.transactions_begun += 1
        state.transactions[name] = Transaction(name, state)
        return {"transaction": name}


class Commit(Command, tag="commit", kw_only=True):
    """Make the changes of a transaction visible, with the stamps they got when they were made."""

    transaction: str

    def run(self, state: State) -> object:
        """Return how many documents were touched."""
        touched = _open(state, self.transaction).commit()
        del state.transactions[self.transaction]
        return {"documents": touched}


class Rollback(Command, tag="rollback", kw_only=True):
    """Undo the changes of a transaction."""

    transaction: str

    def run(self, state: State) -> object:
        """Forget it."""
        _open(state, self.transaction).rollback()
        del state.transactions[self.transaction]
        return {}


COMMANDS = (Begin, Commit, Rollback)
