"""A full read: sends whole tables, when they differ from what was sent last, after a complete read only."""

from __future__ import annotations

import typing as t
from contextlib import ExitStack

from tap_sagex3.documents import DocumentPage
from tap_sagex3.sync.slots import DIGEST
from tap_sagex3.tables import VERSION, Spool

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_sagex3.documents import Document, Found
    from tap_sagex3.sync.context import ReadContext
    from tap_sagex3.sync.slots import Slot


class FullRead:
    """Keeps the rows aside until all have been read."""

    def __init__(self, context: ReadContext) -> None:
        """Read for the slots of `context`."""
        self._context = context

    def run(self, found: Iterable[Found]) -> None:
        """Read everything, then send what changed."""
        context = self._context
        with ExitStack() as stack:
            spools = [Spool() for _ in context.slots]
            for spool in spools:
                stack.callback(spool.close)
            for item in found:
                if not isinstance(item, DocumentPage):
                    self._keep(item, spools)
                elif not self._keep_page(item, spools):
                    for document in item.documents():
                        self._keep(document, spools)
            context.check_collections()
            for slot, spool in zip(context.slots, spools, strict=True):
                self._send(slot, spool)
        context.write_state()

    def _keep(self, document: Document, spools: Sequence[Spool]) -> None:
        for slot, spool in zip(self._context.slots, spools, strict=True):
            spool.add(slot.encode(document))
        self._context.progress.document(document.source)

    def _keep_page(self, page: DocumentPage, spools: Sequence[Spool]) -> bool:
        """Keep documents that came together; False, and nothing is kept, if they have to be taken apart."""
        found = [slot.encode_page(page) for slot in self._context.slots]
        blocks = [block[0] for block in found if block is not None]
        if len(blocks) < len(found):
            return False
        for slot, spool, block in zip(self._context.slots, spools, blocks, strict=True):
            spool.add_block(slot.emitter.digested(block.rows), block)
        self._context.progress.documents(page.source, len(page.keys))
        return True

    def _send(self, slot: Slot, spool: Spool) -> None:
        state, found = slot.state, spool.digest()
        if state.get(DIGEST) == found:
            return
        slot.forget()
        spool.copy_to(self._context.writer)
        slot.count(spool.number, spool.counts or None)
        if slot.version is not None:
            slot.stream.activate_version(slot.version)
            state[VERSION] = slot.version
        state[DIGEST] = found
