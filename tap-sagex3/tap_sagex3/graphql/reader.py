"""Documents of one source through GraphQL: a page of documents with their lines in one query."""

from __future__ import annotations

import logging
import typing as t
from itertools import chain, islice

from tap_sagex3.documents import JOINED, Document, DocumentPage, key_text
from tap_sagex3.errors import ApiError, ConnectionFailedError, IncompleteAnswerError
from tap_sagex3.graphql.changes import (
    behind_key,
    changed_lines,
    collection_chains,
    own_conditions,
    span_condition,
)
from tap_sagex3.graphql.client import connection_of, next_cursor, nodes_of
from tap_sagex3.graphql.joining import condition_of_keys, join
from tap_sagex3.graphql.nested import NestedPages
from tap_sagex3.graphql.page_size import PageSize
from tap_sagex3.graphql.query import (
    Selection,
    compared,
    document_selection,
    filter_text,
    key_of,
    order_text,
    page_query,
)
from tap_sagex3.prefetch import ahead
from tap_sagex3.ranges import undivided
from tap_sagex3.reading import ChangeKey, PageGuard, ReadStats, StampReader, in_one_piece, primed
from tap_sagex3.values import later
from tap_sagex3.wire import children
from tap_sagex3.wire_rows import NodeRows

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sagex3.declarations import GraphqlSource, StreamDeclaration
    from tap_sagex3.documents import Found
    from tap_sagex3.graphql.changes import Condition
    from tap_sagex3.graphql.client import GraphqlClient
    from tap_sagex3.ranges import KeyRange
    from tap_sagex3.reading import Span
    from tap_sagex3.sources import SiteSource
    from tap_sagex3.wire import Node

logger = logging.getLogger("tap-sagex3")

UPDATE_STAMP = "_updateStamp"
"""Change stamp that every node has: UPDDATTIM of X3."""
KEYS_AT_ONCE = 50
"""Documents asked for by their keys in one query."""

