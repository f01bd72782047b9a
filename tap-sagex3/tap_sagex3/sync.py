"""One read of an entity for all its selected streams.

Documents are fetched once; the rows that each stream gets from a document leave together, document by
document. An incremental read sends what changed since the bookmark and remembers what it sent. A full read
keeps the rows aside until it is complete and sends them only when they differ from what was sent last.
"""

from __future__ import annotations

import logging
import typing as t
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from tempfile import SpooledTemporaryFile

from tap_sagex3.declarations import UPDATED
from tap_sagex3.emitter import Emitter, MisfitLog
from tap_sagex3.errors import ApiError, NotReadableError, TapError
from tap_sagex3.increments import (
    earliest,
    is_before,
    next_bookmark,
    not_after,
    start_of_day,
    start_of_read,
    window_start,
)
from tap_sagex3.overlap import OverlapMemory, digest
from tap_sagex3.reading import ChangeKey, SourceReader, merge
from tap_sagex3.values import later
from tap_sagex3.writer import encode

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk.metrics import Counter

    from tap_sagex3.documents import Document, Projection
    from tap_sagex3.settings import Settings
    from tap_sagex3.streams import X3Stream
    from tap_sagex3.writer import BufferedWriter

logger = logging.getLogger("tap-sagex3")

STATE_EVERY = 10_000
"""Records between STATE messages, where the order allows to go on from there."""
DRY_RUN_DOCUMENTS = 20
"""Documents read, for each record asked for, when a run is limited to some records a stream (--test)."""
_SHAPING = ("stream_maps", "stream_map_config", "flattening_enabled", "flattening_max_depth")
_SPOOL_IN_MEMORY = 8 * 1024 * 1024
_COPY_SIZE = 64 * 1024
_MEMORY = "overlap"
_DIGEST = "digest"
_VERSION = "version"


@dataclass
class Slot:
    """One stream of the read."""

    stream: X3Stream
    projections: Sequence[Projection]
    emitter: Emitter
    misfits: MisfitLog
    counter: Counter
    version: int | None = None
    sent: int = 0
    start: datetime | None = None
    bookmark: str | None = None
    memory: OverlapMemory = field(default_factory=lambda: OverlapMemory({}, 0))

    def encode(self, document: Document) -> tuple[bytes, list[bytes]]:
        """Rows of a document: bytes to digest, and RECORD lines."""
        rows = self.projections[document.source].rows(document, self.misfits)
        return self.emitter.encode(rows, document.extracted)

    def count(self, lines: int) -> None:
        """Count records that were sent."""
        self.sent += lines
        self.counter.increment(lines)

    def forget(self) -> None:
        """Before the first record that differs: take what earlier runs sent out of state.

        When this run ends before its last STATE, the receiver may have newer versions than state knows:
        comparing with the old ones would then keep a document that changed back from being sent.
        """
        state = self.stream.stream_state
        known = [state.pop(name, None) for name in (_MEMORY, _DIGEST)]
        if any(known):
            self.stream.write_state()

    def may_lack_collection(self) -> bool:
        """Whether a nested collection was in no line so far."""
        return any(projection.absent_collection() for projection in self.projections)

    def check_collections(self) -> None:
        """After the last document. Raises NotReadableError for a nested collection that no line had."""
        for projection in self.projections:
            projection.check_collections()

    def warn_of_missing_columns(self) -> None:
        """Tell which columns the answers of this site did not have."""
        missing = dict.fromkeys(name for projection in self.projections for name in projection.missing())
        if missing:
            names = ", ".join(missing)
            logger.warning(
                "%s: this site does not show %s; their columns stay null.", self.stream.name, names
            )

    @property
    def limit(self) -> int | None:
        """Most records to send, in a dry run."""
        return self.stream.ABORT_AT_RECORD_COUNT


