"""The `where` language of api1, parsed by a real grammar and compiled to a predicate over a native row.

Operators and literals are those of the SData 2.0 grammar [D]. A comparison of unlike types, or with a
property that the representation's query facet does not hold, is refused: X3 answers HTTP 500 to an unknown
property [D]; how it treats unlike types is unknown [?], so they are refused too.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from local_x3.clock import STAMP_FORMAT, parse_stamp
from local_x3.errors import RestError
from local_x3.model import Row
from local_x3.rest.functions import FUNCTIONS

GRAMMAR = r"""
start: expression
?expression: conjunction ("or" conjunction)*                    -> any_of
?conjunction: negation ("and" negation)*                        -> all_of
?negation: "not" negation                                       -> negated
    | comparison
?comparison: sum
    | sum COMPARE sum                                           -> compare
    | sum "between" sum "and" sum                               -> between
    | sum "in" "(" sum ("," sum)* ")"                           -> member
    | sum "like" sum                                            -> like
?sum: product
    | sum "+" product                                           -> add
    | sum "-" product                                           -> subtract
?product: atom
    | product "mul" atom                                        -> multiply
    | product "div" atom                                        -> divide
    | product "mod" atom                                        -> modulo
?atom: NUMBER                                                   -> number
    | "-" atom                                                  -> minus
    | STRING                                                    -> text
    | MOMENT                                                    -> moment
    | NAME "(" [expression ("," expression)*] ")"               -> call
    | NAME                                                      -> column
    | "(" expression ")"
COMPARE.2: /(eq|ne|lt|le|gt|ge)(?![A-Za-z0-9_])/
NUMBER: /\d+(\.\d+)?/
STRING: /'(''|[^'])*'/ | /"(""|[^"])*"/
MOMENT: /@[^@]*@/
NAME: /[A-Za-z_][A-Za-z0-9_]*/
%ignore /\s+/
"""
PARSER = Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)
MAX_DEPTH = 60  # deeper nesting than any program writes; refused before Python's own limit is near

Evaluate = Callable[[Row], object]
Predicate = Callable[[Row], bool]
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt,
    "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled expression: its type (text, number, date, datetime, bool), its value, what it reads."""

    kind: str
    evaluate: Evaluate
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Where:
    """A compiled condition and the columns it reads."""

    matches: Predicate
    columns: frozenset[str]


def compile_where(text: str, kinds: Mapping[str, str]) -> Where:
    """Compile `where=text` against the facet's columns (name -> type).

    Raises:
        RestError: 400 for text outside the grammar, 500 for an unknown property or unlike types.
    """
    try:
        tree = _parse(text)
    except UnexpectedInput as problem:
        message = f"Syntax error in where at position {problem.pos_in_stream}: {text}"
        raise RestError(400, message, code="BadWhereSyntax") from None
    node = _Compiler(kinds).compile(tree.children[0], 0)
    if node.kind != "bool":
        raise RestError(400, f"where is not a condition: {text}", code="BadWhereSyntax")
    evaluate = node.evaluate
    return Where(lambda row: bool(evaluate(row)), node.columns)


@lru_cache(maxsize=256)
def _parse(text: str) -> Tree[Token]:
    return PARSER.parse(text)


def compare(name: str, left: object, right: object) -> bool:
    """Compare two values of one declared type; a stored value that does not fit its type never matches."""
    if isinstance(left, str) != isinstance(right, str):
        return name == "ne"
    return COMPARISONS[name](left, right)


