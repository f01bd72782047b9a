"""Which properties of an instance the declared ones are: by their X3 column and their name. Pure.

Names change between releases of X3; the column in a property's description does not.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from tap_sagex3.discovery.own_columns import of_graphql
from tap_sagex3.paths import property_path

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_sagex3.declarations import Collection, Field, GraphqlSource, Source, StreamDeclaration
    from tap_sagex3.discovery.own_columns import Snippet
    from tap_sagex3.discovery.types import Property, Types

KEY_MEMBERS = ("code", "id", "_id")
"""Members by which a reference is read when the declared one is not there."""
_SHARE = 2
"""A renamed collection or node must have at least one of so many of the declared columns."""

Path = str | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What declared names are on this site, for one source.

    `paths` gives the GraphQL path of a field by stream and name, None when the site does not have it;
    `collections` the property of a declared collection by its declared chain. `on_header` are fields of
    settings, by stream and name, that their level does not give, but the document does.
    """

    graphql: GraphqlSource
    join: GraphqlSource | None
    paths: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    collections: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    uncovered: Mapping[str, list[Snippet]] = field(default_factory=dict)
    on_header: frozenset[tuple[str, str]] = frozenset()

    def own(self, stream: StreamDeclaration) -> list[Snippet]:
        """Columns of the site's own in the stream's rows, as fields for settings."""
        return self.uncovered.get(stream.name, [])

    def missing(self, stream: StreamDeclaration) -> list[str]:
        """Fields of a stream that this site does not have."""
        return [f.name for f in stream.fields if self.paths.get((stream.name, f.name), "") is None]

    def on_document(self, stream: StreamDeclaration) -> list[str]:
        """Fields of settings that their level does not give, but the document does."""
        return [f.name for f in stream.fields if (stream.name, f.name) in self.on_header]

    def shows_collections(self, _stream: StreamDeclaration) -> bool:
        """GraphQL itself refuses a collection that is not there."""
        return True

    def apply(self, stream: StreamDeclaration, kind: str | None) -> StreamDeclaration:
        """The stream with the names of this site, for the source of a kind."""
        fields = tuple(self._field(stream, item) for item in stream.fields)
        return replace(stream, fields=fields, collections=self._collections(stream, kind))

    def _field(self, stream: StreamDeclaration, item: Field) -> Field:
        """A field under its name here. A missing one of the key stays, so that it is refused by name."""
        path = self.paths.get((stream.name, item.name), "")
        keep = path == "" or (path is None and item.name in stream.key)
        return item if keep else replace(item, graphql=path)

    def _collections(
        self, stream: StreamDeclaration, kind: str | None
    ) -> tuple[Mapping[str | None, Collection], ...]:
        found: list[Mapping[str | None, Collection]] = []
        names: tuple[str, ...] = ()
        for level in range(1, stream.depth + 1):
            collection = stream.collection(level, kind)
            if collection is None:
                found.append({})
                continue
            names = (*names, collection.graphql)
            here = self.collections.get(names, collection.graphql)
            found.append({kind: replace(collection, graphql=here)})
        return tuple(found)


