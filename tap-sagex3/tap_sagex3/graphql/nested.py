"""Further pages of the collections of a document: each collection has pages of its own."""

from __future__ import annotations

import typing as t

from tap_sagex3.errors import IncompleteAnswerError
from tap_sagex3.graphql.client import connection_of, next_cursor, nodes_of
from tap_sagex3.graphql.query import ID, collection_query, filter_text, literal
from tap_sagex3.paths import INDEX
from tap_sagex3.reading import ItemGuard
from tap_sagex3.wire import children, walk

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_sagex3.declarations import GraphqlSource
    from tap_sagex3.graphql.client import Connection, GraphqlClient
    from tap_sagex3.graphql.query import Selection
    from tap_sagex3.wire import Node

Path = list[tuple[str, str]]
"""Collections between the document and the one that is read, each with the `_id` of the row in it."""


class NestedPages:
    """Reads the collections of the documents of one node to their end."""

    def __init__(self, client: GraphqlClient, node: GraphqlSource) -> None:
        """Documents are of `node`."""
        self._client = client
        self._node = node

    def complete(self, root: Node, selection: Selection) -> None:
        """Put the rows of further pages into the collections of a document, and of its rows.

        Raises:
            IncompleteAnswerError: a page came twice, is missing, or the document changed meanwhile.
        """
        self._complete(root, root, selection, [])

    def _complete(self, root: Node, node: Node, selection: Selection, path: Path) -> None:
        for name, nested in selection.collections.items():
            connection = connection_of(node.get(name), "query", name)
            seen: set[str] = set()
            cursor = next_cursor(connection, seen)
            if cursor is not None:
                self._extend(root, path, (name, nested), connection, cursor, seen)
            if nested.collections:
                for child in children(node, name, "graphql"):
                    self._complete(root, child, nested, [*path, (name, child[ID])])

    def _extend(
        self,
        root: Node,
        path: Path,
        collection: tuple[str, Selection],
        connection: Connection,
        cursor: str | None,
        seen: set[str],
    ) -> None:
        name, nested = collection
        guard = ItemGuard(f"{name} of {self._node.node} {root[ID]}")
        guard.check(_identifiers(nodes_of(connection)))
        while cursor is not None:
            more = self._more(root, path, name, nested, cursor)
            guard.check(_identifiers(nodes_of(more)))
            connection["edges"].extend(more["edges"])
            cursor = next_cursor(more, seen)

    def _more(
        self, root: Node, path: Sequence[tuple[str, str]], name: str, selection: Selection, cursor: str
    ) -> Connection:
        """A further page of a collection of one document."""
        query = collection_query(self._node, [outer for outer, _ in path], name, selection)
        variables = {"id": root[ID], "after": cursor}
        for depth, (_, identifier) in enumerate(path):
            variables[f"filter{depth}"] = filter_text([(ID, literal(identifier))])
        found, _ = self._client.run(query, variables, self._node)
        holder = found.get("read")
        for outer, _ in path:
            rows = nodes_of(_row_of(holder, outer))
            holder = rows[0] if rows else None
        if not isinstance(holder, dict):
            msg = f"Document {root[ID]} of {self._node.node} changed while its {name} were read: run again."
            raise IncompleteAnswerError(msg)
        return connection_of(holder.get(name), "query", name)


def _identifiers(nodes: Iterable[Node]) -> list[t.Any]:
    """What tells the rows of a collection apart: `_id`, or the index of a numbered column."""
    return [node.get(ID, node.get(INDEX)) for node in nodes]


def _row_of(holder: t.Any, name: str) -> Connection:  # noqa: ANN401 - JSON
    """The list in a collection that was asked for one row, without page information."""
    found = walk(holder, (name, "query")) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {"edges": []}
