"""One X3 folder as the tap sees it: its transports, its readers, its dimension types."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

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
        transport = self._transport(reading.api)
        if reading.api == "graphql":
            client = GraphqlClient(transport)
            return [
                GraphqlReader(client, index, site, streams, full_table=reading.full_table)
                for index, site in enumerate(reading.sources)
            ]
        rest = RestClient(transport)
        return [
            RestReader(rest, index, site, streams, full_table=reading.full_table)
            for index, site in enumerate(reading.sources)
        ]

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
        for index, reader in enumerate(self.readers(reading, [stream])):
            change = reader.prepare()
            options = ProjectionOptions(reading.api, frozenset(columns), dimensions, change.fields)
            projection = Projection(stream, reading.sources[index].source, options)
            for document in reader.by_key(None, self.settings.page_size):
                yield from projection.rows(document, lambda _row, _misfit: None)

    def _transport(self, api: str) -> Transport:
        if api not in self._transports:
            self._transports[api] = Transport(self.settings, api)
        return self._transports[api]
