"""A first load: all documents by their keys, which a later run can go on with at any key.

Neither the order by change time nor a condition on it would do: a document that never got a stamp has no
place in that order that is known, and one that changes while it is read moves. Keys do not move. What changes
meanwhile is read again by the next run, which starts from the beginning of this load.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime

from tap_sagex3.documents import DocumentPage
from tap_sagex3.increments import is_at_or_after, next_bookmark, window_start
from tap_sagex3.sync import context as pace
from tap_sagex3.sync.stages import FIRST_LOAD
from tap_sagex3.values import format_time, later, latest_of

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_sagex3.documents import Document, Found
    from tap_sagex3.emitter import Block
    from tap_sagex3.ranges import KeyRange
    from tap_sagex3.sync.context import ReadContext
    from tap_sagex3.sync.slots import Slot
    from tap_sagex3.sync.stages import FirstLoadState


@dataclass(frozen=True, slots=True)
class Piece:
    """A document, or a page of them, with its source, the source's ranges and its own; None ends a range."""

    source: int
    ranges: Sequence[KeyRange]
    place: KeyRange
    found: Found | None


class FirstLoad:
    """Sends all documents, and STATE with how far it came."""

    def __init__(self, context: ReadContext, before: FirstLoadState | None) -> None:
        """Go on from `before`, or begin."""
        self._context = context
        started = format_time(context.run_start) if before is None else before["started"]
        self._started = datetime.fromisoformat(started).astimezone(UTC)
        self._latest = None if before is None else before["latest"]
        self._until = context.settings.end_date
        before_until = None if before is None else before.get("until")
        limits = [self._until, datetime.fromisoformat(before_until) if before_until else None]
        self._limit = min((limit for limit in limits if limit is not None), default=None)
        self._cap = self._started if self._limit is None else min(self._started, self._limit)
        self._unsaved = 0
        self._window = ""

    def run(self, pieces: Iterable[Piece]) -> None:
        """Send the documents, then put the bookmark into state."""
        for piece in pieces:
            if piece.found is None:
                piece.place.done = True
            elif isinstance(piece.found, DocumentPage):
                self._send_page(piece.found)
                piece.place.after = piece.found.keys[-1]
            else:
                self._send_document(piece.found)
                piece.place.after = piece.found.parts
            self._save_if_due(piece)
        self._context.check_collections()
        bookmark = next_bookmark(None, self._latest, self._cap)
        for slot in self._context.slots:
            slot.state.pop(FIRST_LOAD, None)
            slot.set_bookmark(bookmark)
            slot.remember_in_state(self._cut())
        self._context.write_state()

    def _send_document(self, document: Document) -> None:
        if self._until is None or not is_at_or_after(document.stamp, self._until):
            self._note(document.stamp)
            self._send(document)
        self._context.progress.document(document.source)

    def _send_page(self, page: DocumentPage) -> None:
        """Send documents that came together: as a whole if possible."""
        slots = self._context.slots
        blocks = [slot.encode_page(page) for slot in slots] if self._until is None else []
        complete = [block for block in blocks if block is not None]
        if len(complete) < len(slots):
            for document in page.documents():
                self._send_document(document)
            return
        self._note(latest_of(page.stamps))
        for slot, (block, times) in zip(slots, complete, strict=True):
            slot.send_page(self._context.writer, block)
            self._remember(slot, page, block, times)
            self._unsaved += len(block.rows)
        self._context.progress.documents(page.source, len(page.keys))

    def _remember(self, slot: Slot, page: DocumentPage, block: Block, times: Sequence[str | None]) -> None:
        """Remember what was sent of the window that the next run reads again."""
        newest = latest_of(times)
        if newest is None or newest[:-1] < self._window:
            return
        for place, latest in enumerate(times):
            if latest is not None and latest[:-1] >= self._window:
                record = slot.emitter.digested(block.rows[place : place + 1])
                slot.memory.note(page.key(place), latest, record, self._cut)

    def _note(self, stamp: str | None) -> None:
        """Take over a later change time: only what changed in the window that it ends is remembered."""
        latest = later(self._latest, stamp)
        if latest != self._latest:
            self._latest = latest
            self._window = (self._cut() or "")[:-1]

    def _send(self, document: Document) -> None:
        for slot in self._context.slots:
            lines = slot.encode(document)
            slot.send(self._context.writer, lines)
            latest = slot.latest(document)
            if latest is not None and latest[:-1] >= self._window:
                slot.memory.note(document.key, latest, lines.digested, self._cut)
            self._unsaved += len(lines.lines)

    def _cut(self) -> str | None:
        bookmark = next_bookmark(None, self._latest, self._cap)
        return window_start(bookmark, self._context.lookback, whole_days=self._context.whole_days)

    def _save_if_due(self, piece: Piece) -> None:
        """Send STATE now and then: everything up to where the ranges are was sent."""
        if self._unsaved < pace.STATE_EVERY or self._context.may_lack_collection():
            return
        progress: FirstLoadState = {
            "started": format_time(self._started),
            "source": piece.source,
            "ranges": [item.as_state() for item in piece.ranges],
            "latest": self._latest,
        }
        if self._limit is not None:
            progress["until"] = format_time(self._limit)
        for slot in self._context.slots:
            slot.state[FIRST_LOAD] = dict(progress)
        self._context.write_state()
        self._unsaved = 0
