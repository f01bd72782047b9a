"""Counts of a batch, and the check that every received record is accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import IntegrityError
from target_snowflake_audit.sql import classify as op

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import StreamPlan


@dataclass
class Counts:
    """What became of the records of a batch; `removed` rows had no record."""

    received: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deduplicated: int = 0
    deleted: int = 0
    dead: int = 0
    stale: int = 0
    removed: int = 0

    @property
    def written(self) -> int:
        """Rows that the batch writes or deletes."""
        return self.inserted + self.updated + self.deleted + self.removed

    @property
    def kinds(self) -> set[str]:
        """Operations of those rows."""
        done = {
            op.INSERT: self.inserted,
            op.UPDATE: self.updated,
            op.DELETE: self.deleted,
            op.REMOVE: self.removed,
        }
        return {kind for kind, count in done.items() if count}

    @property
    def said(self) -> str:
        """The counts in words."""
        return (
            f"received {self.received}: {self.inserted} inserted, {self.updated} updated, {self.unchanged} "
            f"unchanged, {self.deduplicated} deduplicated, {self.deleted} deleted, {self.dead} dead letters; "
            f"{self.removed} removed"
        )

    def check(self, *, stream: str) -> None:
        """Compare both sides.

        Raises:
            IntegrityError: a record is unaccounted for, or counted twice.
        """
        parts = {
            "inserted": self.inserted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "deduplicated": self.deduplicated,
            "deleted": self.deleted,
            "dead": self.dead,
        }
        if sum(parts.values()) != self.received:
            shown = " + ".join(f"{name} {count}" for name, count in parts.items())
            message = (
                f"stream {stream}: received {self.received} records, but {shown}; the batch was rolled back"
            )
            raise IntegrityError(message)

    def add(self, other: Counts) -> None:
        """Add the counts of another batch."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def as_columns(self) -> dict[str, int]:
        """The columns of BATCHES."""
        return {name.upper(): value for name, value in vars(self).items()}


@dataclass(frozen=True)
class Refusals:
    """Rows that the second net or the older-rows rule took out, by arrival number."""

    bad: dict[int, tuple[int, ...]]
    stale: tuple[int, ...]
    redelivered: int


def tally(received: int, dead: int, rows: list[tuple[Any, ...]], refusals: Refusals) -> Counts:
    """Counts from the classified rows: (operation, rows, rows that cannot be converted)."""
    found = {str(name): (int(total), int(bad)) for name, total, bad in rows}

    def good(name: str) -> int:
        total, bad = found.get(name, (0, 0))
        return total - bad

    return Counts(
        received=received,
        inserted=good(op.INSERT),
        updated=good(op.UPDATE),
        unchanged=good(op.UNCHANGED) + refusals.redelivered,
        deduplicated=good(op.DEDUPLICATED),
        deleted=good(op.DELETE),
        dead=dead + len(refusals.bad) + len(refusals.stale),
        stale=len(refusals.stale),
        removed=good(op.REMOVE),
    )


def needs_refusals(rows: list[tuple[Any, ...]]) -> bool:
    """Whether some classified row cannot be converted or is older than the stored one."""
    return any(int(bad) or str(name) in op.TOO_LATE for name, _, bad in rows)


def hides_good_rows(rows: list[tuple[Any, ...]], known: int, plan: StreamPlan) -> bool:
    """Whether a row that cannot be converted may have beaten a good version of its key.

    `known` of the bad rows are set aside already. Partial records are laid over each other without bad ones.
    """
    bad = sum(int(bad) for _, _, bad in rows)
    beaten = any(str(name) == op.DEDUPLICATED for name, _, _ in rows)
    return bad > known and beaten and not plan.append and not plan.keep


def read_refusals(rows: list[tuple[Any, ...]]) -> Refusals:
    """Read the answer of `classify.refused`."""
    bad: dict[int, tuple[int, ...]] = {}
    stale: list[int] = []
    redelivered = 0
    for seq, marks, _, known in rows:
        if marks:
            bad[int(seq)] = tuple(int(mark) for mark in str(marks).strip(",").split(","))
        elif known:
            redelivered += 1
        else:
            stale.append(int(seq))
    return Refusals(bad, tuple(stale), redelivered)


def check_merge(counts: Counts, columns: tuple[str, ...], row: tuple[Any, ...], *, stream: str) -> None:
    """Compare MERGE's own counts with the classification.

    Raises:
        IntegrityError: another program wrote to the table between the two statements.
    """
    merged = {name: int(value) for name, value in zip(columns, row, strict=True)}
    inserted = merged.get("number of rows inserted", 0)
    changed = merged.get("number of rows updated", 0) + merged.get("number of rows deleted", 0)
    wanted = counts.updated + counts.deleted + counts.removed
    if (inserted, changed) != (counts.inserted, wanted):
        message = (
            f"stream {stream}: MERGE inserted {inserted} and changed {changed} rows, expected "
            f"{counts.inserted} and {wanted}; another program writes to the table; the batch was rolled back"
        )
        raise IntegrityError(message)