class Resolver:
    """Resolves the streams of one source against the types of its node."""

    def __init__(self, types: Types, source: Source, node: str, joined: str | None) -> None:
        """Keep the types: `node` of the documents, `joined` of the joined record."""
        self._types = types
        self._source = source
        self._node = node
        self._joined = joined
        self._levels: dict[tuple[str, ...], str | None] = {(): node}
        self.collections: dict[tuple[str, ...], str] = {}
        self._columns: dict[str, str | None] = {}

    def resolve(
        self, graphql: GraphqlSource, join: GraphqlSource | None, streams: Sequence[StreamDeclaration]
    ) -> Resolution:
        """The resolution; `graphql` and `join` already have package and node of this site."""
        paths: dict[tuple[str, str], Path] = {}
        self._columns = {
            path: item.x3_column(self._source.kind)
            for stream in streams
            for item in stream.fields
            if item.level == 0 and (path := item.graphql_path(self._source.kind))
        }
        for stream in streams:
            for item in stream.fields:
                path = item.graphql_path(self._source.kind)
                if path is not None:
                    paths[stream.name, item.name] = self._field(stream, item, path)
        return Resolution(
            self._keyed(graphql, self._node),
            self._keyed(join, self._joined) if join and self._joined else join,
            paths,
            self.collections,
            {stream.name: self._own(stream) for stream in streams},
            frozenset(
                (stream.name, item.name)
                for stream in streams
                for item in stream.fields
                if item.own and item.level and paths.get((stream.name, item.name), "") is None
                if self._is_on_document(item)
            ),
        )

    def _is_on_document(self, item: Field) -> bool:
        kind = self._source.kind
        path = item.graphql_path(kind)
        return path is not None and self.path(self._node, path, item.x3_column(kind)) is not None

    def _own(self, stream: StreamDeclaration) -> list[Snippet]:
        owner = self._level(stream, stream.depth)
        return of_graphql(stream, self._source.kind, self._types.of(owner)) if owner else []

    def _keyed(self, graphql: GraphqlSource, owner: str) -> GraphqlSource:
        """Key and filter with the names of this site; a part that is missing stays, and is refused there."""
        columns = self._source.rest.key
        key = tuple(
            self.path(owner, path, column) or path for path, column in zip(graphql.key, columns, strict=False)
        )
        conditions = tuple(
            (self.path(owner, name, self._columns.get(name)) or name, operator, value)
            for name, operator, value in graphql.filter
        )
        return replace(graphql, key=key if len(key) == len(graphql.key) else graphql.key, filter=conditions)

    def _field(self, stream: StreamDeclaration, item: Field, path: str) -> Path:
        if item.joined and self._joined:
            return self.path(self._joined, path, item.x3_column(self._source.kind))
        owner = self._level(stream, item.level)
        if owner is None:
            return path  # its collection is missing: said elsewhere
        if item.dimensions is not None:
            return path if path in self._types.of(owner) else self._collection(owner, item.dimensions.value)
        return self.path(owner, path, item.x3_column(self._source.kind))

    def _level(self, stream: StreamDeclaration, level: int) -> str | None:
        """Type of the rows of a level of a stream; None when a collection on the way is not there."""
        names: tuple[str, ...] = ()
        owner: str | None = self._node
        for number in range(1, level + 1):
            collection = stream.collection(number, self._source.kind)
            if collection is None or owner is None:
                return None
            names = (*names, collection.graphql)
            if names not in self._levels:
                columns = {f.x3_column(self._source.kind) for f in stream.fields if f.level == number}
                found = self._rows(owner, collection.graphql, {c for c in columns if c})
                self._levels[names] = found[1] if found else None
                self.collections[names] = found[0] if found else collection.graphql
            owner = self._levels[names]
        return owner

    def _rows(self, owner: str, name: str, columns: set[str]) -> tuple[str, str] | None:
        """A collection by its name, else the one whose rows have most of the columns, and their type."""
        found = self._types.collections_of(owner)
        if name in found:
            return name, found[name]
        best = max(found, key=lambda other: len(columns & self._types.columns_of(found[other])), default=None)
        if best is None or len(columns & self._types.columns_of(found[best])) * _SHARE < len(columns):
            return None
        return best, found[best]

    def path(self, owner: str, path: str, column: str | None) -> Path:
        """A path as it is on this site; None when nothing there is this property."""
        declared = property_path(path)
        base = (column or "").rstrip("0123456789") if declared.collection else column
        if declared.collection is not None:
            collection = declared.collection
            found = self._types.collections_of(owner)
            if collection not in found:
                other = self._collection(owner, base)
                if other is None:
                    return None
                collection = other
            inner = self._names(found[collection], declared.names, base)
            return None if inner is None else f"{collection}[{declared.index}].{'.'.join(inner)}"
        inner = self._names(owner, declared.names, base)
        return None if inner is None else ".".join(inner)

    def _collection(self, owner: str, column: str | None) -> str | None:
        """The denormalized collection whose items have a column."""
        for name, records in self._types.collections_of(owner).items():
            members = self._types.of(records)
            if "denormalizedIndex" in members and column in {m.column for m in members.values()}:
                return name
        return None

    def _member(self, owner: str, name: str, column: str | None) -> Property | None:
        """The property of a column; one of the declared name that is described as another one is not it."""
        members = self._types.of(owner)
        member = members.get(name)
        if column is None or (member is not None and member.column in {None, "", column}):
            return member
        named = [item for item in members.values() if item.column == column]
        return named[0] if len(named) == 1 else member

    def _names(self, owner: str, names: tuple[str, ...], column: str | None) -> list[str] | None:
        """Names from outside to a scalar: the first by column, else by name; the others as they are there."""
        member = self._member(owner, names[0], column)
        if member is None:
            return None
        found = [member.name]
        wanted = list(names[1:])
        while member.is_object:
            inside = self._types.of(member.type_name)
            options = (*wanted[:1], *KEY_MEMBERS)
            name = next((option for option in options if option in inside), None)
            if name is None:
                # Not asked for, or without a key: taken as declared.
                return [*found, *wanted] if not inside else None
            wanted = wanted[1:]
            member = inside[name]
            found.append(name)
        return found
