"""Query texts made from the declarations. Pure.

One query reads a page of documents with their nested collections; each collection has pages of its own.
Filters are strings that hold an object in JavaScript notation.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from tap_sagex3.paths import INDEX, property_path
from tap_sagex3.wire import walk

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_sagex3.declarations import Field, GraphqlSource, Source, StreamDeclaration

Tree = dict[str, t.Any]
Literal = str | int | bool

NESTED_PAGE = 100
"""Rows of a collection asked for at once; the server may give fewer, and says when there are more."""
ID = "_id"
_PAGE_INFO = "pageInfo{hasNextPage endCursor}"
_DIMENSION_PATHS = ((INDEX,), ("dimensionType", "code"), ("dimension", "code"))


@dataclass
class Selection:
    """What is asked of a node: a tree of properties, and its collections."""

    tree: Tree = field(default_factory=dict)
    collections: dict[str, Selection] = field(default_factory=dict)

    def add(self, path: str) -> None:
        """Ask for the property at a path."""
        place = property_path(path)
        if place.collection is None:
            self.add_names(place.names)
            return
        numbered = self.collections.setdefault(place.collection, Selection())
        numbered.add_names((INDEX,))
        numbered.add_names(place.names)

    def add_names(self, names: Iterable[str]) -> None:
        """Ask for the property at the end of some names."""
        tree = self.tree
        for name in names:
            tree = tree.setdefault(name, {})

    def text(self) -> str:
        """The selection in GraphQL."""
        parts = [_tree_text(self.tree)]
        for name, nested in self.collections.items():
            parts.append(f"{name}{{query(first:{NESTED_PAGE}){nested.connection()}}}")
        return " ".join(part for part in parts if part)

    def connection(self) -> str:
        """Edges and page information around the selection."""
        return f"{{edges{{node{{{self.text()}}}}} {_PAGE_INFO}}}"


def document_selection(
    streams: Iterable[StreamDeclaration], source: Source, stamps: Sequence[str]
) -> tuple[Selection, Selection | None]:
    """What is asked of the document's node, and of the joined node when there is one."""
    root = Selection()
    joined = Selection() if source.join else None
    for path in source.graphql.key:
        root.add(path)
    for path in (ID, *source.join.key) if source.join else ():
        t.cast("Selection", joined).add(path)
    for stream in streams:
        levels = _levels(root, stream, source.kind)
        for item in stream.fields:
            if item.level < len(levels):
                apart = joined if item.joined and joined is not None else None
                _add_field(apart or levels[item.level], item, source.kind)
        for node in levels:
            for name in (ID, *stamps):
                node.add(name)
    return root, joined


def page_query(node: GraphqlSource, selection: Selection) -> str:
    """Query of one page of documents.

    Variables: first, after, filter, orderBy, and count, which asks also for the number of all documents: that
    costs the server a query of its own.
    """
    arguments = "first:$first,after:$after,filter:$filter,orderBy:$orderBy"
    head = "query($first:Int,$after:String,$filter:String,$orderBy:String,$count:Boolean!)"
    connection = "{totalCount @include(if:$count) " + selection.connection()[1:]
    return f"{head}{{{node.package}{{{node.node}{{query({arguments}){connection}}}}}}}"


def collection_query(node: GraphqlSource, outer: Sequence[str], name: str, selection: Selection) -> str:
    """Query of a further page of a collection of one document.

    `outer` names the collections between the document and this one. Variables: id of the document, filter0,
    filter1, ... that choose the row of each outer collection, and after.
    """
    inner = f"{name}{{query(first:{NESTED_PAGE},after:$after){selection.connection()}}}"
    for depth in reversed(range(len(outer))):
        inner = f"{outer[depth]}{{query(first:1,filter:$filter{depth}){{edges{{node{{{inner}}}}}}}}}"
    filters = "".join(f",$filter{depth}:String" for depth in range(len(outer)))
    head = f"query($id:Id!,$after:String{filters})"
    return f"{head}{{{node.package}{{{node.node}{{read(_id:$id){{{inner}}}}}}}}}"


def key_of(node: t.Mapping[str, t.Any], source: GraphqlSource) -> tuple[t.Any, ...]:
    """The key of a document."""
    return tuple(walk(node, tuple(path.split("."))) for path in source.key)


def filter_text(conditions: Iterable[tuple[str, str]]) -> str:
    """A filter of conditions that must all hold; each is a property path and the text of its condition."""
    return "{" + ",".join(_nested(path.split("."), text) for path, text in conditions) + "}"


def order_text(paths: Iterable[str]) -> str:
    """An ascending order by property paths."""
    return "{" + ",".join(_nested(path.split("."), "1") for path in paths) + "}"


def literal(value: Literal) -> str:
    """A value in a filter; text in single quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def compared(operator: str, value: Literal) -> str:
    """Condition: equal (`_eq`) or not equal (`_ne`) to a value."""
    return literal(value) if operator == "_eq" else f"{{{operator}:{literal(value)}}}"


def one_of(values: Iterable[Literal]) -> str:
    """Condition: equal to one of some values."""
    return "{_in:[" + ",".join(literal(value) for value in values) + "]}"


def from_value(value: Literal) -> str:
    """Condition: not less than a value."""
    return f"{{_gte:{literal(value)}}}"


def _levels(root: Selection, stream: StreamDeclaration, kind: str | None) -> list[Selection]:
    """Selections of the document and of the stream's collections, made when needed."""
    levels = [root]
    for level in range(1, stream.depth + 1):
        collection = stream.collection(level, kind)
        if collection is None:
            break
        levels.append(levels[-1].collections.setdefault(collection.graphql, Selection()))
    return levels


def _add_field(selection: Selection, item: Field, kind: str | None) -> None:
    path = item.graphql_path(kind)
    if path is None:
        return
    if item.dimensions is None:
        selection.add(path)
        return
    nested = selection.collections.setdefault(path, Selection())
    for inner in _DIMENSION_PATHS:
        nested.add_names(inner)


def _tree_text(tree: Tree) -> str:
    return " ".join(f"{name}{{{_tree_text(inner)}}}" if inner else name for name, inner in tree.items())


def _nested(path: Sequence[str], text: str) -> str:
    head, *rest = path
    return f"{head}:{{{_nested(rest, text)}}}" if rest else f"{head}:{text}"
