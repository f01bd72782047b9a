"""A full read: sends whole tables, when they differ from what was sent last, after a complete read only."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack

from tap_sagex3.sync.slots import DIGEST
from tap_sagex3.tables import VERSION, Spool

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_sagex3.documents import Document
    from tap_sagex3.sync.context import ReadContext
    from tap_sagex3.sync.slots import Slot


class FullRead:
    """Keeps the rows aside until all have been read."""

    def __init__(self, context: ReadContext) -> None:
        """Read for the slots of `context`."""
        self._context = context

    def run(self, documents: Iterable[Document]) -> None:
        """Read everything, then send what changed."""
        context = self._context
        with ExitStack() as stack:
            spools = [Spool() for _ in context.slots]
            for spool in spools:
                stack.callback(spool.close)
            for document in documents:
                for slot, spool in zip(context.slots, spools, strict=True):
                    spool.add(slot.encode(document))
                context.progress.document()
            context.check_collections()
            for slot, spool in zip(context.slots, spools, strict=True):
                self._send(slot, spool)
        context.write_state()

    def _send(self, slot: Slot, spool: Spool) -> None:
        state, found = slot.state, spool.digest()
        if state.get(DIGEST) == found:
            return
        slot.forget()
        spool.copy_to(self._context.writer)
        slot.count(spool.counts)
        if slot.version is not None:
            slot.stream.activate_version(slot.version)
            state[VERSION] = slot.version
        state[DIGEST] = found
