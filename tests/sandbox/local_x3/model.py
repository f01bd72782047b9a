"""Rows in the form in which X3 keeps them, and the documents they make up.

A native row maps a column to text, an int (also menus and booleans: 1-based menu numbers) or a Decimal.
Dates are `YYYY-MM-DD`, stamps `YYYY-MM-DDThh:mm:ssZ`: X3 has no null, an empty date is a sentinel [C]. Texts
that do not fit their column (put there by a test) are kept as they are.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | int | Decimal
Row = dict[str, Value]
Key = tuple[Value, ...]

SENTINEL_DATES = ("1599-12-31", "1753-01-01")  # Oracle's and SQL Server's zero date in X3 [C]
EMPTY_DATES = frozenset({"", *SENTINEL_DATES})
STAMP = "UPDDATTIM"
STAMP_DATE = "UPDDAT"
CREATED = "CREDATTIM"
CREATED_DATE = "CREDAT"
UUID = "AUUID"
AUDIT_COLUMNS = (CREATED, STAMP, UUID, "CREUSR", "UPDUSR")


@dataclass(slots=True)
class Document:
    """One row with its embedded collections, keyed by the collection's REST name (outermost first)."""

    row: Row
    children: dict[str, list[Document]] = field(default_factory=dict)


@dataclass(slots=True)
class Entry:
    """The place of a document in its table: what lists are sorted by, without building the document.

    `index` is the document's number in its store; `document` is there when a test has changed it.
    """

    key: Key
    stamp: str
    index: int
    document: Document | None = None


def set_stamp(row: Row, stamp: str, zone: dt.timezone) -> None:
    """Write the change stamp, and the day of the change where the table has it."""
    row[STAMP] = stamp
    if STAMP_DATE in row:
        row[STAMP_DATE] = day_of(stamp, zone)


def day_of(stamp: object, zone: dt.timezone) -> str:
    """Return the server's calendar day of a stamp [D], which is in UTC; an empty stamp has an empty day."""
    text = str(stamp)
    if zone == dt.UTC or is_empty_date(stamp):
        return text[:10]
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:  # put there by a test
        return text[:10]
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(zone).date().isoformat()


def set_days(row: Row, zone: dt.timezone) -> None:
    """Write the days of creation and change, where the table has them."""
    for stamp, day in ((STAMP, STAMP_DATE), (CREATED, CREATED_DATE)):
        if day in row:
            row[day] = day_of(row[stamp], zone)


def is_empty_date(value: object) -> bool:
    """Say whether a date or stamp column holds X3's "no date"."""
    return value is None or (isinstance(value, str) and value[:10] in EMPTY_DATES)


def pick(row: Mapping[str, Value], columns: tuple[str, ...]) -> Key:
    """Return the values of `columns` in order; KeyError when the row lacks one."""
    return tuple(row[column] for column in columns)
