"""`live_keys`: the key of each document that X3 has now, so that deletions can be seen."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import replace

from tap_sagex3.control.stream import ControlStream
from tap_sagex3.errors import NotReadableError
from tap_sagex3.writer import encode

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sagex3.documents import Row
    from tap_sagex3.streams import X3Stream
    from tap_sagex3.tap import TapSageX3

logger = logging.getLogger("tap-sagex3")

LIVE_KEYS = "live_keys"
SCHEMA: dict[str, t.Any] = {
    "type": "object",
    "properties": {
        "stream": {"type": "string", "description": "Stream that the document belongs to"},
        "key": {
            "type": "string",
            "description": "Its key: a JSON array of the values of the stream's key columns, in their order",
        },
    },
    "required": ["stream", "key"],
}


class LiveKeys(ControlStream):
    """One row a document. Only keys are read: lists in REST, key properties in GraphQL."""

    def __init__(self, tap: TapSageX3) -> None:
        """Make the stream."""
        self.tap = tap
        super().__init__(tap, schema=SCHEMA, name=LIVE_KEYS)
        self.primary_keys = ["stream", "key"]

    def rows(self) -> Iterator[Row]:
        """Keys of all document streams that are selected, or of all when none is."""
        optional = self.tap.instance.settings.optional_streams
        for stream in self._streams():
            try:
                keys = list(self._keys_of(stream)) if stream.name in optional else self._keys_of(stream)
            except NotReadableError as error:
                logger.warning("%s has no keys of optional stream %s: %s", LIVE_KEYS, stream.name, error)
                continue
            for key in keys:
                yield {"stream": stream.name, "key": key}

    def _streams(self) -> Sequence[X3Stream]:
        documents = [
            stream
            for stream in self.tap.x3_streams()
            if stream.declaration.depth == 0 and not stream.declaration.full_table
        ]
        return [stream for stream in documents if stream.selected] or documents

    def _keys_of(self, stream: X3Stream) -> Iterator[str]:
        declared = stream.declaration
        narrow = replace(declared, fields=tuple(f for f in declared.fields if f.name in declared.key))
        reading = self.tap.reading_of(stream).of_keys()
        for row in self.tap.instance.narrow_rows(reading, narrow):
            yield encode([row[name] for name in declared.key]).decode()
