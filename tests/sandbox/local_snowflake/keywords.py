"""Names that DuckDB reserves and Snowflake does not.

Rule restored (reserved-keywords page): a column may be called AT, SHOW or DESCRIBE without quotes.
"""

from __future__ import annotations

from functools import cache

import duckdb
from sqlglot import exp

_CATEGORIES = ("reserved", "type_function", "column_name")


@cache
def reserved() -> frozenset[str]:
    """The words, in lower case, that DuckDB does not take everywhere as a name."""
    sql = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN (?, ?, ?)"
    with duckdb.connect() as connection:
        return frozenset(str(row[0]) for row in connection.execute(sql, _CATEGORIES).fetchall())


def quote(tree: exp.Expression) -> None:
    """Quote the names of a statement that are such words, in place."""
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted") and str(name.this).lower() in reserved():
            name.set("quoted", value=True)
