"""The SDK's stream maps, each with a schema of its own, and what of the settings shapes records."""

from __future__ import annotations

import copy
import typing as t

from singer_sdk.mapper import MAPPER_ELSE_OPTION, NULL_STRING, PluginMapper

from tap_sagex3.errors import SettingsError
from tap_sagex3.writer import encode

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHAPING = (
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
)


class _OwnSchema(dict[str, t.Any]):
    """A schema whose every copy is a whole one.

    A map of the SDK takes a shallow copy and then changes properties in it: the next map of the stream would
    have the columns of the first, and columns that an expression still needs would not be read.
    """

    def __copy__(self) -> dict[str, t.Any]:
        return copy.deepcopy(dict(self))


class Mapper(PluginMapper):
    """Gives each stream map its own schema."""

    def register_raw_stream_schema(
        self, stream_name: str, schema: dict[str, t.Any], key_properties: Sequence[str] | None
    ) -> None:
        """Make the maps of a stream."""
        super().register_raw_stream_schema(stream_name, _OwnSchema(schema), key_properties)


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
