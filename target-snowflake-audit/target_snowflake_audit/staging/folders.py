"""Private folders for batch files; those that a killed process left behind are removed by the next one.

Each folder holds a file that its process keeps locked: the lock ends with the process, whatever ends it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "target-snowflake-audit-"
_LOCK = "lock"
_held: dict[Path, int] = {}


def make() -> Path:
    """Make a folder that only this user can read, locked by this process."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    _held[folder] = lock
    return folder


def remove(folder: Path) -> None:
    """Remove a folder made by `make`; removing it again does nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    lock = _held.pop(folder, None)
    if lock is not None:
        os.close(lock)


def remove_all() -> None:
    """Remove the folders of this process."""
    for folder in list(_held):
        remove(folder)


def sweep() -> None:
    """Remove this user's folders whose process is gone: they hold records."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if folder not in _held and _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether nobody holds the folder's lock; one without a lock file is being made just now."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
