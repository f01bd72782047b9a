"""Snowflake's data types as sqlglot knows them, and what DuckDB's types do not say about a column."""

from __future__ import annotations

from functools import cache

from sqlglot import exp

from . import keywords
from .errors import unsupported

INTEGERS = {exp.DType.INT, exp.DType.BIGINT, exp.DType.SMALLINT, exp.DType.TINYINT}
FLOATS = {exp.DType.FLOAT, exp.DType.DOUBLE}
TEXTS = {exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR, exp.DType.NVARCHAR, exp.DType.NCHAR}
ZONED = {exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPLTZ}
NTZ = {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.DATETIME}


@cache
def _built(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="duckdb")


def duck_type_node(name: str) -> exp.DataType:
    """A type of DuckDB for a tree; parsing its name each time would cost more than most statements."""
    return _built(name).copy()


def to_duck(tree: exp.Expression, *, keep: bool = False) -> str:
    """DuckDB's text of a translated statement. `keep`: the tree is used again, so it is copied first."""
    keywords.quote(tree)
    return str(tree.sql(dialect="duckdb", copy=keep))


def text_length(kind: exp.DataType | None) -> int | None:
    """Declared characters of a text type, 1 for CHAR alone (data-types-text page); None when it has none."""
    if kind is None or kind.this not in TEXTS:
        return None
    if not kind.expressions:
        return 1 if kind.this in {exp.DType.CHAR, exp.DType.NCHAR} else None
    return int(str(kind.expressions[0].this))


def fraction_digits(kind: exp.DataType | None) -> int | None:
    """Declared digits of a second's fraction of a time or timestamp type; None when it has none."""
    if kind is None or kind.this not in {*NTZ, *ZONED, exp.DType.TIME} or not kind.expressions:
        return None
    return int(str(kind.expressions[0].this))


def refuse_precision(kind: exp.DataType | None) -> None:
    """Refuse times of fewer digits than DuckDB keeps: it would keep what Snowflake cuts."""
    if kind is not None and fraction_digits(kind) not in {None, 6, 9}:
        message = f"{kind.sql(dialect='snowflake')}: times have six digits here"
        raise unsupported(message)