class EntitySync:
    """Reads one entity for the streams that share a reading."""

    def __init__(
        self,
        streams: Sequence[X3Stream],
        readers: Sequence[SourceReader],
        settings: Settings,
        writer: BufferedWriter,
        run_start: Callable[[], datetime],
    ) -> None:
        """Prepare; nothing is read yet. `run_start` gives the start of the run by the server's clock."""
        self._streams = streams
        self._readers = readers
        self._settings = settings
        self._writer = writer
        self._run_start = run_start
        self._full_table = all(stream.is_full_table for stream in streams)

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
        limits = [stream.ABORT_AT_RECORD_COUNT for stream in self._streams]
        with ExitStack() as stack:
            stack.callback(self._writer.flush)
            slots = [self._slot(stream, changes, stack, full=full) for stream in self._streams]
            since = None if full else self._start(slots)
            documents = self._documents(changes, slots, since, limits, full=full)
            for stream in self._streams:
                stream.write_schema(whole_days=any(change.whole_days for change in changes))
            try:
                if any(limit is not None for limit in limits):
                    self._dry_run(slots, documents)
                elif full:
                    _FullRead(self._writer, slots).run(documents)
                else:
                    whole_days = any(change.whole_days for change in changes)
                    _IncrementalRead(self, slots, since, whole_days=whole_days).run(documents)
            except NotReadableError as error:  # too late to say that this site does not have the streams
                names = ", ".join(stream.name for stream in self._streams)
                msg = f"Reading {names} broke off: {error}"
                raise ApiError(msg) from error

    def write_state(self) -> None:
        """Send STATE, after all records that were sent."""
        self._streams[0].write_state()

    @property
    def settings(self) -> Settings:
        """Settings of the run."""
        return self._settings

    @property
    def writer(self) -> BufferedWriter:
        """Writer of the run."""
        return self._writer

    @property
    def run_start(self) -> datetime:
        """Start of the run by the server's clock."""
        return self._run_start()

    def _documents(
        self,
        changes: Sequence[ChangeKey],
        slots: Sequence[Slot],
        since: datetime | None,
        limits: Sequence[int | None],
        *,
        full: bool,
    ) -> Iterator[Document]:
        """Documents of all sources; the first is tried at once, so that refusals come before SCHEMA."""
        asked = [limit for limit in limits if limit is not None]
        size = min([self._settings.page_size, *(max(limit, 1) * DRY_RUN_DOCUMENTS for limit in asked)])
        found = [reader.documents(since, size) for reader in self._readers]
        documents = merge(found, sort=not full and all(change.field for change in changes))
        first = next(documents, None)
        if first is None:
            return iter(())
        for slot in slots:
            slot.projections[first.source].rows(first, lambda _row, _misfit: None)
        return chain((first,), documents)

    def _slot(self, stream: X3Stream, changes: Sequence[ChangeKey], stack: ExitStack, *, full: bool) -> Slot:
        counter = stack.enter_context(stream.get_record_counter())
        stack.enter_context(stream.get_sync_timer())
        version = stream.next_version() if full and stream.is_full_table else None
        misfits = MisfitLog(stream.name, stream.primary_keys)
        stack.callback(misfits.close)
        slot = Slot(
            stream=stream,
            projections=[stream.projection(i, change.fields) for i, change in enumerate(changes)],
            emitter=Emitter(stream.stream_maps, version, _salt(stream.config)),
            misfits=misfits,
            counter=counter,
            version=version,
        )
        stack.callback(slot.warn_of_missing_columns)
        if not full:
            state = stream.stream_state
            slot.bookmark = (
                state.get("replication_key_value") if state.get("replication_key") == UPDATED else None
            )
            slot.memory = OverlapMemory(state.get(_MEMORY) or {}, self._settings.overlap_memory)
        return slot

    def _start(self, slots: Sequence[Slot]) -> datetime | None:
        """Where to read from, for all streams at once."""
        settings = self._settings
        for slot in slots:
            try:
                self._check_clock(slot)
                slot.start = start_of_read(slot.bookmark, settings.start_date, settings.lookback_seconds)
            except ValueError as error:
                name, value = slot.stream.name, slot.bookmark
                msg = f"State of stream {name}: replication_key_value {value!r} is not a time."
                raise TapError(msg) from error
        return earliest(slot.start for slot in slots)

    def _check_clock(self, slot: Slot) -> None:
        """Move a bookmark back that lies after the start of this run: a clock was set back since."""
        held = not_after(slot.bookmark, self.run_start)
        if held != slot.bookmark:
            logger.warning(
                "State of stream %s: replication_key_value %s is later than this run (%s): a clock was set "
                "back. Reading goes on from the start of this run, less lookback_seconds.",
                slot.stream.name,
                slot.bookmark,
                held,
            )
            slot.bookmark = held

    def _warn_without_stamp(self) -> None:
        names = ", ".join(stream.name for stream in self._streams)
        logger.warning(
            "%s: this site shows no change stamp, so every run reads everything and updatedDate is empty. "
            "Add UPDDATTIM to the representation, or set change_field in stream_options.",
            names,
        )

    def _dry_run(self, slots: Sequence[Slot], documents: Iterator[Document]) -> None:
        """Send a few documents and leave state as it is."""
        limit = max(slot.limit or 0 for slot in slots)
        for number, document in enumerate(documents):
            if number >= max(limit, 1) * DRY_RUN_DOCUMENTS:
                break
            for slot in slots:
                left = (slot.limit or 0) - slot.sent
                lines = slot.encode(document)[1][: max(left, 0)]
                self._writer.write_lines(lines)
                slot.count(len(lines))
            if all(slot.sent >= (slot.limit or 0) for slot in slots):
                break
        self.write_state()


