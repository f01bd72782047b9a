"""The Singer tap for Sage X3."""

from __future__ import annotations

import os
import typing as t
from datetime import UTC, datetime
from uuid import uuid4

import click
from singer_sdk import Stream, Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from tap_sagex3.auth.uninterrupted import postpone
from tap_sagex3.checking import as_json, as_table, check, is_good
from tap_sagex3.control import CONTROL_STREAMS, ControlTotals, LiveKeys
from tap_sagex3.customizing import entities_with
from tap_sagex3.discovery.gaps import missing_fields
from tap_sagex3.entity_files import load_entities
from tap_sagex3.errors import NotReadableError, SettingsError
from tap_sagex3.instance import Instance
from tap_sagex3.mapping import check_else
from tap_sagex3.schema import column_of_dimension, stream_schema
from tap_sagex3.settings import CONFIG_JSONSCHEMA, PROPERTIES, is_configured, read_settings
from tap_sagex3.settings.check import NO_BATCH, problems, problems_in_environment
from tap_sagex3.sources import check_options
from tap_sagex3.streams import X3Stream
from tap_sagex3.sync import EntitySync, check_apart, check_state, stage_of
from tap_sagex3.sync.slots import CONTROL
from tap_sagex3.values import format_time
from tap_sagex3.writer import BufferedWriter

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from tap_sagex3.declarations import Entity, StreamDeclaration
    from tap_sagex3.documents import Row
    from tap_sagex3.sources import Reading
    from tap_sagex3.tables import TableStream

DIMENSION_TYPES = "dimension_types"
SIGNAL_EXIT = 128


