"""The part of the target that has batches loaded: handed over, awaited, STATE let out, signals obeyed."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from target_snowflake_audit.completeness import ControlCounts
from target_snowflake_audit.configured_target import ConfiguredTarget
from target_snowflake_audit.engine import Engine
from target_snowflake_audit.errors import (
    CutInputError,
    InterruptedRunError,
    OutputError,
    TargetError,
    VersionError,
)
from target_snowflake_audit.failures import FailedStreams, ends_the_run
from target_snowflake_audit.run import Run
from target_snowflake_audit.sink import AuditSink
from target_snowflake_audit.state import StateBarrier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from target_snowflake_audit.checking.rows import Row
    from target_snowflake_audit.counts import Counts
    from target_snowflake_audit.loader import StreamLoader
    from target_snowflake_audit.values import Json

_LOOK_EVERY_SECONDS = 1.0
_encoder = msgspec.json.Encoder(decimal_format="number")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def state_line(state: Json) -> str:
    """A STATE as a line of ASCII, which every encoding of standard output can write.

    Numbers in it are Decimal here and leave as the numbers they were.
    """
    return _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], _encoder.encode(state).decode()) + "\n"


def _activation_of(stream: str) -> str:
    """Name of a version to activate in the barrier: no batch that is committed meanwhile sets it free."""
    return f"{stream}\0version"


class LoadingTarget(ConfiguredTarget):
    """Holds a run and the loaders of its streams."""

    def __init__(self, **options: Json) -> None:
        """Prepare a run; nothing is sent to Snowflake yet."""
        super().__init__(**options)
        self.stopping = threading.Event()
        self.run = Run(self.config)
        self.engine = Engine(self.run, self.stopping)
        self.loaders: dict[str, StreamLoader] = {}
        self.barrier = StateBarrier()
        self.failed = FailedStreams()
        self.control = ControlCounts()
        self._messages: dict[str, dict[str, Any]] = {}
        self._due: dict[str, Json] = {}
        """Versions to activate once a STATE has told how many records were sent, by stream as received."""
        self._busy = self._at_once = self._ending = False
        self._current = ""
        self._look_at = 0.0
        self._emitting = threading.Lock()

    @property
    def doing(self) -> str:
        """What the run is at, for an error that does not say so."""
        if not self._current:
            return "reading the input"
        return f"{'loading the rest' if self._ending else 'reading records'} of stream {self._current}"

    @property
    def _counts(self) -> str:
        """What is done where records were lost before they came here."""
        return str(self.config.get("control_counts") or "strict")

    def load_sink(self, sink: AuditSink, *, cut: bool = False, torn: bool = False) -> None:
        """Hand a sink's batch over; its STATE leaves when it is committed, while reading goes on.

        The last document may go on where the input was `cut`, or `torn` by another SCHEMA.
        """
        name, loader = sink.stream_name, sink.loader

        def committed(counts: Counts) -> None:
            if not loader.holds_state:
                self.barrier.committed(name)
            sink.record_counter_metric.increment(counts.received)
            self._emit_state()

        if not self._ended_well(loader, name):
            self._stop_if_asked()
            return
        with self._undisturbed():
            self.barrier.handed_over(name)
            loader.hand_over(self._bookmark(loader), committed, cut=cut, torn=torn)
        sink.mark_drained()
        self._stop_if_asked()

    def has_room(self, sink: AuditSink, record: dict[str, Any] | Row, version: int | None) -> bool:
        """Load what must be loaded before a record comes; whether its stream takes it then."""
        name = sink.stream_name
        try:
            if sink.loader.must_load_before(record, version):
                self.load_sink(sink)
        except VersionError as error:
            self._fail_stream(name, error)
        if name in self.failed:
            self.barrier.record(name)  # never committed: no STATE from here on may leave
            return False
        return True

    def _activate_due(self, stream: str = "") -> None:
        """Activate the versions that wait for a STATE, of one stream as received or of all."""
        for name in [stream] if stream else list(self._due):
            if name in self._due:
                self._activate_version(name, self._due.pop(name))

    def _activate_version(self, stream: str, version: Json) -> None:
        """Hand the version to the stream's sinks; our own audit columns do what `_sdc_` ones would."""
        for stream_map in self.mapper.stream_maps[stream]:
            sink = self._sinks_active.get(stream_map.stream_alias)
            if stream_map.stream_alias in self.failed:
                self.barrier.record(stream_map.stream_alias)  # never done: no STATE from here on may leave
            elif sink is not None and sink.process_activate_version_messages:
                sink.activate_version(version)

    def activate_sink(self, sink: AuditSink, version: int) -> None:
        """Load a sink's batch, then delete what did not come under the version; STATE waits for it."""
        self.load_sink(sink)
        name = sink.stream_name
        self.barrier.record(name if sink.loader.holds_state else _activation_of(name))
        self._activate(sink.loader, version, name)

    def _activate_postponed(self) -> None:
        for name, loader in self.loaders.items():
            if loader.postponed is None:
                continue
            if loader.newest and not self.barrier.covers(loader.newest):
                message = (
                    f"stream {name}: no STATE came after the stream's last record, so the input may have "
                    f"been cut off; rows that version {loader.postponed} does not have stay in "
                    f"{loader.plan.table}"
                )
                self.failed.add(name, CutInputError(message))
            else:
                self._activate(loader, loader.postponed, name, ended=True)

    def _finish_streams(self) -> None:
        for name, loader in self.loaders.items():
            finish = partial(loader.finish, self._bookmark(loader), stated=self.barrier.covers(loader.newest))
            if loader.holds_state and name not in self.failed and self._guarded(name, finish):
                self.barrier.replaced(name, loader.newest)
                self._emit_state()

    def _activate(self, loader: StreamLoader, version: int, stream: str, *, ended: bool = False) -> None:
        done: list[bool] = []
        if self._ended_well(loader, stream):
            self._guarded(stream, lambda: done.append(loader.activate(version, ended=ended)))
        if done == [True]:
            self.barrier.handed_over(stream if loader.holds_state else _activation_of(stream))
            if not loader.holds_state:
                self.barrier.committed(_activation_of(stream))
            self._emit_state()
        self._stop_if_asked()

    def _load_all(self, stream: str = "", *, ended: bool = False) -> None:
        """Load what waits, of one stream as received or of all, and wait for it."""
        sinks = [
            sink
            for sink in self._sinks_active.values()
            if isinstance(sink, AuditSink) and (not stream or self._is_from(sink.stream_name, stream))
        ]
        for sink in sinks:
            if sink.loader.waiting:
                self._current = sink.stream_name if ended else self._current
                # After the last STATE the input may have been cut inside a document.
                cut = ended and self.barrier.is_after_state(sink.loader.newest)
                torn = bool(stream) and not self.barrier.covers(sink.loader.newest)
                self.load_sink(sink, cut=cut, torn=torn)
        for sink in sinks:
            self._ended_well(sink.loader, sink.stream_name)
            self._stop_if_asked()

    def _look_around(self, current: str) -> None:
        """Notice loads that failed, and load batches that waited too long.

        A batch that may be inside a document waits for its end. Documents come contiguously, so those of any
        stream but the current one have most likely ended; where one goes on all the same, its rest removes
        nothing.
        """
        self._stop_if_asked()
        longest = float(self.config.get("batch_wait_seconds") or 300)
        self._look_at = time.monotonic() + min(longest, _LOOK_EVERY_SECONDS)
        for sink in list(self._sinks_active.values()):
            if not isinstance(sink, AuditSink):
                continue
            if sink.loader.has_failed:
                self._ended_well(sink.loader, sink.stream_name)
            elif sink.loader.age > longest and (
                sink.loader.splits_anywhere or not self._is_from(sink.stream_name, current)
            ):
                self.load_sink(sink)

    def _ended_well(self, loader: StreamLoader, stream: str) -> bool:
        """Wait for the stream's load, and tell whether the stream may go on."""
        return stream not in self.failed and self._guarded(stream, loader.wait)

    def _guarded(self, stream: str, load: Callable[[], object]) -> bool:
        """Run or await a load that a first signal must not tear; a failure that ends the run is raised."""
        before, self._busy = self._busy, True
        try:
            load()
        except TargetError as error:
            self._fail_stream(stream, error)
            return False
        except Exception:
            # The run ends, and saves what other streams have: nothing of this one may pass what failed.
            self.barrier.lost(stream)
            self.loaders[stream].close()
            raise
        finally:
            self._busy = before
        return True

    def _fail_stream(self, stream: str, error: TargetError) -> None:
        """Give a stream up, or raise what ends the run."""
        self.loaders[stream].close()
        if ends_the_run(error) or self.config.get("error_tolerance") == "none":
            raise error
        self.failed.add(stream, error)

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """What a first signal must not tear, in the main thread: it is obeyed afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before

    def _bookmark(self, loader: StreamLoader) -> Json:
        """The stream's bookmark in the latest STATE, where it has the name that it has in the input."""
        latest = self.barrier.latest
        bookmarks = latest.get("bookmarks") if isinstance(latest, dict) else None
        return bookmarks.get(loader.plan.source_stream) if isinstance(bookmarks, dict) else None

    def _emit_state(self) -> None:
        """Let the newest safe STATE leave; any thread may ask, and two never leave in the wrong order."""
        with self._emitting:
            ready, value = self.barrier.ready()
            if ready:
                self._write_state_message(value)

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        try:
            with self._undisturbed():
                sys.stdout.write(state_line(state))
                sys.stdout.flush()
        except OSError as error:
            raise OutputError(error) from error

    def _is_from(self, alias: str, stream: str) -> bool:
        return any(m.stream_alias == alias for m in self.mapper.stream_maps.get(stream, ()))

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """SIGTERM, SIGINT: let running transactions finish, then stop; a second signal stops at once."""
        again = self._at_once = self.stopping.is_set()
        self.stopping.set()
        self.logger.warning("%s received", signal.Signals(signum).name)
        if again or not self._busy:
            self._stop_if_asked()

    @property
    def was_told_twice(self) -> bool:
        """Whether a second signal came."""
        return self._at_once

    def _stop_if_asked(self) -> None:
        if self.stopping.is_set():
            message = "a signal ended the run before its input ended; what the last STATE covers is committed"
            error = InterruptedRunError(message)
            error.at_once = self._at_once
            raise error
