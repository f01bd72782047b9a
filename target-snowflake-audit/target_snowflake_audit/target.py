"""The Singer target: messages in, audited batches out, STATE only after COMMIT."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_snowflake_audit.checking.second import SecondProcess
from target_snowflake_audit.errors import (
    CompletenessError,
    InterruptedRunError,
    OutputError,
    ResourceError,
    SchemaError,
    SettingError,
    TargetError,
)
from target_snowflake_audit.failures import ends_the_run
from target_snowflake_audit.loading_target import LoadingTarget
from target_snowflake_audit.mapping import STREAM_MAPS, check_aliases, mapped, of_the_mapper
from target_snowflake_audit.reading import batch_files
from target_snowflake_audit.reading.blocks import RECORD_TEXT
from target_snowflake_audit.reading.input_errors import without_schema
from target_snowflake_audit.reading.reader import MessageReader
from target_snowflake_audit.session import StatementError
from target_snowflake_audit.sink import AuditSink, sink_class
from target_snowflake_audit.undeclared import Undeclared
from target_snowflake_audit.unexpected import explained

if TYPE_CHECKING:
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.mapper import StreamMap
    from singer_sdk.sinks import Sink

    from target_snowflake_audit.checking.problems import Problem
    from target_snowflake_audit.checking.rows import Row
    from target_snowflake_audit.loader import StreamLoader
    from target_snowflake_audit.reading.blocks import Records
    from target_snowflake_audit.values import Json

COMPLETED = "completed"
_KNOWN = (TargetError, InvalidInputLine, ConfigValidationError)


class TargetSnowflakeAudit(LoadingTarget):
    """Loads Singer streams into Snowflake, one audited transaction a batch."""

    name = "target-snowflake-audit"
    package_name = "target-snowflake-audit"
    default_sink_class = AuditSink
    message_reader_class = MessageReader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.BATCH,
        TargetCapabilities.VALIDATE_RECORDS,
        TargetCapabilities.SOFT_DELETE,
        TargetCapabilities.HARD_DELETE,
        TargetCapabilities.TARGET_SCHEMA,
    ]

    def __init__(self, **options: Json) -> None:
        """Prepare a run; nothing is sent to Snowflake yet."""
        super().__init__(**options)
        self._undeclared = Undeclared()
        if isinstance(self.message_reader, MessageReader):
            self.message_reader.take_records = self._take_records

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        return sink_class(self.mapper.stream_maps, stream_name)

    def origin_of(self, stream: str) -> tuple[StreamMap, dict[str, Any]]:
        """Give a sink's stream map and the SCHEMA message that it comes from."""
        for source, maps in self.mapper.stream_maps.items():
            for stream_map in maps:
                if stream_map.stream_alias == stream and source in self._messages:
                    return stream_map, self._messages[source]
        message = f"stream {stream}: no SCHEMA message was received"
        raise SchemaError(message)

    # Replay

    def take_schema(self, message: dict[str, Any]) -> None:
        """Take a SCHEMA that does not come from the input."""
        self._process_schema_message({**message, "type": "SCHEMA"})

    def forget(self, stream: str) -> None:
        """Drop a SCHEMA that could not be taken: once more it would pass as known, with an older loader."""
        for stream_map in self.mapper.stream_maps.pop(stream, ()):
            self._sinks_active.pop(stream_map.stream_alias, None)
            loader = self.loaders.pop(stream_map.stream_alias, None)
            if loader is not None:
                loader.close()
        self._messages.pop(stream, None)

    def loaders_of(self, stream: str) -> list[StreamLoader]:
        """Loaders of a stream as received; several where `stream_maps` make several of it."""
        names = [stream_map.stream_alias for stream_map in self.mapper.stream_maps.get(stream, ())]
        return [self.loaders[name] for name in names if name in self.loaders]

    def next_number(self) -> int:
        """Number a record that does not come from the input."""
        return self.barrier.record("")

    def mapped(
        self, source: str, alias: str, message: dict[str, Any]
    ) -> tuple[dict[str, Any] | Row | None, list[Problem] | None]:
        """Apply the stream map that leads from a stream as received to one of its aliases."""
        for stream_map in self.mapper.stream_maps.get(source, ()):
            if stream_map.stream_alias == alias:
                return mapped(stream_map, message["record"], self.engine.mapping)
        return message["record"], None

    # Messages

    @override
    def _assert_sink_exists(self, stream_name: str) -> None:
        if not self.sink_exists(stream_name):
            raise without_schema(stream_name, self._messages)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream = str(message_dict.get("stream") or "")
        message = {key: value for key, value in message_dict.items() if key != "type"}
        if stream in self._messages and self._messages[stream] != message:
            # What was gathered belongs to the old schema; it must be loaded before the table changes. Other
            # streams may be inside a document.
            self._activate_due(stream)
            self._load_all(stream)
            self._sinks_active = {
                name: sink for name, sink in self._sinks_active.items() if not self._is_from(name, stream)
            }
            self.mapper.stream_maps.pop(stream, None)
        if stream:
            self._messages[stream] = message
            self.control.schema(stream)
        self.engine.retrier.log_in()
        try:
            super()._process_schema_message(message_dict)
        except (MappingError, NotImplementedError) as error:
            if isinstance(error, NotImplementedError) and not of_the_mapper(error):
                raise
            raise SettingError(STREAM_MAPS, f"stream `{stream}`: {error}") from error
        except TargetError as error:
            self._fail_streams(stream, error)
        check_aliases(self.mapper.stream_maps, stream, self._messages)
        for name in self._carrying(stream):
            self.barrier.record(name)  # what is gone of a torn document is told by the next batch

    def _carrying(self, stream: str) -> list[str]:
        """Sinks of a stream as received that carry records of a torn document along."""
        return [
            name
            for name, sink in self._sinks_active.items()
            if isinstance(sink, AuditSink) and sink.loader.carries and self._is_from(name, stream)
        ]

    def _fail_streams(self, stream: str, error: TargetError) -> None:
        """A SCHEMA cannot be loaded: what it would have made of the stream has failed."""
        if ends_the_run(error):
            raise error
        for stream_map in self.mapper.stream_maps.get(stream, ()):
            alias = stream_map.stream_alias
            if alias not in self._sinks_active:
                self.failed.add(alias, error)
                if alias in self.loaders and self.loaders[alias].is_torn:
                    self.barrier.record(alias)  # nobody tells any more what is gone of the document

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict.get("stream")
        maps = self.mapper.stream_maps.get(str(stream))
        if maps is None or "record" not in message_dict:
            self._assert_line_requires(message_dict, requires={"stream", "record"})
            raise without_schema(str(stream), self._messages)
        self._current = str(stream)
        if self._due:
            self._activate_due(self._current)
        self.control.received[self._current] += 1
        self._undeclared.look(self._current, message_dict[RECORD_TEXT], self._messages[self._current])
        for stream_map in maps:
            self._take(stream_map, message_dict)
        if time.monotonic() > self._look_at:
            self._look_around(self._current)

    def _take_records(self, records: Records) -> None:
        """Take records that are decoded as rows; a batch ends where it would if they came one by one."""
        stream = self._current = records.stream
        if self._due:
            self._activate_due(stream)
        maps = self.mapper.stream_maps.get(stream) or ()
        sink = self._sinks_active.get(maps[0].stream_alias) if len(maps) == 1 else None
        first = 0
        while first < len(records) and isinstance(sink, AuditSink) and sink.stream_name not in self.failed:
            taken = self._take_together(sink, records.part(first, len(records)))
            if taken is None:
                break
            if not taken:
                taken = 1
                self._take_each(records.part(first, first + 1))
            first += taken
        self._take_each(records.part(first, len(records)))
        if time.monotonic() > self._look_at:
            self._look_around(stream)

    def _take_together(self, sink: AuditSink, records: Records) -> int | None:
        """Hand records to a stream's loader as they are; gives what `StreamLoader.take` says."""
        taken = sink.loader.take(records, partial(self.barrier.records, sink.stream_name))
        if taken:
            self._undeclared.look(records.stream, records.raw[0], self._messages[records.stream], taken)
            self.control.received[records.stream] += taken
            if sink.loader.full and sink.loader.splits_anywhere:
                self.load_sink(sink)
        return taken

    def _take_each(self, records: Records) -> None:
        for message in records.messages():
            self._process_record_message(message)

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """Take the records of the message's files as if they had come one by one."""
        self._assert_line_requires(message_dict, requires={"stream", "manifest", "encoding"})
        storage = (self.config.get("batch_config") or {}).get("storage") or {}
        for record in batch_files.records(message_dict, str(storage.get("root") or "")):
            self._process_record_message(record)

    def _take(self, stream_map: StreamMap, message: dict[str, Any]) -> None:
        """Hand a record to its stream, loading a full batch first or after."""
        record, found = mapped(stream_map, message["record"], self.engine.mapping)
        if record is None:
            return
        name = stream_map.stream_alias
        if name in self.failed:
            self.barrier.record(name)  # never committed: no STATE from here on may leave
            return
        sink = self._sinks_active.get(name)
        if not isinstance(sink, AuditSink):
            self._assert_sink_exists(name)
            return
        if sink.include_sdc_metadata_properties and isinstance(record, dict):
            sink._add_sdc_metadata_to_record(record, message, {})  # noqa: SLF001 - pinned by a test
        version = message.get("version")
        loader = sink.loader
        if not self.has_room(sink, record, version):
            return
        seq = self.barrier.record(name)
        loader.add(
            record, message[RECORD_TEXT], seq, message.get("time_extracted"), version=version, found=found
        )
        if loader.full and loader.splits_anywhere:
            self.load_sink(sink)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"value"})
        self.control.compare(message_dict["value"], self._counts)
        self._activate_due()
        self.barrier.state(message_dict["value"])
        self._emit_state()
        self._look_around(self._current)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Activate the version, with strict control counts not before a STATE that may tell of lost records.

        What comes of the stream before that STATE finds the version activated: it may be of the next one.
        """
        self._assert_line_requires(message_dict, requires={"stream", "version"})
        stream = str(message_dict["stream"])
        if stream not in self.mapper.stream_maps:  # that stream maps make a sink of this name is not enough
            raise without_schema(stream, self._messages)
        if self._due.get(stream) != message_dict["version"]:
            self._activate_due(stream)
        self._due[stream] = message_dict["version"]
        if self._counts != "strict" or not self.control.received[stream]:
            self._activate_due(stream)

    @override
    def process_endofpipe(self) -> None:
        """Load the rest, emit the last STATE, and end the run."""
        self._ending = True
        self._activate_due()
        self._load_all(ended=True)
        self._activate_postponed()
        self._finish_streams()
        self._emit_state()  # also where a stream failed: what comes before its first lost record is safe
        self.failed.raise_if_any()
        if self.config.get("record_empty_runs"):
            self.run.start()
        self.run.check()
        for sink in self._sinks_active.values():
            sink.clean_up()
        self._finish(COMPLETED)

    # End

    @classmethod
    @override
    def invoke(
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        **options: Any,
    ) -> None:
        """Run from the command line; a run that fails is recorded as such."""
        super(Target, cls).invoke(about=about, about_format=about_format)
        config = options.get("config")
        cls.print_version(print_fn=cls.logger.info)
        target = cls(
            config=config.config if config else None,
            validate_config=True,
            parse_env_config=bool(config and config.parse_env),
        )
        # Before any thread and any session.
        second = SecondProcess.start() if target.config.get("second_process", True) else None
        target.engine.second = second
        try:
            target.listen(options.get("file_input"))
        except BaseException as error:
            known = target.in_words(error)
            target.fail(known)
            if isinstance(known, InterruptedRunError):
                known.at_once = known.at_once or target.was_told_twice
            if known is error:
                raise
            raise known from error
        finally:
            if second is not None:
                second.close()

    def in_words(self, error: BaseException) -> BaseException:
        """Give an error that says what a person should know, for one that does not."""
        if isinstance(error, _KNOWN) or not isinstance(error, Exception):
            return error
        return explained(error, self.doing, self.config)

    def _finish(self, status: str, error: str = "") -> None:
        """Record the end of the run and say how many dead letters there are, in the last line."""
        self._busy = True  # a first signal comes too late to change anything
        for loader in self.loaders.values():
            loader.close()
        if status == COMPLETED:
            self.run.end(status, error, retry=self.engine.retrier.end)
        else:  # Snowflake may be what has failed, and a person may wait
            self.run.end(status, error)
        dead = sum(counts.dead for counts in self.run.totals.values())
        self.logger.info("%s with %s dead letters", status, dead)

    def fail(self, error: BaseException) -> None:
        """Record that the run failed, as far as Snowflake can be reached.

        Running transactions end first. What was gathered is loaded, unless a signal, the settings or
        Snowflake itself ended the run: then that would fail or take long. Where records were lost, nothing is
        removed any more for not having come, also by a batch that is being loaded.
        """
        self._busy = True
        self.run.lost_records = isinstance(error, CompletenessError)
        hopeless = (InterruptedRunError, SettingError, StatementError, OutputError, ResourceError)
        if isinstance(error, Exception) and not isinstance(error, hopeless):
            self._save_progress()
        for loader in self.loaders.values():
            if self._at_once:
                return  # a second signal: Snowflake rolls back, and RUNS cannot tell the end
            with suppress(Exception):  # the first error is told, whatever another stream met
                loader.wait()
        interrupted = isinstance(error, InterruptedRunError)
        try:
            self._finish(
                "interrupted" if interrupted else "failed",
                f"{type(error).__name__}: {getattr(error, 'kept', error)}",
            )
        except Exception as failure:  # noqa: BLE001 - the first error is told, whatever came of its record
            self.logger.warning("The end of the run could not be recorded: %s", type(failure).__name__)

    def _save_progress(self) -> None:
        """Load what the streams that did not fail have gathered."""
        for sink in list(self._sinks_active.values()):
            if isinstance(sink, AuditSink) and sink.loader.waiting and sink.stream_name not in self.failed:
                try:
                    self.load_sink(sink, cut=not self.barrier.covers(sink.loader.newest))
                except Exception as error:  # noqa: BLE001 - a further one, and the first is told
                    self.logger.warning("%s", explained(error, self.doing, self.config))
