"""Statements that list runs and batches."""

from __future__ import annotations

from target_snowflake_audit.audit.tables import BATCHES, RUNS
from target_snowflake_audit.cli.sql.statement import Audit, Statement, equals, select


def runs(audit: Audit, limit: int) -> Statement:
    """Newest runs first, each as its latest row shows it."""
    columns = (*RUNS.names, "STARTED_AT")
    return select(columns, audit.name("RUNS_CURRENT"), order='"STARTED_AT" DESC, "RUN_ID"', limit=limit)


def batches(audit: Audit, *, run: str, stream: str, limit: int) -> Statement:
    """Newest batches first; empty text = no restriction."""
    conditions = [equals(name, value) for name, value in (("RUN_ID", run), ("STREAM", stream)) if value]
    order = '"LOADED_AT" DESC, "TARGET_TABLE", "BATCH_NUMBER" DESC'
    return select(BATCHES.names, audit.name("BATCHES"), conditions, order=order, limit=limit)
