"""Rules for all tests."""

from __future__ import annotations

import fcntl
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULT_ROW = "fault_row"
"""Property under which a test records its row of the table of faults."""
BUILD = Path(__file__).resolve().parents[1] / "build"


@pytest.fixture(autouse=True)
def _one_at_a_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold a lock during a test marked `alone`: workers share the project's folder.

    Meltano keeps one catalog file a plugin in the project, and the benchmarks build wheels in `build/`.
    """
    if request.node.get_closest_marker("alone") is None:
        yield
        return
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.hookimpl(tryfirst=True)  # before `-m` is applied
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `full` the cases of a `sampled` test that are not in its sample."""
    tests: dict[str, list[pytest.Function]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("sampled"):
            tests[item.nodeid.partition("[")[0]].append(item)
    if not tests:
        return
    # Here only: the peers' own environments load this file too, without tests/support.
    from sampling import chosen  # noqa: PLC0415

    for cases in tests.values():
        mark = next(cases[0].iter_markers("sampled"))
        kept = chosen({case.name: case.callspec.params for case in cases}, *mark.args)
        for case in cases:
            if case.name not in kept:
                case.add_marker("full")


def pytest_terminal_summary(terminalreporter: Any) -> None:  # noqa: ANN401 - pytest's own
    """Print what came of each fault of a server."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    rows = [
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == FAULT_ROW
    ]
    if rows:
        # Here only: the peers' own environments load this file too, without tests/support.
        import fault_table  # noqa: PLC0415

        terminalreporter.section("faults of a server, and what the tap made of them")
        for line in fault_table.table(rows):
            terminalreporter.write_line(line)
