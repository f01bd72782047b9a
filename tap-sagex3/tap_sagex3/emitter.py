"""From rows to RECORD lines, through the stream maps that the user configured."""

from __future__ import annotations

import logging
import typing as t
from collections import Counter
from dataclasses import dataclass

from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform

from tap_sagex3.errors import TapError
from tap_sagex3.writer import RecordFrame, encode

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.mapper import StreamMap

    from tap_sagex3.documents import Misfit, Row

logger = logging.getLogger("tap-sagex3")

WARNINGS_PER_FIELD = 10
_SHOWN_LENGTH = 80


@dataclass(slots=True)
class Lines:
    """What a stream gets from a document: bytes to be digested, and RECORD lines.

    `counts` is their number by stream name, None when all have the emitter's only name.
    """

    digested: bytes
    lines: list[bytes]
    counts: Mapping[str, int] | None = None


@dataclass(slots=True)
class Block:
    """What a stream gets from a page of documents: a row each, and all RECORD lines as one text."""

    rows: Sequence[t.Any]
    lines: bytes


class Emitter:
    """Encodes the rows of one stream."""

    def __init__(self, maps: Sequence[StreamMap], version: int | None, salt: bytes = b"") -> None:
        """Keep the stream maps.

        Args:
            maps: stream maps of the SDK.
            version: goes into every RECORD of a full-table stream.
            salt: what else the lines depend on; goes into the bytes to be digested.
        """
        self._salt = salt
        used = [item for item in maps if not isinstance(item, RemoveRecordTransform)]
        self._maps = [(item, RecordFrame(item.stream_alias, version)) for item in used]
        # Without maps a record is encoded once, for its digest and for its line.
        plain = len(used) == 1 and type(used[0]) is SameRecordTransform and not used[0].flattening_enabled
        self._plain = self._maps[0][1] if plain else None
        self.name = self._maps[0][0].stream_alias if plain else ""
        """Name under which all records leave; empty when maps send them under several or changed ones."""

    def encode(self, rows: Sequence[Row], extracted: str) -> Lines:
        """The rows as bytes to be digested (before stream maps), and their RECORD lines."""
        records = [encode(row) for row in rows]
        digested = self._salt + b"".join(records)
        if self._plain is not None:
            return Lines(digested, self._plain.lines(records, extracted))
        named = list(self._mapped(rows, extracted))
        return Lines(digested, [line for _, line in named], Counter(name for name, _ in named))

    @property
    def is_plain(self) -> bool:
        """Whether records leave as they are, so that whole pages can be encoded."""
        return self._plain is not None

    def block(self, rows: Sequence[t.Any], extracted: str) -> Block:
        """Rows that leave together. Only for an emitter that is plain."""
        frame = t.cast("RecordFrame", self._plain)
        return Block(rows, frame.block(rows, extracted))

    def digested(self, rows: Sequence[t.Any]) -> bytes:
        """Bytes to be digested for documents of one row each."""
        return self._salt + self._salt.join(map(encode, rows))

    def _mapped(self, rows: Sequence[Row], extracted: str) -> t.Iterator[tuple[str, bytes]]:
        for row in rows:
            for stream_map, frame in self._maps:
                mapped = self._transformed(stream_map, row)
                if mapped is not None:
                    yield stream_map.stream_alias, frame.line(encode(mapped), extracted)

    @staticmethod
    def _transformed(stream_map: StreamMap, row: Row) -> Row | None:
        """A row as a stream map makes it.

        Raises:
            TapError: an expression of the map cannot be computed for this row.
        """
        try:
            return stream_map.transform(row)
        except Exception as error:  # the user's own expression may raise anything
            cause = error.__cause__ or error
            key = ", ".join(f"{name}={row.get(name)}" for name in stream_map.raw_key_properties or ())
            msg = (
                f"Setting stream_maps, stream {stream_map.stream_alias}, record {key}: {error} "
                f"({type(cause).__name__}: {cause})"
            )
            raise TapError(msg) from error


class MisfitLog:
    """Warns of values that do not fit their type: they are sent as they came, so that none is lost."""

    def __init__(self, stream: str, key: Sequence[str]) -> None:
        """Warn about rows of a stream; `key` are its key columns."""
        self._stream = stream
        self._key = key
        self._counts: Counter[str] = Counter()

    def __call__(self, row: Row, misfit: Misfit) -> None:
        """Warn of one value, naming stream, key and field; only count it when the field had many."""
        field, value, expected = misfit
        self._counts[field] += 1
        if self._counts[field] <= WARNINGS_PER_FIELD:
            key = ", ".join(f"{name}={row.get(name)}" for name in self._key)
            shown = repr(value)[:_SHOWN_LENGTH]
            logger.warning("%s %s: %s is %s (%s); sent unchanged.", self._stream, key, field, shown, expected)

    def close(self) -> None:
        """Tell how many further values were not named one by one."""
        for field, count in self._counts.items():
            if count > WARNINGS_PER_FIELD:
                more = count - WARNINGS_PER_FIELD
                logger.warning(
                    "%s: %d more values of %s do not fit; sent unchanged.", self._stream, more, field
                )
