"""`python -m tests.bench`: measure what was asked for, print the table, write the file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from sandboxes import sandbox

from . import (
    environments,
    loads,
    pipeline_run,
    report,
    starts,
    tap_details,
    tap_documents,
    tap_memory,
    tap_pages,
    tap_runs,
    target_client,
    target_files,
    x3_speed,
)
from .figures import UNITS, Figure
from .measure import BenchError
from .options import Options, parse

Group = Callable[[Options, Path], Iterable[Figure]]


def main() -> int:
    """Run the benchmarks. Exit code 1 when a figure that was asked for could not be measured."""
    options = parse(sys.argv[1:])
    environments.HOME.mkdir(parents=True, exist_ok=True)
    figures, failures = measure(options)
    report.write(options.output, figures, options, failures)
    report.show(figures, failures)
    print(f"written: {options.output}")
    return 1 if failures else 0


def measure(options: Options) -> tuple[list[Figure], dict[str, str]]:
    """Measure group by group; one that fails does not stop the others. Give figures, and failures by name."""
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    for names, group in GROUPS.items():
        if not options.wants(*names):
            continue
        print(f"{', '.join(name for name in names if options.wants(name))} ...", flush=True)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=environments.HOME))
        try:
            for figure in group(options, folder):
                figures += [figure] if options.wants(figure.name) else []
        except (BenchError, RuntimeError, OSError) as error:
            print(f"  failed: {error}", file=sys.stderr)
            measured = {figure.name for figure in figures}
            failures |= {n: _short(error) for n in names if options.wants(n) and n not in measured}
        finally:
            shutil.rmtree(folder)
    order = list(UNITS)
    return sorted(figures, key=lambda figure: order.index(figure.name)), failures


def _short(error: Exception) -> str:
    """Give the first and the last line of an error; between them is the log, which was printed already."""
    told = str(error).strip().splitlines() or [type(error).__name__]
    return " ... ".join(dict.fromkeys((told[0], told[-1])))


def _local_x3(options: Options, _: Path) -> Iterable[Figure]:
    """Measure the local X3 itself."""
    with sandbox("--scale", str(options.scale), "--x3-version", "V12") as running:
        if options.wants(x3_speed.REST):
            yield x3_speed.measure_rest(options, running)
        if options.wants(x3_speed.GRAPHQL):
            yield x3_speed.measure_graphql(options, running)


def _tap(options: Options, folder: Path) -> Iterable[Figure]:
    """Measure the tap over GraphQL."""
    with sandbox("--scale", str(options.scale), "--x3-version", "V12") as running:
        if options.wants(tap_runs.FIRST):
            yield tap_runs.measure_first(options, running, folder)
        if options.wants(tap_runs.PEAK):
            yield tap_runs.measure_peak(running, folder)


def _pipeline(options: Options, folder: Path) -> Iterable[Figure]:
    """Measure the main job over REST."""
    with sandbox("--scale", str(options.scale), "--x3-version", "V11") as running:
        yield pipeline_run.measure(options, running, folder)


GROUPS: dict[tuple[str, ...], Group] = {
    (starts.CLI,): lambda options, folder: [starts.measure_cli(options, folder)],
    (starts.SANDBOX,): lambda options, _: [starts.measure_sandbox(options)],
    (x3_speed.REST, x3_speed.GRAPHQL): _local_x3,
    (tap_runs.FIRST, tap_runs.PEAK): _tap,
    tap_pages.NAMES: tap_pages.measure,
    (tap_details.NAME,): lambda options, folder: [tap_details.measure(options, folder)],
    (tap_documents.NAME,): lambda options, folder: [tap_documents.measure(options, folder)],
    (tap_memory.NAME,): lambda options, folder: [tap_memory.measure(options, folder)],
    (pipeline_run.NAME,): _pipeline,
    (loads.EMPTY,): lambda options, folder: [loads.measure_empty(options, folder)],
    (target_client.NAME,): lambda options, folder: [target_client.measure(options, folder)],
    (target_files.STREAMS,): lambda options, folder: [target_files.measure_streams(options, folder)],
    (target_files.DIRTY,): lambda options, folder: [target_files.measure_dirty(options, folder)],
    (target_files.MEMORY,): lambda options, folder: [target_files.measure_memory(options, folder)],
    loads.NAMES: loads.measure,
}
"""Figures that are taken together, by the function that takes them; the long loads come last."""


if __name__ == "__main__":
    sys.exit(main())
