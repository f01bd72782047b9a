"""Third net: finds the rows that Snowflake itself refuses, when its error names none."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from target_snowflake_audit.session import Session, StatementError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Probe: TypeAlias = Callable[[int, int], StatementError | None]

MOST_PROBES = 2000
"""Enough for 58 refused rows among 100,000: each takes 2 x log2(rows) probes."""


def find(seqs: Sequence[int], probe: Probe, most: int = MOST_PROBES) -> dict[int, StatementError]:
    """Find refused rows by halving ranges of arrival numbers.

    Args:
        seqs: arrival numbers of the rows, ascending.
        probe: tries a range (first and last number, both included) and gives the error, or None.
        most: probes at most.

    Returns:
        The error by arrival number, each of them tried alone; empty when the rows pass.

    Raises:
        StatementError: the probes ran out. Refusing what is not told apart would throw good rows away.
    """
    refused: dict[int, StatementError] = {}
    slices = [seqs] if seqs else []
    probes = 0
    while slices:
        part = slices.pop()
        probes += 1
        error = probe(part[0], part[-1])
        if error is None:
            continue
        if probes >= most:
            raise _too_many(error, len(refused), probes)
        if len(part) == 1:
            refused[part[0]] = error
            continue
        half = len(part) // 2
        slices += [part[half:], part[:half]]
    return refused


def _too_many(error: StatementError, found: int, probes: int) -> StatementError:
    reason = (
        f"so many rows are refused that they cannot all be told apart (found {found} in {probes} tries): "
        f"{error.reason}; nothing of the batch is loaded; check the table or set a smaller `batch_size_rows`"
    )
    codes = {"errno": error.errno, "sqlstate": error.sqlstate, "query_id": error.query_id}
    return StatementError(error.step, reason, error.error_class, **codes)


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
