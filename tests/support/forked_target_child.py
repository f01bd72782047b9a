"""What a forked run of the target does. The connector is loaded after the fork: its core starts threads."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def run(folder: str) -> None:
    """Run the command in this process with the files of a folder: `in`, `out`, `err`, `config.json`."""
    place = Path(folder)
    for descriptor, name, flags in ((0, "in", os.O_RDONLY), (1, "out", _NEW), (2, "err", _NEW)):
        opened = os.open(place / name, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(at, mode) for at, mode in enumerate("rww"))
    from target_snowflake_audit.singer_command import run_singer  # noqa: PLC0415 - loaded before the fork

    sys.exit(run_singer(["--config", str(place / "config.json")]))
