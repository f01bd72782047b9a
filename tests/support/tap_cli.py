"""Run tap-sagex3 as a program, with files for configuration, catalog and state; numbers stay exact."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from processes import run_command
from tap_runs import Run, read_messages

if t.TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from tap_runs import Config

TAP = "tap-sagex3"
Catalog = dict[str, t.Any]


@dataclass(frozen=True)
class TapProgram:
    """The tap with a configuration; its files are in `folder`."""

    folder: Path
    config: Config

    def started(
        self, *, catalog: Catalog | None = None, state: dict[str, t.Any] | None = None, **settings: object
    ) -> CompletedProcess[bytes]:
        """Run it to its end, with settings besides those of its configuration."""
        command = [TAP, "--config", self._file("config", {**self.config, **settings})]
        if catalog is not None:
            command += ["--catalog", self._file("catalog", catalog)]
        if state is not None:
            command += ["--state", self._file("state", state)]
        return run_command(command)

    def run(
        self, *, catalog: Catalog | None = None, state: dict[str, t.Any] | None = None, **settings: object
    ) -> Run:
        """The messages of a run that ends well."""
        ended = self.started(catalog=catalog, state=state, **settings)
        assert ended.returncode == 0, ended.stderr.decode()[-4000:]
        return read_messages(ended.stdout)

    def discover(self, **settings: object) -> Catalog:
        """The catalog of this site."""
        ended = run_command(
            [TAP, "--config", self._file("config", {**self.config, **settings}), "--discover"]
        )
        assert ended.returncode == 0, ended.stderr.decode()[-4000:]
        return t.cast("Catalog", json.loads(ended.stdout))

    def _file(self, name: str, content: object) -> str:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content, default=float), encoding="utf-8")
        return str(path)


def select(catalog: Catalog, chosen: t.Mapping[str, t.Collection[str] | None]) -> Catalog:
    """A catalog with only some streams, and of these some properties (None: all), keys or not."""
    for entry in catalog["streams"]:
        names = chosen.get(entry["tap_stream_id"])
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["tap_stream_id"] in chosen
            elif names is not None:
                item["metadata"]["selected"] = item["breadcrumb"][1] in names
    return catalog


def assert_refused(ended: CompletedProcess[bytes], *words: str) -> None:
    """It ended with 1, without a traceback, in a line or two (the SDK's own) that hold the words."""
    text = ended.stderr.decode()
    assert ended.returncode == 1, text
    assert "Traceback" not in text
    lines = [line for line in text.splitlines() if "| ERROR" in line or "| CRITICAL" in line]
    assert 1 <= len(lines) <= 2, text
    for word in words:
        assert word in "\n".join(lines)
