"""What the target must leave of a stream, in plain Python: an upsert with the rule of older rows."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Record = dict[str, Any]
Key = tuple[Any, ...]
DELETED = "_sdc_deleted_at"


@dataclass(frozen=True)
class Rules:
    """What the SCHEMA says of a stream.

    `names` are all properties; `stamp` is the bookmark property, if it is a time; `by_day`: it has no time of
    day; `scope` are the properties of `x-replace-scope`.
    """

    names: tuple[str, ...]
    key: tuple[str, ...]
    stamp: str | None = None
    by_day: bool = False
    scope: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arrival:
    """A record as it came; `bad` are the properties that do not fit."""

    record: Record
    bad: frozenset[str] = frozenset()


@dataclass
class Table:
    """Rows by key; a deleted one stays, since its stamp counts."""

    rules: Rules
    rows: dict[Key, Record] = field(default_factory=dict)
    deleted: set[Key] = field(default_factory=set)
    letters: list[Arrival] = field(default_factory=list)
    """Records that do not fit; not those that come too late, since where batches end decides them."""

    @property
    def live(self) -> list[Record]:
        """Rows that are not deleted."""
        return [row for key, row in self.rows.items() if key not in self.deleted]

    def run(self, arrivals: Sequence[Arrival]) -> None:
        """Take the records of one run."""
        for _, document in itertools.groupby(arrivals, self._document):
            together = list(document)
            gone = self._gone(together) if self.rules.scope else set()
            for arrival in together:
                self._take(arrival)
            self.deleted |= gone

    def _document(self, arrival: Arrival) -> Key:
        return tuple(arrival.record[name] for name in self.rules.scope)

    def _key(self, arrival: Arrival) -> Key | None:
        if arrival.bad & set(self.rules.key):
            return None
        return tuple(arrival.record[name] for name in self.rules.key)

    def _gone(self, document: Sequence[Arrival]) -> set[Key]:
        """Live rows of a document that did not come with it.

        None where a key cannot be read, or where the document is older than what is stored.
        """
        keys = {self._key(arrival) for arrival in document}
        old = any(self._older(arrival) for arrival in document if not arrival.bad)
        if None in keys or old:
            return set()
        at = [self.rules.key.index(name) for name in self.rules.scope]
        name = self._document(document[0])
        stored = {key for key in self.rows if tuple(key[n] for n in at) == name}
        return stored - self.deleted - keys

    def _older(self, arrival: Arrival) -> bool:
        stored = self.rows.get(self._key(arrival) or ())
        mine = self._moment(arrival.record)
        theirs = None if stored is None else self._moment(stored)
        return mine is not None and theirs is not None and mine < theirs

    def _moment(self, record: Record) -> dt.datetime | dt.date | None:
        text = None if self.rules.stamp is None else record.get(self.rules.stamp)
        if text is None:
            return None
        moment = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
        return moment.date() if self.rules.by_day else moment

    def _take(self, arrival: Arrival) -> None:
        if arrival.bad:
            self.letters.append(arrival)
            return
        key = self._key(arrival) or ()
        says_deleted = arrival.record.get(DELETED) is not None
        if says_deleted and (key not in self.rows or key in self.deleted):
            return
        if self._older(arrival):
            return
        if says_deleted:
            self.deleted.add(key)
            name = self.rules.stamp
            if name is not None and self._moment(arrival.record) is not None:
                self.rows[key] = {**self.rows[key], name: arrival.record[name]}
            return
        self.rows[key] = {name: arrival.record.get(name) for name in self.rules.names}
        self.deleted.discard(key)
