"""Where an incremental read starts, and how far its bookmark may move. Pure.

Times are canonical texts in state and `datetime` (UTC) in arithmetic. A read starts `lookback` seconds before
the bookmark, since X3 stamps a record before its transaction commits. The bookmark is the latest stamp seen,
but never later than the start of the run by the server's clock: a stamp from the future must not hide later
changes.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from tap_sagex3.values import format_time

if t.TYPE_CHECKING:
    from collections.abc import Iterable


def start_of_read(bookmark: str | None, start_date: datetime | None, lookback: int) -> datetime | None:
    """First change time to read; None reads everything.

    Raises:
        ValueError: the bookmark is not a time.
    """
    if not bookmark:
        return start_date
    start = _parse(bookmark) - timedelta(seconds=lookback)
    return start if start_date is None else max(start, start_date)


def earliest(starts: Iterable[datetime | None]) -> datetime | None:
    """The start that serves several streams at once; None as soon as one reads everything."""
    found = list(starts)
    return (
        None if any(start is None for start in found) else min(t.cast("list[datetime]", found), default=None)
    )


def next_bookmark(before: str | None, latest: str | None, run_start: datetime) -> str | None:
    """Bookmark after a run: the latest stamp seen, capped by the run's start, never moving back."""
    if latest is None:
        return before
    moved = min(_parse(latest), run_start)
    if before and _parse(before) >= moved:
        return before
    return format_time(moved)


def window_start(bookmark: str | None, lookback: int, *, whole_days: bool) -> str | None:
    """Start of the look-back window of a bookmark: what the next run will read again.

    With date-only stamps the next run reads whole days again.
    """
    if bookmark is None:
        return None
    start = _parse(bookmark) - timedelta(seconds=lookback)
    if whole_days:
        start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return format_time(start)


def is_before(stamp: str | None, start: datetime | None) -> bool:
    """Whether a document's stamp lies before the start of a stream's own read."""
    return stamp is not None and start is not None and _parse(stamp) < start


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text)
