"""An incremental read: sends what changed since the bookmarks, and remembers what it sent."""

from __future__ import annotations

import typing as t

from tap_sagex3.increments import day_before, is_before, next_bookmark, start_of_day, window_start
from tap_sagex3.sync import context as pace
from tap_sagex3.values import later

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tap_sagex3.documents import Document
    from tap_sagex3.sync.context import ReadContext


class IncrementalRead:
    """Sends changed documents: first those of which only lines changed, then by change time.

    That order makes each STATE on the way true: what changed in lines alone before the start of this run has
    been sent when the first bookmark leaves.
    """

    def __init__(
        self, context: ReadContext, since: datetime | None, *, lines_told: bool, is_first: bool
    ) -> None:
        """Read for the slots of `context`; `since` is the earliest start of them all.

        `lines_told` says that documents of which only lines changed are among those that are read. The first
        read of a stream checks that all nested collections are there; a later one may have too few documents.
        """
        self._context = context
        self._since = since
        self._lines_told = lines_told
        self._is_first = is_first
        # A date-only stamp is the midnight of its day, which lies before any start within that day; west of
        # UTC it is the day before.
        self._starts = [
            start_of_day(day_before(slot.start)) if slot.start and context.whole_days else slot.start
            for slot in context.slots
        ]
        self._latest: str | None = None
        self._unsaved = 0

    def run(self, below: Iterable[Document], documents: Iterable[Document]) -> None:
        """Send documents found by their lines, then those found by their own stamp, and save state."""
        latest_below: str | None = None
        for document in below:
            latest_below = later(latest_below, document.stamp)
            self._send(document)
            self._context.progress.document(None)
        for document in documents:
            self._latest = later(self._latest, document.stamp)
            self._send(document)
            self._context.progress.document(document.source)
            if self._unsaved >= pace.STATE_EVERY and not self._is_doubtful():
                self._save()
        self._latest = later(self._latest, latest_below)
        if self._is_first:
            self._context.check_collections()
        else:
            self._context.tell_doubtful_collections()
        for slot in self._context.slots:
            slot.remember_in_state(self._cut(slot.bookmark))
        self._save()

    def _is_doubtful(self) -> bool:
        return self._is_first and self._context.may_lack_collection()

    def _send(self, document: Document) -> None:
        for slot, start in zip(self._context.slots, self._starts, strict=True):
            if slot.depth < document.level:
                continue
            # What was found by its lines was asked for by their stamps, not by its own.
            if not document.level and slot.start != self._since and is_before(document.stamp, start):
                continue
            lines = slot.encode(document)
            if slot.memory.note(document.key, slot.latest(document), lines.digested, self._cut):
                slot.send(self._context.writer, lines)
                self._unsaved += len(lines.lines)

    def _cut(self, before: str | None = None) -> str | None:
        """Start of the window that the next run reads again, as far as known; only asked for when needed."""
        context = self._context
        bookmark = next_bookmark(before, self._latest, context.cap)
        return window_start(bookmark, context.lookback, whole_days=context.whole_days)

    def _save(self) -> None:
        """Send STATE with the bookmarks so far; what was sent is remembered in the last one only."""
        for slot in self._context.slots:
            slot.note_lines(told=self._lines_told)
            slot.set_bookmark(next_bookmark(slot.bookmark, self._latest, self._context.cap))
        self._context.write_state()
        self._unsaved = 0
