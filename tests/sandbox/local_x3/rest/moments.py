"""Dates and timestamps of the `where` language, kept as texts that sort as they stand.

A date is `YYYY-MM-DD`, a timestamp `YYYY-MM-DDThh:mm:ssZ` as X3 stores it. A fraction is written `~500000` in
place of `Z`: "~" sorts behind "Z", so hh:mm:ss.5 lies behind hh:mm:ssZ and before the next second.
"""

from __future__ import annotations

import datetime as dt
import re

from local_x3.clock import STAMP_FORMAT

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
STORED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:Z|~(\d{6}))", re.ASCII)


def day_text(text: str) -> str:
    """Check a date literal and return it.

    Raises:
        ValueError: it is not a date.
    """
    if not DAY.fullmatch(text):
        raise ValueError(text)
    return dt.date.fromisoformat(text).isoformat()


def stamp_text(text: str, zone: dt.timezone) -> str:
    """Return a timestamp literal as stored stamps are written; without an offset it is in `zone` [D].

    Raises:
        ValueError, OverflowError: it is not a timestamp.
    """
    match = STAMP.fullmatch(text)
    if match is None:
        raise ValueError(text)
    moment = dt.datetime.fromisoformat(text)
    return written(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def written(moment: dt.datetime) -> str:
    """Write a moment as stamps are stored."""
    moment = moment.astimezone(dt.UTC)
    text = f"{moment:%Y}".zfill(4) + moment.strftime(STAMP_FORMAT.removeprefix("%Y"))
    return f"{text[:-1]}~{moment.microsecond:06d}" if moment.microsecond else text


def moment_of(text: str) -> dt.datetime:
    """Read a stored or literal timestamp.

    Raises:
        ValueError: a test has put something else there.
    """
    match = STORED.fullmatch(text)
    if match is None:
        raise ValueError(text)
    found = dt.datetime.fromisoformat(match.group(1)).replace(tzinfo=dt.UTC)
    return found.replace(microsecond=int(match.group(2) or 0))


def date_of(text: str) -> dt.date:
    """Read the day of a stored date or timestamp.

    Raises:
        ValueError: a test has put something else there.
    """
    return dt.date.fromisoformat(day_text(text[:10]))