Pages = t.Iterator[tuple[list["Node"], str]]


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
        streams = [site.declared(stream) for stream in streams]
        self._client = client
        self._index = index
        self._source = site.source
        self._node = site.source.graphql
        stamp = site.change_field or UPDATE_STAMP
        self._change = ChangeKey(None if full_table else stamp, whole_days=False, fields=(stamp,))
        self._field = stamp
        self._selection, self._joined = document_selection(streams, site.source, (stamp,))
        self._chains = collection_chains(streams, site.source)
        self._nested = NestedPages(client, self._node)
        self._stamp = StampReader(self._node.node)
        self.stats = ReadStats()

    def prepare(self) -> ChangeKey:
        """Every node has the change stamp; the first page tells when it has not."""
        return self._change

    def documents(self, span: Span, page_size: int) -> Iterator[Document]:
        """Documents whose own stamp lies in the span, by change time and key."""
        order = (self._field, *self._node.key)
        return self._documents(span_condition(self._field, span), order, page_size)

    def by_key(self, after: Sequence[t.Any] | None, page_size: int) -> Iterator[Found]:
        """All documents in the order of their key, those behind `after` when it is given."""
        key = self._node.key
        read = self._documents if self._selection.collections or self._joined else self._whole_pages
        filters = [[]] if after is None else behind_key(key, after)
        self.stats.lists = len(filters)
        return chain.from_iterable(read(found, key, page_size) for found in filters)

    def first_key(self) -> tuple[t.Any, ...] | None:
        """Key of the first document."""
        return next(self._keys(self._node, [], 1), None)

    def has(self, key: tuple[t.Any, ...]) -> bool:
        """Whether there is a document with this key."""
        same = [(path, compared("_eq", part)) for path, part in zip(self._node.key, key, strict=True)]
        return any(self._keys(self._node, same, 1))

    def _keys(
        self, node: GraphqlSource, conditions: Sequence[Condition], page_size: int, by: tuple[str, ...] = ()
    ) -> Iterator[tuple[t.Any, ...]]:
        """Keys of the records of a node that meet the conditions, by some properties and the key."""
        order = (*by, *node.key)
        selection = Selection()
        for path in order:
            selection.add(path)
        wanted = [*own_conditions(node), *conditions]
        variables = {
            "first": page_size,
            "filter": filter_text(wanted) if wanted else None,
            "orderBy": order_text(order),
        }
        guard = PageGuard(node.node)
        for nodes, _ in self._pages(node, selection, variables):
            keys = [key_of(found, node) for found in nodes]
            guard.check(keys, [tuple(map(found.get, by)) for found in nodes])
            yield from keys

    def in_ranges(self, ranges: list[KeyRange], page_size: int) -> Iterator[tuple[KeyRange, Found | None]]:
        """All documents behind those that were sent: one page names the next, so there is one range."""
        return in_one_piece(self.by_key(undivided(ranges), page_size), ranges)

    def changed_below(self, span: Span, page_size: int) -> Iterator[Document] | None:
        """Documents of which a line or the joined record changed; None when the server refuses to tell."""
        found: list[Iterator[Document]] = []
        try:
            for names in self._chains:
                lines = self._with_changed_lines(names, span, page_size)
                found.append(primed(lines))
        except IncompleteAnswerError:
            raise
        except (ApiError, ConnectionFailedError) as error:
            logger.warning(
                "%s: changes of lines alone cannot be asked for in this run: %s State keeps from when on a "
                "later run has to ask for them; until then line_lookback_days is what is seen.",
                self._node.node,
                error,
            )
            return None
        if self._source.join is not None and self._joined is not None:
            found.append(primed(self._with_changed_record(self._source.join, span, page_size)))
        return chain.from_iterable(found)

    def _with_changed_lines(self, names: tuple[str, ...], span: Span, page_size: int) -> Iterator[Document]:
        condition = changed_lines(names, self._field, span)
        for document in self._documents([condition], self._node.key, page_size, level=len(names)):
            below = self._latest(document.node, names)
            yield _by_change(document, later(document.stamp, below), len(names))

    def _with_changed_record(self, other: GraphqlSource, span: Span, page_size: int) -> Iterator[Document]:
        """Documents whose joined record changed: its keys first, then the documents."""
        changed = span_condition(self._field, span)
        found = self._keys(other, changed, page_size, by=(self._field,))
        while batch := list(dict.fromkeys(islice(found, KEYS_AT_ONCE))):
            condition = condition_of_keys(self._node.key, batch)
            for document in self._documents([], self._node.key, page_size, text=condition):
                joined = document.node.get(JOINED) or {}
                yield _by_change(
                    document, later(document.stamp, self._stamp.read(joined.get(self._field))), 0
                )

    def _documents(
        self,
        conditions: Sequence[Condition],
        order: Sequence[str],
        page_size: int,
        *,
        text: str | None = None,
        level: int = 0,
    ) -> Iterator[Document]:
        """Whole documents that meet the conditions, in an order; `text` is a filter of its own instead."""
        for nodes, received in self._found(conditions, order, page_size, text=text, level=level):
            if self._source.join is not None and self._joined is not None and nodes:
                join(nodes, self._node, self._source.join, self._joined_pages, self._complete_joined)
            for node in nodes:
                self._nested.complete(node, self._selection)
                yield self._document(node, received)

    def _whole_pages(
        self, conditions: Sequence[Condition], order: Sequence[str], page_size: int
    ) -> Iterator[DocumentPage]:
        """The same for documents that a page shows as a whole."""
        field = self._change.field
        for nodes, received in self._found(conditions, order, page_size):
            values = [node.get(self._field) for node in nodes]
            stamps = self._stamp.read_all(values) if field else [None] * len(nodes)
            keys = [key_of(node, self._node) for node in nodes]
            if nodes:
                yield DocumentPage(self._index, self._source.kind, NodeRows(nodes), keys, stamps, received)

    def _found(
        self,
        conditions: Sequence[Condition],
        order: Sequence[str],
        page_size: int,
        *,
        text: str | None = None,
        level: int = 0,
    ) -> Pages:
        """Pages of documents, as the first query shows them."""
        wanted = [*own_conditions(self._node), *conditions]
        if text is not None:
            wanted = own_conditions(self._node)
            text = f"[{filter_text(wanted)},{text}]" if wanted else text
        variables = {
            "first": page_size,
            "filter": text or (filter_text(wanted) if wanted else None),
            "orderBy": order_text(order),
        }
        count = text is None and level == 0
        guard = PageGuard(self._node.node)
        pages = self._pages(self._node, self._selection, variables, count=count)
        for nodes, received in ahead(pages, self._client.pages_ahead):
            keys = [key_of(node, self._node) for node in nodes]
            guard.check(keys, [node.get(self._field) for node in nodes])
            yield nodes, received

    def _pages(
        self, node: GraphqlSource, selection: Selection, variables: dict[str, t.Any], *, count: bool = False
    ) -> Pages:
        """Pages of a node's query, to the end; `count` asks for the number of documents with the first."""
        cursor: str | None = None
        seen: set[str] = set()
        query = page_query(node, selection)
        size = PageSize(variables["first"])
        while True:
            asked = {**variables, "first": size.documents, "after": cursor, "count": count and cursor is None}
            answer = self._client.fetch(query, asked, node)
            connection = connection_of(answer.found, "query")
            self._note(connection)
            nodes = nodes_of(connection)
            size.learn(len(nodes), answer.size)
            yield nodes, answer.received
            cursor = next_cursor(connection, seen)
            if cursor is None:
                return

    def _joined_pages(self, variables: dict[str, t.Any]) -> Pages:
        """Pages of the joined node."""
        return self._pages(
            t.cast("GraphqlSource", self._source.join), t.cast("Selection", self._joined), variables
        )

    def _complete_joined(self, record: Node) -> None:
        """Read the collections of a joined record to their end."""
        node = t.cast("GraphqlSource", self._source.join)
        NestedPages(self._client, node).complete(record, t.cast("Selection", self._joined))

    def _note(self, connection: t.Mapping[str, t.Any]) -> None:
        self.stats.pages += 1
        total = connection.get("totalCount")
        if isinstance(total, int):
            self.stats.counts.append(total)

    def _latest(self, node: Node, names: Sequence[str]) -> str | None:
        """Latest change time of the rows of a collection, at the end of a chain."""
        nodes = [node]
        for name in names:
            nodes = [row for outer in nodes for row in children(outer, name, "graphql")]
        latest: str | None = None
        for row in nodes:
            latest = later(latest, self._stamp.read(row.get(self._field)))
        return latest

    def _document(self, node: Node, received: str) -> Document:
        stamp = None if self._change.field is None else self._stamp.read(node.get(self._field))
        parts = key_of(node, self._node)
        return Document(self._index, key_text(self._source.kind, parts), parts, stamp, node, received)


def _by_change(document: Document, stamp: str | None, level: int) -> Document:
    """The document as found by a change below it."""
    return Document(
        document.source, document.key, document.parts, stamp, document.node, document.extracted, level
    )
