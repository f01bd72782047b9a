"""What the control commands work on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from local_x3.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local_x3.clock import Clock
    from local_x3.declarations import Source
    from local_x3.model import Document, Entry, Key
    from local_x3.rest.api import RestApi


class ByKey(Protocol):
    """Entries by document key."""

    def get(self, key: Key) -> Entry | None:
        """Return the entry of a key."""

    def values(self) -> Iterator[Entry]:
        """Yield every entry."""

    def __contains__(self, key: Key) -> bool:
        """Say whether there is a document of this key."""

    def __len__(self) -> int:
        """Return how many documents there are."""


class Records(Protocol):
    """The documents of one source, as commands see them: those of a store, or of an open transaction."""

    source: Source

    @property
    def by_key(self) -> ByKey:
        """Entries by document key."""

    def document(self, entry: Entry) -> Document:
        """Return the document of an entry."""

    def open(self, entry: Entry) -> Document:
        """Return the document for a change."""

    def changed(self, entry: Entry) -> None:
        """Take over the stamp of a changed document."""

    def add(self, document: Document) -> Entry:
        """Add a document."""

    def remove(self, key: Key) -> None:
        """Delete a document."""

    def reset(self) -> None:
        """Undo every change."""


@dataclass(slots=True)
class State:
    """What the control commands work on."""

    stores: Sequence[Records]
    clock: Clock
    rest: RestApi
    faults: Faults = field(default_factory=lambda: Faults([]))
    counters: Counter[str] = field(default_factory=Counter)
    link_origin: str = ""  # when set, absolute links name this origin, as behind a reverse proxy
