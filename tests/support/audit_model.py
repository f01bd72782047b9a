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
        return [self.rows[key] for key in self.live_keys]

    @property
    def live_keys(self) -> list[Key]:
        """Keys of rows that are not deleted."""
        return [key for key in self.rows if key not in self.deleted]

    def run(self, arrivals: Sequence[Arrival], batches: Sequence[int]) -> None:
        """Take the records of one run; `batches` are the numbers of records of its batches.

        Inside a batch a deletion beats what is older than it, also of a row that is not there. Afterwards it
        has left no trace unless the row was there before the batch, and live.
        """
        left = iter(arrivals)
        for size in batches:
            rows, live = dict(self.rows), set(self.live_keys)
            for _, document in itertools.groupby(itertools.islice(left, size), self._document):
                self._take_document(list(document))
            for key in list(self.deleted):
                if key in live:
                    self._stamp(key, rows[key])
                elif key in rows:
                    self.rows[key] = rows[key]
                else:
                    self.deleted.remove(key)
                    del self.rows[key]
        assert next(left, None) is None

    def _stamp(self, key: Key, before: Record) -> None:
        """Of a deletion without a stamp the row keeps the one that it had."""
        name = self.rules.stamp
        if name is not None and self.rows[key][name] is None:
            self.rows[key] = {**self.rows[key], name: before[name]}

    def _take_document(self, together: Sequence[Arrival]) -> None:
        gone = self._gone(together) if self.rules.scope else set()
        live = set(self.live_keys) if self.rules.scope and self._outdated(together) else None
        for arrival in together:
            self._take(arrival, live)
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
        if None in keys or any(self._older(arrival) for arrival in document):
            return set()
        at = [self.rules.key.index(name) for name in self.rules.scope]
        name = self._document(document[0])
        stored = {key for key in self.rows if tuple(key[n] for n in at) == name}
        return stored - self.deleted - keys

    def _outdated(self, document: Sequence[Arrival]) -> bool:
        """Whether a row of a document is older than the stored one, which is live.

        Not one after another of its key without a stamp, which has taken the stored row's place.
        """
        replaced: set[Key | None] = set()
        for arrival in document:
            key = self._key(arrival)
            if key not in replaced and key not in self.deleted and self._older(arrival):
                return True
            if not arrival.bad and self._moment(arrival) is None:
                replaced.add(key)
        return False

    def _older(self, arrival: Arrival) -> bool:
        stored = self.rows.get(self._key(arrival) or ())
        mine = self._moment(arrival)
        theirs = None if stored is None else self._moment(Arrival(stored))
        return mine is not None and theirs is not None and mine < theirs

    def _moment(self, arrival: Arrival) -> dt.datetime | dt.date | None:
        stamp = self.rules.stamp
        text = None if stamp is None or stamp in arrival.bad else arrival.record.get(stamp)
        if text is None:
            return None
        moment = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
        return moment.date() if self.rules.by_day else moment

    def _take(self, arrival: Arrival, live: set[Key] | None) -> None:
        """Take a record; of an outdated document (`live` is given) only one whose row was live before it."""
        if arrival.bad:
            self.letters.append(arrival)
            return
        key = self._key(arrival) or ()
        says_deleted = arrival.record.get(DELETED) is not None
        if self._older(arrival) or (live is not None and key not in live and not says_deleted):
            return
        came = {name: arrival.record.get(name) for name in self.rules.names}
        if says_deleted:
            self.deleted.add(key)
            name = self.rules.stamp
            self.rows[key] = {**self.rows.get(key, came), **({name: came[name]} if name else {})}
            return
        self.rows[key] = came
        self.deleted.discard(key)
