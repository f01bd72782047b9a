"""Overlap memory: what was sent last, so that reading the window again sends only what changed. Pure.

For each document (its key digested) in the look-back window the memory holds a digest of the version sent
last. A document whose digest is still the same is not sent again; A, B, A ends with A, since only the last
version is remembered. A run that has something to send takes the memory out of state first and writes the new
one in its last STATE, so that one that ends between them leaves none. Losing the memory only sends again.
Digests are short, since state travels with every run: 8 bytes for a key, 9 for a version (one wrong match in
10^21 pairs of versions).
"""

from __future__ import annotations

import typing as t
from binascii import b2a_base64
from hashlib import blake2b

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping


FRESH_BYTES = 4 * 1024 * 1024
"""Most bytes of rows that are kept to be digested later."""


def digest(data: bytes, size: int) -> str:
    """Short text digest of some bytes."""
    return b2a_base64(blake2b(data, digest_size=size).digest(), newline=False).decode("ascii").rstrip("=")


def key_digest(key: str) -> str:
    """Digest of a document's key."""
    return digest(key.encode(), 8)


def version_digest(rows: bytes) -> str:
    """Digest of the rows that a stream gets from a document."""
    return digest(rows, 9)


class OverlapMemory:
    """What one stream sent last, by document.

    `before` is what earlier runs left in state. Documents older than the window (`cut`) are forgotten; of the
    others the newest `limit` are kept.
    """

    def __init__(self, before: Mapping[str, str], limit: int) -> None:
        """Start from the memory of the last run."""
        self._before = dict(before)
        self._limit = limit
        self._seen: dict[str, tuple[str, str]] = {}
        # A first load only needs digests of its last documents: until then their rows are kept as they are.
        self._fresh: dict[str, tuple[str, bytes]] = {}
        self._fresh_bytes = 0
        self._newest = ""

    def note(self, key: str, stamp: str | None, rows: bytes, cut: Callable[[], str | None]) -> bool:
        """Note the version of a document that was read now; True when it is to be sent.

        Args:
            key: the document's key.
            stamp: its change time, canonical.
            rows: its rows as they would be sent.
            cut: gives the start of the window so far, before which nothing need be kept.
        """
        if self._is_first(key, stamp):
            self._keep(key, stamp, rows)
            return True
        self._settle()
        name, version = key_digest(key), version_digest(rows)
        changed = not self.is_unchanged(name, version)
        self.remember(name, stamp, version, cut)
        return changed

    def _is_first(self, key: str, stamp: str | None) -> bool:
        """Whether nothing is known of any document but those of this run, which come by change time."""
        if self._before or self._seen or key in self._fresh:
            return False
        return stamp is None or stamp[:-1] >= self._newest

    def _keep(self, key: str, stamp: str | None, rows: bytes) -> None:
        """Keep the rows of a document for later, and let go of one that is not among the newest any more."""
        if stamp is None:
            return
        self._newest = stamp[:-1]
        self._fresh[key] = (stamp, rows)
        self._fresh_bytes += len(rows)
        if len(self._fresh) > self._limit:
            _, old = self._fresh.pop(next(iter(self._fresh)))
            self._fresh_bytes -= len(old)
        if self._fresh_bytes > FRESH_BYTES:
            self._settle()

    def _settle(self) -> None:
        """Turn kept rows into digests."""
        for key, (stamp, rows) in self._fresh.items():
            self._seen[key_digest(key)] = (stamp, version_digest(rows))
        self._fresh.clear()
        self._fresh_bytes = 0

    def is_unchanged(self, key: str, version: str) -> bool:
        """Whether the last version sent of this document is this one."""
        seen = self._seen.get(key)
        last = seen[1] if seen else self._before.get(key)
        return last == version

    def remember(self, key: str, stamp: str | None, version: str, cut: Callable[[], str | None]) -> None:
        """Note the version of a document that was read now, sent or not.

        Args:
            key: digest of the document's key.
            stamp: its change time, canonical.
            version: digest of its rows.
            cut: gives the start of the window so far, before which nothing need be kept.
        """
        self._before.pop(key, None)  # never compare with an older version again
        self._seen.pop(key, None)
        if stamp is None:
            return
        self._seen[key] = (stamp, version)
        if len(self._seen) > 2 * self._limit + 100:
            self._prune(cut())

    def state(self, cut: str | None) -> dict[str, str]:
        """What to keep in state after a run: at most `limit` documents of the window, the newest of them."""
        self._settle()
        self._prune(cut)
        return dict(sorted((key, version) for key, (_, version) in self._seen.items()))

    def _prune(self, cut: str | None) -> None:
        inside = [(key, item) for key, item in self._seen.items() if cut is None or item[0][:-1] >= cut[:-1]]
        if len(inside) > self._limit:
            inside.sort(key=lambda pair: pair[1][0], reverse=True)
            inside = inside[: self._limit]
        self._seen = dict(inside)
