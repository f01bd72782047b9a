"""Whether a state that was given has the form that this tap writes. Pure."""

from __future__ import annotations

import typing as t

from tap_sagex3.errors import SettingsError
from tap_sagex3.increments import is_time
from tap_sagex3.sync.slots import CONTROL, DIGEST, LINES, MEMORY
from tap_sagex3.sync.stages import FIRST_LOAD
from tap_sagex3.tables import VERSION

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def check_state(state: Mapping[str, t.Any]) -> None:
    """Check the bookmarks of a state; what is inside of `first_load` is looked at when it is used.

    Raises:
        SettingsError: names the stream, the member and what was expected.
    """
    if state and "bookmarks" not in state:
        shown = ", ".join(sorted(map(str, state)))
        inside = " What is in its `value` is the state." if state.get("type") == "STATE" else ""
        msg = f"The state has no bookmarks, but {shown}: expected what a STATE message carries.{inside}"
        raise SettingsError(msg)
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict):
        msg = f"The state has bookmarks {bookmarks!r}: expected an object of streams."
        raise SettingsError(msg)
    for stream, found in bookmarks.items():
        if not isinstance(found, dict):
            msg = f"State of stream {stream} is {found!r}: expected an object. Take it out to begin anew."
            raise SettingsError(msg)
        for name, (is_right, expected) in _MEMBERS.items():
            value = found.get(name)
            if value is not None and not is_right(value):
                msg = f"State of stream {stream}: {name} {value!r:.80} is not usable: expected {expected}."
                raise SettingsError(msg)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_MEMBERS: dict[str, tuple[Callable[[object], bool], str]] = {
    "replication_key": (_is_text, "a text"),
    "replication_key_value": (is_time, "a time such as 2024-01-31T00:00:00Z"),
    FIRST_LOAD: (_is_object, "an object"),
    MEMORY: (_is_object, "an object"),
    CONTROL: (_is_object, "an object"),
    DIGEST: (_is_text, "a text"),
    VERSION: (_is_number, "a whole number"),
    LINES: (is_time, "a time such as 2024-01-31T00:00:00Z"),
}
