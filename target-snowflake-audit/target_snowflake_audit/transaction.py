"""One batch, one transaction: data, history, dead letters, batch row and watermark are committed together.

PUT, BEGIN, fence, DELETE, COPY, classify, counts, [refusals, PUT, COPY], [dead letters], [history], MERGE,
watermark, batch row, COMMIT: at most 16 statements, and two that ask for the transaction's id; 17 where the
second net refuses a row and a letter was seen before; one more where lines are gone that did not come with
their document (of whom the table is), and one where letters are open, for rows that leave no trace of their
arrival; three more where a refused version of a key has beaten
a good one (its rows are set aside, classified and counted again). No DDL among them: it would commit what
came before.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import bisection, classifying, deletions, limits, recording, sent_since
from target_snowflake_audit import counts as counting
from target_snowflake_audit.checking.letters import dead_line
from target_snowflake_audit.errors import IntegrityError
from target_snowflake_audit.leaving import Leaving
from target_snowflake_audit.redaction import SALT_TABLE
from target_snowflake_audit.replacement import replace_table
from target_snowflake_audit.retry_classes import OBJECT_EXISTS
from target_snowflake_audit.session import LOCK_TIMEOUT_SECONDS, Session, StatementError, Timing
from target_snowflake_audit.sql import aside as set_aside
from target_snowflake_audit.sql import audit_rows, chain, classify, fence, keep, staging, write
from target_snowflake_audit.sql.quoting import literal, words
from target_snowflake_audit.staging.copied import check_copied, rows_loaded
from target_snowflake_audit.staging.files import BatchFile
from target_snowflake_audit.work import ACTIVATE, LOAD, NO_REFUSALS, OVERWRITE, REPLAY, Work

if TYPE_CHECKING:
    from target_snowflake_audit.batch import Batch
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.counts import Counts, Refusals
    from target_snowflake_audit.run import Run

logger = logging.getLogger(__name__)

_WHOLE = {ACTIVATE: "ACTIVATE_VERSION", OVERWRITE: "load_method overwrite"}
"""Operations that delete what did not come, by the name that messages give them."""
_SAY_AFTER_SECONDS = 5.0


class Transaction:
    """Runs batches in the session that the thread has borrowed; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        """`run` lends the sessions."""
        self._run = run
        self._leaving = Leaving(run)

    def load(self, work: Work) -> Counts:
        """Load a batch.

        Raises:
            StatementError: Snowflake refused a statement; everything is rolled back.
            IntegrityError: a check before COMMIT failed; everything is rolled back.
        """
        session = self._run.session()
        tables = self._tables(work.batch)
        self._prepare(session, work.batch, tables)
        self._leaving.of(session, work.batch.plan)
        session.timing = Timing()
        try:
            with session.tagged(work.batch.plan.stream, work.batch.batch_id):
                return self._run_batch(session, work, tables)
        except IntegrityError:
            session.check_transaction()  # rows of an aborted transaction are missing: that can be tried again
            raise
        finally:
            session.rollback()

    def is_committed(self, work: Work) -> bool:
        """Whether a batch whose COMMIT was not answered is stored; its fence is free when that has ended."""
        session = self._run.session()
        with session.tagged(work.batch.plan.stream, work.batch.batch_id):
            try:
                session.execute("BEGIN", "begin")
                self._take_fence(session, work, self._tables(work.batch))
                return self._committed(session, work.batch)
            finally:
                session.rollback()

    def isolate(self, work: Work, search: bisection.Search) -> dict[int, StatementError]:
        """Find the rows of a batch that Snowflake refuses, or go on with that; nothing is changed."""
        session = self._run.session()
        with session.tagged(work.batch.plan.stream, work.batch.batch_id):
            return self._isolate(session, work, search)

    def _isolate(self, session: Session, work: Work, search: bisection.Search) -> dict[int, StatementError]:
        plan, tables = work.batch.plan, self._tables(work.batch)
        self._prepare(session, work.batch, tables)
        folder = self._put(session, work.batch)
        # Outside a transaction: the temporary tables stay, while each probe is rolled back.
        self._copy(session, plan, tables, folder)
        self._decide(session, work, tables)
        hard = bool(self._run.settings.get("hard_delete"))

        def statement(within: tuple[int, int]) -> str:
            if plan.append:
                return write.append(plan, tables, work.batch.batch_id, within=within)
            return write.merge(plan, tables, work.batch.batch_id, hard_delete=hard, within=within)

        return search.run(bisection.prober(session, statement))

    def save_letters(self, work: Work, *, again: bool = False) -> None:
        """Write the dead letters of a batch that was rolled back, in a transaction of their own.

        `again`: it was tried before, and may have been committed although the answer was lost.
        """
        session = self._run.session()
        with session.tagged(work.batch.plan.stream, work.batch.batch_id):
            self._save_refused(session, work, again=again)

    def _save_refused(self, session: Session, work: Work, *, again: bool) -> None:
        tables = self._tables(work.batch)
        self._prepare(session, work.batch, tables)
        session.timing = Timing()
        folder = self._put(session, work.batch)
        self._put_letters(session, work, work.all_refusals, "saved")
        try:
            began = session.execute("BEGIN", "begin")
            self._take_fence(session, work, tables)
            if again and self._committed(session, work.batch):
                return
            self._copy(session, work.batch.plan, tables, folder)
            self._copy_letters(session, work, tables)
            self._save_letters(session, work, tables)
            recording.record_refused(self._run, session, work, began.query_id)
            session.execute("COMMIT", "commit")
        finally:
            session.rollback()

    def _tables(self, batch: Batch) -> classify.Tables:
        suffix = fence.fence_of(batch.plan.table, self._run.lock_table("")).table.removeprefix("FENCE_")
        lock = self._run.lock_table
        plan = batch.plan
        return classify.Tables(lock(f"STAGED_{suffix}"), lock(f"TYPED_{suffix}"), plan.into or plan.table)

    def _prepare(self, session: Session, batch: Batch, tables: classify.Tables) -> None:
        """Make the fence and the temporary tables that are missing. DDL: before BEGIN."""
        name = fence.fence_of(batch.plan.table, tables.staging)
        if name.table not in self._run.fences():
            try:
                session.execute(fence.create(name), "create fence")
            except StatementError as error:
                if error.errno not in OBJECT_EXISTS:
                    raise
            self._run.fences().add(name.table)
        lane, made = self._run.here, tables.staging.table
        columns = batch.plan.columns, batch.plan.foreign
        if lane.made.get(made) != columns:
            session.execute(staging.create_staging(batch.plan, tables.staging), "create staging")
            session.execute(staging.create_typed(batch.plan, tables.typed), "create typed")
            lane.made[made] = columns
            lane.used.discard(made)

    def _run_batch(self, session: Session, work: Work, tables: classify.Tables) -> Counts:
        batch, plan = work.batch, work.batch.plan
        folder = self._put(session, batch)
        began = session.execute("BEGIN", "begin")
        self._take_fence(session, work, tables)
        if work.attempt > 1 and self._committed(session, batch):
            if work.counts is None:
                message = f"batch {batch.batch_id} is in BATCHES but was never tried to commit"
                raise IntegrityError(message)
            return work.counts
        work.after_fence(session)
        copied = self._copy(session, batch.plan, tables, folder)
        check_copied(plan, copied, batch.file.lines)
        found = self._decide(session, work, tables)
        refusals = self._refusals(session, work, tables, found)
        counts = counting.tally(batch.received, batch.dead, found, refusals)
        if work.operation == OVERWRITE:
            counts.received = counts.inserted + counts.updated + counts.unchanged
        self._judge(session, work, tables, counts)
        if counts.dead and work.operation != REPLAY:
            self._save_letters(session, work, tables, counts.dead)
        sent_since.note(self._run, session, work, tables, counts)
        self._write(session, work, tables, counts)
        work.before_commit(session, refusals, tables, counts)
        recording.record(self._run, session, work, counts, began.query_id)
        counts.check(stream=plan.stream)
        work.counts = counts
        session.execute("COMMIT", "commit")
        return counts

    def _decide(self, session: Session, work: Work, tables: classify.Tables) -> list[tuple[Any, ...]]:
        """Classify the staged rows and give their counts; a version that is refused beats no good one."""
        plan, seqs = work.batch.plan, sorted(work.refused)
        if seqs:
            session.execute(set_aside.refused(tables, seqs), "set aside")
        found = self._classified(session, work, tables, aside=bool(seqs))
        if work.classify is None and counting.hides_good_rows(found, len(seqs), plan):
            session.execute(set_aside.unconvertible(plan, tables), "set aside")
            found = self._classified(session, work, tables, aside=True)
        return found

    def _classified(
        self, session: Session, work: Work, tables: classify.Tables, *, aside: bool
    ) -> list[tuple[Any, ...]]:
        session.execute(classifying.statement(self._run, work, tables, aside=aside), "classify")
        if work.refused:
            session.execute(set_aside.mark(tables, sorted(work.refused)), "refuse")
        work.after_classify(session, tables)
        batches, table = self._run.audit_table("BATCHES"), str(work.batch.plan.table)
        opened = sent_since.open_letters(self._run, work)
        sql = chain.with_tip(classify.counts(tables), batches, table, opened)
        return recording.split(work, session.execute(sql, "counts").rows)

    def _put(self, session: Session, batch: Batch) -> str:
        """Send the file; an empty one stays here, since Snowflake refuses to COPY it (100080)."""
        if not batch.file.lines:
            return ""
        folder = self._run.stage_folder(batch.batch_id, "rows")
        session.execute(staging.put(batch.file.path, folder), "put")
        return folder

    def _take_fence(self, session: Session, work: Work, tables: classify.Tables) -> None:
        name = fence.fence_of(work.batch.plan.table, tables.staging)
        waiting = threading.Timer(_SAY_AFTER_SECONDS, _say_waiting, (work.batch.plan.stream, str(name)))
        waiting.daemon = True
        waiting.start()
        try:
            taken = session.execute(fence.take(name), "fence")
        finally:
            waiting.cancel()
        if taken.affected != 1:
            message = (
                f"fence {name} of {work.batch.plan.table} has {taken.affected} rows, expected exactly one; "
                "an owner must drop it so that it is made again"
            )
            raise IntegrityError(message)

    def _committed(self, session: Session, batch: Batch) -> bool:
        """Whether an earlier attempt was committed although its answer was lost; asked under the fence."""
        table = self._run.audit_table("BATCHES").sql
        sql = words("SELECT COUNT(*) FROM", table, 'WHERE "BATCH_ID" =', literal(batch.batch_id))
        return bool(session.execute(sql, "look up batch").rows[0][0])

    def _copy(self, session: Session, plan: StreamPlan, tables: classify.Tables, folder: str) -> int:
        used = self._run.here.used
        if tables.staging.table in used:
            session.execute(staging.empty(tables.staging), "empty staging")
        used.add(tables.staging.table)
        if not folder:
            return 0
        answer = session.execute(staging.copy(plan, tables.staging, folder), "copy")
        return rows_loaded(answer.columns, answer.rows)

    def _refusals(
        self, session: Session, work: Work, tables: classify.Tables, found: list[tuple[Any, ...]]
    ) -> Refusals:
        """Second net and older rows: stage a letter for each row that Snowflake would not take."""
        work.letters_folder, work.letters_staged, work.refusals = "", 0, NO_REFUSALS
        if not counting.needs_refusals(found):
            return NO_REFUSALS
        history = self._run.audit_table("RECORD_HISTORY")
        plan = work.batch.plan
        sql = classify.refused(tables, history, str(plan.table))
        if plan.keep:
            sql = keep.refused(plan, tables, history, str(plan.table))
        work.refusals = counting.read_refusals(session.execute(sql, "refusals").rows)
        self._put_letters(session, work, work.refusals, str(work.attempt))
        self._copy_letters(session, work, tables)
        return work.refusals

    def _put_letters(self, session: Session, work: Work, refusals: Refusals, mark: str) -> None:
        """Send a file of the letters to a folder of its own; `mark` ends its name."""
        letters = work.letters(refusals)
        work.letters_folder, work.letters_staged = "", len(letters)
        if letters:
            file = BatchFile(work.batch.folder / f"letters{mark}.csv.gz")
            file.write(dead_line(letter, fields) for letter, fields in letters)
            file.close()
            work.letters_folder = self._run.stage_folder(work.batch.batch_id, f"letters{mark}")
            session.execute(staging.put(file.path, work.letters_folder), "put letters")

    @staticmethod
    def _copy_letters(session: Session, work: Work, tables: classify.Tables) -> None:
        if work.letters_folder:
            plan = work.batch.plan
            answer = session.execute(staging.copy(plan, tables.staging, work.letters_folder), "copy letters")
            check_copied(plan, rows_loaded(answer.columns, answer.rows), work.letters_staged)

    def _judge(self, session: Session, work: Work, tables: classify.Tables, counts: Counts) -> None:
        batches = self._run.audit_table("BATCHES")
        if work.operation in _WHOLE:
            plan, what = work.batch.plan, _WHOLE[work.operation]
            limits.check_alone(session, batches, plan, what)
            work.live = int(session.execute(classify.live_rows(tables), "live rows").rows[0][0])
            percent = float(self._run.settings.get("max_deleted_percent", 20))
            # Without a key, a row that changed is one that is gone and one that is new.
            lost = counts.removed if plan.key else max(0, counts.removed - counts.inserted)
            deletions.check_share(lost, work.live, percent, stream=plan.stream, what=what)
        elif work.operation == LOAD and counts.removed:
            limits.check_alone(session, batches, work.batch.plan, "x-replace-scope")
        work.judge(counts)

    def _save_letters(
        self, session: Session, work: Work, tables: classify.Tables, expected: int = -1
    ) -> None:
        """Insert the staged letters; where fewer than `expected` are new, say which were refused again."""
        plan = work.batch.plan
        facts = {
            "RUN_ID": self._run.run_id,
            "BATCH_ID": work.batch.batch_id,
            "STREAM": plan.source_stream,
            "TARGET_TABLE": str(plan.table),
            "SINGER_SCHEMA": plan.singer_schema,
            "SCHEMA_SHA256": plan.schema_sha256,
        }
        letters = self._run.audit_table("DEAD_LETTERS")
        sql = audit_rows.dead_letters(letters, tables.staging, facts)
        if session.execute(sql, "dead letters").affected != expected:
            events = self._run.audit_table("DEAD_LETTER_EVENTS")
            again = audit_rows.refused_again(events, letters, tables.staging, facts)
            session.execute(again, "refused again")

    def _write(self, session: Session, work: Work, tables: classify.Tables, counts: Counts) -> None:
        batch, plan = work.batch, work.batch.plan
        plan = dataclasses.replace(plan, left=self._leaving.of(session, plan))
        logged = counts.written if plan.history == "all" else counts.written - counts.inserted
        if logged and plan.history != "off":
            facts = {
                "run": literal(self._run.run_id),
                "batch": literal(batch.batch_id),
                "table": literal(str(plan.table)),
                "stream": literal(plan.stream),
                "salt": self._run.lock_table(SALT_TABLE).sql,
                "inserts": "yes" if plan.history == "all" else "no",
                "replay": "yes" if work.operation == REPLAY else "no",
                "removal": literal(work.operation if work.operation in _WHOLE else "replace_scope"),
            }
            history = self._run.audit_table("RECORD_HISTORY")
            session.execute(write.history(plan, tables, history, facts, counts.kinds), "history")
        if work.operation == OVERWRITE:
            replace_table(session, work, tables, counts)
            return
        if not counts.written:
            return
        if plan.append:
            session.execute(write.append(plan, tables, batch.batch_id), "append")
            return
        hard = bool(self._run.settings.get("hard_delete"))
        sql = write.merge(plan, tables, batch.batch_id, hard_delete=hard, kinds=counts.kinds)
        merged = session.execute(sql, "merge")
        counting.check_merge(counts, merged.columns, merged.rows[0], stream=plan.stream)


def _say_waiting(stream: str, name: str) -> None:
    logger.warning(
        "Stream %s: another session is writing to the table; waiting for its fence %s (at most %s s; "
        "SHOW LOCKS IN ACCOUNT names the session)",
        stream,
        name,
        LOCK_TIMEOUT_SECONDS,
    )
