"""Settings of the SDK that shape records: stream maps and flattening."""

from __future__ import annotations

import typing as t

from singer_sdk.mapper import MAPPER_ELSE_OPTION, NULL_STRING

from tap_sagex3.errors import SettingsError
from tap_sagex3.writer import encode

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_SHAPING = (
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
)


def check_else(config: Mapping[str, t.Any]) -> None:
    """Refuse any other `__else__` than the SDK knows, which its validation would answer with a traceback.

    Raises:
        SettingsError: names the stream, if it is one's.
    """
    maps = config.get("stream_maps")
    if not isinstance(maps, dict):
        return
    for name, found in {"": maps, **maps}.items():
        option = found.get(MAPPER_ELSE_OPTION) if isinstance(found, dict) else None
        if option not in (None, NULL_STRING):
            place = f", stream {name}" if name else ""
            msg = f"Setting stream_maps{place}: __else__ is {option!r}, expected {NULL_STRING} or null."
            raise SettingsError(msg)


def shape(config: Mapping[str, t.Any]) -> bytes:
    """What changes the lines of unchanged rows: when the user changes it, remembered rows are sent again."""
    used = {name: config[name] for name in _SHAPING if config.get(name)}
    return encode(used) if used else b""
