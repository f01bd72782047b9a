"""Calls and casts that DuckDB lacks or answers otherwise, as calls of our macros.

Rules restored (functions' pages): TRY_ functions refuse what is not text, SHA2 takes a length, aggregates
of no row give NULL, '' or [] where Snowflake does, and a cast to a short VARCHAR fails where it would have
to cut (TRY_CAST gives NULL).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from . import macros
from .column_types import FLOATS, INTEGERS, NTZ, TEXTS, duck_type_node, refuse_precision, text_length, to_duck
from .errors import unsupported
from .objects import array
from .texts import length
from .time_formats import strftime

if TYPE_CHECKING:
    from collections.abc import Callable


def functions(node: exp.Expression) -> exp.Expression:
    """Functions that fakesnow lacks or answers wrongly become macros of ours (see macros.py)."""
    rewrite = _REWRITES.get(type(node))
    if rewrite:
        return rewrite(node)
    if isinstance(node, exp.Anonymous):
        return _named(node)
    return node


def _named(node: exp.Anonymous) -> exp.Expression:
    name = str(node.this).upper()
    macro = _MACROS.get(name)
    if macro is None:
        if name in _REFUSED:
            raise unsupported(name)
        return node
    if len(node.expressions) != 1:
        message = f"{node.sql(dialect='snowflake')} with a format or scale"
        raise unsupported(message)
    value = node.expressions[0]
    return _macro(macro, _macro("_ls_text", value) if name.startswith("TRY_") and not _sorts(node) else value)


def _macro(name: str, *arguments: exp.Expression | None) -> exp.Expression:
    first = arguments[0]
    return macros.call(name, *arguments, plain=first is not None and _sorts(first))


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
    return exp.Anonymous(this="sha256", expressions=[node.this])


def _parse_json(node: exp.Expression) -> exp.Expression:
    return _macro("_ls_try_parse_json" if node.args.get("safe") else "_ls_parse_json", node.this)


def _cast(node: exp.Expression) -> exp.Expression:
    """Rule: a cast to VARCHAR(n) passes a text that fits and never cuts (cast and try_cast pages)."""
    kind = node.args["to"]
    length = text_length(kind)
    if length is not None and length < 16_777_216 and not isinstance(node.this, exp.Null):
        if isinstance(node, exp.TryCast):
            return _macro("_ls_try_fit", _text(node), exp.Literal.number(length))
        if _sorts(node):
            message = f"a cast to VARCHAR({length}): check the length with LENGTH() instead"
            raise unsupported(message)
        return _macro("_ls_cast_fit", _macro("_ls_varchar", node.this), exp.Literal.number(length))
    if kind.this == exp.DType.UUID and not isinstance(node, exp.TryCast):
        return _macro("_ls_uuid", _macro("_ls_varchar", node.this))
    refuse_precision(kind)
    if isinstance(node, exp.TryCast) and not isinstance(node.this, exp.Null):
        return _try_cast(node)
    macro = _CASTS.get(kind.this)
    if macro is None or isinstance(node.this, (exp.Null, exp.JSONExtract)) or _sorts(node):
        return node
    return exp.Cast(this=_macro(macro, node.this), to=kind.copy())


_SAFE_CASTS = {
    exp.DType.BOOLEAN: "_ls_try_boolean",
    exp.DType.DATE: "_ls_try_date",
    exp.DType.TIME: "_ls_try_time",
    **dict.fromkeys(NTZ, "_ls_try_timestamp"),
    exp.DType.TIMESTAMPTZ: "_ls_try_tz",
    exp.DType.TIMESTAMPLTZ: "_ls_try_ltz",
    **dict.fromkeys(FLOATS, "_ls_try_double"),
}
_CASTS = {
    exp.DType.DATE: "_ls_as_date",
    exp.DType.TIME: "_ls_as_time",
    exp.DType.VARIANT: "_ls_variant",
    exp.DType.ARRAY: "_ls_into_array",
    exp.DType.OBJECT: "_ls_into_object",
    exp.DType.TIMESTAMPTZ: "_ls_as_tz",
    exp.DType.TIMESTAMPLTZ: "_ls_as_ltz",
    exp.DType.BINARY: "_ls_as_binary",
    exp.DType.VARBINARY: "_ls_as_binary",
    **dict.fromkeys(NTZ, "_ls_as_timestamp"),
    **dict.fromkeys(TEXTS, "_ls_varchar"),
}


def _try_cast(node: exp.TryCast) -> exp.Expression:
    """Rule: TRY_CAST takes text only (try_cast page)."""
    kind = node.args["to"].this
    text = _text(node)
    if kind in INTEGERS or kind == exp.DType.DECIMAL:
        return exp.TryCast(this=_number_text(node, text), to=node.args["to"].copy())
    if kind in _SAFE_CASTS:
        return _macro(_SAFE_CASTS[kind], text)
    if kind in TEXTS:
        return text
    message = f"TRY_CAST to {node.args['to'].sql(dialect='snowflake')}"
    raise unsupported(message)


def _to_number(node: exp.Expression) -> exp.Expression:
    if node.args.get("safe"):
        node.set("this", _number_text(node, _text(node)))
    return node


def _number_text(node: exp.Expression, text: exp.Expression) -> exp.Expression:
    """The text of a number; what lacks a mantissa or exponent is refused where error() is allowed."""
    return _macro("_ls_number_text" if _sorts(node) else "_ls_number_checked", text)


def _reading(macro: str) -> Callable[[exp.Expression], exp.Expression]:
    """TO_DATE(x) and TRY_TO_DATE(x) and their like become our macros; with a format they are refused."""

    def rewrite(node: exp.Expression) -> exp.Expression:
        if node.args.get("format") is not None or node.args.get("scale") is not None:
            message = f"{node.sql(dialect='snowflake')} with a format or scale"
            raise unsupported(message)
        if node.args.get("safe"):
            return _macro(f"_ls_try_{macro}", _text(node))
        return node if macro in {"double", "boolean"} else _macro(f"_ls_as_{macro}", node.this)

    return rewrite


def _one(macro: str) -> Callable[[exp.Expression], exp.Expression]:
    return lambda node: _macro(macro, node.this)


def _to_char(node: exp.Expression) -> exp.Expression:
    """TO_VARCHAR(time, format): sqlglot would drop the format on its way to DuckDB: a wrong answer."""
    form = node.args.get("format")
    if form is None:
        return _macro("_ls_varchar", node.this)
    if not form.is_string:
        raise unsupported(node.sql(dialect="snowflake"))
    return exp.Anonymous(this="STRFTIME", expressions=[node.this, exp.Literal.string(strftime(form.name))])


def _to_binary(node: exp.Expression) -> exp.Expression:
    """TRY_TO_BINARY(text, 'HEX'): NULL for what is no hexadecimal text (try_to_binary page)."""
    if not node.args.get("safe"):
        return node
    form = node.args.get("format")
    if form is not None and (not form.is_string or form.name.upper() != "HEX"):
        raise unsupported(node.sql(dialect="snowflake"))
    return _macro("_ls_try_binary", _text(node))


def _table_function(node: exp.Expression) -> exp.Expression:
    """TABLE(function): the ones that exist here have been put into other words by fakesnow's passes."""
    if isinstance(node.this, exp.Anonymous):
        raise unsupported(node.sql(dialect="snowflake"))
    return node


