"""The table of peers' results."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exceptions import Exempt
    from .suite import Outcome

WIDTH = 170
MOST = 60
# What the connectors put before and after Snowflake's own words.
_NUMBER = re.compile(r"^(?:\d{6} \(\w{5}\): )+")
_REQUEST = re.compile(r" \(request_id=[0-9a-f-]*.*$")


def cell(outcome: Outcome | None) -> str:
    """One outcome in a few words."""
    if outcome is None:
        return "did not run"
    if outcome.good:
        return "passes"
    if outcome.passed:
        return _short(f"passes, rows wrong: {outcome.wrong}")
    words = " ".join(_REQUEST.sub("", _NUMBER.sub("", outcome.message)).split())
    number = f"{outcome.code:06d} " if outcome.code is not None and outcome.code >= 0 else ""
    return _short(f"{number}{words}" or "fails")


def show(
    title: str, runs: Mapping[str, Mapping[str, Outcome]], known: Mapping[str, Exempt], *, width: int = WIDTH
) -> None:
    """Print a line for each test, a column for each run, and the reasons of the exceptions below."""
    table = Table(title=title, title_justify="left")
    table.add_column("test", no_wrap=True)
    for name in runs:
        table.add_column(name, max_width=MOST, no_wrap=True, overflow="ellipsis")
    table.add_column("note", no_wrap=True)
    tests = list(dict.fromkeys(test for run in runs.values() for test in run))
    for test in tests:
        note = "real Snowflake refuses too, see below" if test in known else ""
        table.add_row(test, *(cell(run.get(test)) for run in runs.values()), note)
    table.add_section()
    totals = (sum(outcome.good for outcome in run.values()) for run in runs.values())
    table.add_row("passed", *(f"{total} of {len(tests)}" for total in totals), "")
    console = Console(width=width, highlight=False, markup=False)
    console.print(table)
    for exempt in known.values():
        told = f"{exempt.rule} {' '.join(exempt.proof.split())}"
        console.print(
            f"{exempt.test}: {told}\n  error: {exempt.code} ({exempt.sqlstate})\n"
            f"  statement: {exempt.statement}...\n  page: https://docs.snowflake.com/en{exempt.page}\n"
            f"  the peer's reason: {exempt.upstream}\n"
        )


def _short(text: str) -> str:
    return text if len(text) <= MOST else text[: MOST - 3] + "..."
