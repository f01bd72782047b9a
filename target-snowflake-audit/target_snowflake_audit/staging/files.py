"""The compressed file of a batch."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from isal import igzip

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LEVEL = 1


class BatchFile:
    """Lines of CSV, compressed while they are written; `sha256` is taken before compression."""

    def __init__(self, path: Path) -> None:
        """Make the file."""
        self.path = path
        self._file = igzip.open(path, "wb", compresslevel=_LEVEL)
        self._digest = hashlib.sha256()
        self.lines = 0

    def write(self, lines: Iterable[str]) -> None:
        """Add lines, each with its line end."""
        listed = list(lines)
        data = "".join(listed).encode()
        self._digest.update(data)
        self._file.write(data)
        self.lines += len(listed)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    @property
    def sha256(self) -> str:
        """Digest of the content so far."""
        return self._digest.hexdigest()

    @property
    def size(self) -> int:
        """Bytes on disk; right after `close`."""
        return self.path.stat().st_size
