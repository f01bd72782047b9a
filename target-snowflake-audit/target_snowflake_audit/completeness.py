"""Control counts: a tap that counts what it sent is compared with what arrived, before its STATE leaves.

`bookmarks.STREAM.control` of a STATE is `{"run": id of the tap's run, "records": {stream name: number}}`:
records sent in that run before the STATE, by the stream name they were sent under. A STATE carries the counts
of streams that an earlier run sent along, so only streams whose SCHEMA came in this run are compared.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from target_snowflake_audit.errors import CompletenessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_snowflake_audit.values import Json


logger = logging.getLogger(__name__)


class ControlCounts:
    """Counts what arrived, as received: before `stream_maps` of the target."""

    def __init__(self) -> None:
        """Nothing has arrived."""
        self.received: Counter[str] = Counter()
        self._known: set[str] = set()
        self._said: set[str] = set()

    def schema(self, stream: str) -> None:
        """A stream of this run."""
        self._known.add(stream)

    def compare(self, state: Json, mode: str) -> None:
        """Compare with a STATE that came; `mode` is strict, report or off.

        Raises:
            CompletenessError: fewer records arrived than were sent, and the mode is strict.
        """
        found = self.gaps(state) if mode != "off" else []
        if not found:
            return
        message = (
            f"records were lost between tap and target: {'; '.join(found)}. Where a mapper or filter between "
            "them leaves records out, set `control_counts` to report or off"
        )
        if mode == "strict":
            raise CompletenessError(message)
        logger.warning("%s", message)

    def gaps(self, state: Json) -> list[str]:
        """Compare with a STATE's counts, and say in words where fewer records arrived than were sent."""
        found = []
        for stream, told in _told(state):
            arrived = self.received[stream]
            if stream in self._known and arrived < told and stream not in self._said:
                self._said.add(stream)
                found.append(f"stream {stream}: the tap counted {told} records, {arrived} arrived")
        return found


def _told(state: Json) -> Iterator[tuple[str, int]]:
    bookmarks = state.get("bookmarks") if isinstance(state, dict) else None
    for bookmark in (bookmarks if isinstance(bookmarks, dict) else {}).values():
        control = bookmark.get("control") if isinstance(bookmark, dict) else None
        records = control.get("records") if isinstance(control, dict) and "run" in control else None
        for stream, told in (records if isinstance(records, dict) else {}).items():
            if isinstance(told, int):
                yield str(stream), told
