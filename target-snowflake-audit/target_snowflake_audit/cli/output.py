"""Prints what a command found: rich tables for people, one JSON document for programs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from target_snowflake_audit.cli.text import json_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

# Without a terminal rich assumes 80 columns, which would break identifiers over several lines of a log.
_WIDTH_WITHOUT_TERMINAL = 200


@dataclass(frozen=True)
class Column:
    """A column of a printed table: its title, and the member of each row that it shows."""

    title: str
    member: str
    right: bool = False  # amounts and counts


def print_json(document: object) -> None:
    """Write one JSON document and a newline to standard output."""
    sys.stdout.write(json_text(document) + "\n")


def print_all(parts: Iterable[RenderableType]) -> None:
    """Print tables and lines to standard output, one below the other."""
    console = _console()
    for part in parts:
        console.print(part)


def line(text: str, style: str = "") -> RenderableType:
    """Make one line of plain text; marks like `[red]` in it are text too."""
    return Text(text, style=style)


def table(title: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Make a table in which no value is cut: a long one goes on in the next line of its cell."""
    made = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(Text(column.title), justify="right" if column.right else "left", overflow="fold")
    for row in rows:
        style = str(row.get("style") or "")
        made.add_row(*(Text(shown(row.get(column.member))) for column in columns), style=style)
    return made


def _console() -> Console:
    wide = None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL
    return Console(file=sys.stdout, width=wide, highlight=False, markup=False, emoji=False)
