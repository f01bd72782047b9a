"""Where a stream stands, by its state: streams of one entity are read together when they stand alike. Pure.

`FULL` reads whole tables. `FIRST` has no bookmark and no `start_date`: all documents, by key, resumable at
any key. `START` has no bookmark but a `start_date`. `INCREMENT` goes on from a bookmark. A first load that
has begun goes on even when a `start_date` was set since: what it has not reached would be missed otherwise.
"""

from __future__ import annotations

import json
import typing as t

from tap_sagex3.declarations import UPDATED
from tap_sagex3.errors import TapError
from tap_sagex3.increments import is_time
from tap_sagex3.ranges import range_of

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_sagex3.settings import Settings
    from tap_sagex3.streams import X3Stream

FULL = "full"
FIRST = "first"
START = "start"
INCREMENT = "increment"
FIRST_LOAD = "first_load"
"""Member of a stream's state: how far its first load has come."""


class FirstLoadState(t.TypedDict):
    """How far a first load has come.

    `started` is the start of its first run by the server's clock, `source` the number of the source that is
    being read, `ranges` how far it has come there, `latest` the latest change time so far. `until` is the
    earliest `end_date` of its runs: documents that changed from then on may not have been sent.
    """

    started: str
    source: int
    ranges: list[dict[str, t.Any]]
    latest: str | None
    until: t.NotRequired[str | None]


def stage_of(stream: X3Stream, settings: Settings) -> tuple[str, str]:
    """Stage of a stream, and what else must be equal for streams to be read together."""
    if stream.is_full_table:
        return FULL, ""
    state = stream.stream_state
    if bookmark_of(state) is not None:
        return INCREMENT, ""
    if settings.start_date is not None and FIRST_LOAD not in state:
        return START, ""
    return FIRST, json.dumps(state.get(FIRST_LOAD), default=str)


def bookmark_of(state: Mapping[str, t.Any]) -> str | None:
    """The bookmark in a stream's state."""
    found = state.get("replication_key_value")
    return found if state.get("replication_key") == UPDATED else None


def first_load_of(stream: str, state: Mapping[str, t.Any], sources: int) -> FirstLoadState | None:
    """How far the first load of a stream has come; None when it has not begun.

    Raises:
        TapError: the state does not hold what this version writes.
    """
    found = state.get(FIRST_LOAD)
    if found is None:
        return None
    if (
        isinstance(found, dict)
        and _are_ranges(found.get("ranges"))
        and is_time(found.get("started"))
        and all(found.get(name) is None or is_time(found[name]) for name in ("latest", "until"))
        and isinstance(found.get("source"), int)
        and 0 <= found["source"] < sources
    ):
        return t.cast("FirstLoadState", found)
    msg = (
        f"State of stream {stream}: first_load {found!r} is not what this tap writes: expected started, "
        "source, ranges and latest. Take it out of the state to load the stream from the beginning."
    )
    raise TapError(msg)


def _are_ranges(state: object) -> bool:
    """Whether a part of state tells how far the ranges of a source have come."""
    try:
        return isinstance(state, list) and bool([range_of(item) for item in state])
    except (TypeError, KeyError):
        return False
