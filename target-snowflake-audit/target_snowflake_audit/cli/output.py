"""Prints what a command found: rich tables for people, one JSON document for programs."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.text import json_text, safe, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

    from rich.console import RenderableType

# Without a terminal rich assumes 80 columns, which would break identifiers over several lines of a log.
_WIDTH_WITHOUT_TERMINAL = 200

SHORT_ID = 12
"""Characters of an identifier that tables show: enough to tell digests apart, and `show` accepts them."""


@dataclass(frozen=True)
class Column:
    """A column of a printed table: its title, and the member of each row that it shows."""

    title: str
    member: str
    right: bool = False  # amounts and counts


def writable(*streams: TextIO) -> None:
    """Have characters that an output's encoding lacks written as escapes: no key may end a command."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(document: object) -> None:
    """Write one JSON document and a newline to standard output."""
    text = json_text(document)
    sys.stdout.write((text if _can_write(text) else _escaped(text)) + "\n")


def print_exact(text: str) -> None:
    """Write text that is no longer itself with a character changed, such as SQL, and a newline.

    Raises:
        CommandError: the output's encoding lacks one of its characters.
    """
    if not _can_write(text):
        message = (
            f"standard output cannot hold this text in {sys.stdout.encoding}: set PYTHONIOENCODING=utf-8"
        )
        raise CommandError(message)
    sys.stdout.write(text + "\n")


def _can_write(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escaped(text: str) -> str:
    """JSON in ASCII. Only its texts hold other characters, and Python's own escapes are none of JSON."""
    return "".join(one if one.isascii() else json.dumps(one)[1:-1] for one in text)


def print_all(parts: Iterable[RenderableType]) -> None:
    """Print tables and lines to standard output, one below the other."""
    console = _console()
    for part in parts:
        console.print(part)


def line(text: str, style: str = "") -> RenderableType:
    """Make one line of plain text; marks like `[red]` in it are text too."""
    return Text(safe(text), style=style)


def table(title: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Make a table in which no value is cut: a long one goes on in the next line of its cell.

    A member `style` of a row is its rich style; a value that is a rich Text is taken as it is.
    """
    return _titled(title, _table(columns, rows, header=True))


def facts(title: str, named: Mapping[str, object]) -> RenderableType:
    """Make a table of names and values; what is None or empty is left out."""
    rows = [{"name": name, "value": value} for name, value in named.items() if not empty(value)]
    return _titled(title, _table([Column("", "name"), Column("", "value")], rows, header=False))


def empty(value: object) -> bool:
    """Whether there is nothing to show: null, or text without a character."""
    return value is None or value == ""


def lines(texts: Iterable[str]) -> Text:
    """Make a cell of several lines, each made safe on its own."""
    return Text("\n".join(safe(text) for text in texts))


def lower(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row with the names in lower case, as programs expect them in JSON."""
    return {name.lower(): value for name, value in row.items()}


def _table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], *, header: bool) -> Table:
    made = Table(box=box.SIMPLE_HEAD if header else box.SIMPLE, pad_edge=False, show_header=header)
    for column in columns:
        made.add_column(Text(column.title), justify="right" if column.right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(_cell(row.get(column.member)) for column in columns), style=row.get("style"))
    return made


def _titled(title: str, made: Table) -> RenderableType:
    """Put the title above the table: rich would break it into lines as narrow as the table."""
    return Group(Text(safe(title), style="bold"), made)


def _cell(value: object) -> Text:
    return value if isinstance(value, Text) else Text(shown(value))


def _console() -> Console:
    known = sys.stdout.isatty() or os.environ.get("COLUMNS")
    wide = None if known else _WIDTH_WITHOUT_TERMINAL
    return Console(file=sys.stdout, width=wide, highlight=False, markup=False, emoji=False)
