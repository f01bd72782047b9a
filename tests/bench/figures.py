"""The figures of a run: their names in order, their units, and how several runs become one value."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

UNITS = {
    "target_vs_meltanolabs_new": "times faster",
    "target_vs_meltanolabs_unchanged": "times faster",
    "target_vs_meltanolabs_changed": "times faster",
    "target_vs_meltanolabs_tuned": "times faster",
    "target_vs_meltanolabs_20_streams": "times faster",
    "dirty_vs_clean": "times the time",
    "tap_vs_sdk_0ms": "times faster",
    "tap_vs_sdk_20ms": "times faster",
    "tap_details_16_vs_sequential": "times faster",
    "tap_memory_1m_vs_100k": "times the memory",
    "target_memory_1m_vs_100k": "times the memory",
    "target_peak_mb": "MB",
    "tap_peak_mb": "MB",
    "target_client_rows_per_s": "rows/s",
    "first_record_s": "s",
    "tap_graphql_docs_per_s": "documents/s",
    "pipeline_rows_per_s": "rows/s",
    "statements_per_batch": "statements",
    "warehouse_statements_when_empty": "statements",
    "cli_start_s": "s",
    "sandbox_start_s": "s",
    "x3_rest_rows_per_s": "rows/s",
    "x3_graphql_rows_per_s": "rows/s",
}
"""Every figure that can be measured, in the order in which they are shown: ratios first."""


@dataclass(frozen=True)
class Figure:
    """One figure: its value, the single runs it was made from, and in `basis` what else it rests on."""

    name: str
    value: float
    runs: tuple[float, ...]
    basis: dict[str, Any] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """Give the unit."""
        return UNITS[self.name]

    def as_json(self) -> dict[str, Any]:
        """Give the form of the result file; `basis` is left out when there is nothing to say."""
        shown: dict[str, Any] = {
            "value": _rounded(self.value),
            "unit": self.unit,
            "runs": [_rounded(run) for run in self.runs],
        }
        return shown | ({"basis": self.basis} if self.basis else {})


def median(name: str, runs: Sequence[float], **basis: object) -> Figure:
    """Make a figure whose value is the median of its runs."""
    return Figure(name, statistics.median(runs), tuple(runs), dict(basis))


def highest(name: str, runs: Sequence[float], **basis: object) -> Figure:
    """Make a figure whose value is the worst of its runs: a peak is a peak."""
    return Figure(name, max(runs), tuple(runs), dict(basis))


def ratio(name: str, ours: Sequence[float], peer: Sequence[float], **basis: object) -> Figure:
    """Make a ratio of seconds: the peer's median to each of our runs; the value is that of the medians."""
    reference = statistics.median(peer)
    return Figure(
        name,
        reference / statistics.median(ours),
        tuple(reference / seconds for seconds in ours),
        {"ours_s": [_rounded(one) for one in ours], "peer_s": [_rounded(one) for one in peer], **basis},
    )


def _rounded(value: float) -> float:
    """Keep four significant figures: more would pretend to a precision that no machine has."""
    return float(f"{value:.4g}") if value < 1_000 else float(round(value))
