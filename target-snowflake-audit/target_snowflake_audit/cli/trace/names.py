"""Which table and which key a person means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.sql.quoting import TableName, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PART = re.compile(r'"(?:[^"]|"")+"|[^".]+')
_PARTS_OF_A_FULL_NAME = 3


@dataclass(frozen=True)
class Loaded:
    """A table and the stream that was loaded into it."""

    stream: str
    table: TableName


def parts(name: str) -> tuple[str, ...]:
    """Split a dotted name into stored names: `finance."Odd.Name"` becomes `("FINANCE", "Odd.Name")`.

    Raises:
        CommandError: the text is not a name.
    """
    found = _PART.findall(name)
    if not found or ".".join(found) != name:
        message = f"not a table name: {name!r}; expected TABLE, SCHEMA.TABLE or DATABASE.SCHEMA.TABLE"
        raise CommandError(message)
    return tuple(fold(part) for part in found)


def full_name(name: str) -> TableName:
    """Read the full name that audit rows carry.

    Raises:
        CommandError: it does not have three parts.
    """
    found = parts(name)
    if len(found) != _PARTS_OF_A_FULL_NAME:
        message = f"not a full table name: {name!r}"
        raise CommandError(message)
    return TableName(*found)


def choose_table(wanted: str, known: Iterable[Loaded]) -> Loaded:
    """Find the table by stream name, or by as many parts of its name as were given.

    Raises:
        CommandError: no table, or more than one, fits.
    """
    tables = list(known)
    ending = parts(wanted)
    found = [
        loaded
        for loaded in tables
        if loaded.stream == wanted or _name(loaded.table)[-len(ending) :] == ending
    ]
    names = sorted({str(loaded.table) for loaded in found})
    if len(names) == 1:
        return found[-1]
    if names:
        message = f"{wanted} means several tables: {', '.join(names)}"
        raise CommandError(message)
    message = f"nothing was ever loaded into {wanted}; loaded tables: {_all(tables)}"
    raise CommandError(message)


def read_key(arguments: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Read `NAME=VALUE ...`, or the values alone in the order of the key columns.

    Args:
        arguments: as typed.
        names: key columns as stored, in the order of the stream's key properties.

    Raises:
        CommandError: the values do not fit the key.
    """
    typed = {fold(name): value for name, found, value in (one.partition("=") for one in arguments) if found}
    if len(typed) == len(arguments) and set(typed) == set(names):
        return {name: typed[name] for name in names}
    named = {_squeezed(name): value for name, value in typed.items()}
    if len(named) == len(arguments) and set(named) == {_squeezed(name) for name in names}:
        return {name: named[_squeezed(name)] for name in names}
    if len(arguments) == len(names) and not set(named) & {_squeezed(name) for name in names}:
        return dict(zip(names, arguments, strict=True))
    expected = " ".join(f"{name}=..." for name in names)
    message = f"the key of this table is {expected}; got {' '.join(arguments) or 'nothing'}"
    raise CommandError(message)


def key_column(wanted: str, names: Sequence[str]) -> str:
    """Find the key column that a person means by its own name or its property's.

    Raises:
        CommandError: no key column has the name, or several could be meant.
    """
    for exact in (wanted, fold(wanted)):
        if exact in names:
            return exact
    found = [name for name in names if _squeezed(name) == _squeezed(wanted)]
    if len(found) == 1:
        return found[0]
    problem = "no key column" if not found else "several key columns"
    message = f"{wanted} means {problem} of this table; its key columns are {', '.join(names)}"
    raise CommandError(message)


def _squeezed(name: str) -> str:
    """`lineNumber` and `LINE_NUMBER` are one name to a person."""
    return name.replace("_", "").upper()


def _name(table: TableName) -> tuple[str, str, str]:
    return table.database, table.schema, table.table


def _all(tables: Sequence[Loaded]) -> str:
    return ", ".join(sorted({str(loaded.table) for loaded in tables})) or "none"
