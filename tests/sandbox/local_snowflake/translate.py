"""Snowflake SQL to DuckDB SQL: fakesnow's passes, and ours where they give a wrong answer.

Rules restored here: NUMBER(p,s) is exact to 38 digits (fakesnow makes NUMBER(38,0) a 64-bit integer), the
context functions tell the session's values, SYSDATE and CURRENT_TIMESTAMP follow the sandbox's clock, SHA2
takes a length, OCTET_LENGTH counts bytes, TRY_ functions give NULL for what does not convert and refuse
what is not text, a cast to VARCHAR(n) refuses a longer text (whether Snowflake cuts or fails there is not
documented), and a UUID has its 36 characters (data-types-uuid page).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fakesnow import transforms
from sqlglot import exp

from . import keywords
from .errors import SnowflakeError, unsupported
from .objects import array, object_construct

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Session

    Pass = Callable[[exp.Expression], exp.Expression]

ACCOUNT_LOCATOR, REGION, VERSION = "SANDBOX", "LOCAL", "10.40.0"
_INTEGERS = {exp.DType.INT, exp.DType.BIGINT, exp.DType.SMALLINT, exp.DType.TINYINT}
_FLOATS = {exp.DType.FLOAT, exp.DType.DOUBLE}
_TEXTS = {exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR, exp.DType.NVARCHAR, exp.DType.NCHAR}
_ZONED = {exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPLTZ}
_NTZ = {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.DATETIME}

_BEFORE: tuple[Pass, ...] = (
    transforms.upper_case_unquoted_identifiers,
    transforms.current_version,
    transforms.semi_structured_types,
    transforms.split,
    transforms.indices_to_json_extract,
    transforms.json_extract_cast_as_varchar,
    transforms.json_extract_cased_as_varchar,
    transforms.json_extract_precedence,
    transforms.flatten_value_cast_as_varchar,
    transforms.flatten,
    transforms.regex_replace,
    transforms.regex_substr,
    transforms.sequence_nextval,
    transforms.values_columns,
    transforms.to_date,
    transforms.to_decimal,
    transforms.to_timestamp,
    transforms.to_variant,
    object_construct,
    transforms.object_construct,
    transforms.sample,
    transforms.array_size,
    transforms.random,
    transforms.array_agg_within_group,
    transforms.array_agg,
    transforms.object_agg,
    transforms.array_construct_etc,
    transforms.dateadd_date_cast,
    transforms.dateadd_string_literal_timestamp_cast,
    transforms.datediff_string_literal_timestamp_cast,
    transforms.hex_string,
    transforms.alias_in_join,
    transforms.alias_in_where,
)


def translate(tree: exp.Expression, session: Session, now: float) -> exp.Expression:
    """The statement for DuckDB; `tree` is changed. `now`: seconds since 1970 for the time functions."""
    steps: tuple[Pass, ...] = (_context(tree, session, now), _functions, *_BEFORE, _exact_json, _types)
    for step in steps:
        tree = rewrite(tree, step)
    return tree


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


def to_duck(tree: exp.Expression) -> str:
    """DuckDB's text of a translated statement."""
    keywords.quote(tree)
    return str(tree.sql(dialect="duckdb"))


