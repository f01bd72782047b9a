"""Loads one stream: gathers batches, decides where they end, and has them loaded."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import limits, versions
from target_snowflake_audit.background import BackgroundLoad
from target_snowflake_audit.batch import Batch, doubt_of
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.deletion_mark import DELETED_PROPERTY
from target_snowflake_audit.counts import Counts
from target_snowflake_audit.definition import bring_in_line
from target_snowflake_audit.deletions import Documents, TornDocument
from target_snowflake_audit.errors import DeadLetterLimitError, SchemaError
from target_snowflake_audit.reading.reader import decode_record
from target_snowflake_audit.refusal_problems import letters_of
from target_snowflake_audit.work import ACTIVATE, GATHER, LOAD, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.checking.problems import Problem
    from target_snowflake_audit.checking.rows import Row, RowForm
    from target_snowflake_audit.engine import Engine
    from target_snowflake_audit.mapping import Mapped, Remap
    from target_snowflake_audit.reading.blocks import Records
    from target_snowflake_audit.values import Json

logger = logging.getLogger(__name__)


class StreamLoader:
    """Loads one stream into its table. Records are added one by one; `load` empties what was gathered."""

    holds_state = False
    """Whether no STATE may leave before `finish`: committed records are not in the table yet."""

    def __init__(self, engine: Engine, plan: StreamPlan, remap: Remap) -> None:
        """Bring the table in line with the plan.

        Args:
            engine: shared by all loaders of the run.
            plan: the stream.
            remap: `stream_maps` of the stream, for records read back from their text.
        """
        self.engine = engine
        self.run = engine.run
        self.plan = self._in_line(plan)
        self._remap = remap
        self._checker = Checker(self.plan)
        self._batch: Batch | None = None
        self._loading: BackgroundLoad | None = None
        self._versions = versions.StreamVersions(plan.stream)
        self.postponed: int | None = None
        """Version to activate at the end of the input: no record of it had come when it was asked for."""
        self._documents = self._new_documents()
        self._torn: TornDocument | None = None
        self._unsure = False
        """The next record may go on with a document of which nothing is known any more."""
        self._highest: str | None = None
        self.newest = 0
        """Number of the stream's latest record."""
        settings = engine.run.settings
        self._rows = int(settings.get("batch_size_rows") or 100_000)
        self._bytes = int(settings.get("batch_size_bytes") or 256 * 1024 * 1024)

    def _in_line(self, plan: StreamPlan) -> StreamPlan:
        return self.engine.retrier.define(plan.stream, str(plan.table), lambda: self._aligned(plan))

    @property
    def form(self) -> RowForm | None:
        """How records of the stream may be decoded where nothing changes them before they come here."""
        return self._checker.form

    @property
    def is_torn(self) -> bool:
        """Whether a document was torn by a SCHEMA."""
        return self._torn is not None

    @property
    def waiting(self) -> int:
        """Records gathered and not loaded, and those of a torn document that are carried along."""
        return self._batch.received + self._batch.carried if self._batch else 0

    @property
    def carries(self) -> bool:
        """Whether all that waits is a torn document."""
        return self._batch is not None and not self._batch.received and self._batch.carried > 0

    @property
    def age(self) -> float:
        """Seconds since the waiting batch got its first record."""
        return time.monotonic() - self._batch.opened if self._batch else 0.0

    def must_load_before(self, record: dict[str, Any] | Row, version: int | None) -> bool:
        """Whether the waiting batch must be loaded before this record is added.

        Raises:
            VersionError: its version is no number.
        """
        batch, version = self._batch, self._versions.of(version)
        starts, again = (True, False) if self._documents is None else self._documents.starts(record, version)
        if batch is None:
            return False
        changed = version is not None and batch.version != version
        if batch.gone and self._key_of(record) in batch.gone:
            return True
        return again or changed or (starts and (self.full or batch.goes_on))

    @property
    def full(self) -> bool:
        """Whether the waiting batch has reached a limit; with documents it ends at the next one."""
        batch = self._batch
        return batch is not None and (batch.received >= self._rows or batch.bytes >= self._bytes)

    @property
    def splits_anywhere(self) -> bool:
        """Whether a batch may end after any record."""
        return self._documents is None

    def add(
        self,
        record: dict[str, Any] | Row,
        raw: bytes,
        seq: int,
        extracted: str | None,
        *,
        version: int | None = None,
        found: list[Problem] | None = None,
    ) -> None:
        """Add a record that is not yet checked."""
        batch = self._batch or self._begin()
        counted = self._versions.of(version)
        if counted is not None and batch.version is None:
            batch.version, batch.versions = counted, self._versions.keys_of(counted)
        self._versions.saw(version, counted)
        if self.plan.keep and record.get(DELETED_PROPERTY) is not None:
            batch.gone.add(self._key_of(record))
        self.newest = seq
        if self._documents is not None and not self._documents.inside:
            batch.starts.append(seq)
        batch.add(record, raw, seq, extracted, found)

    def _begin(self) -> Batch:
        batch = self._batch = self.new_batch()
        if self._documents is not None:
            self._documents.next_batch()
            batch.goes_on = self._documents.inside or self._unsure
            self._unsure = False
        return batch

    def take(self, records: Records, number: Callable[[int], range]) -> int | None:
        """Add as many of these records as the waiting batch takes together, numbered by `number`.

        0 = the first must be looked at by `must_load_before`, as where a batch ends or begins; None = each.
        """
        batch, said = self._batch, records.versions[0]
        version, alike = self._versions.of(said), records.are_of(said)
        if self.plan.keep or not (alike or batch is None):
            return None
        if batch is None and (self._documents is not None or not alike):
            return 0
        if version != (None if batch is None else batch.version):
            return 0
        batch = batch or self._begin()
        count, begins = self._room(records, batch)
        if count:
            seqs = number(count)
            self._versions.saw(said, version)
            self.newest = seqs[-1]
            batch.starts.extend(seqs[at] for at in begins)
            batch.add_all(records.part(0, count), seqs)
        return count

    def _room(self, records: Records, batch: Batch) -> tuple[int | None, list[int]]:
        """How many records the batch takes together, and at which places among them documents start."""
        end = batch.ends(records.raw, self._rows, self._bytes)
        if self._documents is None:
            return min(len(records), end), []
        rows = self._checker.scopes(records.raw)
        if rows is None:
            return None, []
        return self._documents.take(rows, batch.version, lambda at: batch.goes_on or at >= end)

    def _key_of(self, record: dict[str, Any] | Row) -> tuple[str, ...]:
        """The staged fields of the key: `1` and `1.0` may be one."""
        columns, converters = self.plan.columns, self.plan.converters
        return tuple(str(converters[at]([record.get(columns[at].property)])[0]) for at in self.plan.key)

    def hand_over(
        self, bookmark: Json, committed: Callable[[Counts], None], *, cut: bool = False, torn: bool = False
    ) -> None:
        """Start to load what was gathered, after the batch before it; reading goes on meanwhile.

        Args:
            bookmark: the stream's bookmark in the last STATE, for WATERMARKS.
            committed: called in the loading thread when the batch is committed.
            cut: the input ended where its last document may not have ended.
            torn: another SCHEMA comes there; which rows of the document are gone is told by the next batch.

        Raises:
            TargetError: the batch before could not be loaded.
        """
        self.wait()
        batch, self._batch = self._batch, None
        if batch is None:
            return
        try:
            batch.cut = cut or torn
            batch.finish()
            if torn and self._documents is not None:
                self._torn = batch.last_document()
            if batch.stamps:
                self._highest = max(self._highest or "", batch.stamps[1])
            work = self._work(batch, LOAD)
            work.watermark = {"HIGHEST_VALUE": self._highest, "BOOKMARK": bookmark}
            if self._documents is not None and batch.lost:
                work.note, self._unsure = doubt_of(batch)
        except BaseException:
            batch.close()
            raise
        self._loading = BackgroundLoad(lambda: self._load(work), committed, self.plan.stream)

    def _load(self, work: Work) -> Counts:
        try:
            limits.check_columns(work.batch.plan)
            return self.commit(work)
        finally:
            work.batch.close()

    def wait(self) -> None:
        """Wait until no batch of this stream is being loaded.

        Raises:
            TargetError: it could not be loaded; nothing of it is in Snowflake.
        """
        loading, self._loading = self._loading, None
        if loading is not None:
            loading.wait()

    @property
    def has_failed(self) -> bool:
        """Whether the batch that was being loaded has failed; `wait` tells why."""
        return self._loading is not None and self._loading.failed

    def activate(self, version: int, *, ended: bool = False) -> bool:
        """Delete the rows whose keys did not come under a version; all batches must have been loaded.

        Taps say it before the records or after them: without any record it is postponed until the input has
        `ended`.

        Returns:
            Whether a STATE that covers the version may leave: nothing is left to do.

        Raises:
            DeletionLimitError: that would be too many.
            VersionError: the version is older than one activated or received before, or no number.
            SchemaError: the stream has no key.
        """
        version = versions.as_number(self.plan.stream, version)
        if not versions.may_activate(self.plan, version, self._versions.newest):
            return True
        keys = self._versions.begin(version)
        told = keys.told and keys.count
        self.postponed = None if ended or told or not keys.complete else version
        if self.postponed is not None:
            return False
        if self._versions.are_unknown(keys):
            versions.tell_unknown_keys(self.plan.stream, version)
            return False
        batch = self.new_batch()
        try:
            for lines in keys.lines(self.plan):
                batch.file.write(lines)
            batch.finish()
            work = self._work(batch, ACTIVATE)
            work.note = versions.note(version)
            batches, table = self.run.audit_table("BATCHES"), str(self.plan.table)
            work.after_fence = lambda session: versions.check(
                session, batches, table, self.plan.stream, version
            )
            self.commit(work)
        except versions.ActiveVersionError as known:
            logger.info("Stream %s: %s; no row is deleted", self.plan.stream, known)
        finally:
            batch.close()
        return True

    def change(self, plan: StreamPlan, remap: Remap) -> None:
        """Take a new SCHEMA; what was gathered must have been loaded.

        Raises:
            SchemaError: the key changed, or the table cannot hold the new types.
        """
        old, new = (tuple(p.columns[at].property for at in p.key) for p in (self.plan, plan))
        if old != new and self.plan.table == plan.table:
            message = (
                f"stream {plan.stream}: key_properties changed from {list(old)} to {list(new)} within the "
                "run; what was received before is loaded under the old key. Mend the key in the tap, or send "
                "what comes under the new one as another stream"
            )
            raise SchemaError(message)
        self.plan = self._in_line(plan)
        self._remap = remap
        self._checker = Checker(self.plan)
        documents, torn = self._new_documents(), self._torn
        self._torn = None
        if documents is None or self._documents is None or documents.scope != self._documents.scope:
            self._documents = documents
            self._unsure = self.newest > 0
            return
        self._documents.named_by(self._checker.document_of)
        if torn is not None:
            self._carry(torn)

    def _carry(self, torn: TornDocument) -> None:
        """Begin the next batch with a document that was torn by a SCHEMA: its rows are not gone."""
        batch = self._batch = self.new_batch()
        batch.carry(torn, self._again)
        batch.version = torn.version
        if torn.version is not None:
            batch.versions = self._versions.keys_of(torn.version)
        if self._documents is not None:
            self._documents.next_batch()

    def _again(self, raw: bytes) -> Mapped:
        return self._remap(decode_record(raw))

    def commit(self, work: Work) -> Counts:
        """Load one prepared batch with retries, and add up what it did."""
        stream = work.batch.plan.stream
        began = time.monotonic()
        with self.run.lane():
            try:
                done = self.engine.transaction
                counts = self.engine.retrier.load(work, self._attempt, done.isolate, done.is_committed)
            except DeadLetterLimitError:
                self.engine.retrier.save(work, self.engine.transaction.save_letters)
                self.run.refused(stream, work.batch.dead + work.letters_staged)
                raise
        self.run.committed(stream, self._counted(work, counts))
        taken = time.monotonic() - began
        number, operation = work.batch.number, work.operation
        logger.info("Stream %s, batch %s (%s): %s; %.1f s", stream, number, operation, counts.said, taken)
        return counts

    def finish(self, bookmark: Json = None, *, stated: bool = True) -> Counts:
        """Do what the end of the input asks for: nothing, where every batch was the whole of it."""
        del bookmark, stated
        return Counts()

    def _aligned(self, plan: StreamPlan) -> StreamPlan:
        """Bring the table in line with a plan, and give the plan as the table has it."""
        return bring_in_line(self.run, plan)

    def _counted(self, work: Work, counts: Counts) -> Counts:
        """What a batch adds to the counts of the run."""
        del work
        return counts

    def close(self) -> None:
        """Drop what was gathered and is not being loaded."""
        self._versions.forget()
        if self._batch is not None:
            self._batch.close()
            self._batch = None

    def _attempt(self, work: Work) -> Counts:
        self.run.start()
        self.run.write_pending()
        return self.engine.transaction.load(work)

    def _work(self, batch: Batch, operation: str) -> Work:
        work = Work(batch, operation)
        work.letters = lambda refusals: letters_of(work, refusals, self._checker, self._again)
        totals = self.run.totals[self.plan.stream]
        if operation in {LOAD, GATHER}:
            work.judge = lambda counts: limits.check(self.run.settings, totals, counts, batch)
        return work

    def new_batch(self, *, keep_letters: bool = False) -> Batch:
        """Start an empty batch; with `keep_letters` it remembers the problems of its dead letters."""
        if self.plan.hashes:
            retrier, plan = self.engine.retrier, self.plan
            self._checker.redactor.salt = retrier.define(plan.stream, str(plan.table), self.run.salt)
        number = self.run.next_batch_number()
        second = self.engine.second
        return Batch(self._checker, number, self.run.run_id, keep_letters=keep_letters, second=second)

    def _new_documents(self) -> Documents | None:
        if self.plan.scope is None or self.plan.append:
            return None
        names = tuple(self.plan.columns[at].property for at in self.plan.scope)
        return Documents(names, self._checker.document_of)
