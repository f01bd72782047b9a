"""One read of an entity for the selected streams that stand alike."""

from __future__ import annotations

import logging
import typing as t
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from tap_sagex3.documents import one_by_one
from tap_sagex3.emitter import Emitter, MisfitLog
from tap_sagex3.errors import ApiError, NotReadableError, TapError
from tap_sagex3.increments import DAY, day_before, earliest, not_after, start_of_read
from tap_sagex3.mapping import shape
from tap_sagex3.overlap import OverlapMemory
from tap_sagex3.ranges import KeyRange, range_of
from tap_sagex3.reading import Span, merge, primed
from tap_sagex3.sync.context import ReadContext
from tap_sagex3.sync.first_load import FirstLoad, Piece
from tap_sagex3.sync.full import FullRead
from tap_sagex3.sync.incremental import IncrementalRead
from tap_sagex3.sync.progress import Progress
from tap_sagex3.sync.slots import CONTROL, LINES, MEMORY, Slot, name_of
from tap_sagex3.sync.stages import FIRST, INCREMENT, bookmark_of, first_load_of, stage_of

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from tap_sagex3.documents import Document, Found
    from tap_sagex3.reading import ChangeKey, SourceReader
    from tap_sagex3.settings import Settings
    from tap_sagex3.streams import X3Stream
    from tap_sagex3.sync.stages import FirstLoadState
    from tap_sagex3.writer import BufferedWriter

logger = logging.getLogger("tap-sagex3")

DRY_RUN_DOCUMENTS = 20
"""Documents read, for each record asked for, when a run is limited to some records a stream (--test)."""
_Item = t.TypeVar("_Item")