def _salt(config: Mapping[str, t.Any]) -> bytes:
    """What changes the lines of unchanged rows: when the user changes it, remembered rows are sent again."""
    used = {name: config[name] for name in _SHAPING if config.get(name)}
    return encode(used) if used else b""


class _IncrementalRead:
    """Sends what changed since the bookmarks."""

    def __init__(
        self, sync: EntitySync, slots: Sequence[Slot], since: datetime | None, *, whole_days: bool
    ) -> None:
        self._sync = sync
        self._slots = slots
        self._since = since
        self._whole_days = whole_days
        # A date-only stamp is the midnight of its day, which lies before any start within that day.
        self._starts = [
            start_of_day(slot.start) if slot.start and whole_days else slot.start for slot in slots
        ]
        self._lookback = sync.settings.lookback_seconds
        self._latest: str | None = None
        self._unsaved = 0

    def run(self, documents: Iterator[Document]) -> None:
        """Send the documents and save bookmarks and memory."""
        for document in documents:
            self._latest = later(self._latest, document.stamp)
            self._send(document)
            # Without a start, documents that never got a stamp are still to come: going on from the
            # bookmark would miss them.
            if self._unsaved >= STATE_EVERY and self._since is not None and not self._may_lack_collection():
                self._save()
        for slot in self._slots:
            slot.check_collections()
        for slot in self._slots:
            slot.stream.stream_state[_MEMORY] = slot.memory.state(self._cut(slot.bookmark))
            slot.stream.stream_state.pop(_DIGEST, None)  # of an earlier full read: not true any more
        self._save()

    def _may_lack_collection(self) -> bool:
        return any(slot.may_lack_collection() for slot in self._slots)

    def _send(self, document: Document) -> None:
        for slot, start in zip(self._slots, self._starts, strict=True):
            if slot.start is not self._since and is_before(document.stamp, start):
                continue
            rows, lines = slot.encode(document)
            if slot.memory.note(document.key, document.stamp, rows, self._cut):
                if not slot.sent:
                    slot.forget()
                self._sync.writer.write_lines(lines)
                slot.count(len(lines))
                self._unsaved += len(lines)

    def _cut(self, before: str | None = None) -> str | None:
        """Start of the window that the next run reads again, as far as known; only asked for when needed."""
        bookmark = next_bookmark(before, self._latest, self._sync.run_start)
        return window_start(bookmark, self._lookback, whole_days=self._whole_days)

    def _save(self) -> None:
        """Send STATE with the bookmarks so far; what was sent is remembered in the last one only."""
        for slot in self._slots:
            bookmark = next_bookmark(slot.bookmark, self._latest, self._sync.run_start)
            state = slot.stream.stream_state
            if bookmark is not None:
                state["replication_key"] = UPDATED
                state["replication_key_value"] = bookmark
        self._sync.write_state()
        self._unsaved = 0


class _FullRead:
    """Sends whole tables, when they differ from what was sent last and only after a complete read."""

    def __init__(self, writer: BufferedWriter, slots: Sequence[Slot]) -> None:
        self._writer = writer
        self._slots = slots

    def run(self, documents: Iterator[Document]) -> None:
        """Read everything into unnamed files that only this process can see, then send what changed."""
        with ExitStack() as stack:
            spools = [stack.enter_context(SpooledTemporaryFile(_SPOOL_IN_MEMORY)) for _ in self._slots]
            digests = [blake2b(digest_size=16) for _ in self._slots]
            counts = [0] * len(self._slots)
            for document in documents:
                for number, slot in enumerate(self._slots):
                    rows, lines = slot.encode(document)
                    digests[number].update(rows)
                    spools[number].writelines(lines)
                    counts[number] += len(lines)
            for slot in self._slots:
                slot.check_collections()
            for number, slot in enumerate(self._slots):
                self._send(slot, digest(digests[number].digest(), 12), spools[number], counts[number])
        self._slots[0].stream.write_state()

    def _send(self, slot: Slot, found: str, spool: t.IO[bytes], count: int) -> None:
        state = slot.stream.stream_state
        if state.get(_DIGEST) == found:
            return
        slot.forget()
        spool.seek(0)
        while lines := spool.readlines(_COPY_SIZE):
            self._writer.write_lines(lines)
        slot.count(count)
        if slot.version is not None:
            slot.stream.activate_version(slot.version)
            state[_VERSION] = slot.version
        state[_DIGEST] = found
