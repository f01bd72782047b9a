"""The roles, and what each may do with each audit table; read by the set-up SQL and by its tests.

Snowflake grants INSERT by table, not by row, so REVIEWER and APPROVER may both insert any event. What tells
their events apart is ACTOR_ROLE, which the INSERT takes from CURRENT_ROLE(); whoever reads an approval has to
look at it (docs.snowflake.com/en/user-guide/security-access-control-privileges).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.audit.tables import (
    BATCHES,
    CHECKPOINTS,
    DEAD_LETTER_EVENTS,
    DEAD_LETTERS,
    RECORD_HISTORY,
    RETRIES,
    RUNS,
    WATERMARKS,
)

if TYPE_CHECKING:
    from target_snowflake_audit.audit.tables import Table

OWNER, LOADER, PURGER = "OWNER", "LOADER", "PURGER"
REVIEWER, APPROVER, AUDITOR = "REVIEWER", "APPROVER", "AUDITOR"


@dataclass(frozen=True)
class Role:
    """A role: its name without prefix, and what it is for."""

    name: str
    purpose: str


ROLES = (
    Role(OWNER, "Owns the audit schema and its tables; nobody works with it day by day"),
    Role(LOADER, "Loads data; may only insert into and read the audit schema"),
    Role(REVIEWER, "Reads the audit schema; may insert events, for commands that are still to come"),
    Role(APPROVER, "Reads the audit schema; may insert events, for commands that are still to come"),
    Role(AUDITOR, "Reads the audit schema"),
    Role(PURGER, "Deletes by retention and erases by request; each leaves a row in CHECKPOINTS"),
)
READERS = (REVIEWER, APPROVER, AUDITOR, PURGER)
"""Roles that read every audit table and view, and work with the console command."""

PURGED = (RECORD_HISTORY, DEAD_LETTERS, DEAD_LETTER_EVENTS, RETRIES, RUNS, BATCHES, WATERMARKS)
"""Tables that `purge` deletes from."""
ERASED = (RECORD_HISTORY, DEAD_LETTERS, DEAD_LETTER_EVENTS)
"""Tables that `erase` blanks payloads in."""

_INSERTS = {
    REVIEWER: (DEAD_LETTER_EVENTS,),
    APPROVER: (DEAD_LETTER_EVENTS,),
    PURGER: (DEAD_LETTER_EVENTS, CHECKPOINTS),
}


def privileges(role: str, table: Table) -> tuple[str, ...]:
    """What a role may do with an audit table; the owner, who owns them, is granted nothing."""
    if role == OWNER:
        return ()
    inserts = table is not CHECKPOINTS if role == LOADER else table in _INSERTS.get(role, ())
    found = ["SELECT", *(["INSERT"] if inserts else [])]
    if role == PURGER:
        found += [word for word, tables in (("UPDATE", ERASED), ("DELETE", PURGED)) if table in tables]
    return tuple(found)