class _Compiler:
    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = kinds

    def compile(self, tree: Tree[Token] | Token, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise RestError(400, "where is nested too deeply", code="BadWhereSyntax")
        if isinstance(tree, Token):  # pragma: no cover - the grammar names every alternative
            raise RestError(400, f"unexpected {tree}", code="BadWhereSyntax")
        name = str(tree.data)
        leaf = LEAVES.get(name)
        if leaf is not None:
            return leaf(str(tree.children[0]), self.kinds)
        if name == "call":
            arguments = [self.compile(child, depth + 1) for child in tree.children[1:]]
            return _call(str(tree.children[0]), arguments)
        if name == "compare":
            sides = [self.compile(tree.children[0], depth + 1), self.compile(tree.children[2], depth + 1)]
            return _compare(str(tree.children[1]), *sides)
        nodes = [self.compile(child, depth + 1) for child in tree.children]
        return BRANCHES[name](nodes)


def _text_leaf(text: str, _: Mapping[str, str]) -> Node:
    quote = text[0]
    value = text[1:-1].replace(quote * 2, quote)
    return Node("text", lambda _row: value)


def _number_leaf(text: str, _: Mapping[str, str]) -> Node:
    value = Decimal(text)
    return Node("number", lambda _row: value)


def _moment_leaf(text: str, _: Mapping[str, str]) -> Node:
    body = text[1:-1]
    if re.fullmatch(r"\d{4}-\d\d-\d\d", body):
        value = _checked(body)[:10]
        return Node("date", lambda _row: value)
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", body):
        raise RestError(400, f"{text} is not a date or timestamp", code="BadWhereSyntax")
    value = _checked(body)
    return Node("datetime", lambda _row: value)


def _checked(body: str) -> str:
    """Return the literal as stored stamps are written; a fraction sorts behind its whole second."""
    try:
        moment = parse_stamp(body)
    except (ValueError, OverflowError):
        raise RestError(400, f"@{body}@ is not a date or timestamp", code="BadWhereSyntax") from None
    if moment.microsecond:
        # "~" sorts behind "Z": hh:mm:ss.5 lies after hh:mm:ssZ and before the next second
        return f"{moment.strftime(STAMP_FORMAT)[:-1]}~{moment.microsecond:06d}"
    return moment.strftime(STAMP_FORMAT)


def _column_leaf(name: str, kinds: Mapping[str, str]) -> Node:
    kind = kinds.get(name)
    if kind is None:
        raise RestError(500, f"Property {name} does not exist in the query facet")
    return Node(kind, lambda row: row.get(name, ""), frozenset({name}))


LEAVES: dict[str, Callable[[str, Mapping[str, str]], Node]] = {
    "text": _text_leaf, "number": _number_leaf, "moment": _moment_leaf, "column": _column_leaf,
}  # fmt: skip


def _union(nodes: list[Node]) -> frozenset[str]:
    return frozenset().union(*(node.columns for node in nodes))


def _need(kind: str, nodes: list[Node], where: str) -> None:
    for node in nodes:
        if node.kind != kind:
            raise RestError(500, f"{where} needs {kind} values, not {node.kind}")


def _same(nodes: list[Node], where: str) -> None:
    _need(nodes[0].kind, nodes[1:], where)
    if nodes[0].kind == "bool":
        raise RestError(500, f"{where} cannot compare conditions")


def _any_of(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    _need("bool", nodes, "or")
    parts = [node.evaluate for node in nodes]
    return Node("bool", lambda row: any(part(row) for part in parts), _union(nodes))


def _all_of(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    _need("bool", nodes, "and")
    parts = [node.evaluate for node in nodes]
    return Node("bool", lambda row: all(part(row) for part in parts), _union(nodes))


def _negated(nodes: list[Node]) -> Node:
    _need("bool", nodes, "not")
    part = nodes[0].evaluate
    return Node("bool", lambda row: not part(row), _union(nodes))


def _compare(name: str, left: Node, right: Node) -> Node:
    _same([left, right], name)
    first, second = left.evaluate, right.evaluate
    return Node("bool", lambda row: compare(name, first(row), second(row)), _union([left, right]))


def _between(nodes: list[Node]) -> Node:
    _same(nodes, "between")
    value, low, high = (node.evaluate for node in nodes)

    def inside(row: Row) -> bool:
        item = value(row)
        return compare("ge", item, low(row)) and compare("le", item, high(row))

    return Node("bool", inside, _union(nodes))


def _member(nodes: list[Node]) -> Node:
    _same(nodes, "in")
    value, *choices = (node.evaluate for node in nodes)
    return Node("bool", lambda row: value(row) in {choice(row) for choice in choices}, _union(nodes))


def _like(nodes: list[Node]) -> Node:
    _need("text", nodes, "like")
    value, pattern = (node.evaluate for node in nodes)
    return Node("bool", lambda row: _like_pattern(str(pattern(row))).fullmatch(str(value(row))) is not None,
                _union(nodes))  # fmt: skip


@lru_cache(maxsize=256)
def _like_pattern(text: str) -> re.Pattern[str]:
    parts = (".*" if char == "%" else "." if char == "_" else re.escape(char) for char in text)
    return re.compile("".join(parts), re.DOTALL)


def _arithmetic(name: str) -> Callable[[list[Node]], Node]:
    action = ARITHMETIC[name]

    def build(nodes: list[Node]) -> Node:
        _need("number", nodes, name)
        first, second = nodes[0].evaluate, nodes[1].evaluate
        return Node("number", lambda row: _calculate(action, first(row), second(row)), _union(nodes))

    return build


def _calculate(action: Callable[[Decimal, Decimal], Decimal], left: object, right: object) -> Decimal:
    try:
        return action(Decimal(str(left)), Decimal(str(right)))
    except (InvalidOperation, ArithmeticError):
        raise RestError(500, f"arithmetic failed on {left} and {right}") from None


def _minus(nodes: list[Node]) -> Node:
    _need("number", nodes, "-")
    part = nodes[0].evaluate
    return Node("number", lambda row: _calculate(operator.sub, 0, part(row)), _union(nodes))


ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "modulo": operator.mod,
}  # fmt: skip
BRANCHES: dict[str, Callable[[list[Node]], Node]] = {
    "any_of": _any_of, "all_of": _all_of, "negated": _negated, "between": _between, "member": _member,
    "like": _like, "minus": _minus, **{name: _arithmetic(name) for name in ARITHMETIC},
}  # fmt: skip


def _call(name: str, arguments: list[Node]) -> Node:
    function = FUNCTIONS.get(name)
    if function is None:
        raise RestError(500, f"Function {name} does not exist")
    kinds = [node.kind for node in arguments]
    if not any(kinds == list(signature) for signature in function.signatures):
        raise RestError(500, f"{name} does not take ({', '.join(kinds)})")
    parts = [node.evaluate for node in arguments]
    action = function.action

    def evaluate(row: Row) -> object:
        try:
            return action(*(part(row) for part in parts))
        except (ValueError, ArithmeticError, TypeError, OverflowError):
            raise RestError(500, f"{name} failed on a value") from None

    return Node(function.result, evaluate, _union(arguments))
