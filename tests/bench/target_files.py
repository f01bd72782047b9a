"""Our target with other files than one stream of good lines: many streams, bad records, ten times more."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import dirty_records

from . import candidates, environments, lines
from .figures import Figure, ratio
from .measure import BenchError
from .warehouse import check, connect

if TYPE_CHECKING:
    from pathlib import Path

    from .candidates import Candidate
    from .options import Options

STREAMS = "target_vs_meltanolabs_20_streams"
DIRTY = "dirty_vs_clean"
MEMORY = "target_memory_1m_vs_100k"
COUNT = 20
SHARE = 0.01
TIMES = 10
_LETTERS = '"ANALYTICS"."AUDIT"."DEAD_LETTERS"'


def measure_streams(options: Options, folder: Path) -> Figure:
    """Load 20 streams of few rows each with both targets: what each stream costs by itself."""
    rows = max(1, options.rows // 100)
    file = folder / "streams.jsonl"
    lines.write_streams(file, COUNT, rows)
    found: dict[str, list[float]] = {"ours": [], "peer": []}
    for number in range(options.our_rounds):
        with candidates.ours(environments.ours(), folder / f"ours-{number}") as candidate:
            found["ours"].append(_load_streams(candidate, file, rows))
    for number in range(options.peer_rounds):
        with candidates.peer(environments.peer(), folder / f"peer-{number}") as candidate:
            found["peer"].append(_load_streams(candidate, file, rows))
    return ratio(STREAMS, found["ours"], found["peer"], streams=COUNT, rows=rows)


def measure_dirty(options: Options, folder: Path) -> Figure:
    """Load a file with bad records and the same without; both by turns, so that a drift favours neither."""
    rows = options.rows * 2
    files = {"clean": folder / "clean.jsonl", "dirty": folder / "dirty.jsonl"}
    expected = {
        name: dirty_records.write(file, rows, share=SHARE if name == "dirty" else 0)
        for name, file in files.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in files}
    for number in range(options.our_rounds):
        for name, file in files.items():
            with candidates.ours(environments.ours(), folder / f"{name}-{number}") as candidate:
                measured = candidate.load(file)
                _check_counts(candidate, expected[name])
            seconds[name].append(measured.seconds)
            print(f"  {name}: {measured.seconds:.1f} s, {measured.peak_mb:.0f} MB", flush=True)
    pairs = [dirty / clean for dirty, clean in zip(seconds["dirty"], seconds["clean"], strict=True)]
    basis = {name: [round(one, 1) for one in runs] for name, runs in seconds.items()}
    middle = sorted(pairs)[len(pairs) // 2]
    return Figure(DIRTY, middle, tuple(pairs), {**basis, "rows": rows, "ways": len(expected["dirty"].ways)})


def measure_memory(options: Options, folder: Path) -> Figure:
    """Load lines, and ten times as many: memory does not grow with the ledger."""
    peaks = []
    for rows in (options.rows, options.rows * TIMES):
        file = folder / f"{rows}.jsonl"
        totals = lines.write(file, rows)
        with candidates.ours(environments.ours(), folder / str(rows)) as candidate:
            measured = candidate.load(file)
            check(candidate.ready, candidates.ROWS_TABLE, totals)
        file.unlink()
        print(f"  {rows} rows: {measured.seconds:.1f} s, {measured.peak_mb:.0f} MB", flush=True)
        peaks.append(measured.peak_mb)
    growth = peaks[1] / peaks[0]
    return Figure(MEMORY, growth, (growth,), {"peak_mb": [round(peak, 1) for peak in peaks]})


def _load_streams(candidate: Candidate, file: Path, rows: int) -> float:
    measured = candidate.load(file)
    for number in range(COUNT):
        _count(candidate, f'"ANALYTICS"."{candidates.SCHEMA}"."{lines.TABLE}_{number}"', rows)
    print(f"  {candidate.name}: {measured.seconds:.1f} s, {measured.peak_mb:.0f} MB", flush=True)
    return measured.seconds


def _check_counts(candidate: Candidate, expected: dirty_records.Expected) -> None:
    _count(candidate, candidates.ROWS_TABLE, expected.good)
    _count(candidate, _LETTERS, len(expected.bad))


def _count(candidate: Candidate, table: str, expected: int) -> None:
    """Compare a table's number of rows.

    Raises:
        BenchError: it has more or fewer.
    """
    with connect(candidate.ready) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        found = int((cursor.fetchone() or (0,))[0])
    if found != expected:
        message = (
            f"{candidate.name}: {table} holds {found} rows, expected {expected}: its figures do not count"
        )
        raise BenchError(message)
