"""REST `$details` at 20 ms each: one after the other, and with 16 workers."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from .figures import Figure
from .replayed_x3 import Tap, check_equal, local_x3, our_tap, read_output

if TYPE_CHECKING:
    from pathlib import Path

    from .options import Options

NAME = "tap_details_16_vs_sequential"
LATENCY = 20
WORKERS = 16


def measure(options: Options, folder: Path) -> Figure:
    """Read GL entries with their lines; the time of the sync is compared, since both start alike."""
    with local_x3(options.tap.details_scale, "--replay", "--x3-version", "V11") as (ready, control):
        one, many = (
            our_tap(
                ready, "rest", ["gl_entries", "gl_entry_lines"], folder / str(workers), detail_workers=workers
            )
            for workers in (1, WORKERS)
        )
        records = _check(one, many, folder / "records.jsonl")
        control.latency(LATENCY)
        sequential = [_seconds(one) for _ in range(min(options.tap.rounds, 2))]
        pooled = [_seconds(many) for _ in range(options.tap.rounds)]
    reference = statistics.median(sequential)
    return Figure(
        NAME,
        reference / statistics.median(pooled),
        tuple(reference / seconds for seconds in pooled),
        {
            "documents": options.tap.details_scale,
            "records": records,
            "sequential_documents_per_s": round(options.tap.details_scale / reference),
            "documents_per_s": round(options.tap.details_scale / statistics.median(pooled)),
        },
    )


def _check(one: Tap, many: Tap, file: Path) -> int:
    """Both send the same records in the same order."""
    one.run(file)
    expected = read_output(file)
    many.run(file)
    check_equal(read_output(file), expected, f"{WORKERS} workers and one")
    return expected.records


def _seconds(tap: Tap) -> float:
    tap.run()
    return tap.sync_seconds()
