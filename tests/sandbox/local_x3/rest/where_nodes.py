"""What the parts of a `where` text become: typed nodes that compute a value from a native row.

A comparison of unlike types, or with a property that the representation's query facet does not hold, is
refused: X3 answers HTTP 500 to an unknown property [D]; how it treats unlike types is unknown [?], so they
are refused too.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from local_x3.errors import RestError
from local_x3.model import Row
from local_x3.rest.functions import FUNCTIONS, call
from local_x3.rest.like import like
from local_x3.rest.moments import day_text
from local_x3.rest.numbers import ARITHMETIC, CONTEXT, MAX_DIGITS, number
from local_x3.rest.where_grammar import BAD_SYNTAX

Evaluate = Callable[[Row], object]
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt,
    "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
BOOL = "condition"
NO_ROW: Row = {}
FAILURES = (ValueError, ArithmeticError, TypeError, OverflowError)


class UnknownPropertyError(RestError):
    """A property that the facet does not hold; administration endpoints ignore a `where` with one [D]."""


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled expression: its type (text, number, date, datetime, time, condition) and what it reads."""

    kind: str
    evaluate: Evaluate
    columns: frozenset[str] = frozenset()


def constant(kind: str, value: object) -> Node:
    """Return a node for a value that is the same for every row."""
    return Node(kind, lambda _row: value)


def folded(node: Node) -> Node:
    """Compute once what reads no column."""
    return node if node.columns else constant(node.kind, node.evaluate(NO_ROW))


def compare(name: str, left: object, right: object) -> bool:
    """Compare two values of one declared type; a stored value that does not fit its type never matches."""
    if isinstance(left, str) != isinstance(right, str):
        return name == "ne"
    return COMPARISONS[name](left, right)


def text_leaf(text: str) -> Node:
    """Read a literal in single or double quotes; its quote is doubled inside [D]."""
    quote = text[0]
    return constant("text", text[1:-1].replace(quote * 2, quote))


def number_leaf(text: str) -> Node:
    """Read a number."""
    if len(text) > MAX_DIGITS + 1:
        raise RestError(400, f"{text[:20]}… has more than {MAX_DIGITS} digits", code=BAD_SYNTAX)
    return constant("number", Decimal(text))


def day_leaf(text: str) -> Node:
    """Read `[YYYYMMDD]`, a date as X3's own language writes it [C]."""
    try:
        return constant("date", day_text(f"{text[1:5]}-{text[5:7]}-{text[7:9]}"))
    except ValueError:
        raise RestError(400, f"{text} is not a date", code=BAD_SYNTAX) from None


def column_leaf(name: str, kinds: Mapping[str, str]) -> Node:
    """Refer to a property of the query facet, the only ones that can be filtered [D]."""
    kind = kinds.get(name)
    if kind is None:
        raise UnknownPropertyError(500, f"Property {name} does not exist in the query facet")
    return Node(kind, lambda row: row.get(name, ""), frozenset({name}))


def _union(nodes: list[Node]) -> frozenset[str]:
    return frozenset().union(*(node.columns for node in nodes))


def need(kind: str, nodes: list[Node], where: str) -> None:
    """Refuse nodes of another type than `where` takes."""
    for node in nodes:
        if node.kind != kind:
            raise RestError(500, f"{where} needs {kind} values, not {node.kind}")


def _same(nodes: list[Node], where: str) -> None:
    need(nodes[0].kind, nodes[1:], where)
    if nodes[0].kind == BOOL:
        raise RestError(500, f"{where} cannot compare conditions")


def any_of(nodes: list[Node]) -> Node:
    """Combine with `or`; what follows a true part is not looked at."""
    need(BOOL, nodes, "or")
    parts = [node.evaluate for node in nodes]
    return Node(BOOL, lambda row: any(part(row) for part in parts), _union(nodes))


def all_of(nodes: list[Node]) -> Node:
    """Combine with `and`; what follows a false part is not looked at."""
    need(BOOL, nodes, "and")
    parts = [node.evaluate for node in nodes]
    return Node(BOOL, lambda row: all(part(row) for part in parts), _union(nodes))


def negated(nodes: list[Node]) -> Node:
    """Turn a condition round."""
    need(BOOL, nodes, "not")
    part = nodes[0].evaluate
    return Node(BOOL, lambda row: not part(row), _union(nodes))


def comparison(name: str, left: Node, right: Node) -> Node:
    """Compare two values."""
    _same([left, right], name)
    first, second = left.evaluate, right.evaluate
    return Node(BOOL, lambda row: compare(name, first(row), second(row)), _union([left, right]))


def _between(nodes: list[Node]) -> Node:
    _same(nodes, "between")
    value, low, high = (node.evaluate for node in nodes)

    def inside(row: Row) -> bool:
        item = value(row)
        return compare("ge", item, low(row)) and compare("le", item, high(row))

    return Node(BOOL, inside, _union(nodes))


def _member(nodes: list[Node]) -> Node:
    _same(nodes, "in")
    value, *choices = (node.evaluate for node in nodes)
    if not _union(nodes[1:]):
        known = {choice(NO_ROW) for choice in choices}
        return Node(BOOL, lambda row: value(row) in known, _union(nodes))
    return Node(BOOL, lambda row: value(row) in {choice(row) for choice in choices}, _union(nodes))


def _like(nodes: list[Node]) -> Node:
    need("text", nodes, "like")
    value, pattern = (node.evaluate for node in nodes)
    return Node(BOOL, lambda row: like(str(value(row)), str(pattern(row))), _union(nodes))


def _arithmetic(name: str) -> Callable[[list[Node]], Node]:
    action = ARITHMETIC[name]

    def build(nodes: list[Node]) -> Node:
        need("number", nodes, name)
        first, second = nodes[0].evaluate, nodes[1].evaluate

        def evaluate(row: Row) -> object:
            left, right = first(row), second(row)
            try:
                return action(number(left), number(right))
            except FAILURES:
                _failed(f"{name} of {left} and {right}")

        return Node("number", evaluate, _union(nodes))

    return build


def _minus(nodes: list[Node]) -> Node:
    need("number", nodes, "-")
    part = nodes[0].evaluate

    def evaluate(row: Row) -> object:
        value = part(row)
        try:
            return CONTEXT.minus(number(value))
        except FAILURES:
            _failed(f"- {value}")

    return Node("number", evaluate, _union(nodes))


def _failed(what: str) -> NoReturn:
    raise RestError(500, f"Evaluation of where failed: {what[:200]}") from None


def call_node(name: str, arguments: list[Node]) -> Node:
    """Call a function."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise RestError(500, f"Function {name} does not exist")
    kinds = [node.kind for node in arguments]
    if not function.takes(kinds):
        raise RestError(500, f"{name} does not take ({', '.join(kinds)})")
    parts = [node.evaluate for node in arguments]

    def evaluate(row: Row) -> object:
        values = [part(row) for part in parts]
        try:
            return call(function, values)
        except FAILURES:
            _failed(f"{name} of {', '.join(map(str, values))}")

    return Node(function.result, evaluate, _union(arguments))


BRANCHES: dict[str, Callable[[list[Node]], Node]] = {
    "any_of": any_of, "all_of": all_of, "negated": negated, "between": _between, "member": _member,
    "like": _like, "minus": _minus, **{name: _arithmetic(name) for name in ARITHMETIC},
}  # fmt: skip
LEAVES: dict[str, Callable[[str], Node]] = {"text": text_leaf, "number": number_leaf, "day": day_leaf}
