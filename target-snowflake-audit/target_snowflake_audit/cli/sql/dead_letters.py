"""Statements that find dead letters and what happened to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.audit.tables import DEAD_LETTER_EVENTS, DEAD_LETTERS
from target_snowflake_audit.cli.sql.statement import (
    Audit,
    Condition,
    Statement,
    equals,
    none_of,
    one_of,
    select,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

CLOSED = ("replayed", "replay_skipped", "discarded", "erased")
"""Statuses after which nobody has to act: loaded, superseded by a newer row, given up, or erased."""

STATUS = ("STATUS", "STATUS_AT", "STATUS_ACTOR", "STATUS_NOTE", "STATUS_BATCH_ID", "EVENTS")
REPLAY = (
    "DEAD_LETTER_ID",
    "STREAM",
    "TARGET_TABLE",
    "RECORD_TEXT",
    "SINGER_SCHEMA",
    "REDACTED",
    "ERASURE_ID",
)
DRY_RUN = ("DEAD_LETTER_ID", "STREAM", "TARGET_TABLE", "KEY", "ERRORS", "ERASURE_ID")
"""What a dry run shows of a letter: neither its record nor its stream's schema, which are large."""
_LIST = (
    "DEAD_LETTER_ID",
    "AT",
    "STREAM",
    "TARGET_TABLE",
    "KEY",
    "PHASE",
    "REASON",
    "ERRORS",
    "RUN_ID",
    "BATCH_ID",
    *STATUS,
)
_CURRENT = "DEAD_LETTERS_CURRENT"
_WHOLE = (*DEAD_LETTERS.names, *STATUS)


@dataclass(frozen=True)
class Filter:
    """Which letters to list; empty text = no restriction.

    `status` is open, replayed, skipped or all. `column` is a column's or a property's name, `reason` a reason
    code of any bad column.
    """

    status: str = "open"
    stream: str = ""
    reason: str = ""
    column: str = ""
    run: str = ""


def list_letters(audit: Audit, wanted: Filter, limit: int) -> Statement:
    """Newest letters first."""
    order = '"AT" DESC, "DEAD_LETTER_ID"'
    return select(_LIST, audit.name(_CURRENT), _conditions(audit, wanted), order=order, limit=limit)


def count_letters(audit: Audit, wanted: Filter) -> Statement:
    """How many letters fit, as TOTAL."""
    found = select(("DEAD_LETTER_ID",), audit.name(_CURRENT), _conditions(audit, wanted))
    text = " ".join(['SELECT COUNT(*) AS "TOTAL" FROM', f"({found.text})", "AS found"])
    return Statement(text, found.values, ("TOTAL",))


def letters_by_id(audit: Audit, beginning: str) -> Statement:
    """Whole letters whose identifier begins with a text; at most two, to tell one from several."""
    begins = Condition('STARTSWITH("DEAD_LETTER_ID", %s)', (beginning,))
    return select(_WHOLE, audit.name(_CURRENT), [begins], order='"DEAD_LETTER_ID"', limit=2)


def open_ids(audit: Audit, wanted: Filter) -> Statement:
    """Identifiers of the letters to replay together, in the order in which they arrived."""
    order = '"AT", "SEQ", "DEAD_LETTER_ID"'
    return select(("DEAD_LETTER_ID",), audit.name(_CURRENT), _conditions(audit, wanted), order=order)


def letters_to_replay(
    audit: Audit, identifiers: Sequence[str], columns: tuple[str, ...] = REPLAY
) -> Statement:
    """What a replay, or its dry run, needs of letters, in the order in which they arrived."""
    conditions = [one_of("DEAD_LETTER_ID", identifiers)]
    return select(columns, audit.name("DEAD_LETTERS"), conditions, order='"AT", "SEQ", "DEAD_LETTER_ID"')


def letters_of_record(audit: Audit, table: str, key_hash: str) -> Statement:
    """Letters of one record, oldest first."""
    conditions = [equals("TARGET_TABLE", table), equals("KEY_HASH", key_hash)]
    return select(_WHOLE, audit.name(_CURRENT), conditions, order='"AT", "DEAD_LETTER_ID"')


def events(audit: Audit, letters: Sequence[str]) -> Statement:
    """Events of letters, oldest first."""
    source = audit.name("DEAD_LETTER_EVENTS")
    conditions = [one_of("DEAD_LETTER_ID", letters)]
    return select(DEAD_LETTER_EVENTS.names, source, conditions, order='"AT", "EVENT_ID"')


def _conditions(audit: Audit, wanted: Filter) -> list[Condition]:
    conditions = _status(wanted.status)
    if wanted.stream:
        conditions.append(equals("STREAM", wanted.stream))
    if wanted.run:
        conditions.append(equals("RUN_ID", wanted.run))
    if wanted.reason:
        conditions.append(_any_error(audit, Condition('e.VALUE:"reason"::VARCHAR = %s', (wanted.reason,))))
    if wanted.column:
        text = 'UPPER(e.VALUE:"column"::VARCHAR) = UPPER(%s) OR e.VALUE:"property"::VARCHAR = %s'
        conditions.append(_any_error(audit, Condition(text, (wanted.column, wanted.column))))
    return conditions


def _status(status: str) -> list[Condition]:
    match status:
        case "open":
            return [none_of("STATUS", CLOSED)]
        case "replayed":
            return [equals("STATUS", "replayed")]
        case "skipped":
            return [equals("STATUS", "replay_skipped")]
        case _:
            return []


def _any_error(audit: Audit, condition: Condition) -> Condition:
    """Letters of which a bad column meets the condition; a letter keeps all its bad columns in one array."""
    letters = audit.name("DEAD_LETTERS")
    parts = [
        'SELECT d."DEAD_LETTER_ID" FROM',
        letters,
        'AS d, LATERAL FLATTEN(INPUT => d."ERRORS") AS e WHERE',
    ]
    return Condition(f'"DEAD_LETTER_ID" IN ({" ".join([*parts, condition.text])})', condition.values)