def _shown(part: exp.Expression) -> exp.Expression:
    """A part of a concatenation as text."""
    return _macro("_ls_varchar", part)


def _joined(node: exp.Expression) -> exp.Expression:
    """Rule: what is no text becomes one as in TO_VARCHAR (concat page)."""
    if isinstance(node, exp.DPipe):
        return exp.DPipe(this=_shown(node.this), expression=_shown(node.expression))
    node.set("expressions", [_shown(part) for part in node.expressions])
    return node


def _listagg(node: exp.Expression) -> exp.Expression:
    """Rule: without a delimiter nothing stands between, and no row gives '' (listagg page)."""
    if node.args.get("separator") is None:
        node.set("separator", exp.Literal.string(""))
    if isinstance(node.parent, exp.Window):
        raise unsupported(node.parent.sql(dialect="snowflake"))
    return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])


def _count_if(node: exp.Expression) -> exp.Expression:
    """Rule: no row that satisfies the condition gives NULL (count_if page)."""
    if isinstance(node.parent, exp.Window):
        raise unsupported(node.parent.sql(dialect="snowflake"))
    count = exp.Count(this=exp.Case(ifs=[exp.If(this=node.this, true=exp.Literal.number(1))]))
    return exp.Nullif(this=count, expression=exp.Literal.number(0))


