"""One X3 folder as the tap sees it: its transports, its readers, its dimension types."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from types import MappingProxyType

from tap_sagex3.documents import Projection, ProjectionOptions
from tap_sagex3.graphql.client import GraphqlClient
from tap_sagex3.graphql.reader import GraphqlReader
from tap_sagex3.rest.client import RestClient
from tap_sagex3.rest.reader import RestReader
from tap_sagex3.sources import reading_of
from tap_sagex3.transport import Transport
from tap_sagex3.web.tls import check_files

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sagex3.declarations import Entity, StreamDeclaration
    from tap_sagex3.documents import Row
    from tap_sagex3.reading import SourceReader
    from tap_sagex3.settings import Settings
    from tap_sagex3.sources import Reading


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
        return RestClient(self._transport("rest"))

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
        reading = reading_of(entity, stream.name, self.settings, full_table=True)
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
            projection = Projection(stream, reading.sources[index].source, options)
            for document in reader.by_key(None, self.settings.page_size):
                yield from projection.rows(document, lambda _row, _misfit: None)

    def _transport(self, api: str) -> Transport:
        if api not in self._transports:
            self._transports[api] = Transport(self.settings, api)
        return self._transports[api]
