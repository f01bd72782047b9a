"""`where` texts compiled to predicates over native rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lark import Token, Tree

from local_x3.errors import RestError
from local_x3.model import Row
from local_x3.rest.functions import CLOCK_FUNCTIONS
from local_x3.rest.moments import DAY, day_text, stamp_text
from local_x3.rest.where_grammar import BAD_SYNTAX, parse
from local_x3.rest.where_nodes import (
    BOOL,
    BRANCHES,
    LEAVES,
    Node,
    call_node,
    column_leaf,
    comparison,
    constant,
    folded,
    need,
)

MAX_DEPTH = 60  # deeper nesting than any program writes; refused before Python's own limit is near

Predicate = Callable[[Row], bool]


@dataclass(slots=True)
class Now:
    """The server's time, in its own zone, at one request; `asked` when a condition depends on it."""

    moment: dt.datetime
    asked: bool = False

    def read(self) -> dt.datetime:
        """Return the time to a condition."""
        self.asked = True
        return self.moment


@dataclass(frozen=True, slots=True)
class Scope:
    """What a text may refer to: the facet's columns (name -> type) and the time."""

    kinds: Mapping[str, str]
    now: Now


@dataclass(frozen=True, slots=True)
class Part:
    """What `and` joins at the top of a condition: a predicate and the columns it reads."""

    columns: frozenset[str]
    matches: Predicate


@dataclass(frozen=True, slots=True)
class Where:
    """A compiled condition: parts that must all hold; `name` is its text, and the time if it asks for it."""

    parts: tuple[Part, ...]
    name: tuple[str, str]


def compile_where(text: str, scope: Scope) -> Where:
    """Compile `where=text`.

    Raises:
        RestError: 400 for text outside the grammar; 500 for an unknown property or function, for unlike
            types, and when a part that reads no column cannot be computed.
    """
    compiler = _Compiler(scope)
    tree = _unwrapped(parse(text).children[0])
    if isinstance(tree, Tree) and tree.data == "all_of":
        nodes = [compiler.compile(part, 0) for part in tree.children]
        need(BOOL, nodes, "and")
    else:
        nodes = [compiler.compile(tree, 0)]
    if nodes[0].kind != BOOL:
        raise RestError(400, f"where is not a condition: {text}", code=BAD_SYNTAX)
    moment = scope.now.moment.isoformat() if compiler.asks_the_clock else ""
    return Where(tuple(Part(node.columns, _predicate(node)) for node in nodes), (text, moment))


def _unwrapped(tree: Tree[Token] | Token) -> Tree[Token] | Token:
    """Leave out what the grammar puts around an expression without `or` and `and`."""
    while isinstance(tree, Tree) and tree.data in {"any_of", "all_of"} and len(tree.children) == 1:
        tree = tree.children[0]
    return tree


def _predicate(node: Node) -> Predicate:
    evaluate = node.evaluate
    return lambda row: bool(evaluate(row))


class _Compiler:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.asks_the_clock = False

    def compile(self, tree: Tree[Token] | Token, depth: int) -> Node:
        tree = _unwrapped(tree)
        if depth > MAX_DEPTH:
            raise RestError(400, "where is nested too deeply", code=BAD_SYNTAX)
        if isinstance(tree, Token):  # pragma: no cover - the grammar names every alternative
            raise RestError(400, f"unexpected {tree}", code=BAD_SYNTAX)
        return folded(self._node(str(tree.data), tree.children, depth))

    def _node(self, name: str, children: list[Tree[Token] | Token], depth: int) -> Node:
        if name in LEAVES:
            return LEAVES[name](str(children[0]))
        if name == "moment":
            return self._moment(str(children[0]))
        if name == "column":
            return column_leaf(".".join(map(str, children)), self.scope.kinds)
        if name == "call":
            return self._call(str(children[0]), [self.compile(child, depth + 1) for child in children[1:]])
        if name == "compare":
            left, sign, right = children
            return comparison(str(sign), self.compile(left, depth + 1), self.compile(right, depth + 1))
        return BRANCHES[name]([self.compile(child, depth + 1) for child in children])

    def _moment(self, text: str) -> Node:
        body = text[1:-1]
        try:
            if DAY.fullmatch(body):
                return constant("date", day_text(body))
            return constant("datetime", stamp_text(body, self._zone()))
        except (ValueError, OverflowError):
            raise RestError(400, f"{text} is not a date or timestamp", code=BAD_SYNTAX) from None

    def _zone(self) -> dt.timezone:
        offset = self.scope.now.moment.utcoffset()
        return dt.timezone(offset or dt.timedelta())

    def _call(self, name: str, arguments: list[Node]) -> Node:
        known = CLOCK_FUNCTIONS.get(name)
        if known is None:
            return call_node(name, arguments)
        if arguments:
            raise RestError(500, f"{name} takes nothing")
        self.asks_the_clock = True
        kind, read = known
        return constant(kind, read(self.scope.now.read()))
