"""What a batch's classification asks of its work: which documents are whole, and what of them is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit import deletions
from target_snowflake_audit.sql import classify, keep
from target_snowflake_audit.work import ACTIVATE, GATHER, LOAD, REPLAY

if TYPE_CHECKING:
    from target_snowflake_audit.batch import Batch
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.work import Work


def statement(run: Run, work: Work, tables: classify.Tables, *, aside: bool) -> str:
    """Statement that classifies the staged rows of a batch."""
    if work.classify is not None:
        return work.classify(tables)
    plan = work.batch.plan
    received = keep.received(plan, tables) if plan.keep else ""
    doubtful = _doubtful(work.batch)
    return classify.classify(
        plan,
        tables,
        removal=_removal(run, work, doubtful),
        received=received,
        doubtful=doubtful,
        aside=aside,
        judged=work.operation != REPLAY,  # whose letters are of different reads of their documents
    )


def whole_documents(run: Run, work: Work, tables: classify.Tables) -> str:
    """SELECT of the documents that came whole with a batch; '' = it tells of none."""
    doubtful = _doubtful(work.batch)
    if _removal(run, work, doubtful) != "scope":
        return ""
    return classify.documents(work.batch.plan, tables, doubtful)


def _doubtful(batch: Batch) -> list[tuple[int, int | None]]:
    return deletions.doubtful(batch.starts, batch.lost, cut=batch.cut)


def _removal(run: Run, work: Work, doubtful: list[tuple[int, int | None]]) -> str:
    if work.operation == ACTIVATE:
        return "all"
    scoped = work.batch.plan.removes_lines and work.operation in {LOAD, GATHER}
    told = not (work.batch.goes_on or run.lost_records) and len(doubtful) <= deletions.MOST_DOUBTFUL
    return "scope" if scoped and told else "none"
