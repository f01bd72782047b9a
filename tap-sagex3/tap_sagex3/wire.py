"""Objects as they come over the wire: the rows of a collection, the value at a path. Pure."""

from __future__ import annotations

import typing as t

from tap_sagex3.errors import INCOMPLETE, IncompleteAnswerError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

Node = dict[str, t.Any]


def children(node: Node, name: str, api: str) -> Sequence[Node]:
    """The rows of a collection of a node.

    Raises:
        IncompleteAnswerError: the collection is not one; taking it as empty would lose rows.
    """
    member = node.get(name)
    try:
        rows = (
            member if api == "rest" else [edge["node"] for edge in t.cast("Node", member)["query"]["edges"]]
        )
    except (KeyError, TypeError):
        rows = None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    msg = f"Collection {name} is not a list of rows: {INCOMPLETE}"
    raise IncompleteAnswerError(msg)


def walk(node: t.Any, path: tuple[str, ...]) -> t.Any:  # noqa: ANN401 - JSON in, JSON out
    """The value at a path of nested objects; None when an object on the way is null."""
    for name in path:
        if node is None:
            return None
        node = node.get(name)
    return node
