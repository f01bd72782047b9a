"""Types of the columns of subqueries, as far as their expressions tell.

An INSERT ... SELECT from a subquery of dozens of columns would else convert each of them by the long macros
for any type (texts.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from .column_types import INTEGERS, NTZ, TEXTS
from .texts import KNOWN, is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TEXT, _TIME, _JSON = "VARCHAR", "TIMESTAMP", "JSON"
_TEXT_CALLS = (exp.Concat, exp.SHA2, exp.ToChar, exp.JSONFormat, exp.CurrentUser, exp.CurrentRole)
_JSON_CALLS = (
    exp.ParseJSON,
    exp.Struct,
    exp.JSONObject,
    exp.Array,
    exp.ArrayConstructCompact,
    exp.JSONExtract,
)


def note_derived(tree: exp.Expression, named: Callable[[exp.Expression], str], twice: set[str]) -> None:
    """Note the types of columns that are named with a subquery's alias.

    Args:
        tree: the statement; columns of named tables have their types.
        named: the normalised name of an identifier.
        twice: aliases that stand for several things, and so tell nothing.
    """
    for node in reversed(list(tree.find_all(exp.Subquery))):  # inner ones first
        alias = node.args.get("alias")
        if alias is None or alias.this is None or alias.args.get("columns") or named(alias.this) in twice:
            continue
        columns = _columns(node.this, named)
        if columns:
            _note(tree, named(alias.this), columns, named)


def _note(
    tree: exp.Expression, alias: str, columns: Mapping[str, str], named: Callable[[exp.Expression], str]
) -> None:
    for column in tree.find_all(exp.Column):
        owner = column.args.get("table")
        if not isinstance(owner, exp.Identifier) or named(owner) != alias:
            continue
        if isinstance(column.this, exp.Star):
            column.meta[KNOWN] = columns
        elif named(column.this) in columns:
            column.meta[KNOWN] = columns[named(column.this)]


def _columns(query: exp.Expression, named: Callable[[exp.Expression], str]) -> dict[str, str]:
    """The columns of a query whose type is known; of UNION those that both sides agree on."""
    if isinstance(query, exp.Union):
        left, right = (_columns(side, named) for side in (query.this, query.expression))
        return {name: kind for name, kind in left.items() if right.get(name) == kind}
    found: dict[str, str] = {}
    if not isinstance(query, exp.Select):
        return found
    for shown in query.expressions:
        stars = shown.meta.get(KNOWN) if isinstance(shown, exp.Column) else None
        if isinstance(stars, dict):
            found.update(stars)
        elif isinstance(shown, exp.Alias) and (kind := _kind(shown.this)):
            found[named(shown.args["alias"])] = kind
    return found


def _kind(node: exp.Expression) -> str:
    """DuckDB's name of an expression's type; empty when it is not known."""
    if isinstance(node, exp.Column):
        kind = node.meta.get(KNOWN, "")
        return kind if isinstance(kind, str) else ""
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
        return _cast(node.args["to"])
    if isinstance(node, (exp.If, exp.Coalesce)):
        parts = [node.args["true"], node.args.get("false")] if isinstance(node, exp.If) else _arguments(node)
        return _common(part for part in parts if part is not None and not isinstance(part, exp.Null))
    if isinstance(node, _JSON_CALLS):
        return _JSON
    text = isinstance(node, _TEXT_CALLS) or (is_text(node) and not isinstance(node, exp.Null))
    return _TEXT if text else ""


def _cast(kind: exp.DataType) -> str:
    if kind.this in NTZ:
        return _TIME
    if kind.this in TEXTS:
        return _TEXT
    if kind.this == exp.DType.VARIANT:
        return _JSON
    return "DECIMAL" if kind.this in {exp.DType.DECIMAL, *INTEGERS} else ""


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    return [node.this, *node.expressions]


def _common(parts: Iterable[exp.Expression]) -> str:
    kinds = {_kind(part) for part in parts}
    return kinds.pop() if len(kinds) == 1 else ""
