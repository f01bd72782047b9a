"""Whole tables as Singer streams: their version, and rows that wait until a read is complete."""

from __future__ import annotations

import time
import typing as t
from collections import Counter
from hashlib import blake2b
from tempfile import SpooledTemporaryFile

import singer_sdk.singerlib as singer
from singer_sdk import Stream
from singer_sdk.mapper import RemoveRecordTransform

from tap_sagex3.overlap import digest

if t.TYPE_CHECKING:
    from tap_sagex3.emitter import Block, Lines
    from tap_sagex3.tap import TapSageX3
    from tap_sagex3.writer import BufferedWriter

VERSION = "version"
_IN_MEMORY = 8 * 1024 * 1024
_COPY_SIZE = 64 * 1024


class TableStream(Stream):
    """A stream whose rows can be sent as a whole table, ended by ACTIVATE_VERSION."""

    tap: TapSageX3

    @property
    def chosen(self) -> list[str]:
        """Selected columns; those of the key and the replication key are always among them.

        Not those of the stream map: the SDK takes away and adds columns there that expressions need or make.
        """
        return [name for name in self.effective_schema["properties"] if self.mask["properties", name]]

    @property
    def is_removed(self) -> bool:
        """Whether stream maps let no record of this stream leave, under any name.

        Such a stream is not read and its state stays as it is: when it is mapped again, nothing is missing.
        """
        return all(isinstance(stream_map, RemoveRecordTransform) for stream_map in self.stream_maps)

    def next_version(self) -> int:
        """Version of the next full read: milliseconds since 1970, above the last one sent."""
        last = self.stream_state.get(VERSION) or 0
        return max(int(time.time() * 1000), last + 1)

    def activate_version(self, version: int) -> None:
        """Send ACTIVATE_VERSION: rows of other versions are gone."""
        for stream_map in self.stream_maps:
            if not isinstance(stream_map, RemoveRecordTransform):
                self.tap.write_message(singer.ActivateVersionMessage(stream_map.stream_alias, version))

    def write_state(self) -> None:
        """Send STATE, if it changed since it was sent last."""
        self.tap.state_writer.write_state(self.tap_state)


class Spool:
    """RECORD lines of a table, in memory or in an unnamed file that only this process can see."""

    def __init__(self) -> None:
        """Start empty."""
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it lives as long as the spool
        self._digest = blake2b(digest_size=16)
        self.number = 0
        self.counts: Counter[str] = Counter()
        """Number of lines by stream name, where an emitter sends them under several names."""

    def add(self, lines: Lines) -> None:
        """Keep lines."""
        self._digest.update(lines.digested)
        self._file.writelines(lines.lines)
        self.number += len(lines.lines)
        self.counts.update(lines.counts or {})

    def add_block(self, digested: bytes, block: Block) -> None:
        """Keep the lines of a page of documents."""
        self._digest.update(digested)
        self._file.write(block.lines)
        self.number += len(block.rows)

    def digest(self) -> str:
        """Digest of all rows so far, as it is kept in state."""
        return digest(self._digest.digest(), 12)

    def by_name(self, name: str) -> dict[str, int]:
        """Number of lines by stream name; `name` is that of an emitter with one name, or empty."""
        return dict(self.counts) or ({name: self.number} if name else {})

    def copy_to(self, writer: BufferedWriter) -> None:
        """Write all lines out, and forget them."""
        self._file.seek(0)
        while lines := self._file.readlines(_COPY_SIZE):
            writer.write_lines(lines)
        self.close()

    def close(self) -> None:
        """Give the space back."""
        self._file.close()
