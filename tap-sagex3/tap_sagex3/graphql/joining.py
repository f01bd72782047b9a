"""The second node of a document: a record with the same key that another node shows."""

from __future__ import annotations

import logging
import typing as t

from tap_sagex3.documents import JOINED
from tap_sagex3.graphql.query import compared, filter_text, key_of, one_of, order_text
from tap_sagex3.reading import PageGuard

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_sagex3.declarations import GraphqlSource
    from tap_sagex3.graphql.query import Literal
    from tap_sagex3.wire import Node

logger = logging.getLogger("tap-sagex3")

Key = tuple[t.Any, ...]
Complete = t.Callable[["Node"], None]
Pages = t.Callable[[dict[str, t.Any]], "Iterator[tuple[list[Node], str]]"]


def condition_of_keys(paths: Sequence[str], keys: Iterable[Sequence[Literal]]) -> str:
    """Filter that a record has one of some keys."""
    if len(paths) == 1:
        return filter_text([(paths[0], one_of([key[0] for key in keys]))])
    each = (filter_text(zip(paths, (compared("_eq", part) for part in key), strict=True)) for key in keys)
    return f"{{_or:[{','.join(each)}]}}"


def join(
    nodes: Sequence[Node], node: GraphqlSource, other: GraphqlSource, pages: Pages, complete: Complete
) -> None:
    """Put the joined record of each document into it. A document without one keeps those columns null.

    Args:
        nodes: documents, changed in place.
        node: what they are.
        other: the node with the joined records.
        pages: pages of that node for some query variables.
        complete: reads the collections of such a record to their end.
    """
    keys = {key_of(found, node): found for found in nodes}
    alone = _put(keys, list(keys), other, pages, complete)
    if alone:  # asked for once more by themselves: a list that lacks some is not taken for true
        alone = _put(keys, alone, other, pages, complete)
    if alone:
        logger.warning(
            "%d documents of %s have no %s, such as %s: its columns stay null.",
            len(alone),
            node.node,
            other.node,
            alone[0],
        )


def _put(
    documents: Mapping[Key, Node], keys: Sequence[Key], other: GraphqlSource, pages: Pages, complete: Complete
) -> list[Key]:
    """Put the joined records of some documents into them; keys of those for which none came.

    Raises:
        IncompleteAnswerError: a page came twice.
    """
    variables = {
        "first": len(keys),
        "filter": condition_of_keys(other.key, keys),
        "orderBy": order_text(other.key),
    }
    guard = PageGuard(other.node)
    for page, _ in pages(variables):
        guard.check([key_of(record, other) for record in page])
        for record in page:
            document = documents.get(key_of(record, other))
            if document is not None:
                complete(record)
                document[JOINED] = record
    return [key for key in keys if JOINED not in documents[key]]
