"""What the control commands work on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from local_x3.faults.rules import Faults
from local_x3.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import msgspec

    from local_x3.access.cloud import Gateway
    from local_x3.access.credentials import Credentials
    from local_x3.clock import Clock
    from local_x3.control.registry import Command
    from local_x3.control.transactions import Transaction
    from local_x3.declarations import Source
    from local_x3.graphql.api import GraphQLApi
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
    version: int

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
    credentials: Credentials
    gateway: Gateway | None
    parse: Callable[[bytes | msgspec.Raw], Command]
    faults: Faults = field(default_factory=Faults)
    counters: Counter[str] = field(default_factory=Counter)
    writes_refused: Counter[str] = field(default_factory=Counter)  # since the start; nothing resets it
    transactions: dict[str, Transaction] = field(default_factory=dict)
    transactions_begun: int = 0
    locked: dict[tuple[str, Key], str] = field(default_factory=dict)  # who holds a document of a class
    inside: str = ""  # the transaction whose view this is
    replay: Replay = field(default_factory=Replay)
    link_origin: str = ""  # when set, absolute links name this origin, as behind a reverse proxy
    link_origin_at_start: str = ""
    site: int = 0  # counts the changes that are no change of data
    graphql: GraphQLApi | None = None  # none before V12

    def count_write(self, kind: str, method: str) -> None:
        """Note an attempt to write."""
        self.counters["writes_refused"] += 1
        self.counters[f"writes_refused_{kind}"] += 1
        self.writes_refused[f"{kind} {method}"] += 1
