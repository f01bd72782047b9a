"""Plausible values for columns that no rule of the dataset sets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from local_x3.clock import STAMP_FORMAT
from local_x3.model import (
    AUDIT_COLUMNS,
    CREATED,
    CREATED_DATE,
    SENTINEL_DATES,
    STAMP,
    STAMP_DATE,
    UUID,
    Document,
    Row,
    Value,
)

if TYPE_CHECKING:
    from local_x3.declarations import Column, Level

WORDS = (
    "standard",
    "usinage",
    "Prüfung",
    "Fräsen",
    "tolerance 0,01",
    'Ø12 "H7"',
    "l'outillage",
    "reconditionné",
    "",
)
USERS = ("ADMIN", "BATCH", "MLEFE", "JDOE", "SIMP")
NO_DATE_TABLES = frozenset({"GACCENTRYD", "GACCENTRYA"})  # these have no CREDAT and UPDDAT [D]
EMPTY_SHARE = 0.15
ZERO = Decimal(0)
Make = Callable[[Random], Value]


def plain(value: Decimal) -> Decimal:
    """Drop trailing zeros without falling into exponent form: 12.50 -> 12.5, 800.00 -> 800."""
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short


def number(units: int, scale: int) -> Decimal:
    """Return `units` * 10**-scale exactly."""
    return plain(Decimal(units).scaleb(-scale))


def complete(document: Document, level: Level, rng: Random, stamp: str, above: tuple[str, ...] = ()) -> None:
    """Fill what is missing in a document and its collections; a row without a stamp gets `stamp`.

    `above` names the key columns of the levels above this one.
    """
    row = document.row
    keys = (*above, *level.key)
    complete_row(row, level, rng, stamp)
    for name, child in level.children.items():
        for line in document.children.setdefault(name, []):
            for column in keys:  # lines carry the key of what they belong to, as in the tables
                line.row.setdefault(column, row[column])
            complete(line, child, rng, str(row[STAMP]), keys)


def complete_row(row: Row, level: Level, rng: Random, stamp: str) -> None:
    """Fill what is missing in a row: always before its lines, so that it is the same without them."""
    for name, make in _makers(level):
        if name not in row:
            row[name] = make(rng)
    _audit(row, level, rng, stamp)


def _audit(row: Row, level: Level, rng: Random, stamp: str) -> None:
    """Set stamps, users, UUID and empty dimensions."""
    row.setdefault(STAMP, stamp)
    row.setdefault(CREATED, row[STAMP])
    bits = rng.getrandbits(144)
    row.setdefault(UUID, uuid_text(bits))
    row.setdefault("CREUSR", USERS[(bits >> 128) % len(USERS)])
    row.setdefault("UPDUSR", USERS[(bits >> 136) % len(USERS)])
    if level.table not in NO_DATE_TABLES:
        row[STAMP_DATE] = str(row[STAMP])[:10]
        row[CREATED_DATE] = str(row[CREATED])[:10]
    if level.dimensions is not None:
        for _, kind, value in level.dimensions.pairs():
            row.setdefault(kind, "")
            row.setdefault(value, "")


def uuid_text(bits: int) -> str:
    """Return the lower 128 bits as `$uuid` shows a row's UUID."""
    text = f"{bits % (1 << 128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _makers(level: Level) -> tuple[tuple[str, Make], ...]:
    if level.makers is None:
        skipped = {*AUDIT_COLUMNS, STAMP_DATE, CREATED_DATE}
        columns = (column for column in level.columns.values() if column.name not in skipped)
        level.makers = tuple((column.name, _maker(column)) for column in columns)
    return level.makers


def _maker(column: Column) -> Make:
    maker = MAKERS[column.type]
    return maker(column)


def _text(column: Column) -> Make:
    length = column.length or 20
    if column.reference:
        return lambda rng: (
            "" if rng.random() < EMPTY_SHARE else f"{column.name[:3]}{rng.randrange(1, 9)}"[:length]
        )
    if length <= 30:
        return lambda rng: (
            "" if rng.random() < EMPTY_SHARE else f"{column.name[:4]}-{rng.randrange(9999):04d}"[:length]
        )
    return lambda rng: " ".join(rng.choices(WORDS, k=3)).strip()[:length]


def _decimal(column: Column) -> Make:
    scale = column.scale
    top = 10 ** (scale + 4)
    return lambda rng: number(rng.randrange(top), scale) if rng.random() > EMPTY_SHARE else ZERO


def _date(_: Column) -> Make:
    first = dt.date(2024, 1, 1).toordinal()

    def make(rng: Random) -> str:
        if rng.random() < EMPTY_SHARE:
            return rng.choice(SENTINEL_DATES)
        return dt.date.fromordinal(first + rng.randrange(1000)).isoformat()

    return make


def _datetime(_: Column) -> Make:
    first = int(dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp())
    return lambda rng: dt.datetime.fromtimestamp(first + rng.randrange(80_000_000), dt.UTC).strftime(
        STAMP_FORMAT
    )


def _enum(column: Column) -> Make:
    count = len(column.menu)
    return lambda rng: 0 if rng.random() < EMPTY_SHARE / 3 else rng.randrange(1, count + 1)


MAKERS: dict[str, Callable[[Column], Make]] = {
    "text": _text,
    "integer": lambda _: lambda rng: rng.randrange(0, 100),
    "decimal": _decimal,
    "boolean": lambda _: lambda rng: 1 + (rng.random() < 0.5),
    "date": _date,
    "datetime": _datetime,
    "enum": _enum,
}
