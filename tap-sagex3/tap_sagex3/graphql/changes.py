"""Filters that find documents whose lines, or whose joined record, changed. Pure.

A collection is filtered by how many of its rows meet a condition: `{lines:{_atLeast:1,...}}`.
"""

from __future__ import annotations

import typing as t

from tap_sagex3.graphql.query import compared, filter_text, from_value
from tap_sagex3.values import format_time

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_sagex3.declarations import GraphqlSource, Source, StreamDeclaration
    from tap_sagex3.graphql.query import Literal
    from tap_sagex3.reading import Span

Condition = tuple[str, str]


def own_conditions(node: GraphqlSource) -> list[Condition]:
    """What tells the documents of a source from others of the same node."""
    return [(name, compared(operator, value)) for name, operator, value in node.filter]


def span_condition(field: str, span: Span) -> list[Condition]:
    """Condition on a stamp; nothing when the span is open at both ends."""
    parts = []
    if span.since is not None:
        parts.append(from_value(format_time(span.since))[1:-1])
    if span.until is not None:
        parts.append(f"_lt:'{format_time(span.until)}'")
    return [(field, "{" + ",".join(parts) + "}")] if parts else []


def collection_chains(streams: Iterable[StreamDeclaration], source: Source) -> list[tuple[str, ...]]:
    """Collections of lines that the streams read, each with those around it: (lines,), (lines, items).

    Those around are among them, since rows repeat their columns.
    """
    found: dict[tuple[str, ...], None] = {}
    for stream in streams:
        names: list[str] = []
        for level in range(1, stream.depth + 1):
            collection = stream.collection(level, source.kind)
            if collection is None:
                break
            names.append(collection.graphql)
            found[tuple(names)] = None
    return list(found)


def changed_lines(chain: Sequence[str], field: str, span: Span) -> Condition:
    """Condition: a row of the innermost collection changed within the span."""
    inner = filter_text(span_condition(field, span))[1:-1]
    for name in reversed(chain[1:]):
        inner = f"{name}:{{_atLeast:1,{inner}}}"
    return chain[0], f"{{_atLeast:1,{inner}}}"


def behind_key(paths: Sequence[str], after: Sequence[Literal]) -> list[list[Condition]]:
    """Filters that together give what comes behind a key, in order, each by itself.

    Of the key (a, b) they are: first part equal to a and second above b; then first part above a. No `_or` is
    needed, which Sage does not document.
    """
    found = []
    for length in reversed(range(len(paths))):
        same = [(path, compared("_eq", value)) for path, value in zip(paths[:length], after, strict=False)]
        found.append([*same, (paths[length], compared("_gt", after[length]))])
    return found
