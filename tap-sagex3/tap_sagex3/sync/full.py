"""A full read: sends whole tables, when they differ from what was sent last, after a complete read only."""

from __future__ import annotations

import typing as t
from collections import Counter
from contextlib import ExitStack
from hashlib import blake2b
from tempfile import SpooledTemporaryFile

from tap_sagex3.overlap import digest
from tap_sagex3.sync.slots import DIGEST, VERSION

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_sagex3.documents import Document
    from tap_sagex3.sync.context import ReadContext
    from tap_sagex3.sync.slots import Slot

_SPOOL_IN_MEMORY = 8 * 1024 * 1024
_COPY_SIZE = 64 * 1024


class FullRead:
    """Keeps the rows aside until all have been read."""

    def __init__(self, context: ReadContext) -> None:
        """Read for the slots of `context`."""
        self._context = context
        self._slots = context.slots

    def run(self, documents: Iterable[Document]) -> None:
        """Read everything into unnamed files that only this process can see, then send what changed."""
        with ExitStack() as stack:
            spools = [stack.enter_context(SpooledTemporaryFile(_SPOOL_IN_MEMORY)) for _ in self._slots]
            digests = [blake2b(digest_size=16) for _ in self._slots]
            counts: list[Counter[str]] = [Counter() for _ in self._slots]
            for document in documents:
                for number, slot in enumerate(self._slots):
                    lines = slot.encode(document)
                    digests[number].update(lines.digested)
                    spools[number].writelines(lines.lines)
                    counts[number].update(lines.counts)
                self._context.progress.document()
            self._context.check_collections()
            for number, slot in enumerate(self._slots):
                self._send(slot, digest(digests[number].digest(), 12), spools[number], counts[number])
        self._context.write_state()

    def _send(self, slot: Slot, found: str, spool: t.IO[bytes], counts: Counter[str]) -> None:
        state = slot.state
        if state.get(DIGEST) == found:
            return
        slot.forget()
        spool.seek(0)
        while lines := spool.readlines(_COPY_SIZE):
            self._context.writer.write_lines(lines)
        slot.count(counts)
        if slot.version is not None:
            slot.stream.activate_version(slot.version)
            state[VERSION] = slot.version
        state[DIGEST] = found
