"""One stream of a read: its rows, its memory of what was sent, its place in state."""

from __future__ import annotations

import logging
import typing as t
from collections import Counter
from dataclasses import dataclass, field

from tap_sagex3.declarations import UPDATED
from tap_sagex3.overlap import OverlapMemory
from tap_sagex3.values import format_time, later

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from singer_sdk import metrics

    from tap_sagex3.documents import Document, DocumentPage
    from tap_sagex3.emitter import Block, Emitter, Lines, MisfitLog
    from tap_sagex3.projection import Projection
    from tap_sagex3.streams import X3Stream
    from tap_sagex3.writer import BufferedWriter

logger = logging.getLogger("tap-sagex3")

MEMORY = "overlap"
LINES = "lines_from"
"""Change time from which on lines that changed alone were not asked for, as the site did not tell them."""
DIGEST = "digest"
CONTROL = "control"


@dataclass
class Slot:
    """One stream of the read. `run` is the id of the run, for the counts in state."""

    stream: X3Stream
    projections: Sequence[Projection]
    emitter: Emitter
    misfits: MisfitLog
    counter: metrics.Counter
    run: str
    version: int | None = None
    sent: int = 0
    sent_by_name: Counter[str] = field(default_factory=Counter)
    start: datetime | None = None
    bookmark: str | None = None
    memory: OverlapMemory = field(default_factory=lambda: OverlapMemory({}, 0))

    @property
    def state(self) -> dict[str, t.Any]:
        """The stream's own part of state."""
        return t.cast("dict[str, t.Any]", self.stream.stream_state)

    @property
    def depth(self) -> int:
        """Level of the stream's rows."""
        return self.stream.declaration.depth

    def encode(self, document: Document) -> Lines:
        """Rows of a document, encoded."""
        rows = self.projections[document.source].rows(document, self.misfits)
        return self.emitter.encode(rows, document.extracted)

    def encode_page(self, page: DocumentPage) -> tuple[Block, Sequence[str | None]] | None:
        """Rows of a page of documents, encoded, and the change time by which each is remembered.

        None when the documents have to be taken one by one.
        """
        if not self.emitter.is_plain:
            return None
        found = self.projections[page.source].page(page)
        if found is None:
            return None
        rows, times = found
        if times != page.stamps:
            times = [later(own, stamp) for own, stamp in zip(times, page.stamps, strict=True)]
        return self.emitter.block(rows, page.extracted), times

    def latest(self, document: Document) -> str | None:
        """Change time by which a document is remembered: the later of its own and those of its rows."""
        return later(document.stamp, self.projections[document.source].latest)

    def send(self, writer: BufferedWriter, lines: Lines) -> None:
        """Send the records of a document."""
        if not self.sent:
            self.forget()
        writer.write_lines(lines.lines)
        self.count(len(lines.lines), lines.counts)

    def send_page(self, writer: BufferedWriter, block: Block) -> None:
        """Send the records of a page of documents."""
        if not self.sent:
            self.forget()
        writer.write_block(block.lines)
        self.count(len(block.rows), None)

    def count(self, number: int, by_name: Mapping[str, int] | None) -> None:
        """Count records that were sent; `by_name` where they were not sent under the emitter's only name."""
        self.sent += number
        self.counter.increment(number)
        if by_name is not None:
            self.sent_by_name.update(by_name)

    def tell_counts(self) -> None:
        """Note in state what was sent in this run, by the name it was sent under.

        A target can compare the numbers with what it received before the STATE.
        """
        if self.sent:
            by_name = dict(self.sent_by_name) or {self.emitter.name: self.sent}
            self.state[CONTROL] = {"run": self.run, "records": by_name}

    def forget(self) -> None:
        """Before the first record that differs: take what earlier runs sent out of state.

        When this run ends before its last STATE, the receiver may have newer versions than state knows:
        comparing with the old ones would then keep a document that changed back from being sent.
        """
        known = [self.state.pop(name, None) for name in (MEMORY, DIGEST)]
        if any(known):
            self.stream.write_state()

    def remember_in_state(self, cut: str | None) -> None:
        """Put what was sent into state: the memory of the window that begins at `cut`."""
        self.state[MEMORY] = self.memory.state(cut)
        self.state.pop(DIGEST, None)  # of an earlier full read: not true any more

    def set_bookmark(self, bookmark: str | None) -> None:
        """Put a bookmark into state, unless there is none."""
        if bookmark is not None:
            self.state["replication_key"] = UPDATED
            self.state["replication_key_value"] = bookmark

    def note_lines(self, *, told: bool) -> None:
        """Note in state from when on changes of lines alone are still to be asked for, if they are."""
        if told:
            self.state.pop(LINES, None)
        elif self.start is not None:
            self.state.setdefault(LINES, self.bookmark or format_time(self.start))

    def may_lack_collection(self) -> bool:
        """Whether a nested collection was in no line so far."""
        return any(projection.absent_collection() for projection in self.projections)

    def tell_doubtful_collections(self) -> None:
        """Warn of a nested collection that no line had, unless the site says that it is there."""
        for projection in self.projections:
            name = projection.doubtful_collection()
            if name is not None:
                logger.warning(
                    "%s: no line that changed had a collection %s, so it sent no rows. When the site's "
                    "representation has none any more, add it, or give another one in stream_options.",
                    self.stream.name,
                    name,
                )

    def check_collections(self) -> None:
        """After the last document. Raises NotReadableError for a nested collection that no line had."""
        for projection in self.projections:
            projection.check_collections()

    def warn_of_missing_columns(self) -> None:
        """Tell which columns the answers of this site did not have."""
        missing = dict.fromkeys(name for projection in self.projections for name in projection.missing())
        if missing:
            names = ", ".join(missing)
            logger.warning(
                "%s: this site does not show %s; their columns stay null.", self.stream.name, names
            )

    @property
    def limit(self) -> int | None:
        """Most records to send, in a dry run."""
        return self.stream.ABORT_AT_RECORD_COUNT


def name_of(slots: Sequence[Slot]) -> str:
    """The streams of a read, for a message."""
    return ", ".join(slot.stream.name for slot in slots)