class EntitySync:
    """Reads one entity for streams that share a reading and a stage."""

    def __init__(
        self,
        streams: Sequence[X3Stream],
        readers: Sequence[SourceReader],
        settings: Settings,
        writer: BufferedWriter,
        run_start: Callable[[], datetime],
        *,
        run_id: str,
    ) -> None:
        """Prepare; nothing is read yet. `run_start` gives the start of the run by the server's clock."""
        self._streams = streams
        self._readers = readers
        self._settings = settings
        self._writer = writer
        self._run_start = run_start
        self._run_id = run_id
        self._full_table = all(stream.is_full_table for stream in streams)
        self._stage = stage_of(streams[0], settings)[0]

    def run(self) -> None:
        """Read, and send SCHEMA, RECORD, ACTIVATE_VERSION and STATE messages.

        Raises:
            NotReadableError: this site does not give the entity; nothing was sent.
            TapError: anything else that keeps the read from being complete.
        """
        changes = [reader.prepare() for reader in self._readers]
        full = self._full_table or any(change.field is None for change in changes)
        if full and not self._full_table:
            self._warn_without_stamp()
        with ExitStack() as stack:
            stack.callback(self._writer.flush)
            slots = [self._slot(stream, changes, stack, full=full) for stream in self._streams]
            context = self._context(slots, changes)
            read = self._prepared(context, changes, full=full)
            for stream in self._streams:
                stream.write_schema(whole_days=context.whole_days)
            try:
                read()
            except NotReadableError as error:  # too late to say that this site does not have the streams
                msg = f"Reading {name_of(slots)} broke off: {error}"
                raise ApiError(msg) from error
            context.progress.end()

    def _prepared(
        self, context: ReadContext, changes: Sequence[ChangeKey], *, full: bool
    ) -> Callable[[], None]:
        """The read to be made; its first document is tried now, so that refusals come before SCHEMA."""
        slots = context.slots
        if any(slot.limit is not None for slot in slots):
            documents = one_by_one(self._tried(slots, self._by_key(), _as_it_is))
            return lambda: self._dry_run(context, documents)
        if full:
            found = self._tried(slots, self._by_key(), _as_it_is)
            return lambda: FullRead(context).run(found)
        if self._stage == FIRST:
            name, state = slots[0].stream.name, slots[0].state
            self._warn_of_start_date(name)
            before = first_load_of(name, state, len(self._readers))
            pieces = self._tried(slots, self._pieces(before), lambda piece: piece.found)
            return lambda: FirstLoad(context, before).run(pieces)
        return self._prepared_increment(context, changes)

    def _prepared_increment(self, context: ReadContext, changes: Sequence[ChangeKey]) -> Callable[[], None]:
        """The documents found by their lines, and those found by their own stamp."""
        slots, until = context.slots, self._settings.end_date
        since = self._start(context)
        # The first run from a start_date on counts documents by their own stamps: nearly every document would
        # be among those with a line changed since.
        below: list[Iterator[Document]] | None = []
        if self._stage == INCREMENT:
            below = self._changed_below(Span(self._start_of_lines(slots, since, context.lookback), until))
        told = below is not None
        if below is None:
            lookback = max(context.lookback, self._settings.line_lookback_days * DAY)
            context = replace(context, lookback=lookback)
            since, below = self._start(context), []
        size = self._settings.page_size
        stamped = [
            reader.documents(Span(_for_days(since, change, changes), until), size)
            for reader, change in zip(self._readers, changes, strict=True)
        ]
        documents = self._tried(
            slots, merge(stamped, sort=all(change.field for change in changes)), _as_it_is
        )
        read = IncrementalRead(context, since, lines_told=told, is_first=self._stage != INCREMENT)
        return lambda: read.run(merge(below or [], sort=False), documents)

    def _start_of_lines(
        self, slots: Sequence[Slot], since: datetime | None, lookback: int
    ) -> datetime | None:
        """Where to ask from for lines that changed alone: further back when runs before could not."""
        marks = [slot.state[LINES] for slot in slots if LINES in slot.state]
        starts = [start_of_read(mark, self._settings.start_date, lookback) for mark in marks]
        return earliest([since, *starts])

    def _changed_below(self, span: Span) -> list[Iterator[Document]] | None:
        """Documents with changed lines, of each source; None when one of the sources does not tell."""
        if all(stream.declaration.depth == 0 for stream in self._streams) and not self._joins():
            return []
        found = []
        for reader in self._readers:
            documents = reader.changed_below(span, self._settings.page_size)
            if documents is None:
                return None
            found.append(documents)
        return found

    def _joins(self) -> bool:
        return any(field.joined for stream in self._streams for field in stream.declaration.fields)

    def _by_key(self) -> Iterator[Found]:
        """All documents of all sources, by key."""
        limits = [stream.ABORT_AT_RECORD_COUNT for stream in self._streams]
        asked = [limit for limit in limits if limit is not None]
        size = min([self._settings.page_size, *(max(limit, 1) * DRY_RUN_DOCUMENTS for limit in asked)])
        for reader in self._readers:
            yield from reader.by_key(None, size)

    def _pieces(self, before: FirstLoadState | None) -> Iterator[Piece]:
        """What a first load has to send: the rest of the source it came to, and all of the sources after."""
        ranges = [KeyRange()] if before is None else [range_of(state) for state in before["ranges"]]
        begun = 0 if before is None else before["source"]
        for reader in self._readers[:begun]:
            reader.stats.lists = 0
        for source, reader in enumerate(self._readers[begun:], begun):
            for place, found in reader.in_ranges(ranges, self._settings.page_size):
                yield Piece(source, ranges, place, found)
            ranges = [KeyRange()]

    @staticmethod
    def _tried(
        slots: Sequence[Slot], items: Iterator[_Item], found_of: Callable[[_Item], Found | None]
    ) -> Iterator[_Item]:
        """The same items, after the rows of the first document were tried for each stream."""

        def first_tried() -> Iterator[_Item]:
            for number, item in enumerate(items):
                found = found_of(item) if number == 0 else None
                for document in islice(one_by_one([found] if found else []), 1):
                    for slot in slots:
                        slot.projections[document.source].rows(document, lambda _row, _misfit: None)
                yield item

        return primed(first_tried())

    def _context(self, slots: Sequence[Slot], changes: Sequence[ChangeKey]) -> ReadContext:
        return ReadContext(
            slots=slots,
            settings=self._settings,
            writer=self._writer,
            run_start=self._run_start(),
            whole_days=any(change.whole_days for change in changes),
            lookback=self._lookback(),
            progress=Progress(slots, [reader.stats for reader in self._readers]),
        )

    def _lookback(self) -> int:
        """Seconds that the next run may read again: the memory must hold what was sent in them.

        Whether that run will need the look-back of lines is only known to an incremental read.
        """
        seconds = self._settings.lookback_seconds
        if self._stage == INCREMENT or not any(stream.declaration.depth for stream in self._streams):
            return seconds
        return max(seconds, self._settings.line_lookback_days * DAY)

    def _slot(self, stream: X3Stream, changes: Sequence[ChangeKey], stack: ExitStack, *, full: bool) -> Slot:
        counter = stack.enter_context(stream.get_record_counter())
        stack.enter_context(stream.get_sync_timer())
        version = stream.next_version() if full and stream.is_full_table else None
        misfits = MisfitLog(stream.name, stream.primary_keys)
        stack.callback(misfits.close)
        slot = Slot(
            stream=stream,
            projections=[stream.projection(i, change.fields) for i, change in enumerate(changes)],
            emitter=Emitter(stream.stream_maps, version, shape(stream.config)),
            misfits=misfits,
            counter=counter,
            run=self._run_id,
            version=version,
        )
        stack.callback(slot.warn_of_missing_columns)
        slot.state.pop(CONTROL, None)
        if not full:
            slot.bookmark = bookmark_of(slot.state)
            slot.memory = OverlapMemory(slot.state.get(MEMORY) or {}, self._settings.overlap_memory)
        return slot

    def _start(self, context: ReadContext) -> datetime | None:
        """Where to read from, for all streams at once."""
        start_date = self._settings.start_date
        if start_date is not None and context.whole_days:
            # The day is the server's own: west of UTC a change of this day may carry the day before.
            start_date -= timedelta(days=1)
        for slot in context.slots:
            try:
                self._check_clock(slot, context.run_start)
                slot.start = start_of_read(slot.bookmark, start_date, context.lookback)
            except ValueError as error:
                name, value = slot.stream.name, slot.bookmark
                msg = f"State of stream {name}: replication_key_value {value!r} is not a time."
                raise TapError(msg) from error
        return earliest(slot.start for slot in context.slots)

    @staticmethod
    def _check_clock(slot: Slot, run_start: datetime) -> None:
        """Move a bookmark back that lies after the start of this run: a clock was set back since."""
        held = not_after(slot.bookmark, run_start)
        if held != slot.bookmark:
            logger.warning(
                "State of stream %s: replication_key_value %s is later than this run (%s): a clock was set "
                "back. Reading goes on from the start of this run, less lookback_seconds.",
                slot.stream.name,
                slot.bookmark,
                held,
            )
            slot.bookmark = held

    def _warn_of_start_date(self, name: str) -> None:
        """Say that a first load which began without `start_date` is finished first."""
        if self._settings.start_date is not None:
            logger.warning(
                "State of stream %s holds a first load that is not complete: it goes on, whatever start_date "
                "says. To begin at start_date instead, take first_load out of the state.",
                name,
            )

    def _warn_without_stamp(self) -> None:
        names = ", ".join(stream.name for stream in self._streams)
        logger.warning(
            "%s: this site shows no change stamp, so every run reads everything and updatedDate is empty. "
            "Add UPDDATTIM to the representation, or set change_field in stream_options.",
            names,
        )

    def _dry_run(self, context: ReadContext, documents: Iterator[Document]) -> None:
        """Send a few documents and leave state as it is."""
        slots = context.slots
        limit = max(slot.limit or 0 for slot in slots)
        for number, document in enumerate(documents):
            if number >= max(limit, 1) * DRY_RUN_DOCUMENTS:
                break
            for slot in slots:
                left = (slot.limit or 0) - slot.sent
                lines = slot.encode(document).lines[: max(left, 0)]
                self._writer.write_lines(lines)
                slot.sent += len(lines)
                slot.counter.increment(len(lines))
            context.progress.document(None)  # there are more of them than a dry run is meant to read
            if all(slot.sent >= (slot.limit or 0) for slot in slots):
                break
        context.write_state()


def _as_it_is(found: Found) -> Found:
    return found


def _for_days(since: datetime | None, change: ChangeKey, changes: Sequence[ChangeKey]) -> datetime | None:
    """Where to read a source from: a day earlier when only it has date-only stamps.

    Those are days of the server's own calendar, which may be one behind the bookmark of a precise stamp.
    """
    mixed = change.whole_days and not all(other.whole_days for other in changes)
    return day_before(since) if mixed and since is not None else since
