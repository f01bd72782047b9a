"""Snowflake SQL to DuckDB SQL: fakesnow's passes, and ours where they give a wrong answer.

Rules restored here: NUMBER(p,s) is exact to 38 digits (fakesnow makes NUMBER(38,0) a 64-bit integer), the
context functions tell the session's values, SYSDATE and CURRENT_TIMESTAMP follow the sandbox's clock, and a
UUID has its 36 characters (data-types-uuid page). Single functions and casts are in functions.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fakesnow import transforms
from sqlglot import exp

from .column_types import FLOATS, INTEGERS, NTZ, TEXTS, ZONED, duck_type_node, to_duck
from .errors import SnowflakeError, unsupported
from .functions import exact_json, functions
from .objects import array_agg, object_construct

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Session

    Pass = Callable[[exp.Expression], exp.Expression]

ACCOUNT_LOCATOR, REGION, VERSION = "SANDBOX", "LOCAL", "10.40.0"
_Kinds = tuple[type[exp.Expr], ...]
# Each pass with the kinds of nodes that it looks for: without any of them in a statement it changes nothing,
# and is left out. Most statements have few of them, and every pass walks all nodes.
_IN_PLACE = {transforms.upper_case_unquoted_identifiers, transforms.semi_structured_types}
"""Passes after which a statement has the kinds of nodes that it had before."""
_PASSES: tuple[tuple[Pass, _Kinds], ...] = (
    (functions, (exp.Expr,)),
    (transforms.upper_case_unquoted_identifiers, (exp.Identifier,)),
    (transforms.current_version, (exp.CurrentVersion,)),
    (transforms.semi_structured_types, (exp.DataType,)),
    (transforms.split, (exp.Split,)),
    (transforms.indices_to_json_extract, (exp.Bracket,)),
    (transforms.json_extract_cast_as_varchar, (exp.JSONExtract,)),
    (transforms.json_extract_cased_as_varchar, (exp.JSONExtract,)),
    (transforms.json_extract_precedence, (exp.JSONExtract, exp.JSONExtractScalar)),
    (transforms.flatten_value_cast_as_varchar, (exp.Explode,)),
    (transforms.flatten, (exp.Explode,)),
    (transforms.regex_replace, (exp.RegexpReplace,)),
    (transforms.regex_substr, (exp.RegexpExtract,)),
    (transforms.sequence_nextval, (exp.Column,)),
    (transforms.values_columns, (exp.Values,)),
    (transforms.to_decimal, (exp.ToNumber,)),
    (object_construct, (exp.StarMap, exp.Struct, exp.JSONObject)),
    (transforms.object_construct, (exp.StarMap, exp.Struct, exp.JSONObject)),
    (transforms.sample, (exp.TableSample,)),
    (transforms.array_size, (exp.ArraySize,)),
    (transforms.random, (exp.Rand,)),
    (array_agg, (exp.ArrayAgg,)),
    (transforms.array_agg_within_group, (exp.ArrayAgg,)),
    (transforms.array_agg, (exp.ArrayAgg,)),
    (transforms.object_agg, (exp.ObjectAgg,)),
    (transforms.array_construct_etc, (exp.ArrayConstructCompact, exp.Array, exp.ArrayConcat)),
    (transforms.dateadd_date_cast, (exp.DateAdd,)),
    (transforms.dateadd_string_literal_timestamp_cast, (exp.DateAdd,)),
    (transforms.datediff_string_literal_timestamp_cast, (exp.DateDiff,)),
    (transforms.hex_string, (exp.HexString,)),
    (transforms.alias_in_join, (exp.Join,)),
    (transforms.alias_in_where, (exp.Where,)),
    (exact_json, (exp.JSONExtract, exp.JSONExtractScalar)),
)


def translate(tree: exp.Expression, session: Session, now: float) -> exp.Expression:
    """The statement for DuckDB; `tree` is changed. `now`: seconds since 1970 for the time functions."""
    tree = rewrite(tree, _context(tree, session, now))
    kinds: set[type[exp.Expr]] | None = None
    for step, wanted in _PASSES:
        if kinds is None:
            kinds = {type(node) for node in tree.dfs()}
        if any(issubclass(kind, wanted) for kind in kinds):
            tree, kinds = rewrite(tree, step), kinds if step in _IN_PLACE else None
    return rewrite(tree, _types)


def rewrite(tree: exp.Expression, step: Pass) -> exp.Expression:
    """Apply `step` to every node, children first; sqlglot's own walk skips what is inside a replaced node."""
    for node in reversed(list(tree.dfs())):
        if not isinstance(node, exp.Expression):
            continue
        # A step may already hang the node under its replacement, so its place is remembered before.
        parent, key, index = node.parent, node.arg_key, node.index
        new = step(node)
        if new is node:
            continue
        if node is tree or parent is None or key is None:
            tree = new
        else:
            parent.set(key, new, index)
    return tree


