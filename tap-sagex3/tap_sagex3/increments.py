"""Where an incremental read starts, and how far its bookmark may move. Pure.

Times are canonical texts in state and `datetime` (UTC) in arithmetic. A read starts `lookback` seconds before
the bookmark, since X3 stamps a record before its transaction commits. The bookmark is the latest stamp seen,
but never later than the start of the run by the server's clock or ours: a stamp from the future must not
hide later changes. A bookmark later than that start goes back to it.
"""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from tap_sagex3.values import format_time

if t.TYPE_CHECKING:
    from collections.abc import Iterable

DAY = 86_400


def start_of_read(bookmark: str | None, start_date: datetime | None, lookback: int) -> datetime | None:
    """First change time to read; None reads everything.

    Raises:
        ValueError: the bookmark is not a time.
    """
    if not bookmark:
        return start_date
    start = _before(_parse(bookmark), lookback)
    return start if start_date is None else max(start, start_date)


def earliest(starts: Iterable[datetime | None]) -> datetime | None:
    """The start that serves several streams at once; None as soon as one reads everything."""
    found = list(starts)
    return (
        None if any(start is None for start in found) else min(t.cast("list[datetime]", found), default=None)
    )


def not_after(bookmark: str | None, run_start: datetime) -> str | None:
    """The bookmark, or the start of the run when that is earlier.

    Raises:
        ValueError: the bookmark is not a time.
    """
    return format_time(run_start) if bookmark and _parse(bookmark) > run_start else bookmark


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
    start = _before(_parse(bookmark), lookback)
    return format_time(start_of_day(start) if whole_days else start)


def start_of_day(moment: datetime) -> datetime:
    """Midnight (UTC) of a time: the stamp that a date-only change of that day has."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def day_before(moment: datetime) -> datetime:
    """The same time a day earlier: of date-only stamps, which are of the server's own calendar."""
    return _before(moment, DAY)


def is_before(stamp: str | None, start: datetime | None) -> bool:
    """Whether a document's stamp lies before the start of a stream's own read."""
    return stamp is not None and start is not None and _parse(stamp) < start


def is_at_or_after(stamp: str | None, end: datetime) -> bool:
    """Whether a document's stamp lies at or behind an end; one without stamp does not."""
    return stamp is not None and _parse(stamp) >= end


def is_time(text: object) -> bool:
    """Whether a value of state is a time."""
    try:
        return isinstance(text, str) and bool(_parse(text))
    except ValueError:
        return False


def _before(moment: datetime, seconds: int) -> datetime:
    """A time some seconds earlier, or the first one that there is."""
    try:
        return moment - timedelta(seconds=seconds)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _parse(text: str) -> datetime:
    """A time of state or of a document; one without offset is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
