"""Documents without lines, a page at once: values are checked and converted column by column. Pure.

What is done once a column instead of once a value costs next to nothing; the rows come out as those that are
made one by one. A page with a value that does not fit is left to that way, which tells each of them apart.
"""

from __future__ import annotations

import typing as t
from itertools import repeat

import msgspec

from tap_sagex3.levels import NO_LIMIT
from tap_sagex3.values import MisfitError, column_of
from tap_sagex3.wire import walk
from tap_sagex3.wire_rows import UNKNOWN

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_sagex3.levels import LevelPlan
    from tap_sagex3.wire_rows import Shape, WireRows

Values = t.Sequence[t.Any]
Column = t.Callable[[Values], t.Iterable[t.Any]]
"""Checks and converts the values of a column. Raises MisfitError or TypeError for one that does not fit."""


class ColumnPlan:
    """Makes the rows of a page."""

    def __init__(self, template: Mapping[str, t.Any], level: LevelPlan, last: str | None) -> None:
        """Compile the plan.

        Args:
            template: columns in their order, with the values that all rows share.
            level: how each column is filled.
            last: column that is given with each page; comes last of all.
        """
        columns = _columns(level, UNKNOWN)
        self._level = level
        self._template = template
        self._members = tuple(dict.fromkeys(member for member, _ in columns.values()))
        self._has_last = last is not None
        self._shape = UNKNOWN
        self._parts = self._compiled()
        names = [*template, last] if last else list(template)
        fields = [f"c{place}" for place in range(len(names))]
        self._row: type[msgspec.Struct] = msgspec.defstruct(
            "Row",
            [(field, t.Any) for field in fields],
            rename=dict(zip(fields, names, strict=True)),
            gc=False,
        )

    def rows(self, rows: WireRows, last: Sequence[t.Any]) -> list[msgspec.Struct] | None:
        """Rows, to be encoded; None when a value does not fit. `last` are the values of the last column."""
        if rows.shape is not self._shape:
            self._shape = rows.shape
            self._parts = self._compiled()
        found = rows.columns(self._members)
        try:
            columns = [
                repeat(constant, len(last)) if convert is None else convert(found[place])
                for place, convert, constant in self._parts
            ]
        except (MisfitError, TypeError):
            return None
        if self._has_last:
            columns.append(last)
        return list(map(self._row, *columns))

    def _compiled(self) -> list[tuple[int, Column | None, t.Any]]:
        """How each column is filled, with what is known of the rows."""
        columns = _columns(self._level, self._shape)
        return [_part(name, value, columns, self._members) for name, value in self._template.items()]


def can_be_columns(level: LevelPlan) -> bool:
    """Whether each column of a level comes from one member of the wire object."""
    return not level.fillers and bool(_columns(level, UNKNOWN))


def _columns(level: LevelPlan, shape: Shape) -> dict[str, tuple[str, Column]]:
    """Member and conversion of each column, of rows of which something may be known."""
    longest, integers = shape.texts, shape.integers
    return {
        **{name: (m, _texts(limit, longest.get(m, NO_LIMIT))) for name, m, limit in level.texts},
        **{name: (m, column_of(convert, integers=m in integers)) for name, m, convert in level.others},
        **{
            name: (first, _references(rest, convert, empty))
            for name, first, rest, convert, empty in level.references
        },
    }


def _part(
    name: str, value: object, columns: Mapping[str, tuple[str, Column]], members: Sequence[str]
) -> tuple[int, Column | None, t.Any]:
    """Where a column of the row comes from: place of its member and conversion, or a value of all rows."""
    if name not in columns:
        return 0, None, value
    member, convert = columns[name]
    return members.index(member), convert, None


def _texts(limit: int, longest: int) -> Column:
    """The check of texts, of which it is known that none is longer than `longest`."""

    def check(values: Values) -> Values:
        texts: Iterable[str] = values
        try:
            "".join(values)  # the fastest way to see that all of them are texts
        except TypeError:
            if not set(map(type, values)) <= {str, type(None)}:
                raise MisfitError from None
            texts = (value for value in values if value is not None)
        if longest > limit and max(map(len, texts), default=0) > limit:
            raise MisfitError
        return values

    return check


def _references(rest: tuple[str, ...], convert: Callable[[t.Any], t.Any], empty: object) -> Column:
    def columns(values: Values) -> Values:
        found = (walk(value, rest) for value in values)
        return [empty if value is None else convert(value) for value in found]

    return columns
