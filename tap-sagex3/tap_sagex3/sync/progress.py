"""Log lines that tell how far a read has come."""

from __future__ import annotations

import logging
import time
import typing as t

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
        """Report on these streams; `stats` are those of their readers, `clock` counts seconds."""
        self._slots = slots
        self._stats = stats
        self._clock = clock
        self._start = self._last = clock()
        self._documents = 0

    def document(self) -> None:
        """A document was handled."""
        self._documents += 1
        if self._documents % _LOOK_EVERY == 0:
            self._look()

    def documents(self, number: int) -> None:
        """Some documents were handled."""
        self._documents += number
        self._look()

    def _look(self) -> None:
        if self._clock() - self._last >= SECONDS_BETWEEN:
            self._last = self._clock()
            logger.info("%s", self.text())

    def end(self) -> None:
        """Log the last line."""
        logger.info("%s: done", self.text())

    def text(self) -> str:
        """Documents and pages read, rate, records sent; per cent and time left where they are known."""
        passed = max(self._clock() - self._start, 0.001)
        sent = ", ".join(f"{slot.stream.name} {slot.sent}" for slot in self._slots)
        pages = sum(stats.pages for stats in self._stats)
        text = (
            f"Read {self._documents} documents ({pages} pages) in {passed:.1f} s, "
            f"{self._documents / passed:.0f} a second; records sent: {sent}"
        )
        totals = [stats.total for stats in self._stats]
        if not self._documents or any(total is None for total in totals):
            return text
        total = max(sum(total or 0 for total in totals), self._documents)
        left = passed / self._documents * (total - self._documents)
        return f"{text}; {100 * self._documents // total} % of {total}, about {left:.0f} s left"