class TapSageX3(Tap):
    """Singer tap for Sage X3: purchasing, finance, sales and stock through GraphQL (Xtrem) or REST (api1)."""

    name = "tap-sagex3"
    # a copy: the SDK adds its own settings to it
    config_jsonschema: t.ClassVar[dict[str, t.Any]] = {**CONFIG_JSONSCHEMA, "properties": {**PROPERTIES}}
    message_writer_class = BufferedWriter
    message_writer: BufferedWriter
    capabilities: t.ClassVar[list[t.Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:  # noqa: ANN401 - the SDK's own arguments
        """Check the settings before anything else uses them."""
        self._instance: Instance | None = None
        self._synced: set[str] = set()
        self.run_id = uuid4().hex
        self._skipped: dict[str, str] = {}
        self._asked = False
        self._unknown_dimensions: NotReadableError | None = None
        if kwargs.get("parse_env_config"):
            self._check_environment()
        super().__init__(*args, **kwargs)

    # Streams

    def discover_streams(self) -> Sequence[Stream]:
        """All streams. The columns of dimensions are asked from the instance, when one is configured."""
        entities: Sequence[Entity] = load_entities()
        types: list[str] = []
        names: t.Mapping[str, str] = {}
        self._asked = self._can_ask()
        if self._asked:
            settings = self.instance.settings
            entities = entities_with(settings, entities)
            check_options(settings, entities, CONTROL_STREAMS)
            names = settings.dimension_names
            self.instance.explore(entities)
            self._explore_rest(entities)
            types = self._dimension_types()
        found: list[Stream] = [
            X3Stream(
                self,
                entity,
                stream,
                stream_schema(entity, stream, types, names, self._missing(entity, stream)),
                column_of_dimension(stream, types, names),
            )
            for entity in entities
            for stream in entity.streams
        ]
        return [*found, LiveKeys(self), ControlTotals(self)]

    def x3_streams(self) -> list[X3Stream]:
        """The streams of entities: all but the control streams."""
        return [stream for stream in self.streams.values() if isinstance(stream, X3Stream)]

    def _can_ask(self) -> bool:
        """Whether the instance can be asked; without it the built-in streams are shown, with a warning."""
        if is_configured(self.config):
            return bool(self.instance.settings)
        self.logger.warning(
            "No server is configured (server_url, folder): showing the built-in streams, without the columns "
            "of dimension types."
        )
        return False

    def _explore_rest(self, entities: Sequence[Entity]) -> None:
        """Ask for the columns of all streams that are read through REST, several at a time."""
        if self.input_catalog is None:
            self.instance.described(
                *(
                    self.instance.reading(entity, stream.name, full_table=False)
                    for entity in entities
                    for stream in entity.streams
                )
            )

    def _missing(self, entity: Entity, stream: StreamDeclaration) -> list[str]:
        """Fields of a stream that this site does not have; they are not in the catalog."""
        if not self._asked:
            return []
        reading = self.instance.reading(entity, stream.name, full_table=False)
        if self.input_catalog is None:  # with a catalog, only selected streams ask for their columns
            reading = self.instance.described(reading)[0]
        return missing_fields(stream, reading)

    def _dimension_types(self) -> list[str]:
        """Codes of the dimension types of the instance; none, with a warning, when it does not show them."""
        entity, stream = next(
            (entity, stream)
            for entity in load_entities()
            for stream in entity.streams
            if stream.name == DIMENSION_TYPES
        )
        try:
            return [row["code"] for row in self.instance.rows(entity, stream, stream.key, {})]
        except NotReadableError as error:
            self.logger.warning("No columns for dimension types: %s", error)
            self._unknown_dimensions = error
            return []

    def _check_dimensions(self) -> None:
        """Before a sync: refuse to send streams without their dimension columns as if they had none.

        Raises:
            NotReadableError: the dimension types cannot be read, and are not optional.
        """
        selected = [stream for stream in self.x3_streams() if stream.selected]
        error = self._unknown_dimensions  # known once the streams are
        optional = self.instance.settings.optional_streams  # fails here when a secret cannot be read
        if error is None or DIMENSION_TYPES in optional:
            return
        names = [s.name for s in selected if any(field.dimensions for field in s.declaration.fields)]
        if names:
            msg = (
                f"Cannot read the columns of dimension types of {', '.join(names)}: {error} "
                f"To read them without these columns, list {DIMENSION_TYPES} in setting optional_streams."
            )
            raise NotReadableError(msg) from error

    @property
    def instance(self) -> Instance:
        """The X3 folder that settings name.

        Raises:
            SettingsError: settings are wrong or incomplete.
        """
        if self._instance is None:
            self._instance = Instance(read_settings(self.config))
        return self._instance

    def reading_of(self, stream: X3Stream) -> Reading:
        """How a stream is read on this site."""
        reading = self.instance.reading(stream.entity, stream.name, full_table=stream.is_full_table)
        return self.instance.described(reading)[0]

    @staticmethod
    def now() -> str:
        """The time of now, as it goes into records."""
        return format_time(datetime.now(UTC).replace(microsecond=0))

    # Sync

    def sync_entity_of(self, stream: X3Stream) -> None:
        """Read the entity of a stream for all selected streams that are read and stand alike, once a run.

        Raises:
            NotReadableError: this site does not give it, and not all of its streams are optional.
        """
        if stream.name in self._synced:
            return
        reading = self.reading_of(stream)
        settings = self.instance.settings
        stage = stage_of(stream, settings)
        streams = [
            other
            for other in self._streams_of_entity(stream)
            if other.selected
            and other.name not in self._synced
            and self.reading_of(other) == reading
            and stage_of(other, settings) == stage
        ]
        self._synced.update(other.name for other in streams)
        self._warn_of_apart(stream, reading)
        readers = self.instance.readers(reading, [other.wanted for other in streams])
        sync = EntitySync(
            streams,
            readers,
            settings,
            self.message_writer,
            self.instance.run_start,
            run_id=self.run_id,
        )
        try:
            check_apart(", ".join(other.name for other in streams), reading, readers)
            sync.run()
        except NotReadableError as error:
            self.skip_or_fail(streams, error)

    def _warn_of_apart(self, stream: X3Stream, reading: Reading) -> None:
        """Say that streams of one document are not read together, since their options differ."""
        others = [other for other in self._streams_of_entity(stream) if other.selected]
        apart = [o.name for o in others if o.name not in self._synced and self.reading_of(o) != reading]
        if apart:
            self.logger.warning(
                "%s and %s are read apart, each with requests of its own, as their stream_options differ: "
                "give all streams of a document the same.",
                stream.name,
                ", ".join(apart),
            )

    def records_of(self, stream: X3Stream) -> Iterator[Row]:
        """All records of one stream."""
        columns = list(stream.schema["properties"])
        return self.instance.rows(stream.entity, stream.declaration, columns, stream.dimensions)

    def sync_all(self) -> None:  # type: ignore[misc]
        """Sync all streams, and tell at the end which ones were skipped."""
        self._deselect_removed()
        self._check_dimensions()
        self._check_catalog()
        for bookmark in self.state.get("bookmarks", {}).values():
            bookmark.pop(CONTROL, None)  # counts of an earlier run
        super().sync_all()
        self.message_writer.flush()
        reasons = "; ".join(f"{name}: {reason}" for name, reason in self._skipped.items())
        self.logger.info("Completed%s", f"; skipped {reasons}" if reasons else " all selected streams.")

    def load_state(self, state: dict[str, t.Any]) -> None:
        """Take the state of an earlier run.

        Raises:
            SettingsError: it is something else, so that a run would read everything again without a word.
        """
        check_state(state)
        super().load_state(state)

    def _check_catalog(self) -> None:
        """Refuse a catalog that selects streams which there are not.

        Raises:
            SettingsError: names them.
        """
        lost = [
            name
            for name, entry in (self.input_catalog or {}).items()
            if name not in self.streams and entry.metadata.resolve_selection().get((), True)
        ]
        if lost:
            msg = (
                f"The catalog selects unknown streams {sorted(lost)}: make it anew with --discover, or give "
                "the setting (custom_streams) that they come from."
            )
            raise SettingsError(msg)

    def _deselect_removed(self) -> None:
        """Leave out streams that stream maps remove."""
        for stream in self.streams.values():
            if stream.selected and t.cast("TableStream", stream).is_removed:
                self.logger.info("Stream maps remove all of '%s': it is not read.", stream.name)
                stream.selected = False

    def _streams_of_entity(self, stream: X3Stream) -> list[X3Stream]:
        """Streams of the same entity, in the order of their declaration."""
        names = [declaration.name for declaration in stream.entity.streams]
        return [t.cast("X3Stream", self.streams[name]) for name in names]

    def skip_or_fail(self, streams: Sequence[Stream], error: NotReadableError) -> None:
        """Skip streams that this site does not have, when all of them may be missing.

        Raises:
            NotReadableError: one of them must not.
        """
        names = [stream.name for stream in streams]
        if not set(names) <= self.instance.settings.optional_streams:
            msg = (
                f"Cannot read {', '.join(names)}: {error} A stream that this site does not have can be "
                "deselected, or listed in setting optional_streams."
            )
            raise NotReadableError(msg) from error
        for name in names:
            self._skipped[name] = str(error)
            self.logger.warning("Skipped optional stream %s: %s", name, error)

    # Command line

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, and `--check`."""
        command = super().get_singer_command()
        command.params.append(
            click.Option(
                ["--check"],
                is_flag=False,
                flag_value="table",
                type=click.Choice(["table", "json"]),
                help="Tell for each stream how this site would be read.",
                callback=cls.cb_check,
                expose_value=False,
            )
        )
        return command

    @classmethod
    def cb_check(cls, ctx: click.Context, _param: click.Option, value: str | None) -> None:
        """Try each stream, print what was found, and end: with 1 when a stream cannot be read."""
        if value is None:
            return
        given = ctx.params.get("config")
        tap = cls(
            config=given.config if given else None,
            parse_env_config=bool(given and given.parse_env),
            setup_mapper=False,
        )
        found = check(tap)
        click.echo(as_json(found) if value == "json" else as_table(found))
        ctx.exit(0 if is_good(found) else 1)

    # Process

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Refuse a secret that is not text before the SDK would show its value in a message."""
        for name, schema in PROPERTIES.items():
            value = self._config.get(name)
            if schema.get("secret") and not isinstance(value, str | None):
                msg = f"Setting {name} must be text, but is of type {type(value).__name__}."
                raise SettingsError(msg)
        if self._config.get("batch_config"):
            raise SettingsError(NO_BATCH)
        check_else(self._config)
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        errors = problems(self._config, schema)
        if errors and (raise_errors or is_configured(self._config)):
            raise SettingsError(" ".join(errors))
        for message in errors:
            self.logger.warning("%s", message)
        return errors

    @classmethod
    def _check_environment(cls) -> None:
        """Refuse variables that cannot be read as the values of their settings, or seem misspelt."""
        cls.append_builtin_config(cls.config_jsonschema)
        found = problems_in_environment(os.environ, cls.config_jsonschema["properties"])
        if found:
            raise SettingsError(" ".join(found))

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End with the signal's exit code, after the line that is being written.

        STATE was sent after the last whole documents; the SDK's own handler would exit with 0, as if all had
        been read.
        """
        if postpone(signum):
            return
        self.logger.warning("Stopped by signal %d; the next run goes on from the last state.", signum)
        self.message_writer.stop(SIGNAL_EXIT + signum)
