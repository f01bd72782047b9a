"""Singer streams of the tap."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import singer_sdk.singerlib as singer
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_sagex3.declarations import UPDATED
from tap_sagex3.levels import ProjectionOptions, wants
from tap_sagex3.projection import Projection
from tap_sagex3.schema import PRECISION, REPLACE_SCOPE
from tap_sagex3.tables import TableStream

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from singer_sdk.helpers import types

    from tap_sagex3.declarations import Entity, StreamDeclaration
    from tap_sagex3.tap import TapSageX3


class X3Stream(TableStream):
    """One stream of an entity.

    Streams of one entity are read together: the first of them that the SDK syncs sends the rows of all
    selected ones, the others then have nothing left to do.
    """

    def __init__(
        self,
        tap: TapSageX3,
        entity: Entity,
        declaration: StreamDeclaration,
        schema: dict[str, t.Any],
        dimensions: Mapping[str, str],
    ) -> None:
        """Make the stream; `dimensions` gives the column of each dimension type."""
        self.entity = entity
        self.declaration = declaration
        self.dimensions = dimensions
        self.tap = tap
        self._whole_days = False
        super().__init__(tap, schema=schema, name=declaration.name)
        self.primary_keys = list(declaration.key)
        if not declaration.full_table:
            self.replication_key = UPDATED

    @property
    def is_full_table(self) -> bool:
        """Whether rows that are gone in X3 are deleted by ACTIVATE_VERSION after each complete read."""
        return self.replication_method == REPLICATION_FULL_TABLE

    def sync(self, context: types.Context | None = None) -> None:  # type: ignore[misc]
        """Read the entity for this stream and its selected siblings, unless one of them did so already.

        The SDK marks `sync` final for type checkers; it is the one place where streams that share a fetch
        can be handled together.
        """
        if context:
            msg = "Streams of Sage X3 have no parent stream."
            raise ValueError(msg)
        self.tap.sync_entity_of(self)

    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:  # noqa: ARG002 - SDK signature
        """All records of this stream alone, as a program that embeds the tap may want them."""
        return self.tap.records_of(self)

    @property
    def wanted(self) -> StreamDeclaration:
        """The declaration without fields that no selected column needs: they are not asked for."""
        declaration, chosen = self.declaration, frozenset(self.chosen)
        fields = tuple(
            field
            for field in declaration.fields
            if field.name in declaration.key or wants(field, chosen, self.dimensions)
        )
        return replace(declaration, fields=fields)

    def projection(self, source: int, stamp_fields: tuple[str, ...]) -> Projection:
        """How rows are made from documents of a source: only selected columns, in the order of the schema."""
        reading = self.tap.reading_of(self)
        site = reading.sources[source]
        options = ProjectionOptions(
            api=reading.api,
            selected=frozenset(self.chosen),
            dimensions=self.dimensions,
            stamp_fields=stamp_fields,
            collections_shown=site.shows_collections(self.declaration),
        )
        return Projection(site.declared(self.declaration), site.source, options)

    def write_schema(self, *, whole_days: bool) -> None:
        """Send SCHEMA; `whole_days` says that change times are known to the day only."""
        self._whole_days = whole_days
        self._write_schema_message()

    def _generate_schema_messages(self) -> Generator[singer.SchemaMessage, None, None]:
        """SCHEMA messages with our own keywords, which the SDK's schema class drops."""
        for message in super()._generate_schema_messages():
            schema = copy.copy(message.schema)
            properties = schema["properties"]
            scope = self.schema.get(REPLACE_SCOPE)
            if scope and set(scope) <= set(properties):
                schema[REPLACE_SCOPE] = list(scope)
            if self._whole_days and UPDATED in properties:
                schema["properties"] = {**properties, UPDATED: {**properties[UPDATED], PRECISION: "day"}}
            bookmark = [name for name in message.bookmark_properties or () if name in properties]
            yield singer.SchemaMessage(message.stream, schema, message.key_properties, bookmark or None)
