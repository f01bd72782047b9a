"""Keeps the received text of a batch's records outside memory until the batch is committed.

Only the few records that Snowflake itself refuses are ever read back.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LEVEL = 1


class Spool:
    """An append-only file of compressed chunks; rows are numbered from 0 in the order they came."""

    def __init__(self, path: Path) -> None:
        """Make the file; its folder is private."""
        self._file = path.open("w+b")
        self._chunks: list[tuple[int, int, int]] = []
        self._rows = 0

    def append(self, records: Sequence[bytes]) -> None:
        """Add a chunk of records; none of them holds a line end."""
        if not records:
            return
        body = isal_zlib.compress(b"\n".join(records), level=_LEVEL)
        start = self._file.seek(0, 2)
        self._file.write(body)
        self._chunks.append((self._rows, start, len(body)))
        self._rows += len(records)

    def read(self, row: int) -> bytes:
        """Give one record.

        Raises:
            IndexError: there is no such row.
        """
        if not 0 <= row < self._rows:
            message = f"row {row} of {self._rows}"
            raise IndexError(message)
        first, start, length = next(chunk for chunk in reversed(self._chunks) if chunk[0] <= row)
        self._file.seek(start)
        return isal_zlib.decompress(self._file.read(length)).split(b"\n")[row - first]

    def tail(self, row: int) -> list[bytes]:
        """Give the records from a row on."""
        found: list[bytes] = []
        for first, start, length in reversed(self._chunks):
            self._file.seek(start)
            records = isal_zlib.decompress(self._file.read(length)).split(b"\n")
            found[:0] = records[max(row - first, 0) :]
            if first <= row:
                break
        return found

    def close(self) -> None:
        """Close the file, whatever a full disk does not take; the folder is removed by its owner."""
        with suppress(OSError):
            self._file.close()
