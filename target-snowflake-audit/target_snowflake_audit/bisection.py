"""Third net: finds the rows that Snowflake itself refuses, when its error names none."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from target_snowflake_audit.session import Session, StatementError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Probe: TypeAlias = Callable[[int, int], StatementError | None]

logger = logging.getLogger(__name__)

_SAY_EVERY_SECONDS = 60.0


@dataclass
class Search:
    """Halves ranges of arrival numbers (ascending) until each refused row is found, tried alone.

    A row takes about log2(rows) probes. A probe that raises changes nothing: the search goes on with it, in
    another session if need be.
    """

    seqs: Sequence[int]
    before_probe: Callable[[int], None] = lambda _found: None
    """Called with the number of rows found; what it raises ends the search."""
    refused: dict[int, StatementError] = field(default_factory=dict)
    """Snowflake's error by arrival number."""
    probes: int = 0

    def __post_init__(self) -> None:
        """Nothing was tried."""
        self._open: list[tuple[Sequence[int], bool]] = [(self.seqs, False)] if self.seqs else []
        """Ranges to look at, the first one last, and whether they are known to be refused as a whole."""
        self._said = time.monotonic()

    def run(self, probe: Probe) -> dict[int, StatementError]:
        """Find the refused rows.

        Args:
            probe: tries a range (first and last number, both included) and gives the error, or None.

        Returns:
            What is refused; empty when the rows pass.
        """
        while self._open:
            part, fails = self._open[-1]
            if fails and len(part) > 1:
                self._halve(part, probe)
                continue
            error = self._probe(part, probe)
            self._open.pop()
            if error is not None:
                self._note(part, error)
        return self.refused

    def _halve(self, part: Sequence[int], probe: Probe) -> None:
        """Where the first half passes it is the second that fails, which needs no probe."""
        first, second = part[: len(part) // 2], part[len(part) // 2 :]
        error = self._probe(first, probe)
        self._open.pop()
        self._open.append((second, error is None))
        if error is not None:
            self._note(first, error)

    def _note(self, part: Sequence[int], error: StatementError) -> None:
        if len(part) > 1:
            self._open.append((part, True))
        else:
            self.refused[part[0]] = error

    def _probe(self, part: Sequence[int], probe: Probe) -> StatementError | None:
        self.before_probe(len(self.refused))
        error = probe(part[0], part[-1])
        self.probes += 1
        if time.monotonic() - self._said > _SAY_EVERY_SECONDS:
            self._said = time.monotonic()
            logger.warning("%s refused rows found in %s tries; looking on", len(self.refused), self.probes)
        return error


def prober(session: Session, statement: Callable[[tuple[int, int]], str]) -> Probe:
    """Give a probe that runs a statement for a range in a transaction that is rolled back.

    Only data errors count; any other error is raised.
    """

    def probe(first: int, last: int) -> StatementError | None:
        session.execute("BEGIN", "begin probe")
        try:
            session.execute(statement((first, last)), "probe")
        except StatementError as error:
            if not error.error_class.data:
                raise
            return error
        finally:
            session.rollback()
        return None

    return probe
