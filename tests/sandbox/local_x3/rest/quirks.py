"""Sharp edges of real sites, where one is switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lark import Token, Tree

from local_x3.errors import RestError
from local_x3.rest.where_grammar import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_x3.rest.site import Quirks

CONDITIONS = frozenset({"compare", "between", "member", "like"})
SESSION_LOST = "The X3 session ended unexpectedly"


def check_quirks(text: str, quirks: Quirks, indexed: frozenset[str]) -> None:
    """Refuse a `where` that this site chokes on; `indexed` are the columns of key and stamps.

    Raises:
        RestError: 500 or 400, as the user saw.
    """
    tree = parse(text)
    nodes = list(tree.iter_subtrees())
    if quirks.two_conditions and sum(not _columns(node) <= indexed for node in _conditions(nodes)) > 1:
        raise RestError(500, SESSION_LOST)
    if any(_above_zero(node) in quirks.above_zero for node in _conditions(nodes)):
        raise RestError(500, SESSION_LOST)
    if quirks.long_not_in and any(_excluded(node) > quirks.long_not_in for node in nodes):
        raise RestError(400, "The condition is too long", code="BadWhereSyntax")


def _conditions(nodes: list[Tree[Token]]) -> Iterator[Tree[Token]]:
    return (node for node in nodes if node.data in CONDITIONS)


def _columns(node: Tree[Token]) -> set[str]:
    return {str(found.children[0]) for found in node.iter_subtrees() if found.data == "column"}


def _above_zero(node: Tree[Token]) -> str:
    """Return the column of `COLUMN gt 0`, or nothing."""
    if node.data != "compare":
        return ""
    left, sign, right = node.children
    zero = isinstance(right, Tree) and right.data == "number" and set(str(right.children[0])) <= {"0", "."}
    named = isinstance(left, Tree) and left.data == "column"
    return str(left.children[0]) if named and zero and str(sign) == "gt" else ""  # type: ignore[union-attr]


def _excluded(node: Tree[Token]) -> int:
    """Return the number of values of a list behind `not`."""
    if node.data != "negated":
        return 0
    lists = [found for found in node.iter_subtrees() if found.data == "member"]
    return max((len(found.children) - 1 for found in lists), default=0)
