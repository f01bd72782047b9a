"""Documents of one source through GraphQL: a page of documents with their lines in one query."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import dataclass

from tap_sagex3.documents import JOINED, Document, children, walk
from tap_sagex3.errors import IncompleteAnswerError
from tap_sagex3.graphql.client import connection_of, next_cursor
from tap_sagex3.graphql.page_size import PageSize
from tap_sagex3.graphql.query import (
    ID,
    Selection,
    collection_query,
    compared,
    document_selection,
    filter_text,
    from_value,
    literal,
    one_of,
    order_text,
    page_query,
)
from tap_sagex3.prefetch import ahead
from tap_sagex3.reading import ChangeKey, PageGuard, StampReader, key_text
from tap_sagex3.values import format_time

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tap_sagex3.declarations import GraphqlSource, StreamDeclaration
    from tap_sagex3.documents import Node
    from tap_sagex3.graphql.client import Connection, GraphqlClient
    from tap_sagex3.sources import SiteSource

logger = logging.getLogger("tap-sagex3")

UPDATE_STAMP = "_updateStamp"
"""Change stamp that every node has: UPDDATTIM of X3."""


@dataclass(frozen=True, slots=True)
class _Root:
    """The node and the `_id` under which the collections of a document are read on."""

    source: GraphqlSource
    identifier: str


class GraphqlReader:
    """Reads one node, and the node that is joined to it when there is one."""

    def __init__(
        self,
        client: GraphqlClient,
        index: int,
        site: SiteSource,
        streams: Sequence[StreamDeclaration],
        *,
        full_table: bool,
    ) -> None:
        """Read source number `index` of its entity for some streams; `full_table` reads all, by key."""
        self._client = client
        self._index = index
        self._source = site.source
        self._node = site.source.graphql
        stamp = site.change_field or UPDATE_STAMP
        self._change = ChangeKey(None if full_table else stamp, whole_days=False, fields=(stamp,))
        self._selection, self._joined = document_selection(streams, site.source, (stamp,))
        self._stamp = StampReader(self._node.node)

    def prepare(self) -> ChangeKey:
        """Every node has the change stamp; the first page tells when it has not."""
        return self._change

    def documents(self, since: datetime | None, page_size: int) -> Iterator[Document]:
        """Documents changed at or after `since`, by change time and key."""
        conditions = [(name, compared(operator, value)) for name, operator, value in self._node.filter]
        field = self._change.field
        if field is not None and since is not None:
            conditions.append((field, from_value(format_time(since))))
        variables = {
            "first": page_size,
            "filter": filter_text(conditions) if conditions else None,
            "orderBy": order_text([*([field] if field else []), *self._node.key]),
        }
        guard = PageGuard(self._node.node)
        pages = self._pages(self._node, self._selection, variables)
        for nodes, received in ahead(pages, self._client.pages_ahead):
            guard.check((*_key(node, self._node), node.get(field or "")) for node in nodes)
            if self._joined is not None:
                self._join(nodes)
            for node in nodes:
                self._complete(_Root(self._node, node[ID]), node, self._selection, [])
                yield self._document(node, received)

    def _pages(
        self, node: GraphqlSource, selection: Selection, variables: dict[str, t.Any]
    ) -> Iterator[tuple[list[Node], str]]:
        """Pages of a node's query, to the end."""
        query = page_query(node, selection)
        cursor: str | None = None
        seen: set[str] = set()
        size = PageSize(variables["first"])
        while True:
            asked = {**variables, "first": size.documents, "after": cursor}
            answer = self._client.fetch(query, asked, node)
            connection = connection_of(answer.found, "query")
            nodes = _nodes(connection)
            size.learn(len(nodes), answer.size)
            yield nodes, answer.received
            cursor = next_cursor(connection, seen)
            if cursor is None:
                return

    def _join(self, nodes: Sequence[Node]) -> None:
        """Put the joined node of each document into it. A document without one keeps those columns null."""
        join, selection = self._source.join, self._joined
        if join is None or selection is None or not nodes:
            return
        keys = {_key(node, self._node): node for node in nodes}
        if len(join.key) == 1:
            condition = filter_text([(join.key[0], one_of([key[0] for key in keys]))])
        else:
            each = (filter_text(zip(join.key, map(literal, key), strict=True)) for key in keys)
            condition = f"{{_or:[{','.join(each)}]}}"
        variables = {"first": len(keys), "filter": condition, "orderBy": order_text(join.key)}
        for found, _ in self._pages(join, selection, variables):
            for other in found:
                node = keys.get(_key(other, join))
                if node is not None:
                    self._complete(_Root(join, other[ID]), other, selection, [])
                    node[JOINED] = other
        alone = [key for key, node in keys.items() if JOINED not in node]
        if alone:
            logger.warning(
                "%d documents of %s have no %s, such as %s: its columns stay null.",
                len(alone),
                self._node.node,
                join.node,
                alone[0],
            )

    def _complete(self, root: _Root, node: Node, selection: Selection, path: list[tuple[str, str]]) -> None:
        """Read the further pages of a node's collections, and of theirs."""
        for name, nested in selection.collections.items():
            connection = connection_of(node.get(name), "query", name)
            seen: set[str] = set()
            cursor = next_cursor(connection, seen)
            while cursor is not None:
                more = self._more(root, path, name, nested, cursor)
                connection["edges"].extend(more["edges"])
                cursor = next_cursor(more, seen)
            if nested.collections:
                for child in children(node, name, "graphql"):
                    self._complete(root, child, nested, [*path, (name, child[ID])])

    def _more(
        self, root: _Root, path: Sequence[tuple[str, str]], name: str, selection: Selection, cursor: str
    ) -> Connection:
        """A further page of a collection of one document."""
        query = collection_query(root.source, [outer for outer, _ in path], name, selection)
        variables = {"id": root.identifier, "after": cursor}
        for depth, (_, identifier) in enumerate(path):
            variables[f"filter{depth}"] = filter_text([(ID, literal(identifier))])
        found, _ = self._client.run(query, variables, root.source)
        holder = found.get("read")
        for outer, _ in path:
            rows = _nodes(connection_of_row(holder, outer))
            holder = rows[0] if rows else None
        if not isinstance(holder, dict):
            document = f"Document {root.identifier} of {root.source.node}"
            msg = f"{document} changed while its {name} were read: run again."
            raise IncompleteAnswerError(msg)
        return connection_of(holder.get(name), "query", name)

    def _document(self, node: Node, received: str) -> Document:
        field = self._change.field
        stamp = None if field is None else self._stamp.read(node.get(field))
        key = key_text(self._source.kind, _key(node, self._node))
        return Document(self._index, key, stamp, node, received)


def connection_of_row(holder: t.Any, name: str) -> Connection:  # noqa: ANN401 - JSON
    """The list in a collection that was asked for one row, without page information."""
    found = walk(holder, (name, "query")) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {"edges": []}


def _nodes(connection: Connection) -> list[Node]:
    """Nodes of a connection.

    Raises:
        IncompleteAnswerError: a node is null, which would lose a row.
    """
    edges = [edge for edge in connection["edges"] if isinstance(edge, dict)]
    nodes = [edge["node"] for edge in edges if isinstance(edge.get("node"), dict)]
    if len(nodes) < len(connection["edges"]):
        msg = "GraphQL gave a list with a null row: the answer is incomplete."
        raise IncompleteAnswerError(msg)
    return nodes


def _key(node: Node, source: GraphqlSource) -> tuple[t.Any, ...]:
    return tuple(walk(node, tuple(path.split("."))) for path in source.key)
