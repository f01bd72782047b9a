"""The SDK's sink of one stream: a thin face of the stream's loader."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.sinks import Sink
from typing_extensions import override

from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.errors import TargetError
from target_snowflake_audit.mapping import mapped
from target_snowflake_audit.overwrite import loader_of
from target_snowflake_audit.reading.reader import MessageReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.mapper import StreamMap
    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from target_snowflake_audit.loader import StreamLoader
    from target_snowflake_audit.target import TargetSnowflakeAudit


class LeftOutSink(Sink):
    """Sink of a stream that `stream_maps` leave out: no record comes, and no table is made."""

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Nothing: no record comes."""

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Nothing: no record comes."""

    @override
    def activate_version(self, new_version: int) -> None:
        """Nothing: there is no table."""


class AuditSink(Sink):
    """Gathers a stream's records and loads them in audited batches."""

    def __init__(
        self,
        target: TargetSnowflakeAudit,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Keep the target: it knows the SCHEMA message as received."""
        super().__init__(target, stream_name, schema, key_properties)
        self._target = target
        self.loader: StreamLoader = self._loader()

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        """None: records are checked by the plan, in chunks, with all problems of a record."""
        return None

    @property
    @override
    def current_size(self) -> int:
        return self.loader.waiting

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Add a record; `context` holds what came with it."""
        self.loader.add(record, context["raw"], context["seq"], context["extracted"], **context["more"])

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Load what was gathered."""
        self._target.load_sink(self)

    @override
    def activate_version(self, new_version: int) -> None:
        """Delete rows that did not come under the version."""
        self._target.activate_sink(self, new_version)

    def _loader(self) -> StreamLoader:
        target = self._target
        stream_map, message = target.origin_of(self.stream_name)
        plan = make_plan(
            self.config,
            self.stream_name,
            {**_scope_of(message), **self.schema},
            self.key_properties,
            message,
            target.run.names.database,
        )
        remap = partial(mapped, stream_map, turn=target.engine.mapping)
        loader = target.loaders.get(self.stream_name)
        if loader is None:
            loader = target.loaders[self.stream_name] = loader_of(target.engine, plan, remap)
        elif loader.waiting:
            message_ = f"stream {self.stream_name}: records wait while the SCHEMA changes"
            raise TargetError(message_)
        else:
            loader.change(plan, remap)
        self._set_decoder(str(message.get("stream")), loader)
        return loader

    def _set_decoder(self, source: str, loader: StreamLoader) -> None:
        """Have records decoded into columns at once where no map and no setting changes them."""
        maps = self._target.mapper.stream_maps.get(source, ())
        unchanged = all(type(one) is SameRecordTransform and not one.flattening_enabled for one in maps)
        form = loader.form if unchanged and not self.include_sdc_metadata_properties else None
        reader = self._target.message_reader
        if isinstance(reader, MessageReader):
            reader.decode_as(source, form.decode if form else None)


def sink_class(maps: Mapping[str, Sequence[StreamMap]], stream: str) -> type[Sink]:
    """Kind of a stream's sink: one that `stream_maps` leave out gets no table."""
    found = [one for several in maps.values() for one in several if one.stream_alias == stream]
    left_out = any(isinstance(one, RemoveRecordTransform) for one in found)
    return LeftOutSink if left_out else AuditSink


def _scope_of(message: dict[str, Any]) -> dict[str, Any]:
    """The document scope as received: a stream map that rebuilds the schema loses it."""
    scope = (message.get("schema") or {}).get("x-replace-scope")
    return {"x-replace-scope": scope} if scope else {}
