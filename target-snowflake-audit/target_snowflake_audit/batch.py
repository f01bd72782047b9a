"""A batch while it is gathered: checked, written to its file, ready to be loaded any number of times."""

from __future__ import annotations

import logging
import time
from array import array
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import hashing
from target_snowflake_audit.checking.parts import Chunk
from target_snowflake_audit.checking.second import CHUNK_ROWS, check_plain, lines_of
from target_snowflake_audit.deletions import TornDocument, known_line
from target_snowflake_audit.staging import folders
from target_snowflake_audit.staging.files import BatchFile
from target_snowflake_audit.staging.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_snowflake_audit.checking.chunks import Checker
    from target_snowflake_audit.checking.letters import Letter
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.checking.problems import Problem
    from target_snowflake_audit.checking.rows import Row
    from target_snowflake_audit.checking.second import Lines, SecondProcess, Task
    from target_snowflake_audit.deletions import VersionKeys
    from target_snowflake_audit.mapping import Mapped
    from target_snowflake_audit.reading.blocks import Records

logger = logging.getLogger(__name__)

SHARED_ROWS = 1000
"""Rows that two processes check together, the second one most of them: the first one reads and writes too."""
CHUNK_BYTES = 1024 * 1024
"""Records as large as documents wait for no more of them."""


