"""AUTOINCREMENT and IDENTITY columns.

Rules restored (create-table page): such a column takes the next number when an INSERT leaves it out, from
its start in steps of its increment; a value that is given is kept and moves nothing; NOORDER is the default.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlglot import exp

from .errors import SnowflakeError, unsupported
from .names import literal, quote

if TYPE_CHECKING:
    from .catalogue import TableMeta
    from .engine import Call

AUTOMATIC = (exp.AutoIncrementColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)


def declared(column: str, kind: exp.DataType | None, constraint: exp.Expression, meta: TableMeta) -> None:
    """Record the numbering of a column in `meta`.

    Raises:
        SnowflakeError: for a column that holds no numbers, or what cannot be numbered here.
    """
    if kind is None or kind.this not in {*exp.DataType.INTEGER_TYPES, exp.DType.DECIMAL}:
        # [I] The page asks for a numeric column; the number is that of an invalid definition.
        message = f"SQL compilation error:\nautoincrement column '{column}' must be of a numeric type"
        raise SnowflakeError(1003, "42000", message)
    step = _number(constraint.args.get("increment"))
    if step == 0:
        message = "AUTOINCREMENT with INCREMENT 0"
        raise unsupported(message)
    order = "ORDER" if constraint.args.get("order") else "NOORDER"
    meta.identities[column] = f"START {_number(constraint.args.get('start'))} INCREMENT {step} {order}"


def _number(node: exp.Expression | None) -> int:
    return 1 if node is None else int(node.sql(dialect="snowflake"))


def create(call: Call, meta: TableMeta, schema: str | None) -> dict[str, str]:
    """Make the sequences of a new table; give DuckDB's default of each such column.

    `schema`: where they live, as DuckDB's quoted name; None for those of a temporary table.
    """
    defaults = {}
    for column, numbering in meta.identities.items():
        _, start, _, step, _ = numbering.split()
        name = quote(f"_ls_identity_{uuid.uuid4().hex}")
        full = f"{schema}.{name}" if schema else f"temp.main.{name}"
        low = "" if int(step) > 0 else f" MINVALUE -9223372036854775808 MAXVALUE {max(int(start), 1)}"
        words = "CREATE SEQUENCE" if schema else "CREATE TEMP SEQUENCE"
        call.session.duck.execute(f"{words} {full if schema else name} START {start} INCREMENT {step}{low}")
        meta.sequences[column] = full
        defaults[column] = f"nextval({literal(full)})"
    return defaults


def drop(call: Call, meta: TableMeta) -> None:
    """Drop the sequences of a table that is gone."""
    for full in meta.sequences.values():
        call.session.duck.execute(f"DROP SEQUENCE IF EXISTS {full}")
