"""Memory of the tap does not grow with the ledger: 1,000,000 GL lines against 100,000."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .figures import Figure
from .measure import BenchError, Measured
from .replayed_x3 import local_x3, our_tap

if TYPE_CHECKING:
    from pathlib import Path

    from .options import Options

NAME = "tap_memory_1m_vs_100k"
STREAM = "gl_entry_lines"
TIMES = 10


def measure(options: Options, folder: Path) -> Figure:
    """Read the lines of all entries through GraphQL, from a small and from a ten times larger ledger."""
    small, fewer = _peak(options.tap.memory_scale, folder / "small")
    large, more = _peak(options.tap.memory_scale * TIMES, folder / "large")
    growth = large.peak_mb / small.peak_mb
    return Figure(
        NAME,
        growth,
        (growth,),
        {
            "lines": [fewer, more],
            "peak_mb": [round(small.peak_mb, 1), round(large.peak_mb, 1)],
            "seconds": [round(small.seconds), round(large.seconds)],
        },
    )


def _peak(scale: int, folder: Path) -> tuple[Measured, int]:
    """Measure one run, and count its lines."""
    with local_x3(scale) as (ready, _):
        tap = our_tap(ready, "graphql", [STREAM], folder)
        measured = tap.run()
    lines = tap.counted(STREAM)
    if lines < scale:
        message = f"{NAME}: {lines} lines of {scale} entries"
        raise BenchError(message)
    return measured, lines
