"""The audit rows that end a batch: how far its stream is loaded, and its row in BATCHES with its digests.

The row of BATCHES comes last: its digest covers everything that the batch has written about itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_snowflake_audit.counts import Counts
from target_snowflake_audit.sql import audit_rows, chain
from target_snowflake_audit.sql.later import OPEN_LETTERS

if TYPE_CHECKING:
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.session import Session
    from target_snowflake_audit.work import Work

REFUSED = "refused"
"""Operation of a batch that was rolled back because it breached a limit: only its dead letters were kept."""

_COVERED = {
    "history": "HISTORY_DIGEST",
    "dead letters": "LETTERS_DIGEST",
    "refused again": "EVENTS_DIGEST",
    "events": "EVENTS_DIGEST",
    "sent since": "EVENTS_DIGEST",
    "watermark": "WATERMARK_DIGEST",
}
"""Steps that write rows which the row of the batch covers."""


def record(run: Run, session: Session, work: Work, counts: Counts, begin: str) -> None:
    """Write the WATERMARKS row of a load and the BATCHES row.

    Args:
        run: the run.
        session: with the timing of the batch's statements so far.
        work: the batch.
        counts: what became of its records.
        begin: query id of BEGIN.
    """
    batch, plan = work.batch, work.batch.plan
    if work.watermark:
        mark = {
            "STREAM": plan.stream,
            "TARGET_TABLE": str(plan.table),
            "RUN_ID": run.run_id,
            "BATCH_ID": batch.batch_id,
            "REPLICATION_KEY": plan.replication_key,
            **work.watermark,
        }
        session.execute(audit_rows.insert(run.audit_table("WATERMARKS"), [mark]), "watermark")
    first, last = batch.stamps or (None, None)
    earliest, latest = batch.extracted or (None, None)
    row = {
        "OPERATION": work.operation,
        **counts.as_columns(),
        "LOAD_METHOD": "append-only" if plan.append and plan.method == "upsert" else plan.method,
        "CONTENT_SHA256": batch.file.sha256,
        "SCHEMA_SHA256": plan.schema_sha256,
        "FILE_BYTES": batch.file.size,
        "SOURCE_FROM": first,
        "SOURCE_TO": last,
        "EXTRACTED_FROM": earliest,
        "EXTRACTED_TO": latest,
        "NOTE": work.note or None,
    }
    _insert(run, session, work, row, begin)


def record_refused(run: Run, session: Session, work: Work, begin: str) -> None:
    """Write the BATCHES row over the dead letters of a batch that was rolled back; its fence is held."""
    sql = chain.table_tip(run.audit_table("BATCHES"), str(work.batch.plan.table))
    split(work, session.execute(sql, "chain tip").rows)
    row = {
        "OPERATION": REFUSED,
        **Counts().as_columns(),
        "NOTE": "The batch breached a limit and was rolled back; only its dead letters were kept",
    }
    _insert(run, session, work, row, begin)


def split(work: Work, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Keep what is among the counts: the last link of the table's chain, and how many letters are open.

    Returns:
        The counts.
    """
    name = str(work.batch.plan.table)
    [(number, digest)] = [(int(row[1]), row[3]) for row in rows if row[0] == name]
    work.tip = (number, None if digest is None else str(digest))
    work.open_letters = sum(int(row[1]) for row in rows if row[0] == OPEN_LETTERS)
    return [row[:3] for row in rows if row[0] not in {name, OPEN_LETTERS}]


def _insert(run: Run, session: Session, work: Work, row: dict[str, Any], begin: str) -> None:
    batch, plan, timing = work.batch, work.batch.plan, session.timing
    spent = sum(timing.milliseconds.values())
    table = run.audit_table("BATCHES")
    written = {_COVERED[step] for step in timing.query_ids if step in _COVERED}
    row = {
        "BATCH_ID": batch.batch_id,
        "RUN_ID": run.run_id,
        "STREAM": plan.stream,
        "TARGET_TABLE": str(plan.table),
        "BATCH_NUMBER": batch.number,
        **row,
        # Snowflake's time at BEGIN, from its own time now and the time the statements took.
        "STARTED_AT": audit_rows.Sql(f"TIMESTAMPADD('millisecond', -{spent}, {chain.NOW})"),
        "LOADED_AT": audit_rows.Sql(chain.NOW),
        "ATTEMPT": work.attempt,
        "QUERY_IDS": {**timing.query_ids, "begin": begin},
        "STEP_MS": timing.milliseconds,
        "WAREHOUSE_MS": timing.warehouse_ms,
        **{
            column: audit_rows.Sql(chain.rows_of_batch(run.audit_table(name), batch.batch_id))
            for column, name in chain.SETS.items()
            if column in written
        },
    }
    link = chain.table_link(str(plan.table), *work.tip)
    session.execute(audit_rows.insert(table, [row], link), "batch row")
