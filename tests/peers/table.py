"""The table of peers' results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .exceptions import Exempt
    from .suite import Outcome

NO_RESULT = "no result"


def cell(outcome: Outcome | None) -> str:
    """One outcome in a few words."""
    if outcome is None:
        return NO_RESULT
    if outcome.good:
        return "passes"
    if outcome.passed:
        return f"passes, but the rows are wrong: {outcome.wrong}"
    number = f"{outcome.code:06d} " if outcome.code is not None and outcome.code >= 0 else ""
    return f"fails: {number}{' '.join(outcome.message.split())}"


def show(
    title: str, runs: Mapping[str, Mapping[str, Outcome]], known: Mapping[str, Exempt], width: int = 150
) -> None:
    """Print a line for each test, a column for each run, and the reasons of the exceptions below."""
    table = Table(title=title, show_lines=True)
    table.add_column("test")
    for name in runs:
        table.add_column(name, max_width=48)
    table.add_column("note")
    tests = list(dict.fromkeys(test for run in runs.values() for test in run))
    for test in tests:
        note = f"real Snowflake refuses too: {known[test].page}" if test in known else ""
        table.add_row(test, *(_short(cell(run.get(test))) for run in runs.values()), note)
    table.add_section()
    table.add_row("passed", *(_total(list(run.values()), len(tests)) for run in runs.values()), "")
    console = Console(width=width, soft_wrap=False, highlight=False)
    console.print(table)
    for exempt in known.values():
        console.print(f"{exempt.test}: {exempt.rule} {' '.join(exempt.proof.split())}\n")


def _short(text: str, most: int = 140) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _total(outcomes: Sequence[Outcome], tests: int) -> str:
    return f"{sum(outcome.good for outcome in outcomes)} of {tests}"
