"""Results of statements and their form on the wire.

Rule restored: row types as Snowflake sends them; what the result type cannot carry exactly is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from fakesnow import statement_type

from . import variants, wire_arrow
from .errors import SnowflakeError, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection

_TOO_LONG = 10**38
SUCCESS = "Statement executed successfully."
# DuckDB type -> (Snowflake wire type, precision, scale)
_WIRE: dict[str, tuple[str, int | None, int | None]] = {
    '"NULL"': ("text", None, None),
    "NULL": ("text", None, None),
    "BIGINT": ("fixed", 38, 0),
    "BLOB": ("binary", None, None),
    "BOOLEAN": ("boolean", None, None),
    "DATE": ("date", None, None),
    "DOUBLE": ("real", None, None),
    "INTEGER": ("fixed", 38, 0),
    "JSON": ("variant", None, None),
    "SMALLINT": ("fixed", 38, 0),
    "TIME": ("time", 0, 9),
    "UUID": ("text", None, None),  # drivers get text (data-types-uuid page)
    "TIMESTAMP": ("timestamp_ntz", 0, 9),
    "TIMESTAMP WITH TIME ZONE": ("timestamp_tz", 0, 9),
    "TIMESTAMP_NS": ("timestamp_ntz", 0, 9),
    "TINYINT": ("fixed", 38, 0),
    "UBIGINT": ("fixed", 38, 0),
    "VARCHAR": ("text", None, None),
}


@dataclass
class Result:
    """The outcome of a statement. `put`: the upload order of a PUT; `rows`: changed or returned rows."""

    table: pa.Table
    rowtype: list[dict[str, Any]]
    type_id: int = statement_type.UNKNOWN
    rows: int = 0
    put: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def _column_type(name: str, duck_type: str) -> dict[str, Any]:
    if decimal := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", duck_type):
        kind, precision, scale = "fixed", int(decimal[1]), int(decimal[2])
    elif duck_type in _WIRE:
        kind, precision, scale = _WIRE[duck_type]  # type: ignore[assignment]
    else:
        message = f"a result column of DuckDB type {duck_type}"
        raise unsupported(message)
    length = {"text": 16777216, "binary": 8388608}.get(kind)
    return {
        "name": name,
        "database": "",
        "schema": "",
        "table": "",
        "nullable": True,
        "type": kind,
        "byteLength": length,
        "length": length,
        "scale": scale,
        "precision": precision,
        "collation": None,
    }


def query(duck: DuckDBPyConnection, sql: str, binds: Sequence[object] = ()) -> Result:
    """Run a query and fetch its result."""
    relation = duck.sql(sql, params=list(binds)) if binds else duck.sql(sql)
    described = list(zip(relation.columns, map(str, relation.types), strict=True))
    table = relation.to_arrow_table()
    for index, (name, kind) in enumerate(described):
        if kind in {"HUGEINT", "UHUGEINT"}:
            table = table.set_column(index, name, _whole(table.column(index)))
            described[index] = (name, "DECIMAL(38,0)")
        elif kind == "JSON":
            texts = pa.array(map(variants.pretty, table.column(index).to_pylist()), pa.string())
            table = table.set_column(index, name, texts)
    rowtype = [_column_type(name, kind) for name, kind in described]
    return Result(table, rowtype, statement_type.SELECT, table.num_rows)


def cut(result: Result, limit: int) -> Result:
    """What ROWS_PER_RESULTSET leaves of a result: the rest is not sent, and nothing says so."""
    return replace(result, table=result.table.slice(0, limit))


def shape(duck: DuckDBPyConnection, sql: str) -> Result:
    """The columns of a query that is not run."""
    relation = duck.sql(sql)
    names = list(zip(relation.columns, map(str, relation.types), strict=True))
    empty = pa.table({f"c{index}": pa.array([], pa.string()) for index in range(len(names))})
    kinds = ["DECIMAL(38,0)" if kind in {"HUGEINT", "UHUGEINT"} else kind for _, kind in names]
    rowtype = [_column_type(name, kind) for (name, _), kind in zip(names, kinds, strict=True)]
    return Result(empty, rowtype, statement_type.SELECT)


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers of up to 38 digits.

    Raises:
        SnowflakeError: 100132 for a longer one.
    """
    for value in column.to_pylist():
        if value is not None and abs(value) >= _TOO_LONG:
            message = f"Number out of representable range: type FIXED[SB16](38,0), value {int(value)}"
            raise SnowflakeError(100132, "22003", message)
    return column.cast(pa.decimal128(38, 0))


def of_rows(columns: Mapping[str, str], rows: Sequence[Sequence[Any]], type_id: int = 0) -> Result:
    """A result from Python rows; `columns` gives DuckDB types by name."""
    arrow = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
    }
    arrays = [
        pa.array([row[index] for row in rows], type=arrow[kind])
        for index, kind in enumerate(columns.values())
    ]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    return Result(table, [_column_type(n, k) for n, k in columns.items()], type_id, len(rows))


def status(text: str = SUCCESS, type_id: int = statement_type.DDL) -> Result:
    """One row with a status text."""
    result = of_rows({"status": "VARCHAR"}, [[text]], type_id)
    result.rows = 0 if type_id in statement_type.DML_TYPE_IDS else 1
    return result


def counts(type_id: int, **changed: int) -> Result:
    """Row counts of a DML statement: inserted, updated, deleted."""
    names = {f"number of rows {what}": count for what, count in changed.items()}
    if type_id == statement_type.UPDATE:
        names["number of multi-joined rows updated"] = 0
    result = of_rows(dict.fromkeys(names, "BIGINT"), [list(names.values())], type_id)
    result.rows = sum(changed.values())
    return result


def body(result: Result) -> dict[str, Any]:
    """`rowtype`, `rowset` and totals of a query answer; DML counts go as JSON, where clients look."""
    if result.type_id in statement_type.DML_TYPE_IDS:
        rows = zip(*[column.to_pylist() for column in result.table.columns], strict=True)
        rowset = {
            "queryResultFormat": "json",
            "rowset": [[None if value is None else str(value) for value in row] for row in rows],
        }
    elif result.extra:  # described only
        rowset = {"queryResultFormat": "arrow", "rowsetBase64": ""}
    elif result.table.num_columns:
        encoded = wire_arrow.encode(result.table, result.rowtype)
        rowset = {"queryResultFormat": "arrow", "rowsetBase64": encoded}
    else:
        rowset = {"queryResultFormat": "arrow", "rowsetBase64": ""}
    total = result.table.num_rows
    return {"rowtype": result.rowtype, "total": total, "returned": total, **rowset, **result.extra}
