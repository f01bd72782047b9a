"""The GraphQL side of an instance: declared sources with the names that they have there."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import replace

from tap_sagex3.discovery.nodes import find_node, node_with_columns
from tap_sagex3.discovery.resolution import Resolution, Resolver
from tap_sagex3.discovery.rest_columns import RestColumns
from tap_sagex3.discovery.types import Wanted
from tap_sagex3.paths import property_path

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_sagex3.declarations import Entity, Field, GraphqlSource, Source, StreamDeclaration
    from tap_sagex3.discovery.introspection import Introspection
    from tap_sagex3.discovery.nodes import Place
    from tap_sagex3.sources import SiteSource

logger = logging.getLogger("tap-sagex3")


class GraphqlSite:
    """Finds nodes and properties; what was found is kept for the run."""

    def __init__(self, introspection: Introspection) -> None:
        """Keep the introspection, whose root is known."""
        self._introspection = introspection
        self._places: dict[Place, Place | None] = {}
        self._told: set[Place] = set()

    def explore(self, sites: Iterable[tuple[SiteSource, Sequence[StreamDeclaration]]]) -> None:
        """Ask for everything that these sources may need, at once."""
        given = list(sites)
        found = [(site.source, streams) for site, streams in given]
        root, wanted = self._introspection.root(), wanted_of(found)
        places = [find_node(root, node.package, node.node) for source, _ in found for node in _nodes(source)]
        self._introspection.explore({root[p[0]][p[1]] for p in places if p is not None}, wanted)
        unknown = [
            (site.source, streams)
            for site, streams in given
            if not site.named
            and find_node(root, site.source.graphql.package, site.source.graphql.node) is None
        ]
        if unknown:
            self._introspection.explore({name for nodes in root.values() for name in nodes.values()}, wanted)
        for source, streams in unknown:
            self._places[source.graphql.package, source.graphql.node] = node_with_columns(
                root, self._introspection.types, source.rest.key, columns_of(streams, source.kind, 0)
            )

    def resolve(self, site: SiteSource, streams: Sequence[StreamDeclaration]) -> Resolution | None:
        """A source as it is on this site; None when it has no such node."""
        source = site.source
        graphql = self._placed(source.graphql) if not site.named else source.graphql
        join = self._placed(source.join) if source.join else None
        node = self._type_of(graphql)
        if graphql is None or node is None:
            return None
        joined = self._type_of(join)
        resolver = Resolver(self._introspection.types, source, node, joined)
        return resolver.resolve(graphql, join if joined else source.join, streams)

    def _placed(self, node: GraphqlSource) -> GraphqlSource | None:
        """A node where it is on this site."""
        declared = (node.package, node.node)
        named = find_node(self._introspection.root(), *declared)
        place = named or self._places.get(declared)
        if place is None:
            return None
        if named is None:
            self._warn_of_guess(declared, place, node.setting)
        elif place != declared:
            logger.info("%s is %s on this site.", ".".join(declared), ".".join(place))
        return replace(node, package=place[0], node=place[1])

    def _warn_of_guess(self, declared: Place, place: Place, setting: str) -> None:
        """Once a run: only the columns tell that a node is the one that is meant."""
        if declared not in self._told:
            self._told.add(declared)
            logger.warning(
                "This site has no node %s; %s has its columns and is read instead. If that is right, give it "
                "as package and node in %s; if not, give the right one.",
                ".".join(declared),
                ".".join(place),
                setting,
            )

    def _type_of(self, node: GraphqlSource | None) -> str | None:
        if node is None:
            return None
        operations = self._introspection.root().get(node.package, {}).get(node.node)
        return self._introspection.types.records_of(operations) if operations else None


def wanted_of(sources: Iterable[tuple[Source, Sequence[StreamDeclaration]]]) -> Wanted:
    """Names and columns that some sources use."""
    names: set[str] = {"code", "id", "dimensionType", "dimension"}
    columns: set[str] = set()
    for source, streams in sources:
        for path in _paths(source, streams):
            found = property_path(path)
            names.update(found.names, (found.collection or "",))
        for stream in streams:
            columns |= columns_of([stream], source.kind, None)
    return Wanted(frozenset(names), frozenset(columns))


def columns_of(streams: Iterable[StreamDeclaration], kind: str | None, level: int | None) -> frozenset[str]:
    """X3 columns of the fields of streams, of one level when given; numbered ones without their number."""
    found = set()
    for stream in streams:
        for item in stream.fields:
            column = item.x3_column(kind)
            if column is None or (level is not None and item.level != level) or item.joined:
                continue
            path = item.graphql_path(kind)
            numbered = path is not None and property_path(path).collection is not None
            found.add(column.rstrip("0123456789") if numbered else column)
    return frozenset(found)


def _nodes(source: Source) -> Iterator[GraphqlSource]:
    yield source.graphql
    if source.join is not None:
        yield source.join


def _paths(source: Source, streams: Iterable[StreamDeclaration]) -> Iterator[str]:
    for node in _nodes(source):
        yield from node.key
    for stream in streams:
        for item in stream.fields:
            path = item.graphql_path(source.kind)
            if path is not None:
                yield path


def sources_of(entities: Iterable[Entity]) -> Iterator[tuple[Source, Sequence[StreamDeclaration]]]:
    """All sources of some entities, each with the streams of its entity."""
    for entity in entities:
        for source in entity.sources:
            yield source, entity.streams


def missing_everywhere(
    stream: StreamDeclaration, resolutions: Mapping[str | None, Resolution | RestColumns | None]
) -> list[str]:
    """Fields that none of a stream's sources has on this site; the key's are never among them."""
    known = [found for found in resolutions.values() if found is not None]
    if not known:
        return []
    lost = [set(found.missing(stream)) for found in known]
    names = [f.name for f in stream.fields if f.name not in stream.key and all(f.name in m for m in lost)]
    declared_somewhere = {
        item.name
        for kind, found in resolutions.items()
        for item in stream.fields
        if _declares(found, kind, item)
    }
    return [name for name in names if name in declared_somewhere]


def _declares(found: Resolution | RestColumns | None, kind: str | None, item: Field) -> bool:
    """Whether the declaration has a place for a field in the API that a source is read through."""
    if isinstance(found, RestColumns):
        return found.declares(item)
    return item.graphql_path(kind) is not None
