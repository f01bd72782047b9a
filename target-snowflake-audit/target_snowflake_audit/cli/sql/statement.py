"""A statement and its values, kept apart until the connector binds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.sql.quoting import TableName, identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = str | int


@dataclass(frozen=True)
class Statement:
    """SQL with a `%s` for each value; `text` never holds a value that came from a person or a record."""

    text: str
    values: tuple[Value, ...] = ()


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
    columns: str,
    source: str,
    conditions: Sequence[Condition] = (),
    *,
    order: str = "",
    limit: int | None = None,
) -> Statement:
    """Put a SELECT together; `columns`, `source` and `order` are SQL made of quoted names."""
    parts = ["SELECT", columns, "FROM", source]
    if conditions:
        parts += ["WHERE", " AND ".join(condition.text for condition in conditions)]
    if order:
        parts += ["ORDER BY", order]
    if limit is not None:
        parts += ["LIMIT", str(int(limit))]
    return Statement(" ".join(parts), tuple(value for condition in conditions for value in condition.values))


def listed(columns: Sequence[str]) -> str:
    """Quoted column names with commas between."""
    return ", ".join(identifier(column) for column in columns)
