"""Other people's taps: each runs in an environment of its own, and its lines go to our target."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from typing import TYPE_CHECKING, Any

import pinned_environment
from processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENVIRONMENTS = ROOT / "build" / "taps"


class ForeignTap:
    """A tap with its settings."""

    def __init__(self, name: str, config: dict[str, Any], folder: Path, **variables: str) -> None:
        """Make its environment when its pinned requirements are new; `variables` are set while it runs."""
        place = pinned_environment.pinned(ENVIRONMENTS / name, ROOT / "requirements" / f"{name}.txt")
        self._folder = folder
        self._command = [str(place / "bin" / name), "--config", self._file("tap.json", config)]
        self._environment = {**os.environ, **variables}

    def lines(self, state: dict[str, Any] | None = None) -> bytes:
        """Singer lines of a run, all streams selected."""
        catalog = json.loads(self._run("--discover"))
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                entry["metadata"]["selected"] = True
        arguments = ["--catalog", self._file("catalog.json", catalog)]
        if state is not None:
            arguments += ["--state", self._file("state.json", state)]
        return self._run(*arguments)

    def _file(self, name: str, content: dict[str, Any]) -> str:
        path = self._folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def _run(self, *arguments: str) -> bytes:
        ended = subprocess.run(
            [*self._command, *arguments],
            capture_output=True,
            check=False,
            timeout=120,
            env=self._environment,
        )
        assert ended.returncode == 0, ended.stderr.decode()[-4000:]
        return ended.stdout


def write_dbf(path: Path, fields: Sequence[tuple[str, str, int, int]], rows: Sequence[Sequence[str]]) -> None:
    """Write a dBase III file.

    Args:
        path: the file.
        fields: name, type (C, N, D or L), length and decimals of each.
        rows: texts of the fields; numbers stand at the right, the rest at the left.
    """
    width = 1 + sum(field[2] for field in fields)
    head = struct.pack("<4BLHH20x", 3, 126, 1, 31, len(rows), 33 + 32 * len(fields), width)
    for name, kind, length, decimals in fields:
        head += struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), length, decimals)
    body = b"".join(
        b" " + b"".join(_padded(text, field) for text, field in zip(row, fields, strict=True)) for row in rows
    )
    path.write_bytes(head + b"\r" + body + b"\x1a")


def _padded(text: str, field: tuple[str, str, int, int]) -> bytes:
    raw = text.encode("latin-1")
    return raw.rjust(field[2]) if field[1] == "N" else raw.ljust(field[2])
