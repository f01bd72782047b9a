"""Types of expressions that are known before a statement runs.

A conversion that works for every type is long (conversions.py), and statements convert dozens of columns.
So columns of named tables get the type that the catalogue knows, and a conversion of a value that already
has the right type is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from .column_types import TEXTS, duck_type_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .catalogue import Table

KNOWN = "duck_type"
"""Key in a node's `meta`."""
LENGTH = "LENGTH"
_MOMENT = "_LS_TIMESTAMPTZ"
_CALLS = {
    f"{name}{twin}".upper()
    for name in ("_ls_varchar", "sha256", "_ls_to_json", "_ls_cast_fit", "strftime")
    for twin in ("", "_1")
}


def note_types(tree: exp.Expression, sources: Iterable[tuple[str, Table | None]]) -> None:
    """Note the type of each column that is named with its table.

    Args:
        tree: the statement, with quoted and unquoted names as they were written.
        sources: alias and table of everything that rows come from; None for what is no table. An alias that
            stands for two things tells nothing.
    """
    known: dict[str, Table | None] = {}
    for alias, table in sources:
        known[alias] = table if known.get(alias, table) is table else None
    for node in tree.find_all(exp.Column):
        owner = node.args.get("table")
        table = known.get(_name(owner)) if isinstance(owner, exp.Identifier) else None
        column = table.column(_name(node.this)) if table is not None else None
        if column is not None:
            node.meta[KNOWN] = column.duck_type


def _name(node: exp.Expression) -> str:
    return str(node.name) if node.args.get("quoted") else str(node.name).upper()


def duck_type(node: exp.Expression) -> str:
    """DuckDB's name of an expression's type; empty when it is not known."""
    if isinstance(node, (exp.Length, exp.Count)) or str(node.name).upper() == LENGTH:
        return "BIGINT"
    if isinstance(node, exp.Anonymous) and str(node.this).upper() == _MOMENT:
        return "TIMESTAMP WITH TIME ZONE"
    return "VARCHAR" if is_text(node) else str(node.meta.get(KNOWN, ""))


def is_text(node: exp.Expression | None) -> bool:
    """Whether an expression is a text or NULL, whatever its columns hold."""
    if node is None or isinstance(node, exp.Null):
        return True
    if isinstance(node, exp.Literal):
        return bool(node.is_string)
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper() in _CALLS
    decide = _KINDS.get(type(node))
    return decide is not None and decide(node)


def length(node: exp.Expression) -> exp.Expression:
    """LENGTH of a text, without the question whether it is binary."""
    return exp.Anonymous(this=LENGTH, expressions=[node.this]) if is_text(node.this) else node


def _case(node: exp.Expression) -> bool:
    return all(is_text(part.args["true"]) for part in node.args["ifs"]) and is_text(node.args.get("default"))


_KINDS: dict[type[exp.Expression], Callable[[exp.Expression], bool]] = {
    exp.Column: lambda node: node.meta.get(KNOWN) == "VARCHAR",
    exp.Paren: lambda node: is_text(node.this),
    exp.DPipe: lambda _: True,
    exp.Concat: lambda _: True,
    exp.Substring: lambda node: is_text(node.this),
    exp.Case: _case,
    exp.If: lambda node: is_text(node.args["true"]) and is_text(node.args.get("false")),
    exp.Coalesce: lambda node: is_text(node.this) and all(is_text(part) for part in node.expressions),
    exp.Nullif: lambda node: is_text(node.this),
    exp.Cast: lambda node: node.args["to"].this in TEXTS,
}


def _as_text(node: exp.Expression) -> exp.Expression:
    return exp.Cast(this=node, to=duck_type_node("VARCHAR"))


def _as_json(node: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this="to_json", expressions=[node])


def _local(node: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this="_ls_local", expressions=[node])


def _same(node: exp.Expression) -> exp.Expression:
    return node


_PLAIN = ("DECIMAL", "BIGINT", "BOOLEAN")  # written alike by DuckDB and by Snowflake
_SHORT: dict[str, dict[str, Callable[[exp.Expression], exp.Expression]]] = {
    "_ls_text": {"VARCHAR": _same},
    "_ls_varchar": {"VARCHAR": _same, **dict.fromkeys(_PLAIN, _as_text)},
    "_ls_to_json": {"JSON": _as_text},
    "_ls_as_date": {"DATE": _same},
    "_ls_as_timestamp": {"TIMESTAMP": _same, "TIMESTAMP WITH TIME ZONE": _local},
    "_ls_variant": {"VARCHAR": _as_json, "JSON": _same, **dict.fromkeys((*_PLAIN, "DOUBLE"), _as_json)},
}


def shortened(macro: str, value: exp.Expression) -> exp.Expression | None:
    """What a macro comes down to for a value whose type is known; None when it has to be called."""
    found = _SHORT.get(macro)
    short = found.get(duck_type(value).split("(")[0]) if found else None
    return None if short is None else short(value)
