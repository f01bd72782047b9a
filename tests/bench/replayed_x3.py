"""A local X3 that gives its answers again, and runs of a tap against it, so that the tap is what is measured.

An answer is computed for the first run that asks for it, which is not timed, and replayed byte for byte to
all others; `latency` makes it come later, without a request waiting for another one.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from processes import server
from x3_control import X3Control
from x3_servers import check_read_only

from . import environments
from .measure import BenchError, Measured, run_measured, tail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SYNC_TIME = re.compile(rb'"metric":\s*"sync_duration",\s*"value":\s*([0-9.]+)')
RECORD_COUNT = re.compile(
    rb'"metric":\s*"record_count",\s*"value":\s*([0-9]+),\s*"tags":\s*\{"stream":\s*"(\w+)"'
)
"""The SDK's own metrics, in the log of every tap that is made with it."""


@dataclass(frozen=True)
class Tap:
    """A tap with its configuration: what runs, and where its log goes."""

    command: tuple[str | Path, ...]
    log: Path

    def run(self, output: Path | None = None) -> Measured:
        """Run it; its messages go to a file, or nowhere. Raises BenchError when it fails."""
        return run_measured(self.command, stdout=output, log=self.log)

    def sync_seconds(self) -> float:
        """Give the longest time that the last run spent on a stream: that of the one that was read."""
        found = [float(text) for text in SYNC_TIME.findall(self.log.read_bytes())]
        if not found:
            message = f"the tap told no time of its sync:\n{tail(self.log)}"
            raise BenchError(message)
        return max(found)

    def counted(self, stream: str) -> int:
        """Give the number of records of a stream that the last run says it sent."""
        found = RECORD_COUNT.findall(self.log.read_bytes())
        return sum(int(number) for number, name in found if name.decode() == stream)


@dataclass(frozen=True)
class Output:
    """What a run sent: number of records, and a digest of some columns of them, in their order or in any."""

    records: int
    digest: str


@contextmanager
def local_x3(scale: int, *options: str) -> Iterator[tuple[dict[str, Any], X3Control]]:
    """Start a local X3 of its own for a figure; give its ready line and its control."""
    with server("local_x3", "--scale", str(scale), *options) as running:
        with X3Control(running.ready["url"]) as control:
            yield running.ready, control
        check_read_only(running.ready["url"])


def our_tap(ready: dict[str, Any], api: str, streams: Sequence[str], folder: Path, **settings: object) -> Tap:
    """Configure our tap for some streams of a local X3, with Basic login as the peer has it."""
    binary = environments.ours() / "bin" / "tap-sagex3"
    config = _write(
        folder / "ours.json",
        {**access(ready), "x3_version": "V11" if api == "rest" else "V12", "auth": "basic", **settings},
    )
    catalog = json.loads(_output_of([binary, "--config", config, "--discover"]))
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["stream"] in streams
    selected = _write(folder / "catalog.json", catalog)
    return Tap((binary, "--config", config, "--catalog", selected), folder / "ours.log")


def access(ready: dict[str, Any]) -> dict[str, Any]:
    """Give the settings that any tap of this server needs."""
    return {"server_url": ready["url"]} | {name: ready[name] for name in ("folder", "username", "password")}


def plain_tap(ready: dict[str, Any], page_size: int, folder: Path) -> Tap:
    """Configure the peer, which runs with the same Python and the same SDK as our tap."""
    config = _write(folder / "peer.json", {**access(ready), "page_size": page_size})
    python = environments.ours() / "bin" / "python"
    return Tap((python, environments.PLAIN_TAP, "--config", config), folder / "peer.log")


def read_output(
    file: Path, columns: Sequence[str] | None = None, stream: str | None = None, *, ordered: bool = True
) -> Output:
    """Read what a tap sent; numbers count by their value, and without `columns` the whole record counts."""
    digests: list[bytes] = []
    with file.open("rb") as lines:
        for line in lines:
            message = json.loads(line, parse_float=Decimal, parse_int=Decimal)
            if message["type"] != "RECORD" or stream not in {None, message["stream"]}:
                continue
            record = message["record"]
            values = [record[name] for name in columns] if columns else [message["stream"], record]
            digests.append(hashlib.sha256(json.dumps(values, default=_exact).encode()).digest())
    whole = hashlib.sha256(b"".join(digests if ordered else sorted(digests)))
    return Output(len(digests), whole.hexdigest())


def check_equal(found: Output, expected: Output, what: str) -> None:
    """Refuse a figure whose runs did not do the same work.

    Raises:
        BenchError: numbers of records or their values differ, or there are none.
    """
    if found != expected or not found.records:
        message = f"{what}: {found} is not {expected}, so the figure does not count"
        raise BenchError(message)


def _exact(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _write(file: Path, content: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(content))
    return file


def _output_of(command: Sequence[str | Path]) -> bytes:
    ended = subprocess.run(command, capture_output=True, check=False)
    if ended.returncode:
        message = (
            f"{command[0]} ended with {ended.returncode}: {ended.stderr.decode(errors='replace')[-500:]}"
        )
        raise BenchError(message)
    return ended.stdout