class Batch:
    """Records of one stream that are loaded in one transaction.

    Files live in a folder of mode 0700 until `close`.
    """

    cut = False
    """The input ended where the last document may not have ended."""
    carried = 0
    """Records of a torn document that are in the table already."""
    goes_on = False
    """Starts inside a document and holds only its rest, which does not tell what rows are gone."""

    def __init__(
        self,
        checker: Checker,
        number: int,
        run_id: str,
        *,
        keep_letters: bool = False,
        second: SecondProcess | None = None,
    ) -> None:
        """Start an empty batch."""
        self.checker = checker
        self.number = number
        self.run_id = run_id
        self.folder = folders.make()
        self.file = BatchFile(self.folder / "rows.csv.gz")
        self.spool = Spool(self.folder / "records")
        self.received = 0
        self.bytes = 0
        self.dead = 0
        self.starts = array("q")
        """Numbers of the records that begin a document."""
        self.lost: list[int] = []
        """Numbers of letters whose document cannot be told."""
        self.opened = time.monotonic()
        self.seqs = array("q")
        self.stamps: tuple[str, str] | None = None
        self.extracted: tuple[str, str] | None = None
        self.bookmark: Any = None
        self.reasons: dict[str, int] = {}
        self.first_letter: Letter | None = None
        self.letters: dict[int, list[Problem]] = {}
        self._keep_letters = keep_letters
        self.versions: VersionKeys | None = None
        self.gone: set[tuple[str, ...]] = set()
        """Keys that a record said are deleted: partial records after it need a batch of their own."""
        self.version: int | None = None
        """Version of its records, if they have one."""
        self._chunk = Chunk()
        self._plain = True
        """The chunk holds records as received, which are decoded when they are checked."""
        self._checked_bytes = 0
        self._second = second
        self._waiting: tuple[Task, list[Lines]] | None = None
        """What the second process checks, and what comes after that in the file."""
        self._batch_id = ""

    @property
    def plan(self) -> StreamPlan:
        """The stream's plan."""
        return self.checker.plan

    @property
    def batch_id(self) -> str:
        """The batch's id; known after `finish`."""
        return self._batch_id

    def add(
        self,
        record: dict[str, Any] | Row,
        raw: bytes,
        seq: int,
        extracted: str | None,
        found: list[Problem] | None,
    ) -> None:
        """Add a record; `found` are problems that are known already."""
        if self._plain:
            self.flush()
        chunk, self._plain = self._chunk, False
        if found:
            chunk.found[len(chunk)] = found
        chunk.mapped.append(record)
        chunk.raw.append(raw)
        chunk.seq.append(seq)
        chunk.extracted.append(extracted)
        self.received += 1
        self.bytes += len(raw)
        if len(chunk) >= CHUNK_ROWS or self.bytes - self._checked_bytes >= CHUNK_BYTES:
            self.flush()

    def ends(self, records: Sequence[bytes], rows: int, size: int) -> int:
        """Before which of these records it would have so many `rows`, or bytes; more than there are: none."""
        wanted = size - self.bytes
        full = bisect_left(list(accumulate(map(len, records))), wanted) + 1 if wanted > 0 else 0
        return max(0, min(rows - self.received, full))

    def add_all(self, records: Records, seqs: range) -> None:
        """Add records that came one after another and are as received."""
        if not self._plain:
            self.flush()
        chunk = self._chunk
        chunk.raw += records.raw
        chunk.seq += seqs
        chunk.extracted += records.extracted
        self.received += len(records)
        self.bytes += sum(map(len, records.raw))
        second = self._second if self.versions is None else None
        if second is not None and not second.is_there:
            second = None
        most = CHUNK_ROWS if second is None else SHARED_ROWS
        if len(chunk) < most and self.bytes - self._checked_bytes < CHUNK_BYTES:
            return
        if second is None:
            self.flush()
        else:
            self._share(second)

    def flush(self) -> None:
        """Check the records that wait and write them to the file."""
        self._collect()
        self._plain = True
        if self._chunk:
            self._write(lines_of(self.checker.check(self._take(), keys=self.versions is not None)))

    def _share(self, second: SecondProcess) -> None:
        """Check the records that wait together with the second process, which goes on while more is read."""
        self._collect()
        chunk = self._take()
        most = len(chunk) * 5 // 8
        task = second.begin(self.checker, chunk.part(0, most))
        self._waiting = task, check_plain(self.checker, chunk.part(most, len(chunk)))

    def _take(self) -> Chunk:
        """Take the records that wait; their texts are kept."""
        chunk, self._chunk, self._plain = self._chunk, Chunk(), True
        self._checked_bytes = self.bytes
        self.spool.append(chunk.raw)
        self.seqs.extend(chunk.seq)
        return chunk

    def _collect(self) -> None:
        """Write what two processes have checked."""
        if self._waiting is not None and self._second is not None:
            task, rest = self._waiting
            self._waiting = None
            for lines in (*self._second.result(task), *rest):
                self._write(lines)

    def _write(self, lines: Lines) -> None:
        self.file.append(lines.data, lines.count)
        self._note(lines)

    def last_document(self) -> TornDocument | None:
        """What came of the last document, of a batch that is finished; None where its begin is not in it."""
        if not self.starts:
            return None
        row = self.row_of(self.starts[-1])
        return TornDocument(self.spool.tail(row), self.seqs[row:], self.version)

    def carry(self, torn: TornDocument, again: Callable[[bytes], Mapped]) -> None:
        """Begin with a torn document; `again` maps a record and gives the problems of that."""
        for start in range(0, len(torn.raw), CHUNK_ROWS):
            chunk = Chunk()
            for raw, seq in zip(torn.raw[start:][:CHUNK_ROWS], torn.seqs[start:][:CHUNK_ROWS], strict=True):
                record, found = again(raw)
                if found:
                    chunk.found[len(chunk)] = found
                chunk.mapped.append(record or {})
                chunk.raw.append(raw)
                chunk.seq.append(seq)
                chunk.extracted.append(None)
            checked = self.checker.check(chunk, keys=False)
            self.file.write(map(known_line, checked.lines))
            self.spool.append(chunk.raw)
            self.seqs.extend(chunk.seq)
            self.lost += checked.lost
        self.starts.append(torn.seqs[0])
        self.carried = len(torn.seqs)

    def finish(self) -> None:
        """Check what waits, close the file and give the batch its id."""
        if self._batch_id:
            return
        self.flush()
        self.file.close()
        self._batch_id = hashing.batch_id(self.run_id, str(self.plan.table), self.number, self.file.sha256)

    def row_of(self, seq: int) -> int:
        """Place of an arrival number in the batch."""
        return bisect_left(self.seqs, seq)

    def close(self) -> None:
        """Remove the files; after a full disk, too, whose error is the one to be told."""
        self.file.discard()
        self.spool.close()
        folders.remove(self.folder)

    def _note(self, checked: Lines) -> None:
        self.dead += len(checked.letters)
        for letter in checked.letters:
            self.first_letter = self.first_letter or letter
            reason = letter.problems[0].reason
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
            if self._keep_letters:
                self.letters[letter.seq] = list(letter.problems)
        self.lost += checked.lost
        if self.versions is not None:
            self.versions.add(checked.keys, complete=not checked.lost_keys)
        self.stamps = _range(self.stamps, checked.stamps)
        self.extracted = _range(self.extracted, checked.extracted)


def _range(known: tuple[str, str] | None, values: list[str]) -> tuple[str, str] | None:
    if not values:
        return known
    low, high = min(values), max(values)
    return (low, high) if known is None else (min(known[0], low), max(known[1], high))


def doubt_of(batch: Batch) -> tuple[str, bool]:
    """Of a batch with records whose document cannot be told.

    Returns:
        The text for BATCHES that lines may be gone of which no trace is taken, and whether the document that
        comes next may have such a record, too.
    """
    note = (
        f"the document of {len(batch.lost)} dead letters cannot be told: no line of the documents beside "
        "them was taken for deleted"
    )
    logger.warning("Stream %s, batch %s: %s", batch.plan.stream, batch.number, note)
    return note, not batch.starts or max(batch.lost) >= batch.starts[-1]
