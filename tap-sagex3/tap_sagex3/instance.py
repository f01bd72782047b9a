"""One X3 folder as the tap sees it: its transports, its readers, its dimension types."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from tap_sagex3.auth import can_use_rest
from tap_sagex3.discovery.introspection import introspected
from tap_sagex3.discovery.rest_columns import RestColumns
from tap_sagex3.discovery.site import GraphqlSite
from tap_sagex3.documents import one_by_one
from tap_sagex3.graphql.client import GraphqlClient
from tap_sagex3.graphql.reader import GraphqlReader
from tap_sagex3.levels import ProjectionOptions
from tap_sagex3.projection import Projection
from tap_sagex3.rest.client import RestClient
from tap_sagex3.rest.pool import ordered_map
from tap_sagex3.rest.reader import RestReader
from tap_sagex3.sources import is_fixed, reading_of
from tap_sagex3.transport import Transport
from tap_sagex3.web.tls import check_files

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_sagex3.declarations import Entity, GraphqlSource, RestSource, StreamDeclaration
    from tap_sagex3.documents import Row
    from tap_sagex3.reading import SourceReader
    from tap_sagex3.settings import Settings
    from tap_sagex3.sources import Reading, SiteSource

logger = logging.getLogger("tap-sagex3")


class Instance:
    """Readers of one folder; connections are made when first needed."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings.

        Raises:
            SettingsError: a file named in them cannot be read.
        """
        check_files(settings)
        self.settings = settings
        self._transports: dict[str, Transport] = {}
        self._asked = False
        self._graphql_site: GraphqlSite | None = None
        self._rest: RestClient | None = None
        self._told: set[str] = set()
        self._rest_columns: dict[tuple[str | None, RestSource], RestColumns] = {}

    def reading(self, entity: Entity, stream: str, *, full_table: bool) -> Reading:
        """How a stream is read here: with the names of this site, through REST where GraphQL has it not.

        Raises:
            SettingsError: stream_options of this stream cannot be used.
        """
        reading = reading_of(entity, stream, self.settings, full_table=full_table)
        if reading.api != "graphql" or (graphql := self.graphql_site()) is None:
            return reading
        found = []
        for site in reading.sources:
            resolution = graphql.resolve(site, entity.streams)
            if resolution is None:
                return reading if site.named else self._instead(entity, stream, reading, site.source.graphql)
            source = replace(site.source, graphql=resolution.graphql, join=resolution.join)
            found.append(replace(site, source=source, resolution=resolution))
        return replace(reading, sources=tuple(found))

    def _instead(self, entity: Entity, stream: str, reading: Reading, node: GraphqlSource) -> Reading:
        """Where a node is not there: REST, if settings leave the choice and there is a login for it."""
        if is_fixed(stream, self.settings) or not can_use_rest(self.settings):
            return reading
        if entity.name not in self._told:
            self._told.add(entity.name)
            names = ", ".join(found.name for found in entity.streams)
            logger.warning(
                "%s: GraphQL has no node %s.%s on this site; read through REST instead.",
                names,
                node.package,
                node.node,
            )
        return reading_of(entity, stream, self.settings, full_table=reading.full_table, instead="rest")

    def described(self, *readings: Reading) -> list[Reading]:
        """The same readings; those through REST with the columns that the site shows, asked for at once."""
        sites = {
            (site.source.kind, site.source.rest): site
            for reading in readings
            if reading.api == "rest"
            for site in reading.sources
        }
        unknown = [place for place in sites if place not in self._rest_columns]
        if unknown:
            client = self.rest()
            asked = ordered_map(
                lambda place: client.prototype(place[1], "$details" if place[1].details else "$query"),
                unknown,
                min(client.workers, len(unknown)),
            )
            for place, properties in asked:
                self._rest_columns[place] = RestColumns(place[0], properties)
        return [self._with_columns(reading) for reading in readings]

    def _with_columns(self, reading: Reading) -> Reading:
        if reading.api != "rest":
            return reading
        known = self._rest_columns
        sources = (
            replace(site, resolution=known[site.source.kind, site.source.rest]) for site in reading.sources
        )
        return replace(reading, sources=tuple(sources))

    def explore(self, entities: Iterable[Entity]) -> None:
        """Ask the GraphQL side, where it is used, for what these entities may need: few requests for all."""
        found: list[tuple[SiteSource, Sequence[StreamDeclaration]]] = []
        for entity in entities:
            reading = reading_of(entity, entity.streams[0].name, self.settings, full_table=False)
            if reading.api == "graphql":
                found.extend((site, entity.streams) for site in reading.sources)
        graphql = self.graphql_site() if found else None
        if graphql is not None:
            graphql.explore(found)

    def graphql_site(self) -> GraphqlSite | None:
        """What the GraphQL side has; None when it does not tell."""
        if not self._asked:
            self._asked = True
            introspection = introspected(self.graphql())
            self._graphql_site = GraphqlSite(introspection) if introspection else None
        return self._graphql_site

    def readers(self, reading: Reading, streams: Sequence[StreamDeclaration]) -> list[SourceReader]:
        """A reader for each source of an entity, for streams that share a reading.

        Raises:
            SettingsError: the login that the API needs is not configured.
        """
        if reading.api == "graphql":
            client = self.graphql()
            return [
                GraphqlReader(client, index, site, streams, full_table=reading.full_table)
                for index, site in enumerate(reading.sources)
            ]
        rest = self.rest()
        return [
            RestReader(rest, index, site, streams, full_table=reading.full_table)
            for index, site in enumerate(reading.sources)
        ]

    def graphql(self) -> GraphqlClient:
        """Requests to the GraphQL API. Raises SettingsError when its login is not configured."""
        return GraphqlClient(self._transport("graphql"))

    def rest(self) -> RestClient:
        """Requests to the REST API. Raises SettingsError when its login is not configured."""
        if self._rest is None:
            self._rest = RestClient(self._transport("rest"))
        return self._rest

    def run_start(self) -> datetime:
        """Start of the run: the time of the first answer of the server, by its own clock."""
        starts = [transport.server_start for transport in self._transports.values()]
        return min((start for start in starts if start is not None), default=datetime.now(UTC))

    def rows(
        self,
        entity: Entity,
        stream: StreamDeclaration,
        columns: Sequence[str],
        dimensions: Mapping[str, str],
    ) -> Iterator[Row]:
        """All rows of a stream with some of its columns; `dimensions` gives the column of each type."""
        reading = self.described(self.reading(entity, stream.name, full_table=True))[0]
        return self.narrow_rows(reading, stream, columns, dimensions)

    def narrow_rows(
        self,
        reading: Reading,
        stream: StreamDeclaration,
        columns: Sequence[str] | None = None,
        dimensions: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[Row]:
        """All rows of a declared stream through a reading, with all of its columns or some of them."""
        names = frozenset(columns or (field.name for field in stream.fields))
        for index, reader in enumerate(self.readers(reading, [stream])):
            change = reader.prepare()
            options = ProjectionOptions(reading.api, names, dimensions, change.fields)
            site = reading.sources[index]
            projection = Projection(site.declared(stream), site.source, options)
            for document in one_by_one(reader.by_key(None, self.settings.page_size)):
                yield from projection.rows(document, lambda _row, _misfit: None)

    def _transport(self, api: str) -> Transport:
        if api not in self._transports:
            self._transports[api] = Transport(self.settings, api)
        return self._transports[api]
