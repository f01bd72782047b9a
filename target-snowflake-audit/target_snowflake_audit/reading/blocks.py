"""Reads the input in blocks of whole lines, so that the records of a stream can be handed over together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import IO, TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_snowflake_audit.checking.rows import Row

RECORD_TEXT = "record_text"
"""Key that a RECORD message carries beside Singer's own: the record's JSON text as received, bytes."""

BLOCK = 64 * 1024
"""Most bytes that are read at once."""


class Envelope(msgspec.Struct, gc=False):
    """What every line is looked at for; the record is left as bytes and decoded on its own."""

    type: str = ""
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw(b"")
    time_extracted: str | None = None
    version: int | None = None


decode_envelope = msgspec.json.Decoder(Envelope).decode


@dataclass
class Records:
    """Records of one stream that came one after another, as parallel lists; `raw` is each one's own text.

    They are objects in UTF-8, and are decoded where they are checked.
    """

    stream: str
    raw: list[bytes]
    extracted: list[str | None]
    versions: list[int | None]
    decode: Callable[[bytes], Row | dict[str, Any]]

    def __len__(self) -> int:
        """Number of records."""
        return len(self.raw)

    def are_of(self, version: int | None) -> bool:
        """Whether all records have this version."""
        return self.versions.count(version) == len(self.versions)

    def part(self, first: int, end: int) -> Records:
        """Give the records from `first` to before `end`."""
        if first == 0 and end >= len(self.raw):
            return self
        within = slice(first, end)
        raw, extracted, versions = self.raw[within], self.extracted[within], self.versions[within]
        return Records(self.stream, raw, extracted, versions, self.decode)

    def messages(self) -> Iterator[dict[str, Any]]:
        """Give each record as the message that it came in."""
        for raw, extracted, version in zip(self.raw, self.extracted, self.versions, strict=True):
            yield {
                "type": "RECORD",
                "stream": self.stream,
                "record": self.decode(raw),
                "time_extracted": extracted,
                "version": version,
                RECORD_TEXT: raw,
            }


def binary(source: IO[Any]) -> IO[bytes] | None:
    """Give the stream of bytes behind an input; None where there is none, or it cannot give what is there."""
    raw = getattr(source, "buffer", source)
    return cast("IO[bytes]", raw) if hasattr(raw, "read1") else None


def blocks(source: IO[bytes]) -> Iterator[list[bytes]]:
    """Give the lines of the input, without their ends, as soon as they have come.

    A tap may be slow, and its STATE must not wait for more input: what is there is given, up to `BLOCK`.
    """
    read = source.read1  # type: ignore[attr-defined]
    rest: list[bytes] = []
    while data := read(BLOCK):
        lines = data.split(b"\n")
        if rest:
            if len(lines) == 1:
                rest.append(data)
                continue
            lines[0] = b"".join([*rest, lines[0]])
        last = lines.pop()
        rest = [last] if last else []
        if lines:
            yield lines
    if rest:
        yield [b"".join(rest)]


def runs(lines: list[bytes]) -> Iterator[tuple[str, int, int, list[Envelope]]]:
    """Group lines by stream: name, place of the first line, place after the last one, envelopes.

    The name is empty for lines that are no RECORD, and for all lines of a block with one that strict JSON
    does not know.
    """
    envelopes = envelopes_of(lines)
    if envelopes is None:
        yield "", 0, len(lines), []
        return
    first = 0
    for stream, group in groupby(envelopes, _stream_of):
        found = list(group)
        yield stream, first, first + len(found), found
        first += len(found)


def envelopes_of(lines: list[bytes]) -> list[Envelope] | None:
    """Decode lines; None where one of them cannot be decoded so.

    Each by itself: `decode_lines` takes two objects on a line, and leaves empty lines out.
    """
    try:
        return [decode_envelope(line) for line in lines]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _stream_of(envelope: Envelope) -> str:
    return envelope.stream if envelope.type == "RECORD" and envelope.record else ""
