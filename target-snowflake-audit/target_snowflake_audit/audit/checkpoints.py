"""What `purge` took out of the chains, as CHECKPOINTS tells it, and how far the rows that are left agree.

The chain of a table loses its oldest batches only, so its checkpoints must follow on each other from number
1, and the first batch that is left on the last of them, digest included. A run's chain loses rows of some
tables, and those of others stay in between: its checkpoints name each row's link, and the digest that the row
told of the link before it. Of one link some rows may go and some stay (events of several letters); those that
stay are then compared by their number only. Of other rows only how many are gone can be compared. Whoever may
delete may write a checkpoint too: each is shown, with who wrote it and why.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import BATCHES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

NOT_AS_WRITTEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading JSON of the audit tables raises after somebody changed it to JSON of another form."""


@dataclass(frozen=True, order=True)
class Purge:
    """Rows of one audit table that one purge deleted: one row of CHECKPOINTS, in the order of its columns."""

    audit_table: str
    target_table: str
    chain: str
    first: int
    last: int
    digest: str
    rows: int
    cutoff: dt.datetime
    at: dt.datetime
    actor: str
    reason: str
    checkpoint: str
    links: tuple[tuple[int, str], ...]
    """Of a run's chain: number and CHAIN_PREVIOUS ('' = none) of each row."""
    unreadable: bool = False
    """Whether LINKS was changed so that it names no links; `links` is empty then."""

    @property
    def text(self) -> str:
        """One line for a person."""
        about = self.target_table or self.chain
        # The events of a batch have no numbers.
        links = f", numbers {self.first} to {self.last}" if self.chain and self.last else ""
        count = "1 row" if self.rows == 1 else f"{self.rows} rows"
        what = f"{self.audit_table}{f' of {about}' if about else ''}: {count}{links}"
        who = f"by {self.actor} on {_minute(self.at)}: {self.reason}"
        return f"{what}, purged until {_minute(self.cutoff)} {who}"


def _minute(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def purge_of(row: Iterable[Any]) -> Purge:
    """A row of `sql.verify.checkpoints`."""
    table, target, name, first, last, digest, rows, cutoff, at, actor, reason, mark, links = row
    numbers = int(first or 0), int(last or 0)
    texts = (str(table), str(target or ""), str(name or ""), *numbers, str(digest or ""))
    named = _links(links)
    who = (str(actor or ""), str(reason), str(mark))
    return Purge(*texts, int(rows), cutoff or at, at, *who, tuple(named or ()), unreadable=named is None)


def _links(text: str | None) -> list[tuple[int, str]] | None:
    """Links in order; None = they are not as a purge writes them."""
    try:
        return sorted(
            (int(one["number"]), str(one.get("previous") or "")) for one in json.loads(text or "[]")
        )
    except NOT_AS_WRITTEN:
        return None


class Checkpoints:
    """All purges of an audit schema."""

    def __init__(self, purges: Iterable[Purge]) -> None:
        """In any order."""
        self.purges = sorted(purges)
        self._chains: dict[str, list[Purge]] = defaultdict(list)
        self._batches: dict[str, list[Purge]] = defaultdict(list)
        self._gone: dict[str, Counter[int]] = defaultdict(Counter)
        for purge in self.purges:
            if purge.audit_table == BATCHES.name:
                self._batches[purge.chain].append(purge)
            elif purge.chain:
                self._chains[purge.chain].append(purge)
                self._gone[purge.chain].update(number for number, _ in purge.links)
        for parts in self._batches.values():
            parts.sort(key=lambda part: part.first)

    # Chains of tables

    def reaches(self, name: str) -> tuple[int, str]:
        """Number and digest of the last batch that was purged from a table's chain; 0 and '' = none."""
        parts = self._batches.get(name)
        return (parts[-1].last, parts[-1].digest) if parts else (0, "")

    def wrong(self, firsts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
        """Chain and reason of what checkpoints say wrongly.

        Args:
            firsts: lowest number that is left of each table's chain.
        """
        for name, parts in self._batches.items():
            before = 0
            for part in parts if name else ():
                if part.first != before + 1 or part.rows != part.last - part.first + 1:
                    yield name, f"{part.rows} rows, {part.first} to {part.last}, do not follow on {before}"
                before = part.last
            if name and firsts.get(name) != before + 1:
                left = firsts.get(name)
                yield name, f"purged until number {before}, but the first one left is {left or 'none'}"
        for part in (part for parts in self._chains.values() for part in parts if part.first):
            numbers = [number for number, _ in part.links]
            if (len(numbers), *numbers[:1], *numbers[-1:]) != (part.rows, part.first, part.last):
                told = f"{part.rows} rows, {part.first} to {part.last}"
                yield part.chain, f"{told}, are not the {len(numbers)} links that are named"

    def agrees(self, name: str, number: int, digest: str) -> bool | None:
        """Whether a batch that was purged had a digest; None = no checkpoint tells, it was not the last."""
        if number > self.reaches(name)[0]:
            return False
        found = [part.digest for part in self._batches[name] if part.last == number]
        return found[0] == digest if found else None

    # Single rows

    def gone(self, name: str, number: int) -> int:
        """Rows that were purged from a link of a run's chain."""
        return self._gone[name][number] if name in self._gone else 0

    def named(self) -> Iterator[tuple[str, int, str]]:
        """Chain, number and digest of the link before each that was purged, as the purged one named it."""
        for name, parts in self._chains.items():
            for number, previous in {link for part in parts for link in part.links}:
                if number > 1:
                    yield name, number - 1, previous

    def rows_of(self, name: str) -> int:
        """Rows that were purged from the events of a batch; they have no numbers."""
        return sum(part.rows for part in self._chains.get(name, ()))

    def rows(self, audit_table: str, target: str) -> int:
        """Rows that were purged from an audit table about a target table."""
        return sum(part.rows for part in self._of(audit_table, target))

    def due(self, audit_table: str, target: str, moment: dt.datetime | None) -> bool:
        """Whether what was written at a moment may have been purged; target '' = of any table."""
        return moment is not None and any(moment < part.cutoff for part in self._of(audit_table, target))

    def _of(self, audit_table: str, target: str) -> list[Purge]:
        return [
            part
            for part in self.purges
            if part.audit_table == audit_table and target in {"", part.target_table}
        ]
