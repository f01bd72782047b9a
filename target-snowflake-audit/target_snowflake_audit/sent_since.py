"""Notes of open letters whose row, or whose document without it, came later and left no other trace.

A row that comes again as it is stored is not written, so nothing in the table says when it came; nor does it
of a row that was deleted for good. A replay asks for these notes (`overtaken`); they change no status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit import classifying
from target_snowflake_audit.audit.tables import DEAD_LETTER_EVENTS, DEAD_LETTERS
from target_snowflake_audit.sql import later
from target_snowflake_audit.work import LOAD

if TYPE_CHECKING:
    from target_snowflake_audit.counts import Counts
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.classify import Tables
    from target_snowflake_audit.work import Work


def is_due(*, opened: int, dead: int, quiet: int, documents: bool) -> bool:
    """Whether a batch may have to note something.

    Args:
        opened: letters of its stream or table that were open before it.
        dead: letters that it writes itself, which a row after them may overtake.
        quiet: its rows that leave no trace of their arrival.
        documents: whether it tells which rows documents have.
    """
    return (quiet > 0 and opened + dead > 0) or (documents and opened > 0)


def open_letters(run: Run, work: Work) -> str:
    """SELECT of the number of letters that a batch may overtake, for `recording.split`; '' = it does not."""
    plan = work.batch.plan
    if work.operation != LOAD or plan.append:
        return ""
    letters, events = (run.audit_table(table.name) for table in (DEAD_LETTERS, DEAD_LETTER_EVENTS))
    return later.open_letters(letters, events, plan)


def note(run: Run, session: Session, work: Work, tables: Tables, counts: Counts) -> None:
    """Write the notes of a batch, in its transaction, after its letters."""
    plan = work.batch.plan
    if work.operation != LOAD or plan.append:
        return
    documents = classifying.whole_documents(run, work, tables)
    quiet = counts.unchanged + counts.deleted
    outdated = plan.removes_lines and counts.stale > 0
    if outdated or is_due(opened=work.open_letters, dead=counts.dead, quiet=quiet, documents=bool(documents)):
        notes = later.Notes(run.audit_table, plan, tables, run.run_id, work.batch.batch_id)
        session.execute(notes.insert(documents, outdated=outdated), "sent since")
