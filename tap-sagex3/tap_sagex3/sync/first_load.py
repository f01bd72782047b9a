"""A first load: all documents in the order of their keys, which a later run can go on with at any key.

Neither the order by change time nor a condition on it would do: a document that never got a stamp has no
place in that order that is known, and one that changes while it is read moves. Keys do not move. What changes
meanwhile is read again by the next run, which starts from the beginning of this load.
"""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from tap_sagex3.increments import is_at_or_after, next_bookmark, window_start
from tap_sagex3.overlap import key_digest, version_digest
from tap_sagex3.sync import context as pace
from tap_sagex3.sync.stages import FIRST_LOAD
from tap_sagex3.values import format_time, later

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_sagex3.documents import Document
    from tap_sagex3.sync.context import ReadContext
    from tap_sagex3.sync.stages import FirstLoadState


class FirstLoad:
    """Sends all documents, and STATE with how far it came."""

    def __init__(self, context: ReadContext, before: FirstLoadState | None) -> None:
        """Go on from `before`, or begin."""
        self._context = context
        started = format_time(context.run_start) if before is None else before["started"]
        self._started = datetime.fromisoformat(started).astimezone(UTC)
        self._latest = None if before is None else before["latest"]
        self._until = context.settings.end_date
        self._unsaved = 0

    def run(self, documents: Iterable[Document]) -> None:
        """Send the documents, then put the bookmark into state."""
        for document in documents:
            if self._until is None or not is_at_or_after(document.stamp, self._until):
                self._latest = later(self._latest, document.stamp)
                self._send(document)
            if self._unsaved >= pace.STATE_EVERY and not self._context.may_lack_collection():
                self._save(document)
        self._context.check_collections()
        bookmark = next_bookmark(None, self._latest, self._started)
        for slot in self._context.slots:
            slot.state.pop(FIRST_LOAD, None)
            slot.set_bookmark(bookmark)
            slot.remember_in_state(self._cut())
        self._context.write_state()

    def _send(self, document: Document) -> None:
        key = key_digest(document.key)
        for slot in self._context.slots:
            lines = slot.encode(document)
            slot.send(self._context.writer, lines)
            slot.memory.remember(key, slot.latest(document), version_digest(lines.digested), self._cut)
            self._unsaved += len(lines.lines)
        self._context.progress.document()

    def _cut(self) -> str | None:
        bookmark = next_bookmark(None, self._latest, self._started)
        return window_start(bookmark, self._context.lookback, whole_days=self._context.whole_days)

    def _save(self, document: Document) -> None:
        """Send STATE: everything up to this document was sent."""
        progress: FirstLoadState = {
            "started": format_time(self._started),
            "source": document.source,
            "after": list(document.parts),
            "latest": self._latest,
        }
        for slot in self._context.slots:
            slot.state[FIRST_LOAD] = dict(progress)
        self._context.write_state()
        self._unsaved = 0
