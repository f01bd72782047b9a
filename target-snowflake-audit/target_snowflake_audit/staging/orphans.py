"""Batch files that killed runs left on the stage: their folders are removed by a later run."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

AGE = dt.timedelta(days=1)
"""A file is needed until its batch is committed, which takes minutes; a day leaves room for any clock."""

_RUN_FOLDER = re.compile(r"(?:^|/)([0-9a-f]{32})/")


def orphans(files: Iterable[tuple[str, str]], now: dt.datetime) -> list[str]:
    """Give the run folders whose files are all older than `AGE`.

    Args:
        files: name and last-modified text of each file, as LIST gives them:
            `load/RUN/BATCH/rows/rows.csv.gz` and `Mon, 23 Nov 2026 02:22:32 GMT`
            (docs.snowflake.com/en/sql-reference/sql/list).
        now: UTC.

    Returns:
        Folder names; what is no folder of a run is left alone.
    """
    newest: dict[str, dt.datetime] = {}
    for name, modified in files:
        found = _RUN_FOLDER.search(name)
        if found:
            time = _time(modified) or now
            newest[found[1]] = max(newest.get(found[1], time), time)
    return sorted(run for run, time in newest.items() if now - time > AGE)


def _time(text: str) -> dt.datetime | None:
    """UTC time of a last-modified text; None when it cannot be read."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
