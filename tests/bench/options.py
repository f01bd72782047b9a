"""Command line of the benchmarks."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from .figures import UNITS

ROOT = Path(__file__).resolve().parents[2]
QUICK_ROWS = 10_000


@dataclass(frozen=True)
class TapSizes:
    """Rounds of the tap's figures, and GL entries in the local X3 of each; the rest is in proportion."""

    rounds: int = 5
    pages_scale: int = 2_000_000
    details_scale: int = 1_000
    documents_scale: int = 13_600
    memory_scale: int = 13_600


QUICK_TAP = TapSizes(1, pages_scale=11_000, details_scale=40, documents_scale=300, memory_scale=60)


@dataclass(frozen=True)
class Options:
    """What to measure, and with how much."""

    rows: int
    our_rounds: int
    peer_rounds: int
    scale: int
    repeats: int
    seconds_a_run: float
    tap: TapSizes
    only: frozenset[str]
    output: Path

    def wants(self, *names: str) -> bool:
        """Tell whether one of these figures was asked for."""
        return not self.only.isdisjoint(names)


def parse(arguments: list[str]) -> Options:
    """Read the command line; argparse prints usage and exits with 2 on a mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures both plugins on the sandbox, side by side with meltanolabs-target-snowflake, "
        "prints a table and writes the figures as JSON.",
    )
    parser.add_argument("--rows", type=int, metavar="N", help="GL lines a load (default 100,000)")
    parser.add_argument("--scale", type=int, metavar="N", help="GL entries in the local X3 (default 2,000)")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="rounds of our target (default 3; the peer has 1)"
    )
    parser.add_argument(
        "--peer-rounds", type=int, default=1, metavar="N", help="rounds of the peer (default 1)"
    )
    parser.add_argument("--only", metavar="NAME,...", help="measure only these: " + ", ".join(UNITS))
    parser.add_argument("--quick", action="store_true", help="10,000 rows, one round: does it work at all?")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json", metavar="FILE")
    known = parser.parse_args(arguments)
    only = frozenset(known.only.split(",")) if known.only else frozenset(UNITS)
    if unknown := only - UNITS.keys():
        parser.error(f"--only: no figure named {', '.join(sorted(unknown))}; there are {', '.join(UNITS)}")
    options = Options(
        rows=known.rows or (QUICK_ROWS if known.quick else 100_000),
        our_rounds=known.rounds or (1 if known.quick else 3),
        peer_rounds=known.peer_rounds,
        scale=known.scale or (200 if known.quick else 2_000),
        repeats=1 if known.quick else 5,
        seconds_a_run=0.5 if known.quick else 2.0,
        tap=QUICK_TAP if known.quick else TapSizes(),
        only=only,
        output=known.output,
    )
    if min(options.rows, options.scale, options.our_rounds, options.peer_rounds) < 1:
        parser.error("--rows, --scale, --rounds and --peer-rounds must be 1 or more")
    return options
