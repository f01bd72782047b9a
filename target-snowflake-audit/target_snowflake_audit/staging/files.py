"""The compressed file of a batch."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LEVEL = 1
_GZIP = 31
"""Window bits that make a gzip stream."""


class BatchFile:
    """Lines of CSV, compressed while they are written; `sha256` is taken before compression."""

    def __init__(self, path: Path) -> None:
        """Make the file."""
        self.path = path
        self._file = path.open("wb")
        self._gzip = isal_zlib.compressobj(_LEVEL, wbits=_GZIP)
        self._digest = hashlib.sha256()
        self.lines = 0
        self.size = 0

    def write(self, lines: Iterable[str]) -> None:
        """Add lines, each with its line end."""
        listed = list(lines)
        self.append("".join(listed).encode(), len(listed))

    def append(self, data: bytes, lines: int) -> None:
        """Add the text of so many lines."""
        self._digest.update(data)
        self.size += self._file.write(self._gzip.compress(data))
        self.lines += lines

    def close(self) -> None:
        """Finish the file; closing again does nothing."""
        if not self._file.closed:
            self.size += self._file.write(self._gzip.flush())
            self._file.close()

    def discard(self) -> None:
        """Close the file, finished or not: nobody reads it any more, whatever a full disk does not take."""
        with suppress(OSError):
            self._file.close()

    @property
    def sha256(self) -> str:
        """Digest of the content so far."""
        return self._digest.hexdigest()