def duck_type(kind: exp.DataType) -> str:
    """DuckDB's name of a Snowflake type, as its catalogue prints it."""
    shaped = rewrite(rewrite(kind.copy(), transforms.semi_structured_types), _types)
    name = to_duck(shaped).replace(", ", ",")
    return {"TEXT": "VARCHAR", "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(name, name)


def timestamp(seconds: float) -> str:
    """`YYYY-MM-DD hh:mm:ss.ffffff`, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


_TYPES: dict[exp.DType, str] = {
    **dict.fromkeys(INTEGERS, "DECIMAL(38, 0)"),
    **dict.fromkeys(FLOATS, "DOUBLE"),
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys(ZONED, "TIMESTAMPTZ"),
    **dict.fromkeys(NTZ, "TIMESTAMP"),
    exp.DType.VARIANT: "JSON",
    exp.DType.BINARY: "BLOB",
    exp.DType.VARBINARY: "BLOB",
}


def _types(node: exp.Expression) -> exp.Expression:
    if not isinstance(node, exp.DataType):
        return node
    if node.this == exp.DType.DECIMAL:
        return _decimal(node)
    duck = _TYPES.get(node.this)
    return node if duck is None else duck_type_node(duck)


def _decimal(node: exp.DataType) -> exp.DataType:
    sizes = [str(param.this) for param in node.expressions]
    precision, scale = (sizes + ["38", "0"][len(sizes) :])[:2]
    if int(precision) > 38 or int(scale) > 37:
        message = f"SQL compilation error:\ninvalid precision or scale NUMBER({precision},{scale})"
        raise SnowflakeError(1438, "42601", message)
    return duck_type_node(f"DECIMAL({precision}, {scale})")


def _values(session: Session) -> dict[str, str | None]:
    transaction = session.transaction
    return {
        "CURRENT_USER": session.user.name,
        "CURRENT_ROLE": session.role,
        "CURRENT_WAREHOUSE": session.warehouse,
        "CURRENT_DATABASE": session.database,
        "CURRENT_SCHEMA": session.schema,
        "CURRENT_SESSION": str(session.id),
        "CURRENT_TRANSACTION": str(transaction.id) if transaction else None,
        "CURRENT_ACCOUNT": ACCOUNT_LOCATOR,
        "CURRENT_ACCOUNT_NAME": ACCOUNT_LOCATOR,
        "CURRENT_REGION": REGION,
        "CURRENT_VERSION": VERSION,
        "LAST_QUERY_ID": session.last_query_id,
    }


def function_name(node: exp.Expression) -> str | None:
    """The Snowflake name of a function call; None for other nodes."""
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper()
    if isinstance(node, exp.CurrentTimestamp):
        return "SYSDATE" if node.args.get("sysdate") else "CURRENT_TIMESTAMP"
    if isinstance(node, exp.Func):
        return str(node.sql_names()[0]).upper()
    return None


# name of a time function -> DuckDB type of its value
_TIME_FUNCTIONS = {
    "SYSDATE": "TIMESTAMP",
    "CURRENT_TIMESTAMP": "TIMESTAMPTZ",
    "SYSTIMESTAMP": "TIMESTAMPTZ",
    "GETDATE": "TIMESTAMPTZ",
    "CURRENT_DATE": "DATE",
}


def _context(tree: exp.Expression, session: Session, now: float) -> Pass:
    """A pass that puts the session's values and the time in the place of context functions.

    A view or a column default keeps the function: its value belongs to a later statement.
    """
    later = isinstance(tree, exp.Create) and (tree.args.get("kind") == "VIEW" or not tree.expression)
    values = _values(session)

    def replace(node: exp.Expression) -> exp.Expression:
        name = function_name(node)
        if name is None:
            return node
        if name in values:
            if later:
                message = f"{name}() in a view or a default, where it would freeze"
                raise unsupported(message)
            value = values[name]
            return exp.Null() if value is None else exp.Literal.string(value)
        kind = _TIME_FUNCTIONS.get(name)
        return node if kind is None else _time(kind, now, later=later)

    return replace


def _time(kind: str, now: float, *, later: bool) -> exp.Expression:
    """DuckDB's session runs in UTC, so a cast to a type without zone is UTC wall time."""
    source = exp.Anonymous(this="NOW") if later else exp.Literal.string(timestamp(now) + "+00")
    return exp.Anonymous(this="_ls_" + kind.lower(), expressions=[source])
