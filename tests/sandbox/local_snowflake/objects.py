"""OBJECT_CONSTRUCT with constant names, as one text concatenation.

fakesnow's macro builds lists for every row, which takes seconds for 10,000 rows of 46 columns; and numbers keep
their exact text here.
"""

from __future__ import annotations

import json

from sqlglot import exp


def object_construct(node: exp.Expression) -> exp.Expression:
    """Rewrite OBJECT_CONSTRUCT(_KEEP_NULL) whose names are distinct literals; leave any other form alone."""
    pairs, keep_nulls = _pairs(node)
    names = [name.name for name, _ in pairs if isinstance(name, exp.Literal) and name.is_string]
    if not pairs or len(names) != len(pairs) or len(set(names)) != len(names):
        return node
    parts = [_member(name.name, value, keep_nulls=keep_nulls) for name, value in sorted(pairs, key=_name)]
    body = exp.Anonymous(this="CONCAT_WS", expressions=[exp.Literal.string(","), *parts])
    text = exp.Anonymous(this="CONCAT", expressions=[exp.Literal.string("{"), body, exp.Literal.string("}")])
    return exp.Cast(this=text, to=exp.DataType.build("JSON", dialect="duckdb"))


def _name(pair: tuple[exp.Expression, exp.Expression]) -> str:
    return pair[0].name


def _pairs(node: exp.Expression) -> tuple[list[tuple[exp.Expression, exp.Expression]], bool]:
    if isinstance(node, exp.Struct):
        found = [(part.left, part.right) for part in node.expressions if isinstance(part, exp.PropertyEQ)]
        return (found if len(found) == len(node.expressions) else []), False
    if isinstance(node, exp.JSONObject):
        found = [(p.this, p.expression) for p in node.expressions if isinstance(p, exp.JSONKeyValue)]
        return (found if len(found) == len(node.expressions) else []), True
    return [], False


def _member(name: str, value: exp.Expression, *, keep_nulls: bool) -> exp.Expression:
    """`"NAME":value` as text; NULL, which CONCAT_WS leaves out, for a null value."""
    as_text = exp.Cast(
        this=exp.Anonymous(this="TO_JSON", expressions=[value.copy()]), to=exp.DataType.build("VARCHAR")
    )
    shown = exp.Coalesce(this=as_text, expressions=[exp.Literal.string("null")]) if keep_nulls else as_text
    return exp.DPipe(this=exp.Literal.string(f"{json.dumps(name, ensure_ascii=False)}:"), expression=shown)
