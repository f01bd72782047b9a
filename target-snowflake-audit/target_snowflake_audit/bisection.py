"""Third net: finds the rows that Snowflake itself refuses, when its error names none."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from target_snowflake_audit.session import Session, StatementError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Probe: TypeAlias = Callable[[int, int], StatementError | None]

MOST_PROBES = 64


def find(seqs: Sequence[int], probe: Probe, most: int = MOST_PROBES) -> dict[int, StatementError]:
    """Find refused rows by halving ranges of arrival numbers.

    Args:
        seqs: arrival numbers of the rows, ascending.
        probe: tries a range (first and last number, both included) and gives the error, or None.
        most: probes at most; what is not told apart by then is refused as a whole slice.

    Returns:
        The error by arrival number; empty when the rows pass.
    """
    refused: dict[int, StatementError] = {}
    slices = [list(seqs)] if seqs else []
    probes = 0
    while slices:
        # Largest first: if the probes run out, the slices left are small.
        slices.sort(key=len)
        part = slices.pop()
        probes += 1
        error = probe(part[0], part[-1])
        if error is None:
            continue
        if len(part) == 1 or probes + len(slices) >= most:
            refused.update(dict.fromkeys(part, error))
            continue
        half = len(part) // 2
        slices += [part[:half], part[half:]]
    return refused


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
