"""Clean environments from pinned requirements, made again only when the requirements change."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UV = ROOT / ".tools" / "bin" / "uv"
MARK = ".made-from"


def environment(folder: Path, parts: Sequence[Path], install: Sequence[str | Path]) -> Path:
    """Give an environment at `folder`, made anew when the content of `parts` differs from last time.

    Args:
        folder: where it lives.
        parts: the files that decide what is in it.
        install: `uv` command that fills it, for example `pip sync --require-hashes FILE`.

    Raises:
        RuntimeError: `uv` failed, with what it said.
    """
    wanted = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests in several processes want the same environment
        _make(folder, wanted, install)
    return folder


def _make(folder: Path, wanted: str, install: Sequence[str | Path]) -> None:
    mark = folder / MARK
    if mark.is_file() and mark.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    uv(["venv", "--quiet", "--python", "3.11", folder])
    command, word, *rest = install
    uv([command, word, "--python", folder / "bin" / "python", *rest])
    mark.write_text(wanted)


def pinned(folder: Path, pins: Path) -> Path:
    """Give an environment with exactly what a requirements file pins."""
    return environment(folder, [pins], ["pip", "sync", "--quiet", "--require-hashes", pins])


def overlay(folder: Path, pins: Path) -> Path:
    """Give a folder with exactly what a requirements file pins; on PYTHONPATH it comes before `.venv`."""
    wanted = hashlib.sha256(pins.read_bytes()).hexdigest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = folder / MARK
        if not mark.is_file() or mark.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            python = ROOT / ".venv" / "bin" / "python"
            uv(
                [
                    "pip",
                    "install",
                    "--quiet",
                    "--python",
                    python,
                    "--target",
                    folder,
                    "--require-hashes",
                    "-r",
                    pins,
                ]
            )
            mark.write_text(wanted)
    return folder


def version(folder: Path, package: str) -> str:
    """Give the version of a package in an environment, or `not installed`."""
    found = sorted(folder.glob(f"lib/python*/site-packages/{package.replace('-', '_')}-*.dist-info"))
    return found[0].name.removesuffix(".dist-info").rpartition("-")[2] if found else "not installed"


def uv(arguments: Sequence[str | Path]) -> None:
    """Run uv.

    Raises:
        RuntimeError: it failed.
    """
    # As pip does, which the users of these environments have; so their first start is like any other.
    settings = {**os.environ, "UV_COMPILE_BYTECODE": "1"}
    made = subprocess.run(
        [UV, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, env=settings
    )
    if made.returncode:
        message = f"`uv {' '.join(map(str, arguments))}` failed:\n{made.stderr.strip()}"
        raise RuntimeError(message)
