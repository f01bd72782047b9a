"""Puts what the audit tables know of one record into the order in which it happened.

Three clocks are at work: the source's, the tap's and Snowflake's. Steps that belong to one load keep their
logical order, whatever their clocks say; loads, refusals and events are ordered by Snowflake's clock alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    Row = Mapping[str, Any]

AUDIT_PREFIX = "_AUDIT_"
# Nothing arrived from the source: the row is gone there, or the record arrived when it was refused.
_WITHOUT_ARRIVAL = frozenset({"replace_scope", "activate_version", "replay"})


@dataclass(frozen=True)
class Change:
    """One column before and after; None = no value, or no row."""

    column: str
    before: object
    after: object


@dataclass(frozen=True)
class Step:
    """One thing that happened to the record.

    `clock` says whose time `at` is: source, tap, target or snowflake. `facts` are short texts by name.
    """

    at: datetime | None
    clock: str
    what: str
    facts: dict[str, object] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    errors: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True)
class Trail:
    """Rows of the audit tables about one record."""

    history: Sequence[Row] = ()
    letters: Sequence[Row] = ()
    events: Sequence[Row] = ()
    batches: Sequence[Row] = ()
    retries: Sequence[Row] = ()

    @property
    def batch_ids(self) -> tuple[str, ...]:
        """Batches that wrote or refused the record, each once."""
        return tuple(dict.fromkeys(str(row["BATCH_ID"]) for row in (*self.history, *self.letters)))


def timeline(trail: Trail) -> list[Step]:
    """Give all steps in order."""
    batches = {row["BATCH_ID"]: row for row in trail.batches}
    told: set[str] = set()  # a batch's attempts are told once, with the first row that it wrote
    groups: list[tuple[datetime, list[Step]]] = []
    arrivals = sorted([*trail.history, *trail.letters], key=_written_at)
    for row in arrivals:
        batch = batches.get(row["BATCH_ID"])
        attempts = [] if row["BATCH_ID"] in told else _attempts(row["BATCH_ID"], batch, trail.retries)
        told.add(row["BATCH_ID"])
        groups.append((_written_at(row), [*_origin(row), *attempts, _outcome(row, batch)]))
    groups += [(row["AT"], [_event(row)]) for row in trail.events]
    return [step for _, steps in sorted(groups, key=lambda group: group[0]) for step in steps]


def changes(before: Row | None, after: Row | None) -> tuple[Change, ...]:
    """Columns whose values differ, in the order of the row; the target's own columns are left out."""
    old, new = before or {}, after or {}
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in names
        if not name.startswith(AUDIT_PREFIX) and old.get(name) != new.get(name)
    )


def _written_at(row: Row) -> datetime:
    written: datetime = row["LOADED_AT"] if "LOADED_AT" in row else row["AT"]
    return written


def _origin(row: Row) -> Iterable[Step]:
    if row.get("CAUSE") in _WITHOUT_ARRIVAL:
        return
    if row.get("SOURCE_TIME") is not None:
        yield Step(row["SOURCE_TIME"], "source", "changed in the source")
    if row.get("EXTRACTED_AT") is not None:
        yield Step(row["EXTRACTED_AT"], "tap", "read by the tap")


def _attempts(batch_id: str, batch: Row | None, retries: Sequence[Row]) -> Iterable[Step]:
    for row in retries:
        if row["BATCH_ID"] == batch_id:
            facts = {
                "attempt": row["ATTEMPT"],
                "step": row["STEP"],
                "error": row["ERROR_CLASS"],
                "errno": row["ERRNO"],
                "outcome": row["OUTCOME"],
            }
            yield Step(row["FAILED_AT"] or row["AT"], "target", "attempt failed", facts)
    if batch is not None:
        facts = {
            "batch": batch_id,
            "run": batch["RUN_ID"],
            "number": batch["BATCH_NUMBER"],
            "attempt": batch["ATTEMPT"],
            "received": batch["RECEIVED"],
        }
        yield Step(batch["STARTED_AT"], "snowflake", "batch started", facts)


def _outcome(row: Row, batch: Row | None) -> Step:
    facts = {"batch": row["BATCH_ID"], "run": row["RUN_ID"]}
    if row.get("ERASURE_ID") is not None:
        facts["erased"] = row["ERASURE_ID"]
    if batch is not None:
        facts["actor"] = batch["ACTOR"]
    if "DEAD_LETTER_ID" in row:
        facts = {"dead letter": row["DEAD_LETTER_ID"], "phase": row["PHASE"], **facts}
        return Step(row["AT"], "snowflake", "refused", facts, errors=tuple(row["ERRORS"] or ()))
    facts = {"cause": row["CAUSE"], **facts}
    changed = () if row["OPERATION"] == "delete" else changes(row["BEFORE"], row["AFTER"])
    return Step(row["LOADED_AT"], "snowflake", str(row["OPERATION"]), facts, changes=changed)


def _event(row: Row) -> Step:
    facts = {
        name: row[column]
        for name, column in (
            ("dead letter", "DEAD_LETTER_ID"),
            ("note", "NOTE"),
            ("patch", "PATCH"),
            ("batch", "BATCH_ID"),
            ("actor", "ACTOR"),
            ("role", "ACTOR_ROLE"),
        )
        if row[column] is not None
    }
    what = f"dead letter {str(row['EVENT']).replace('_', ' ')}"
    return Step(row["AT"], "snowflake", what, facts, errors=tuple(row["ERRORS"] or ()))
