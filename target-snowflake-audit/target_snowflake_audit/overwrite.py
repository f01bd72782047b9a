"""Load method overwrite: the rows of a run are gathered beside the table and replace it at the end.

Until then, and when the run fails, the table is as it was. Batches go the usual way, into a shadow table that
only this run knows; STATE waits for the replacement.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import replacement
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.checking.plan import OVERWRITE, UPSERT
from target_snowflake_audit.counts import Counts
from target_snowflake_audit.definition import OVERTAKEN, columns_of
from target_snowflake_audit.errors import CutInputError, SchemaError, SettingError
from target_snowflake_audit.loader import StreamLoader
from target_snowflake_audit.retry_classes import OBJECT_EXISTS
from target_snowflake_audit.session import StatementError
from target_snowflake_audit.sql import ddl
from target_snowflake_audit.sql import overwrite as sql
from target_snowflake_audit.work import GATHER, Work
from target_snowflake_audit.work import OVERWRITE as REPLACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_snowflake_audit.batch import Batch
    from target_snowflake_audit.checking.plan import Column, StreamPlan
    from target_snowflake_audit.checking.rows import Row
    from target_snowflake_audit.engine import Engine
    from target_snowflake_audit.mapping import Remap
    from target_snowflake_audit.reading.blocks import Records
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.sql.quoting import TableName
    from target_snowflake_audit.values import Json

logger = logging.getLogger(__name__)

_DEAD_AFTER = dt.timedelta(days=1)


def loader_of(engine: Engine, plan: StreamPlan, remap: Remap) -> StreamLoader:
    """Give the loader that a stream's load method needs."""
    kind = OverwriteLoader if plan.method == OVERWRITE else StreamLoader
    return kind(engine, plan, remap)


