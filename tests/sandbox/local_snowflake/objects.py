"""OBJECT_CONSTRUCT with constant names, as one text concatenation.

fakesnow's macro builds lists for every row, which takes seconds for 10,000 rows of 46 columns; and numbers
keep their exact text here.
"""

from __future__ import annotations

import json

from sqlglot import exp

from .column_types import duck_type_node
from .errors import SnowflakeError, unsupported
from .macros import call

_Pairs = list[tuple[exp.Expression, exp.Expression]]


def object_construct(node: exp.Expression) -> exp.Expression:
    """Rewrite OBJECT_CONSTRUCT(_KEEP_NULL) whose names are distinct literals; leave any other form alone."""
    pairs, keep_nulls = _pairs(node)
    names = [name.name for name, _ in pairs if isinstance(name, exp.Literal) and name.is_string]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SnowflakeError(100103, "22000", f"Duplicate field key '{twice}'")
    if not pairs or len(names) != len(pairs):
        return node
    parts = [_member(name.name, value, keep_nulls=keep_nulls) for name, value in sorted(pairs, key=_name)]
    body = exp.Anonymous(this="CONCAT_WS", expressions=[exp.Literal.string(","), *parts])
    text = exp.Anonymous(this="CONCAT", expressions=[exp.Literal.string("{"), body, exp.Literal.string("}")])
    return exp.Cast(this=text, to=duck_type_node("JSON"))


def variant_text(value: exp.Expression, *, keep_nulls: bool) -> exp.Expression:
    """JSON text of a value; a VARIANT keeps its own text, so that its numbers stay exact."""
    if isinstance(value, exp.Cast) and value.is_type("json") and isinstance(value.this, exp.Anonymous):
        return value.this.copy()  # the text that this module has built
    variant = call("_ls_variant", value.copy())
    as_text = exp.Cast(this=variant, to=duck_type_node("VARCHAR"))
    return exp.Coalesce(this=as_text, expressions=[exp.Literal.string("null")]) if keep_nulls else as_text


def array(values: list[exp.Expression], *, keep_nulls: bool) -> exp.Expression:
    """ARRAY_CONSTRUCT (where a SQL NULL would be undefined) or ARRAY_CONSTRUCT_COMPACT (without it)."""
    parts = [variant_text(value, keep_nulls=False) for value in values]
    if keep_nulls:
        parts = [exp.Anonymous(this="_ls_defined", expressions=[part]) for part in parts]
    body = exp.Anonymous(this="CONCAT_WS", expressions=[exp.Literal.string(","), *parts])
    inner = [body] if parts else []
    text = exp.Anonymous(
        this="CONCAT", expressions=[exp.Literal.string("["), *inner, exp.Literal.string("]")]
    )
    return exp.Cast(this=text, to=duck_type_node("JSON"))


def array_agg(node: exp.Expression) -> exp.Expression:
    """ARRAY_AGG as one text: without NULL, in the order asked for, [] for no value (array_agg page)."""
    order = None
    if isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.ArrayAgg):
        node, order = node.this, node.expression
    elif not isinstance(node, exp.ArrayAgg) or isinstance(node.parent, (exp.WithinGroup, exp.Window)):
        return node
    distinct = isinstance(node.this, exp.Distinct)
    value = node.this.expressions[0] if distinct else node.this
    text: exp.Expression = variant_text(value, keep_nulls=False)
    if distinct:
        text = exp.Distinct(expressions=[text])
    if order is not None:
        if distinct:
            message = "ARRAY_AGG(DISTINCT ...) in an order"
            raise unsupported(message)
        text = exp.Order(this=text, expressions=[part.copy() for part in order.expressions])
    joined = exp.GroupConcat(this=text, separator=exp.Literal.string(","))
    whole = [exp.Literal.string("["), joined, exp.Literal.string("]")]
    return exp.Cast(
        this=exp.Anonymous(this="CONCAT", expressions=whole),
        to=duck_type_node("JSON"),
    )


def _name(pair: tuple[exp.Expression, exp.Expression]) -> str:
    return pair[0].name


def _pairs(node: exp.Expression) -> tuple[_Pairs, bool]:
    if isinstance(node, exp.Struct):
        found: _Pairs = [
            (p.this, p.args["expression"]) for p in node.expressions if isinstance(p, exp.PropertyEQ)
        ]
        return (found if len(found) == len(node.expressions) else []), False
    if isinstance(node, exp.JSONObject):
        found = [(p.this, p.args["expression"]) for p in node.expressions if isinstance(p, exp.JSONKeyValue)]
        return (found if len(found) == len(node.expressions) else []), True
    return [], False


def _member(name: str, value: exp.Expression, *, keep_nulls: bool) -> exp.Expression:
    """`"NAME":value` as text; NULL, which CONCAT_WS leaves out, for a null value."""
    shown = variant_text(value, keep_nulls=keep_nulls)
    return exp.DPipe(this=exp.Literal.string(f"{json.dumps(name, ensure_ascii=False)}:"), expression=shown)
