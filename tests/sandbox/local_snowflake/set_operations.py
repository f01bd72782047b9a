"""UNION, EXCEPT and INTERSECT of columns of different types.

Rule restored (operators-query and data-type-conversion pages): a text beside a number becomes a number, and
fails when it is none; DuckDB makes texts of both. A statement with such columns is refused.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from .column_types import to_duck
from .errors import unsupported

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def check_set_operations(tree: exp.Expression, duck: DuckDBPyConnection) -> None:
    """Refuse the translated statement when a text column stands above one of another type.

    Raises:
        SnowflakeError: 2, with both types.
    """
    common = tree.args.get("with_")
    start = to_duck(common, keep=True) + " " if common is not None else ""
    for node in tree.find_all(exp.SetOperation):
        pairs = zip_longest(*(_types(duck, start, side) for side in (node.this, node.expression)))
        for left, right in pairs:
            if left != right and "VARCHAR" in {left, right} and None not in {left, right}:
                message = f"a set operation of {left} and {right}: cast one side"
                raise unsupported(message)


def _types(duck: DuckDBPyConnection, start: str, side: exp.Expression) -> list[str | None]:
    """Types of the columns of one side; none when it cannot stand alone (the whole is still checked)."""
    bare = side.copy()
    bare.set("with_", None)
    try:
        rows = duck.execute(f"DESCRIBE {start}{to_duck(bare)}").fetchall()
    except duckdb.Error:
        return []
    return [
        None if row[1] in {'"NULL"', "NULL", "INTEGER"} and _untyped(side) else str(row[1]) for row in rows
    ]


def _untyped(side: exp.Expression) -> bool:
    """Whether a side holds a bare NULL, which takes the other side's type."""
    return any(isinstance(item.unalias(), exp.Null) for item in getattr(side, "selects", []))
