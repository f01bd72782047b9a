"""`purge` and `erase`: rows of the audit tables go, or go blank, in one transaction with their checkpoint.

A dry run does all of it and rolls back, so it tells exactly what the real run would do.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import DEAD_LETTER_EVENTS, DEAD_LETTERS, RECORD_HISTORY, TEXT, TIME
from target_snowflake_audit.errors import IntegrityError
from target_snowflake_audit.sql import audit_rows, chain, erasure, retention
from target_snowflake_audit.sql.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.erasure import Subject
    from target_snowflake_audit.sql.quoting import TableName

    Names = Callable[[str], TableName]

ERASED = "erased"


@dataclass(frozen=True)
class Part:
    """Rows of one audit table about one target table ('' = none); times of the oldest and the newest."""

    audit_table: str
    target_table: str
    rows: int
    first: Any
    last: Any


@dataclass(frozen=True)
class Done:
    """What was done: the checkpoint's id, the parts, and whether it was committed."""

    checkpoint: str
    parts: tuple[Part, ...]
    committed: bool


def purge(
    session: Session, audit: Names, *, days: int, reason: str, only: Collection[str], commit: bool
) -> Done:
    """Delete rows older than some days, and say so in CHECKPOINTS.

    Args:
        session: of a role with the rights of PURGER.
        audit: full name of an audit table.
        days: age in days.
        reason: why; kept in the checkpoint.
        only: names of audit tables; empty = all that `purge` deletes from.
        commit: False rolls back.

    Raises:
        StatementError: Snowflake refused a statement; nothing is deleted.
        IntegrityError: rows changed between counting and deleting; nothing is deleted.
    """
    mark = uuid.uuid4().hex
    sql = f"SELECT DATEADD('day', -{int(days)}, SYSDATE())"
    moment = session.execute(sql, "cutoff").rows[0][0]
    cutoff = f"CAST({literal(f'{moment:%Y-%m-%d %H:%M:%S.%f}')} AS {TIME})"
    facts = {"cutoff": cutoff, "mark": literal(mark), "reason": literal(reason)}
    session.execute("BEGIN", "begin")
    try:
        for due in retention.doomed(audit, cutoff):
            if only and due.table.name not in only:
                continue
            session.execute(retention.checkpoint(audit, due, **facts), f"checkpoint {due.table.name}")
            gone = session.execute(retention.delete(audit, due), f"delete {due.table.name}").affected
            noted = sum(
                part.rows for part in _parts(session, audit, mark) if part.audit_table == due.table.name
            )
            if gone != noted:
                message = (
                    f"{due.table.name}: {noted} rows were due, {gone} were deleted; nothing was kept of it"
                )
                raise IntegrityError(message)
        return _end(session, audit, mark, commit=commit)
    finally:
        session.rollback()


def erase(session: Session, audit: Names, subject: Subject, *, reason: str, commit: bool) -> Done:
    """Blank the payloads of a subject's rows, and say so in CHECKPOINTS and in the letters' events.

    Raises:
        StatementError: Snowflake refused a statement; nothing is blanked.
    """
    mark = uuid.uuid4().hex
    session.execute("BEGIN", "begin")
    try:
        found = session.execute(erasure.letters(audit, subject), "find letters").rows
        for letter_id, errors in found:
            blank = json.dumps(erasure.without_values(json.loads(errors or "[]")))
            session.execute(erasure.letter(audit, str(letter_id), blank, mark), "erase letter")
        session.execute(erasure.history(audit, subject, mark), "erase history")
        ids = sorted({str(row[0]) for row in found})
        if ids:
            session.execute(erasure.events(audit, ids, mark), "erase events")
            rows = [_erased_event(one, reason) for one in ids]
            link = chain.link(chain.of_run(mark), 1, chain.typed_null(TEXT))  # all there is of this chain
            session.execute(audit_rows.insert(audit(DEAD_LETTER_EVENTS.name), rows, link), "events")
        for table in (RECORD_HISTORY, DEAD_LETTERS, DEAD_LETTER_EVENTS):
            session.execute(erasure.checkpoint(audit, table, mark, reason), f"checkpoint {table.name}")
        return _end(session, audit, mark, commit=commit)
    finally:
        session.rollback()


def _erased_event(letter_id: str, reason: str) -> dict[str, Any]:
    return {"EVENT_ID": uuid.uuid4().hex, "DEAD_LETTER_ID": letter_id, "EVENT": ERASED, "NOTE": reason}


def _parts(session: Session, audit: Names, mark: str) -> tuple[Part, ...]:
    rows = session.execute(retention.counted(audit, literal(mark)), "count").rows
    return tuple(Part(str(row[0]), str(row[1] or ""), int(row[2]), row[3], row[4]) for row in rows)


def _end(session: Session, audit: Names, mark: str, *, commit: bool) -> Done:
    parts = _parts(session, audit, mark)
    committed = commit and bool(parts)
    if committed:
        session.execute("COMMIT", "commit")
    return Done(mark, parts, committed)
