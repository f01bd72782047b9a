"""Log lines that tell how far a read has come."""

from __future__ import annotations

import logging
import time
import typing as t
from collections import Counter

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_sagex3.reading import ReadStats
    from tap_sagex3.sync.slots import Slot

logger = logging.getLogger("tap-sagex3")

SECONDS_BETWEEN = 30.0
_LOOK_EVERY = 64


class Progress:
    """Counts documents of a read and logs now and then, and at its end."""

    def __init__(
        self,
        slots: Sequence[Slot],
        stats: Sequence[ReadStats],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Report on these streams; `stats` are those of their sources' readers, `clock` counts seconds."""
        self._slots = slots
        self._stats = stats
        self._clock = clock
        self._start = self._last = clock()
        self._documents = 0
        self._by_source: Counter[int] = Counter()
        self._source: int | None = None

    def document(self, source: int | None) -> None:
        """A document of a source was handled; None for one that is not among those that the source counts."""
        self._note(source, 1)
        if self._documents % _LOOK_EVERY == 0:
            self._look()

    def documents(self, source: int, number: int) -> None:
        """Some documents of a source were handled."""
        self._note(source, number)
        self._look()

    def _note(self, source: int | None, number: int) -> None:
        self._documents += number
        self._source = source
        if source is not None:
            self._by_source[source] += number

    def _look(self) -> None:
        if self._clock() - self._last >= SECONDS_BETWEEN:
            self._last = self._clock()
            logger.info("%s", self.text())

    def end(self) -> None:
        """Log the last line."""
        logger.info("%s: done", self._read())

    def text(self) -> str:
        """What was read and sent; per cent and time left where they are known.

        Sources are read in turn, and each tells its number of documents when it begins: until the last one
        has, they are those of the source that is being read.
        """
        text = self._read()
        totals = [stats.total for stats in self._stats]
        known = [total for total in totals if total is not None]
        own = None if self._source is None else totals[self._source]
        if self._source is None or own is None:
            return text
        if len(known) == len(totals):
            done, total, place, rest = self._by_source.total(), sum(known), "", "left"
        else:
            done, total = self._by_source[self._source], own
            place, rest = f"source {self._source + 1} of {len(totals)}: ", "left in it"
        total = max(total, done)
        left = self._passed() / self._documents * (total - done)
        return f"{text}; {place}{100 * done // total} % of {total}, about {left:.0f} s {rest}"

    def _passed(self) -> float:
        return max(self._clock() - self._start, 0.001)

    def _read(self) -> str:
        """Documents and pages read, rate, records sent."""
        passed = self._passed()
        sent = ", ".join(f"{slot.stream.name} {slot.sent}" for slot in self._slots)
        pages = sum(stats.pages for stats in self._stats)
        return (
            f"Read {self._documents} documents ({pages} pages) in {passed:.1f} s, "
            f"{self._documents / passed:.0f} a second; records sent: {sent}"
        )
