"""Writes Singer messages: exact numbers, whole lines, few system calls.

Records are encoded with Decimals as JSON numbers. A buffer of 32 KiB (half a pipe, so that tap and target
work at the same time) is written out when full and at each SCHEMA, STATE and ACTIVATE_VERSION. The rows of
one document enter the buffer in one step.
"""

from __future__ import annotations

import os
import sys
import typing as t
from datetime import datetime
from itertools import repeat

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import Message

from tap_sagex3.errors import TargetGoneError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

BUFFER_SIZE = 32 * 1024


def _encode_other(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_encoder = msgspec.json.Encoder(enc_hook=_encode_other, decimal_format="number")
encode = _encoder.encode
"""JSON bytes of a value; Decimals become JSON numbers with all their digits."""


class RecordFrame:
    """The parts of a RECORD line around the record itself."""

    def __init__(self, stream: str, version: int | None = None) -> None:
        """Prepare the frame for a stream name, and a version for full-table streams."""
        self._head = b'{"type":"RECORD","stream":' + encode(stream) + b',"record":'
        self._stream = stream
        self._versions = () if version is None else (repeat(version),)
        names = ["stream", "record", *(["version"] if self._versions else []), "time_extracted"]
        self._message = msgspec.defstruct(
            "RecordMessage", [(name, t.Any) for name in names], tag_field="type", tag="RECORD", gc=False
        )
        self._version = b"" if version is None else b',"version":' + encode(version)
        self._extracted: str | None = None
        self._kept = b""

    def line(self, record: bytes, extracted: str) -> bytes:
        """A whole line for an encoded record; `extracted` is the canonical time of extraction."""
        return b"".join((self._head, record, self._tail(extracted)))

    def lines(self, records: Iterable[bytes], extracted: str) -> list[bytes]:
        """A line for each of some encoded records."""
        head, tail = self._head, self._tail(extracted)
        return [b"".join((head, record, tail)) for record in records]

    def block(self, rows: Iterable[t.Any], extracted: str) -> bytes:
        """The lines of some records that are not encoded yet, as one text."""
        messages = map(self._message, repeat(self._stream), rows, *self._versions, repeat(extracted))
        return _encoder.encode_lines(list(messages))

    def _tail(self, extracted: str) -> bytes:
        """What follows a record; all those of a page have the same."""
        if extracted != self._extracted:
            self._extracted = extracted
            self._kept = b'%b,"time_extracted":"%b"}\n' % (self._version, extracted.encode())
        return self._kept


class BufferedWriter(GenericSingerWriter[bytes, Message]):
    """Writer of the tap's messages to stdout."""

    def __init__(self) -> None:
        """Start with an empty buffer."""
        super().__init__()
        self._buffer = bytearray()
        self._writing = False
        self._exit_code: int | None = None

    def serialize_message(self, message: Message) -> bytes:
        """JSON of a message."""
        return encode(message.to_dict())

    def write_message(self, message: Message) -> None:
        """Write any message and flush, so that what it tells is seen at once."""
        self._buffer += self.serialize_message(message) + b"\n"
        self.flush()

    def write_lines(self, lines: Iterable[bytes]) -> None:
        """Add encoded lines, all of them before anything else can be written."""
        self.write_block(b"".join(lines))

    def write_block(self, lines: bytes) -> None:
        """Add encoded lines that are one text already."""
        if len(lines) >= BUFFER_SIZE:
            self.flush()
            self._write(lines)
            return
        self._buffer += lines
        if len(self._buffer) >= BUFFER_SIZE:
            self.flush()

    def flush(self) -> None:
        """Write out the buffer.

        Raises:
            TargetGoneError: nobody reads any more.
        """
        if not self._buffer:
            return
        data = bytes(self._buffer)
        self._buffer.clear()
        self._write(data)

    def _write(self, data: bytes) -> None:
        out = sys.stdout.buffer
        self._writing = True
        try:
            out.write(data)
            out.flush()
        except BrokenPipeError as error:
            # Python writes what is left of its own buffer at exit: let that go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            msg = "The target closed the pipe: see its own messages."
            raise TargetGoneError(msg) from error
        finally:
            self._writing = False
        if self._exit_code is not None:
            sys.exit(self._exit_code)

    def stop(self, exit_code: int) -> None:
        """End the program from a signal handler, but never in the middle of a line."""
        if not self._writing:
            sys.exit(exit_code)
        self._exit_code = exit_code
