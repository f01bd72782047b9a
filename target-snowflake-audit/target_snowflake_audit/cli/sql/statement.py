"""A statement and its values, kept apart until the connector binds them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.sql.quoting import TableName, identifier, literal, number

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = str | int
_NAME_OR_PLACE = re.compile(r'"(?:[^"]|"")*"|%s')
"""A quoted name, which may hold `%s` itself, or the place of a value."""


@dataclass(frozen=True)
class Statement:
    """SQL with a `%s` for each value, and the names of the columns that it gives, in order.

    `text` never holds a value that came from a person or a record.
    """

    text: str
    values: tuple[Value, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The statement with its values bound as literals.

        Raises:
            ValueError: there are more or fewer values than places for them.
        """
        places = [found.span() for found in _NAME_OR_PLACE.finditer(self.text) if found[0] == "%s"]
        ends = [start for start, _ in places] + [len(self.text)]
        first, *rest = [self.text[a:b] for a, b in zip([0, *(end for _, end in places)], ends, strict=True)]
        bound = [_literal(value) for value in self.values]
        return first + "".join(value + part for value, part in zip(bound, rest, strict=True))


@dataclass(frozen=True)
class Condition:
    """One condition of a WHERE clause."""

    text: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Audit:
    """Where the audit tables and views are; names as stored."""

    database: str
    schema: str

    def name(self, table: str) -> str:
        """Quoted full name of an audit table or view."""
        return TableName(self.database, self.schema, table).sql


def equals(column: str, value: Value) -> Condition:
    """Compare a column with a value."""
    return Condition(f"{identifier(column)} = %s", (value,))


def one_of(column: str, values: Sequence[Value]) -> Condition:
    """Compare a column with several values; none of them means no row."""
    if not values:
        return Condition("FALSE")
    return Condition(f"{identifier(column)} IN ({', '.join(['%s'] * len(values))})", tuple(values))


def none_of(column: str, values: Sequence[Value]) -> Condition:
    """Exclude several values, at least one."""
    return Condition(f"{identifier(column)} NOT IN ({', '.join(['%s'] * len(values))})", tuple(values))


def select(
    columns: Sequence[str],
    source: str,
    conditions: Sequence[Condition] = (),
    *,
    order: str = "",
    limit: int | None = None,
    distinct: bool = False,
) -> Statement:
    """Put a SELECT of named columns together; `source` and `order` are SQL made of quoted names."""
    parts = ["SELECT DISTINCT" if distinct else "SELECT", listed(columns), "FROM", source]
    if conditions:
        parts += ["WHERE", " AND ".join(condition.text for condition in conditions)]
    if order:
        parts += ["ORDER BY", order]
    if limit is not None:
        parts += ["LIMIT", str(int(limit))]
    values = tuple(value for condition in conditions for value in condition.values)
    return Statement(" ".join(parts), values, tuple(columns))


def listed(columns: Sequence[str]) -> str:
    """Quoted column names with commas between."""
    return ", ".join(identifier(column) for column in columns)


def _literal(value: Value) -> str:
    return literal(value) if isinstance(value, str) else number(value)
