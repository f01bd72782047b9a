"""100,000 GL lines through each target: all new, all unchanged, one in ten changed; each load is checked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import candidates, environments, lines, time_split
from .figures import Figure, highest, ratio
from .measure import BenchError
from .warehouse import check, clear_log, sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from .measure import Measured
    from .options import Options

    Start = Callable[[Path, Path], AbstractContextManager[candidates.Candidate]]

RATIOS = {case: f"target_vs_meltanolabs_{case}" for case in ("new", "unchanged", "changed")}
TUNED = "target_vs_meltanolabs_tuned"
NAMES = (*RATIOS.values(), TUNED, "target_peak_mb", "statements_per_batch")
EMPTY = "warehouse_statements_when_empty"


@dataclass(frozen=True)
class Load:
    """A file to load, and what the table holds afterwards."""

    case: str
    file: Path
    totals: lines.Totals


@dataclass
class Results:
    """Measured loads of one candidate by case, and the statements of each of its batches."""

    loads: dict[str, list[Measured]] = field(default_factory=lambda: defaultdict(list))
    batches: list[int] = field(default_factory=list)

    def seconds(self, case: str) -> list[float]:
        """Give the seconds of each load of a case."""
        return [load.seconds for load in self.loads[case]]

    def cpu(self, case: str) -> list[float]:
        """Give the loader's own processor seconds of each load of a case."""
        return [round(load.cpu_seconds, 1) for load in self.loads[case]]


def measure(options: Options, folder: Path) -> Iterator[Figure]:
    """Load with both targets, ours first and last so that a drifting machine favours nobody, and compare."""
    files = _files(options, folder)
    our_environment = environments.ours()
    mine, other, tuned = Results(), Results(), Results()
    rounds: list[tuple[Start, Path, Results]] = [
        (candidates.ours, our_environment, mine)
    ] * options.our_rounds
    if options.wants(*RATIOS.values()):
        rounds[1:1] = [(candidates.peer, environments.peer(), other)] * options.peer_rounds
    if options.wants(TUNED):
        rounds[1:1] = [(candidates.tuned_peer, environments.peer(), tuned)] * options.peer_rounds
    for number, (start, environment, results) in enumerate(rounds):
        with start(environment, folder / f"round-{number}") as candidate:
            _load_all(candidate, files, results)
    if other.loads:
        for case, name in RATIOS.items():
            cpu = {"ours_cpu_s": mine.cpu(case), "peer_cpu_s": other.cpu(case)}
            yield ratio(name, mine.seconds(case), other.seconds(case), **cpu)
    if tuned.loads:
        yield _worst(mine, tuned)
    peaks = [load.peak_mb for loads in mine.loads.values() for load in loads]
    peer_peaks = [round(load.peak_mb) for loads in other.loads.values() for load in loads]
    yield highest("target_peak_mb", peaks, **({"peer_mb": peer_peaks} if peer_peaks else {}))
    yield highest("statements_per_batch", mine.batches)


def _worst(mine: Results, tuned: Results) -> Figure:
    """Give the ratio to the tuned peer in the case in which it is smallest."""
    ratios = {case: ratio(TUNED, mine.seconds(case), tuned.seconds(case)) for case in RATIOS}
    worst = min(ratios.values(), key=lambda figure: figure.value)
    cases = {case: float(f"{figure.value:.3g}") for case, figure in ratios.items()}
    peaks = [round(load.peak_mb) for loads in tuned.loads.values() for load in loads]
    seconds = [round(one, 1) for case in RATIOS for one in tuned.seconds(case)]
    return Figure(TUNED, worst.value, worst.runs, {**cases, "peer_s": seconds, "peer_mb": peaks})


def measure_empty(options: Options, folder: Path) -> Figure:
    """Count the statements that need a warehouse in a run that brings a SCHEMA and a STATE but no RECORD."""
    first, nothing = folder / "first.jsonl", folder / "nothing.jsonl"
    lines.write(first, 100)
    lines.write_empty(nothing)
    counts: list[float] = []
    with candidates.ours(environments.ours(), folder / "empty") as candidate:
        candidate.load(first)
        if not any(entry["needs_warehouse"] for entry in sent(candidate.ready)):
            message = (
                "a load of 100 rows sent nothing that needs a warehouse: the query log is not to be trusted"
            )
            raise BenchError(message)
        for _ in range(options.our_rounds):
            clear_log(candidate.ready)
            candidate.load(nothing)
            counts.append(sum(entry["needs_warehouse"] for entry in sent(candidate.ready)))
    return highest(EMPTY, counts)


def _files(options: Options, folder: Path) -> list[Load]:
    new, changed = folder / "new.jsonl", folder / "changed.jsonl"
    first = lines.write(new, options.rows)
    later = lines.write(changed, options.rows, changed=True)
    return [Load("new", new, first), Load("unchanged", new, first), Load("changed", changed, later)]


def _load_all(candidate: candidates.Candidate, files: list[Load], results: Results) -> None:
    for load in files:
        clear_log(candidate.ready)
        measured = candidate.load(load.file)
        results.batches += _batches(candidate)
        time_split.show_statements(candidate)
        check(candidate.ready, candidates.ROWS_TABLE, load.totals)
        results.loads[load.case].append(measured)
        print(
            f"  {candidate.name} {load.case}: {measured.seconds:.1f} s, {measured.peak_mb:.0f} MB", flush=True
        )


def _batches(candidate: candidates.Candidate) -> Iterator[int]:
    """Count the statements of each batch, from its first PUT to its COMMIT, both included."""
    open_batches: dict[object, int] = {}
    for entry in sent(candidate.ready):
        session, kind = entry["session"], entry["kind"]
        if kind == "PUT" or session in open_batches:
            open_batches[session] = open_batches.get(session, 0) + 1
        if kind == "COMMIT" and session in open_batches:
            yield open_batches.pop(session)
