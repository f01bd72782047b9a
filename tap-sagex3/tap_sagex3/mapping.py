"""The SDK's stream maps, each with a schema of its own, and what of the settings shapes records."""

from __future__ import annotations

import copy
import typing as t

from singer_sdk.mapper import PluginMapper

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


def shape(config: Mapping[str, t.Any]) -> bytes:
    """What changes the lines of unchanged rows: when the user changes it, remembered rows are sent again."""
    used = {name: config[name] for name in _SHAPING if config.get(name)}
    return encode(used) if used else b""