def timestamp(seconds: float) -> str:
    """`YYYY-MM-DD hh:mm:ss.ffffff`, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


_TYPES: dict[exp.DType, str] = {
    **dict.fromkeys(_INTEGERS, "DECIMAL(38, 0)"),
    **dict.fromkeys(_FLOATS, "DOUBLE"),
    **dict.fromkeys(_TEXTS, "VARCHAR"),
    **dict.fromkeys(_ZONED, "TIMESTAMPTZ"),
    **dict.fromkeys(_NTZ, "TIMESTAMP"),
    exp.DType.BINARY: "BLOB",
    exp.DType.VARBINARY: "BLOB",
}


def _types(node: exp.Expression) -> exp.Expression:
    if not isinstance(node, exp.DataType):
        return node
    if node.this == exp.DType.DECIMAL:
        return _decimal(node)
    duck = _TYPES.get(node.this)
    return node if duck is None else exp.DataType.build(duck, dialect="duckdb")


def _decimal(node: exp.DataType) -> exp.DataType:
    sizes = [str(param.this) for param in node.expressions]
    precision, scale = (sizes + ["38", "0"][len(sizes) :])[:2]
    if int(precision) > 38 or int(scale) > 37:
        message = f"SQL compilation error:\ninvalid precision or scale NUMBER({precision},{scale})"
        raise SnowflakeError(1438, "42601", message)
    return exp.DataType.build(f"DECIMAL({precision}, {scale})", dialect="duckdb")


def text_length(kind: exp.DataType | None) -> int | None:
    """Declared characters of a text type; None when it has none."""
    if kind is None or kind.this not in _TEXTS or not kind.expressions:
        return None
    return int(str(kind.expressions[0].this))


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


def _functions(node: exp.Expression) -> exp.Expression:
    """Functions that fakesnow lacks or answers wrongly become macros of ours (see macros.py)."""
    rewrite = _REWRITES.get(type(node))
    if rewrite:
        return rewrite(node)
    if isinstance(node, exp.Anonymous):
        macro = _MACROS.get(str(node.this).upper())
        if macro:
            return exp.Anonymous(this=macro, expressions=node.expressions)
    return node


def _macro(name: str, *arguments: exp.Expression | None) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[a for a in arguments if a is not None])


def _sorts(node: exp.Expression) -> bool:
    """Whether a node decides on partitions, groups or order, where DuckDB allows no call of error()."""
    return node.find_ancestor(exp.Window, exp.Group, exp.Order) is not None


def _text(node: exp.Expression) -> exp.Expression:
    """The argument of a TRY_ function, refused when it is no text."""
    return node.this if _sorts(node) else _macro("_ls_text", node.this)


def _sha2(node: exp.Expression) -> exp.Expression:
    length = node.args.get("length")
    if length is not None and str(length.this) != "256":
        message = f"SHA2 with {length.this} bits"
        raise unsupported(message)
    return _macro("_ls_sha256", node.this)


def _parse_json(node: exp.Expression) -> exp.Expression:
    return _macro("_ls_try_parse_json" if node.args.get("safe") else "_ls_parse_json", node.this)


def _cast(node: exp.Expression) -> exp.Expression:
    """Rule: a cast to VARCHAR(n) passes a text that fits; any other is refused, by the row or as a whole."""
    length = text_length(node.args.get("to"))
    if length is not None and length < 16_777_216 and not isinstance(node.this, exp.Null):
        if _sorts(node) or isinstance(node, exp.TryCast):
            message = f"a cast to VARCHAR({length}): check the length with LENGTH() instead"
            raise unsupported(message)
        return _macro("_ls_cast_fit", _as_text(node), exp.Literal.number(length))
    if node.args["to"].this == exp.DType.UUID and not isinstance(node, exp.TryCast):
        return _macro("_ls_uuid", _as_text(node))
    if isinstance(node, exp.TryCast) and not isinstance(node.this, exp.Null):
        return _try_cast(node)
    return node


def _as_text(node: exp.Expression) -> exp.Expression:
    return exp.Cast(this=node.this, to=exp.DataType.build("VARCHAR"))


def _try_cast(node: exp.TryCast) -> exp.Expression:
    """Rule: TRY_CAST takes text only (try_cast page)."""
    kind = node.args["to"].this
    text = _text(node)
    if kind == exp.DType.BOOLEAN:
        return _macro("_ls_try_boolean", text)
    if kind in _NTZ:
        return _macro("_ls_try_timestamp", text)
    if kind == exp.DType.DATE:
        return _macro("_ls_try_date", text)
    if kind in _INTEGERS or kind == exp.DType.DECIMAL:
        return exp.TryCast(this=_macro("_ls_number_text", text), to=node.args["to"].copy())
    if kind in _FLOATS:
        return _macro("_ls_try_double", text)
    if kind in _TEXTS:
        return text
    message = f"TRY_CAST to {node.args['to'].sql(dialect='snowflake')}"
    raise unsupported(message)


def _to_number(node: exp.Expression) -> exp.Expression:
    if node.args.get("safe"):
        node.set("this", _macro("_ls_number_text", _text(node)))
    return node


def _safe(macro: str) -> Callable[[exp.Expression], exp.Expression]:
    """A TRY_ function without a format becomes our macro; with one it is refused."""

    def rewrite(node: exp.Expression) -> exp.Expression:
        if not node.args.get("safe"):
            return node
        if node.args.get("format") is not None:
            message = f"{node.sql(dialect='snowflake')} with a format"
            raise unsupported(message)
        return _macro(macro, _text(node))

    return rewrite


def _one(macro: str) -> Callable[[exp.Expression], exp.Expression]:
    return lambda node: _macro(macro, node.this)


_TIME_FORMATS = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S",
    "FF3": "%g", "FF6": "%f", "FF9": "%n",
}  # fmt: skip
_FORMAT_PART = re.compile(r'(YYYY|MM|DD|HH24|MI|SS|FF[369])|"([^"%]*)"|([-/:., TZ]+)')


def _to_char(node: exp.Expression) -> exp.Expression:
    """TO_VARCHAR(time, format): sqlglot would drop the format on its way to DuckDB: a wrong answer."""
    form = node.args.get("format")
    if form is None:
        return node
    parts = list(_FORMAT_PART.finditer(form.name))
    if "".join(part[0] for part in parts) != form.name or not form.name:
        message = node.sql(dialect="snowflake")
        raise unsupported(message)
    text = "".join(_TIME_FORMATS.get(part[0]) or part[2] or part[3] or "" for part in parts)
    return exp.Anonymous(this="STRFTIME", expressions=[node.this, exp.Literal.string(text)])


def _exact_json(node: exp.Expression) -> exp.Expression:
    """Paths into a VARIANT go through a check that the number found is the number written."""
    if not isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)) or _sorts(node):
        return node
    macro = "_ls_json_text" if isinstance(node, exp.JSONExtractScalar) else "_ls_json"
    path: exp.Expression = exp.maybe_parse(to_duck(node.expression), dialect="duckdb")
    return exp.Anonymous(this=macro, expressions=[node.this, path])


_REWRITES: dict[type[exp.Expression], Callable[[exp.Expression], exp.Expression]] = {
    exp.SHA2: _sha2,
    exp.ParseJSON: _parse_json,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.ToNumber: _to_number,
    exp.ToDouble: _safe("_ls_try_double"),
    exp.ToBoolean: _safe("_ls_try_boolean"),
    exp.TsOrDsToDate: _safe("_ls_try_date"),
    exp.ByteLength: _one("_ls_octet_length"),
    exp.Typeof: _one("_ls_typeof"),
    exp.ToChar: _to_char,
    exp.Array: lambda node: array(node.expressions, keep_nulls=True),
    exp.ArrayConstructCompact: lambda node: array(node.expressions, keep_nulls=False),
}
_MACROS = {
    "TRY_TO_TIMESTAMP_NTZ": "_ls_try_timestamp",
    "TRY_TO_TIMESTAMP": "_ls_try_timestamp",
}
