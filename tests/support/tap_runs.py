"""Run tap-sagex3 inside the test process and read its messages; numbers stay exact."""

from __future__ import annotations

import contextlib
import io
import json
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from tap_sagex3.errors import TapError
from tap_sagex3.tap import TapSageX3

if t.TYPE_CHECKING:
    from processes import Server

Record = dict[str, t.Any]
Config = dict[str, t.Any]
Alter = t.Callable[[str, t.Any], t.Any]
"""Gets URL and body of an answer; gives another body, or None to leave it."""


@dataclass
class Run:
    """Messages of one run, in the order in which they were written."""

    messages: list[dict[str, t.Any]]
    keys: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note the key of each stream."""
        for message in self.of("SCHEMA"):
            self.keys[message["stream"]] = message["key_properties"]

    def of(self, kind: str, stream: str | None = None) -> list[dict[str, t.Any]]:
        """Messages of a type, of one stream when named."""
        return [m for m in self.messages if m["type"] == kind and stream in {None, m.get("stream")}]

    def records(self, stream: str) -> list[Record]:
        """Records of a stream, in order."""
        return [m["record"] for m in self.of("RECORD", stream)]

    def by_key(self, stream: str) -> dict[tuple[t.Any, ...], Record]:
        """Last record of each key."""
        key = self.keys[stream]
        return {tuple(record[name] for name in key): record for record in self.records(stream)}

    def counts(self) -> Counter[str]:
        """Number of records by stream."""
        return Counter(m["stream"] for m in self.of("RECORD"))

    @property
    def state(self) -> dict[str, t.Any]:
        """Value of the last STATE."""
        states = self.of("STATE")
        return t.cast("dict[str, t.Any]", states[-1]["value"]) if states else {}

    @property
    def settled_state(self) -> dict[str, t.Any]:
        """The last STATE without what belongs to one run: counts, and since when lines were not told."""
        state: dict[str, t.Any] = copy_of(self.state)
        for bookmark in state.get("bookmarks", {}).values():
            bookmark.pop("control", None)
            bookmark.pop("lines_from", None)
        return state


def config_for(running: Server, api: str) -> Config:
    """Configuration for a running local X3.

    REST is read as of V11 with Basic, GraphQL as of V12 with a connected application.
    """
    names = ("folder", "username", "password", "client_id", "client_secret", "allowed_user", "audience")
    config = {name: running.ready[name] for name in names}
    version, auth = ("V11", "basic") if api == "rest" else ("V12", "connected_app")
    return {**config, "server_url": running.ready["url"], "x3_version": version, "auth": auth}


def run_tap(
    config: Config, *, state: dict[str, t.Any] | None = None, catalog: dict[str, t.Any] | None = None
) -> Run:
    """Sync with a configuration, a state and a catalog; each is copied first. Raises what the tap raises."""
    buffer = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(buffer):
        tap = TapSageX3(config=copy_of(config), state=copy_of(state or {}), catalog=copy_of(catalog))
        tap.sync_all()
    return read_messages(buffer.buffer.getvalue())


def run_tap_until_it_fails(
    config: Config, error: type[Exception], *, catalog: dict[str, t.Any] | None = None
) -> tuple[Run, Exception]:
    """Sync, expecting an error; gives the messages that were written before it, and the error."""
    buffer = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(buffer):
        try:
            TapSageX3(config=copy_of(config), catalog=copy_of(catalog)).sync_all()
        except error as found:
            return read_messages(buffer.buffer.getvalue()), found
    msg = f"no {error.__name__} was raised"
    raise AssertionError(msg)


def read_messages_of_run(
    config: Config, catalog: dict[str, t.Any], state: dict[str, t.Any]
) -> tuple[list[dict[str, t.Any]], TapError | None]:
    """Sync; gives what was written, and the error that ended it, if one did."""
    buffer, error = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), None
    with contextlib.redirect_stdout(buffer):
        try:
            tap = TapSageX3(config=copy_of(config), state=copy_of(state), catalog=copy_of(catalog))
            tap.sync_all()
        except TapError as found:
            error = found
    return read_messages(buffer.buffer.getvalue()).messages, error


def read_messages(output: bytes) -> Run:
    """Messages of a tap's output; every line must be whole JSON."""
    return Run([json.loads(line, parse_float=Decimal) for line in output.splitlines()])


def catalog_of(config: Config, *streams: str) -> dict[str, t.Any]:
    """The discovered catalog with only some streams selected."""
    catalog: dict[str, t.Any] = copy_of(TapSageX3(config=copy_of(config)).catalog_dict)
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"] == []:
                metadata["metadata"]["selected"] = entry["stream"] in streams
    return catalog


def copy_of(value: t.Any) -> t.Any:  # noqa: ANN401 - JSON
    """A deep copy by way of JSON, as if it had gone through a file."""
    return json.loads(json.dumps(value, default=float))