def exact_json(node: exp.Expression) -> exp.Expression:
    """Paths into a VARIANT go through a check that the number found is the number written."""
    if not isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)) or _sorts(node):
        return node
    macro = "_ls_json_text" if isinstance(node, exp.JSONExtractScalar) else "_ls_json"
    path: exp.Expression = exp.maybe_parse(to_duck(node.expression, keep=True), dialect="duckdb")
    return exp.Anonymous(this=macro, expressions=[node.this, path])


def _converted(node: exp.Expression) -> exp.Expression:
    """Rule: without a source zone, a time without one is in the session's zone (convert_timezone page)."""
    if node.args.get("source_tz") is None:
        zoned = duck_type_node("TIMESTAMPTZ")
        node.set("timestamp", exp.Cast(this=node.args["timestamp"], to=zoned))
    return node


_REWRITES: dict[type[exp.Expression], Callable[[exp.Expression], exp.Expression]] = {
    exp.SHA2: _sha2,
    exp.ParseJSON: _parse_json,
    exp.ConvertTimezone: _converted,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.ToNumber: _to_number,
    exp.ToDouble: _reading("double"),
    exp.ToBoolean: _reading("boolean"),
    exp.TsOrDsToDate: _reading("date"),
    exp.TsOrDsToTime: _reading("time"),
    exp.UnixToTime: _reading("timestamp"),
    exp.ToBinary: _to_binary,
    exp.ByteLength: _one("_ls_octet_length"),
    exp.Typeof: lambda node: _macro("_ls_typeof", _macro("_ls_variant", node.this)),
    exp.ToVariant: _one("_ls_variant"),
    exp.JSONFormat: lambda node: _macro("_ls_to_json", node.this),
    exp.ToChar: _to_char,
    exp.TableFromRows: _table_function,
    exp.DPipe: _joined,
    exp.Concat: _joined,
    exp.ConcatWs: _joined,
    exp.GroupConcat: _listagg,
    exp.Length: length,
    exp.CountIf: _count_if,
    exp.Div: lambda node: _macro("_ls_div", node.this, node.expression),
    exp.Array: lambda node: array(node.expressions, keep_nulls=True),
    exp.ArrayConstructCompact: lambda node: array(node.expressions, keep_nulls=False),
}
_REFUSED = {"GET_DDL", "TO_TIMESTAMP_TZ", "TO_TIMESTAMP_LTZ"}
_MACROS = {
    "TRY_TO_TIMESTAMP_NTZ": "_ls_try_timestamp",
    "TRY_TO_TIMESTAMP": "_ls_try_timestamp",
    "TRY_TO_TIMESTAMP_LTZ": "_ls_try_ltz",
    "TRY_TO_TIMESTAMP_TZ": "_ls_try_tz",
    "TO_TIMESTAMP_NTZ": "_ls_as_timestamp",
    "TO_TIMESTAMP": "_ls_as_timestamp",
    "TRY_TO_DATE": "_ls_try_date",
    "TO_DATE": "_ls_as_date",
}
