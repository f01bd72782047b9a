"""What the control streams have in common: a whole table, sent when it differs from what was sent last."""

from __future__ import annotations

import abc
import typing as t
from contextlib import closing
from itertools import islice

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_sagex3.emitter import Emitter
from tap_sagex3.errors import NotReadableError
from tap_sagex3.mapping import shape
from tap_sagex3.sync.slots import CONTROL, DIGEST
from tap_sagex3.tables import VERSION, Spool, TableStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers import types

    from tap_sagex3.documents import Row


class ControlStream(TableStream, abc.ABC):
    """A table that is made anew in each run that selects it."""

    selected_by_default = False
    forced_replication_method = REPLICATION_FULL_TABLE

    @abc.abstractmethod
    def rows(self) -> Iterator[Row]:
        """All rows, always in the same order.

        Raises:
            TapError: a part of them cannot be read; nothing must be sent then.
        """

    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:  # noqa: ARG002 - SDK signature
        """All records, as a program that embeds the tap may want them."""
        return self.rows()

    def sync(self, context: types.Context | None = None) -> None:  # type: ignore[misc]  # noqa: ARG002
        """Read everything, then send it if it changed.

        The SDK marks `sync` final for type checkers; its own loop would send rows before all have been read.
        """
        try:
            if self.ABORT_AT_RECORD_COUNT is None:
                self._send()
            else:
                self._dry_run(self.ABORT_AT_RECORD_COUNT)
        except NotReadableError as error:
            self.tap.skip_or_fail([self], error)

    def _send(self) -> None:
        """Send everything, if it changed."""
        writer, state, selected = self.tap.message_writer, self.stream_state, self.chosen
        version = self.next_version()
        emitter = Emitter(self.stream_maps, version, shape(self.config))
        with closing(Spool()) as spool, self.get_record_counter() as counter, self.get_sync_timer():
            for row in self.rows():
                spool.add(emitter.encode([{name: row[name] for name in selected}], self.tap.now()))
            self._write_schema_message()
            if state.get(DIGEST) != spool.digest():
                if state.pop(DIGEST, None):
                    self.write_state()
                spool.copy_to(writer)
                counter.increment(spool.number)
                self.activate_version(version)
                state.update({DIGEST: spool.digest(), VERSION: version})
                if by_name := spool.by_name(emitter.name):
                    state[CONTROL] = {"run": self.tap.run_id, "records": by_name}
        self.write_state()
        writer.flush()

    def _dry_run(self, limit: int) -> None:
        """Send a few rows and leave state as it is."""
        emitter, selected = Emitter(self.stream_maps, None), self.chosen
        rows = list(islice(self.rows(), limit))
        self._write_schema_message()
        for row in rows:
            lines = emitter.encode([{name: row[name] for name in selected}], self.tap.now())
            self.tap.message_writer.write_lines(lines.lines)
        self.tap.message_writer.flush()