def for_replay(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings in which overwrite is upsert: a replayed letter is one row of the table, not all of it."""

    def upserting(part: Mapping[str, Any]) -> dict[str, Any]:
        return {**part, "load_method": UPSERT} if part.get("load_method") == OVERWRITE else dict(part)

    found = upserting(settings)
    mapping = found.get("schema_mapping")
    if isinstance(mapping, list):
        found["schema_mapping"] = [
            upserting(entry) if isinstance(entry, dict) else entry for entry in mapping
        ]
    return found


class OverwriteLoader(StreamLoader):
    """Gathers a stream's rows in a shadow table and lets them replace the table at the end of the input."""

    holds_state = True

    def __init__(self, engine: Engine, plan: StreamPlan, remap: Remap) -> None:
        """Bring the table in line with the plan and make the shadow.

        Raises:
            SchemaError: another stream of the run overwrites the same table.
        """
        self._shadow = sql.shadow_of(plan.table, engine.run.lock_table(""), engine.run.run_id, _today())
        self._made = False
        self._history = plan.history
        self._columns: dict[str, Column] = {}
        self._received = 0
        self._told = -1
        self._dead = 0
        self._stamps: list[str] = []
        self._extracted: list[str] = []
        super().__init__(engine, plan, remap)

    def must_load_before(self, record: dict[str, Any] | Row, version: int | None) -> bool:
        """As for other streams, but versions say nothing: the whole table is replaced."""
        del version
        return super().must_load_before(record, None)

    def add(self, *record: Any, version: int | None = None, **more: Any) -> None:  # noqa: ANN401
        """Add a record; its version says nothing."""
        del version
        super().add(*record, version=None, **more)

    def take(self, records: Records, number: Callable[[int], range]) -> int | None:
        """Add records; their versions say nothing."""
        return super().take(replace(records, versions=[None] * len(records)), number)

    def activate(self, version: int, *, ended: bool = False) -> bool:
        """Nothing: the end of the input does it."""
        del version, ended
        self._told = self.newest
        return True

    def finish(self, bookmark: Json = None, *, stated: bool = True) -> Counts:
        """Replace the table by what was gathered, in one transaction.

        Args:
            bookmark: the stream's bookmark in the last STATE, for WATERMARKS.
            stated: a STATE came after the stream's last record. A tap that dies leaves no such sign.

        Raises:
            CutInputError: neither STATE nor ACTIVATE_VERSION came after the last record.
            DeletionLimitError: the table would lose too many rows.
            SchemaError: another stream has rows in the table, or values of others would be lost.
        """
        if not self._received:
            logger.warning(
                "Stream %s: no record came, so %s stays as it is", self.plan.stream, self.plan.table
            )
            return Counts()
        if not stated and self._told < self.newest:
            message = (
                f"stream {self.plan.stream}: the input ended without a STATE or ACTIVATE_VERSION after the "
                f"stream's last record, so it may have been cut off; {self.plan.table} stays as it is"
            )
            raise CutInputError(message)
        whole = self._whole()
        look = partial(replacement.with_others, self.run, whole)
        plan, others = self.engine.retrier.define(whole.stream, str(whole.table), look)
        batch = self.new_batch()
        batch.checker = Checker(plan)
        try:
            batch.stamps = (min(self._stamps), max(self._stamps)) if self._stamps else None
            batch.extracted = (min(self._extracted), max(self._extracted)) if self._extracted else None
            batch.finish()
            work = self._work(batch, REPLACE)
            work.watermark = {"HIGHEST_VALUE": self._highest, "BOOKMARK": bookmark}
            if not plan.key:
                work.after_fence = lambda session: replacement.check_empty(session, plan, others)
            work.classify = lambda tables: sql.compare(
                batch.plan, tables, self._shadow, self._letters_of_run()
            )
            return self.commit(work)
        finally:
            batch.close()

    def close(self) -> None:
        """Drop what was gathered; what cannot be dropped now is removed by a run on a later day."""
        super().close()
        if not self._made:
            return
        self._made = False
        self.run.shadows.discard(self._shadow)
        try:
            with self.run.lane():
                self.run.session().execute(sql.drop(self._shadow), "drop shadow")
        except (StatementError, SettingError) as error:
            logger.warning("%s could not be dropped: %s", self._shadow, error)

    def _aligned(self, plan: StreamPlan) -> StreamPlan:
        """Bring table and shadow in line; batches go into the shadow, without history."""
        plan = super()._aligned(plan)
        if not self._made:
            remove_dead(self.run, self._shadow)
            self._create(plan)
        else:
            self._alter(plan)
        self._history = plan.history
        self._columns |= {column.name: column for column in plan.columns}
        return replace(plan, into=self._shadow, history="off")

    def _create(self, plan: StreamPlan) -> None:
        """Make the shadow.

        Only this run knows its name. One that is there and is no other stream's was made by an attempt whose
        answer was lost: it is empty, and is made again, so that it surely has the columns of the plan.
        """
        if self._shadow in self.run.shadows:
            message = (
                f"stream {plan.stream}: another stream of this run overwrites {plan.table} too; give each "
                "a table of its own in `schema_mapping`, or another `load_method`"
            )
            raise SchemaError(message)
        session, statement = self.run.session(), sql.create(plan, self._shadow)
        try:
            session.execute(statement, "create shadow")
        except StatementError as error:
            if error.errno not in OBJECT_EXISTS:
                raise
            session.execute(sql.drop(self._shadow), "drop shadow")
            session.execute(statement, "create shadow")
        self._made = True
        self.run.shadows.add(self._shadow)

    def _alter(self, plan: StreamPlan) -> None:
        """Rows of an earlier SCHEMA stay: columns are added and widened as those of the table were."""
        new = [column for column in plan.columns if column.name not in self._columns]
        if new:
            self._change(ddl.add_columns(self._shadow, [ddl.column(column) for column in new]), new)
        for column in plan.columns:
            known = self._columns.get(column.name)
            if known is not None and known.type != column.type:
                self._change(ddl.widen(self._shadow, column.name, column.type.sql), [column])

    def _change(self, statement: str, columns: list[Column]) -> None:
        """Alter the shadow; an attempt whose answer was lost may have done it already.

        Raises:
            StatementError: it was refused, and the shadow has not the columns as they should be.
        """
        try:
            self.run.session().execute(statement, "alter shadow")
        except StatementError as error:
            if error.errno not in OVERTAKEN:
                raise
            there = columns_of(self.run, self._shadow) or {}
            if any(column.name not in there or there[column.name].type != column.type for column in columns):
                raise

    def _work(self, batch: Batch, operation: str) -> Work:
        return super()._work(batch, operation if operation == REPLACE else GATHER)

    def commit(self, work: Work) -> Counts:
        """Load a batch; what it did to the shadow is told as what becomes of the records."""
        if work.operation == GATHER:
            work.watermark = {}
        counts = super().commit(work)
        if work.operation == GATHER:
            self._received += counts.received
            self._dead += counts.dead
            self._stamps.extend(work.batch.stamps or ())
            self._extracted.extend(work.batch.extracted or ())
        return counts

    def _counted(self, work: Work, counts: Counts) -> Counts:
        """Received once, by the batches; written once, by the replacement."""
        if work.operation != GATHER:
            return replace(counts, received=0)
        again = counts.received - counts.dead - counts.inserted
        return Counts(received=counts.received, deduplicated=again, dead=counts.dead, stale=counts.stale)

    def _whole(self) -> StreamPlan:
        """The plan of the table with the columns of all SCHEMAs of the run."""
        plan = self.plan
        names = {
            at: plan.columns[at].name for at in (*plan.key, *(() if plan.stamp is None else (plan.stamp,)))
        }
        columns = tuple(self._columns[name] for name in sorted(self._columns))
        index = {column.name: at for at, column in enumerate(columns)}
        return replace(
            plan,
            columns=columns,
            key=tuple(index[names[at]] for at in plan.key),
            stamp=None if plan.stamp is None else index[names[plan.stamp]],
            scope=None,
            into=None,
            history=self._history,
            converters=tuple(converter(column.type) for column in columns),
        )

    def _letters_of_run(self) -> str:
        if not self._dead or not self.plan.key:
            return ""
        letters, events = (self.run.audit_table(name) for name in ("DEAD_LETTERS", "DEAD_LETTER_EVENTS"))
        return sql.kept_letters(letters, events, str(self.plan.table), self.run.run_id)


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def remove_dead(run: Run, shadow: TableName) -> None:
    """Drop the shadows of runs that died more than a day ago; neither SHOW nor DROP needs a warehouse."""
    answer = run.session().execute(sql.show(shadow), "show shadows")
    name = answer.columns.index("name")
    before = _today() - _DEAD_AFTER
    for row in answer.rows:
        made = sql.day_of(str(row[name]))
        if made is not None and made < before:
            old = replace(shadow, table=str(row[name]))
            run.session().execute(sql.drop(old), "drop shadow")
            logger.info("Dropped %s, which a run left behind that did not end", old)
