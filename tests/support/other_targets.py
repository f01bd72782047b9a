"""Other people's targets beside our tap in a Meltano project of its own; state is Meltano's."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import typing as t
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pinned_environment
import pipeline
from processes import ROOT, VENV_BIN
from ruamel.yaml import YAML

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_runs import Config

ENVIRONMENTS = ROOT / "build" / "targets"
WRAPPER = ROOT / "tests" / "bench" / "peer_wrapper.py"
"""Runs meltanolabs-target-snowflake with an address, for which it has no setting."""


def environment(name: str) -> Path:
    """The environment of a target, made when its pinned requirements are new."""
    return pinned_environment.pinned(ENVIRONMENTS / name, ROOT / "requirements" / f"{name}.txt")


def snowflake_peer() -> Path:
    """The environment of meltanolabs-target-snowflake, the one that `make peers` and `make bench` use."""
    folder = ROOT / "build" / "bench" / "environments" / "peer"
    return pinned_environment.pinned(folder, ROOT / "requirements" / "bench-peer.txt")


class Project:
    """A Meltano project in a folder, with our tap as our own project declares it, and one loader."""

    def __init__(self, folder: Path, loader: str, executable: Path, config: Config) -> None:
        """Write its file; `config` are settings of the loader. Streams are selected as in our own project."""
        self._folder = folder
        self._loader = loader
        ours = YAML(typ="safe").load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
        extractor = next(p for p in ours["plugins"]["extractors"] if p["name"] == "tap-sagex3")
        extractor = {**extractor, "executable": str(VENV_BIN / "tap-sagex3")}
        del extractor["pip_url"]
        plugin = {
            "name": loader,
            "namespace": loader.replace("-", "_"),
            "executable": str(executable),
            "settings": [{"name": name} for name in config],
            "config": config,
        }
        project = {
            "default_environment": "test",
            "environments": [{"name": "test"}],
            "project_id": f"test-{loader}",
            "send_anonymous_usage_stats": False,
            "plugins": {"extractors": [extractor], "loaders": [plugin]},
        }
        (folder / "meltano.yml").write_text(json.dumps(project), encoding="utf-8")

    def run(self, tap: Config) -> pipeline.Finished:
        """Run the pair with settings of the tap; fails when the run does."""
        settings = {
            f"TAP_SAGEX3_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in tap.items()
        }
        finished = pipeline.run(["meltano", "run", "tap-sagex3", self._loader], settings, cwd=self._folder)
        assert finished.code == 0, finished.err[-4000:]
        return finished


class Postgres:
    """Asks a PostgreSQL that runs in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read its address."""
        self._process = process
        self.address = str(self._answer())

    def rows(self, query: str) -> list[list[t.Any]]:
        """The rows of a query."""
        pipe = t.cast("t.IO[str]", self._process.stdin)
        pipe.write(json.dumps(query) + "\n")
        pipe.flush()
        return t.cast("list[list[t.Any]]", self._answer())

    def _answer(self) -> t.Any:  # noqa: ANN401 - JSON
        line = t.cast("t.IO[str]", self._process.stdout).readline()
        assert line, "PostgreSQL ended"
        return json.loads(line, object_hook=_untagged)


def _untagged(item: dict[str, t.Any]) -> t.Any:  # noqa: ANN401 - one of the tagged kinds, or JSON
    """A value that the process tagged; other objects stay as they are."""
    match item:
        case {"decimal": str(text)}:
            return Decimal(text)
        case {"time": str(text)}:
            return dt.datetime.fromisoformat(text)
        case {"day": str(text)}:
            return dt.date.fromisoformat(text)
        case _:
            return item


@contextmanager
def postgres(place: Path, folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL with its data in `folder`, from the environment at `place`."""
    program = Path(__file__).with_name("postgres_process.py")
    with subprocess.Popen(
        [str(place / "bin" / "python"), str(program), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Postgres(process)
        t.cast("t.IO[str]", process.stdin).close()
        process.wait(timeout=60)
