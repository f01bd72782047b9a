"""Clean environments: our two plugins from their wheels, the peer from its pinned requirements.

They stay in `build/bench/` and are made again only when the wheels or the requirements change.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from .measure import BenchError
from .options import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOME = ROOT / "build" / "bench"
UV = ROOT / ".tools" / "bin" / "uv"
MEMBERS = ("tap-sagex3", "target-snowflake-audit")
OUR_PINS = ROOT / "requirements" / "dev.txt"
PEER_PINS = ROOT / "requirements" / "bench-peer.txt"
MARK = ".made-from"


def ours() -> Path:
    """Give the environment with both plugins as a user would install them, at the pinned versions."""
    wheels = [_wheel(member) for member in MEMBERS]
    install: list[str | Path] = ["pip", "install", "--quiet", "--constraint", OUR_PINS, *wheels]
    return _environment("ours", [OUR_PINS, *wheels], install)


def peer() -> Path:
    """Give the environment of meltanolabs-target-snowflake."""
    install: list[str | Path] = ["pip", "sync", "--quiet", "--require-hashes", PEER_PINS]
    return _environment("peer", [PEER_PINS], install)


def version(environment: Path, package: str) -> str:
    """Give the version of a package in an environment, or `not installed`."""
    found = sorted(environment.glob(f"lib/python*/site-packages/{package.replace('-', '_')}-*.dist-info"))
    return found[0].name.removesuffix(".dist-info").rpartition("-")[2] if found else "not installed"


def _wheel(member: str) -> Path:
    folder = HOME / "wheels" / member
    shutil.rmtree(folder, ignore_errors=True)
    _uv(["build", "--quiet", "--wheel", "--out-dir", folder, ROOT / member])
    (wheel,) = folder.glob("*.whl")
    return wheel


def _environment(name: str, parts: Sequence[Path], install: Sequence[str | Path]) -> Path:
    folder = HOME / "environments" / name
    mark = folder / MARK
    wanted = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    if mark.is_file() and mark.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    _uv(["venv", "--quiet", "--python", "3.11", folder])
    command, *rest = install
    _uv([command, rest[0], "--python", folder / "bin" / "python", *rest[1:]])
    mark.write_text(wanted)
    return folder


def _uv(arguments: Sequence[str | Path]) -> None:
    made = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    if made.returncode:
        message = f"`uv {' '.join(map(str, arguments))}` failed:\n{made.stderr.strip()}"
        raise BenchError(message)
