"""Values on their way into columns.

Rules restored (data-type-conversion and insert pages): a text longer than its VARCHAR(n) fails with 100078
(DuckDB ignores lengths), and a column takes only what converts to its type without a cast (conversions.py).

A conversion that works for every type is long. Where DuckDB can tell the type of a value beforehand, and it
is the column's, nothing but the length is left to check: statements over 40 columns are planned in a third
of the time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from .catalogue import DEFAULT_VARCHAR
from .column_types import to_duck
from .macros import ONCE
from .names import literal
from .resolve import identifier, unknown_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from .catalogue import Catalogue, Table
    from .engine import Call

_FITS = {
    "DATE": "_ls_as_date",
    "BIGINT": "_ls_into_number",
    "DECIMAL": "_ls_into_number",
    "DOUBLE": "_ls_into_number",
    "TIMESTAMP": "_ls_into_timestamp",
    "TIME": "_ls_as_time",
    "BLOB": "_ls_as_binary",
    "TIMESTAMP WITH TIME ZONE": "_ls_as_tz",
}
_NAME = re.compile(r'(?:[\w]+|"[^"]*")(?:\.(?:[\w]+|"[^"]*"))*')
_KINDS = {"ARRAY": "_ls_into_array", "OBJECT": "_ls_into_object", "TIMESTAMP_LTZ": "_ls_as_ltz"}
# Types of which a column takes every value as it is, when the value has the very same one.
_SAME = {"DATE", "BIGINT", "DOUBLE", "TIMESTAMP", "TIME", "BLOB", "BOOLEAN"}


def known(names: list[str], table: Table) -> list[str]:
    """Check that a table has these columns, in this case.

    Raises:
        SnowflakeError: 904 for the first it lacks.
    """
    for name in names:
        if table.column(name) is None:
            raise unknown_column(name)
    return names


def fit(expression: str, column: str, table: Table, catalogue: Catalogue, have: str = "") -> str:
    """Wrap a value with what DuckDB does not check or does otherwise; `have`: its DuckDB type, if known."""
    found, meta = table.column(column), catalogue.of(table.name)
    wanted = found.duck_type if found is not None else ""
    kind = meta.kinds.get(column, "")
    once = "" if _NAME.fullmatch(expression) else ONCE
    if wanted == "VARCHAR":
        length = meta.lengths.get(column, DEFAULT_VARCHAR)
        text = expression if have == "VARCHAR" else f"_ls_into_varchar{once}({expression})"
        return f"_ls_fit(CAST({text} AS VARCHAR), {length}, {literal(column)})"
    if kind not in _KINDS and _takes(wanted, have):
        return expression
    if wanted == "JSON":
        return f"{_KINDS.get(kind, '_ls_into_variant')}{once}({expression})"
    if wanted == "UUID":
        return f"_ls_uuid(CAST({expression} AS VARCHAR))"
    macro = _KINDS.get(kind) or _FITS.get(wanted.split("(")[0])
    return expression if macro is None else f"{macro}{once}({expression})"


def _takes(wanted: str, have: str) -> bool:
    """Whether a column takes every value of a type as it is, by DuckDB's names of both."""
    if wanted.startswith("DECIMAL"):
        return have.startswith("DECIMAL") or have in {"INTEGER", "BIGINT", "HUGEINT", "DOUBLE"}
    return wanted == have and wanted in _SAME | {"JSON"}


def types_of(duck: DuckDBPyConnection, source: str) -> list[tuple[str, str]]:
    """Names and DuckDB types of a query's columns; none where it cannot be described by itself."""
    try:
        described = duck.execute(f"DESCRIBE {source}").fetchall()
    except duckdb.Error:
        return []  # what is wrong with it is told when it runs
    return [(str(row[0]), str(row[1])) for row in described]


def fitted_source(source: str, table: Table, columns: list[str], call: Call) -> str:
    """`SELECT fitted columns FROM (source)`, or the source itself when nothing needs fitting."""
    names = [f"c{index}" for index in range(len(columns))]
    described = [] if call.binds else types_of(call.session.duck, source)
    have = [kind for _, kind in described] if len(described) == len(columns) else [""] * len(columns)
    fitted = [
        fit(name, column, table, call.world.catalogue, kind)
        for name, column, kind in zip(names, columns, have, strict=True)
    ]
    if fitted == names:
        return source
    return f"SELECT {', '.join(fitted)} FROM ({source}) AS _ls_source({', '.join(names)})"


def fit_value(
    value: exp.Expression, column: str, table: Table, catalogue: Catalogue, have: Mapping[str, str]
) -> exp.Expression:
    """A value for a column; `have`: the types of the source's columns, as `ALIAS.NAME`."""
    text = to_duck(value, keep=True)
    kind = have.get(f"{value.table}.{value.name}", "") if isinstance(value, exp.Column) else ""
    fitted = fit(text, column, table, catalogue, kind)
    return value if fitted == text else exp.maybe_parse(fitted, dialect="duckdb")


def fit_assignment(
    assignment: exp.Expression, table: Table, catalogue: Catalogue, have: Mapping[str, str] | None = None
) -> None:
    """Wrap the right side of `column = value` in place; DuckDB wants the column without its table."""
    column = identifier(assignment.this)
    known([column], table)
    assignment.set("this", exp.column(exp.to_identifier(column, quoted=True)))
    value = assignment.args["expression"]
    assignment.set("expression", fit_value(value, column, table, catalogue, have or {}))


def columns_of_alias(alias: str, described: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The described columns as `ALIAS.NAME`."""
    return {f"{alias}.{name}": kind for name, kind in described}
