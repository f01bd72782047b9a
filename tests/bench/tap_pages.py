"""Our tap against a plain SDK tap: the same products, in the same pages, through REST.

Runs alternate, so that whatever else the machine does strikes both, and each pair gives one ratio. Records a
second are those of the sync, by the SDK's own metric that both log; the ratio of whole runs, start included,
and that of processor time are in `basis`.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .figures import Figure, median
from .replayed_x3 import Output, Tap, check_equal, local_x3, our_tap, plain_tap, read_output

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .options import Options

NAMES = ("tap_vs_sdk_0ms", "tap_vs_sdk_20ms")
LATENCIES = {NAMES[0]: 0, NAMES[1]: 20}
PAGE = 1_000
OURS = ("code", "basePrice", "updatedDate")
PEERS = ("ITMREF", "PURBASPRI", "UPDDATTIM")
"""Columns that both must have sent alike: key, an exact number, change time."""


@dataclass
class Rounds:
    """Runs of one tap: seconds of the whole run and of its sync, and seconds of processor."""

    tap: Tap
    seconds: list[float] = field(default_factory=list)
    sync: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run once more."""
        measured = self.tap.run()
        self.seconds.append(measured.seconds)
        self.cpu.append(measured.cpu_seconds)
        self.sync.append(self.tap.sync_seconds())


def measure(options: Options, folder: Path) -> Iterable[Figure]:
    """Measure without latency, then with 20 ms before each page."""
    with local_x3(options.tap.pages_scale, "--replay", "--x3-version", "V11") as (ready, control):
        ours = our_tap(ready, "rest", ["products"], folder, page_size=PAGE)
        peer = plain_tap(ready, PAGE, folder)
        sent = _check(ours, peer, folder / "records.jsonl")
        for name, latency in LATENCIES.items():
            if options.wants(name):
                control.latency(latency)
                yield _side_by_side(name, options.tap.rounds, ours, peer, sent)


def _check(ours: Tap, peer: Tap, file: Path) -> Output:
    """Run both once, which also makes the server remember its answers, and compare what they sent."""
    peer.run(file)
    expected = read_output(file, PEERS, ordered=False)  # ours reads several parts of the list at once
    ours.run(file)
    check_equal(read_output(file, OURS, ordered=False), expected, "our tap and the plain one")
    file.unlink()
    return expected


def _side_by_side(name: str, rounds: int, ours: Tap, peer: Tap, sent: Output) -> Figure:
    first, second = Rounds(ours), Rounds(peer)
    for _ in range(rounds):
        first.run()
        second.run()
    ratios = [theirs / own for own, theirs in zip(first.sync, second.sync, strict=True)]
    return median(
        name,
        ratios,
        rows=sent.records,
        rows_a_page=PAGE,
        ours_rows_per_s=round(sent.records / statistics.median(first.sync)),
        peer_rows_per_s=round(sent.records / statistics.median(second.sync)),
        whole_run=_times(first.seconds, second.seconds),
        cpu=_times(first.cpu, second.cpu),
    )


def _times(ours: list[float], peer: list[float]) -> float:
    """Give the median of the ratios of pairs."""
    return round(statistics.median(theirs / own for own, theirs in zip(ours, peer, strict=True)), 2)
