"""Runs the plugins and Meltano as a user does: as processes, with an environment, over files and pipes."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass
class Finished:
    """An ended process: its exit code, what it wrote, and the Singer messages among it."""

    code: int
    out: str
    err: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    def records(self, stream: str | None = None) -> list[dict[str, Any]]:
        """Give the records the process emitted, of one stream or of all."""
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and stream in (None, m["stream"])]

    @property
    def state(self) -> dict[str, Any] | None:
        """The last STATE value, of a tap's messages or of a target's output lines; None without one."""
        values = [m["value"] for m in self.messages if m["type"] == "STATE"]
        if values:
            return dict(values[-1])
        lines = [line for line in self.out.splitlines() if line.startswith("{")]
        return dict(json.loads(lines[-1])) if lines else None


def run(command: Sequence[str], environment: Mapping[str, str], **options: Any) -> Finished:  # noqa: ANN401
    """Run a program of the workspace's environment and wait for its end."""
    own = ("TAP_SAGEX3_", "TARGET_SNOWFLAKE_AUDIT_", "MELTANO_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    ended = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=options.pop("cwd", ROOT),
        timeout=240,
        **options,
    )
    return Finished(ended.returncode, ended.stdout, ended.stderr)


def tap(
    environment: Mapping[str, str],
    folder: Path,
    *,
    state: Mapping[str, Any] | None = None,
    streams: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
) -> Finished:
    """Run tap-sagex3 and decode what it emits; numbers become Decimal.

    Args:
        environment: TAP_SAGEX3_* settings.
        folder: where configuration, catalog and state files are written.
        state: the STATE of the run before.
        streams: names of the streams to select; none: the tap's own defaults.
        config: settings beside those of the environment.
    """
    command = ["tap-sagex3", "--config", "ENV"]
    if config:
        command += ["--config", _write(folder / "tap-config.json", config)]
    if streams:
        command += ["--catalog", _write(folder / "catalog.json", _catalog(environment, command, streams))]
    if state is not None:
        command += ["--state", _write(folder / "tap-state.json", state)]
    ended = run(command, environment)
    ended.messages = [
        json.loads(line, parse_float=Decimal) for line in ended.out.splitlines() if line.strip()
    ]
    return ended


def target(
    environment: Mapping[str, str],
    lines: str,
    folder: Path,
    config: Mapping[str, Any] | None = None,
) -> Finished:
    """Run target-snowflake-audit on Singer lines, with the project's own configuration and `config`."""
    file = _write(folder / "target-config.json", {**project_config("loaders"), **(config or {})})
    return run(["target-snowflake-audit", "--config", "ENV", "--config", file], environment, input=lines)


def project_config(group: str) -> dict[str, Any]:
    """Give the `config` of meltano.yml's first extractor or loader."""
    project = YAML(typ="safe").load((ROOT / "meltano.yml").read_text())
    config: dict[str, Any] = project["plugins"][group][0]["config"]
    return config


def meltano(environment: Mapping[str, str], *arguments: str) -> Finished:
    """Run Meltano in the project's root, as typed by a user."""
    return run(["meltano", *arguments], {"MELTANO_CLI_LOG_LEVEL": "info", "NO_COLOR": "1", **environment})


def _catalog(
    environment: Mapping[str, str], command: Sequence[str], streams: Sequence[str]
) -> dict[str, Any]:
    settings = frozenset(item for item in environment.items() if item[0].startswith("TAP_SAGEX3_"))
    catalog: dict[str, Any] = json.loads(_discovered(settings, tuple(command)))
    unknown = set(streams) - {entry["tap_stream_id"] for entry in catalog["streams"]}
    if unknown:
        message = f"no such streams: {sorted(unknown)}"
        raise RuntimeError(message)
    for entry in catalog["streams"]:
        chosen = entry["tap_stream_id"] in streams
        entry["selected"] = chosen
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = chosen
    return catalog


@functools.cache  # no test changes what a site has while it runs; a second of each run otherwise
def _discovered(settings: frozenset[tuple[str, str]], command: tuple[str, ...]) -> str:
    discovered = run([*command, "--discover"], dict(settings))
    if discovered.code:
        message = f"discovery failed: {discovered.err}"
        raise RuntimeError(message)
    return discovered.out


def _write(file: Path, content: Mapping[str, Any]) -> str:
    file.write_text(json.dumps(content, default=str))
    return str(file)
