"""What all kinds of reads share: settings, the writer, the clock, how often STATE leaves."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tap_sagex3.settings import Settings
    from tap_sagex3.sync.progress import Progress
    from tap_sagex3.sync.slots import Slot
    from tap_sagex3.writer import BufferedWriter

STATE_EVERY = 10_000
"""Records between STATE messages, where a later run can go on from there."""


@dataclass(frozen=True, slots=True)
class ReadContext:
    """One read of an entity.

    `run_start` is the start of the run by the server's clock. `whole_days` says that change times are known
    to the day only. `lookback` is in seconds.
    """

    slots: Sequence[Slot]
    settings: Settings
    writer: BufferedWriter
    run_start: datetime
    whole_days: bool
    lookback: int
    progress: Progress

    @property
    def cap(self) -> datetime:
        """No bookmark may be later: changes from then on were not, or not surely, read."""
        until = self.settings.end_date
        return self.run_start if until is None else min(self.run_start, until)

    def write_state(self) -> None:
        """Send STATE, after all records that were sent."""
        for slot in self.slots:
            slot.tell_counts()
        self.slots[0].stream.write_state()

    def may_lack_collection(self) -> bool:
        """Whether it is not sure yet that this site shows every nested collection."""
        return any(slot.may_lack_collection() for slot in self.slots)

    def tell_doubtful_collections(self) -> None:
        """After an increment, whose documents may all have an empty one: warn of what no line had."""
        for slot in self.slots:
            slot.tell_doubtful_collections()

    def check_collections(self) -> None:
        """After the last document. Raises NotReadableError for a collection that no line had."""
        for slot in self.slots:
            slot.check_collections()
