"""Private folders for batch files; those that a killed process left behind are removed by the next one."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

_PREFIX = "target-snowflake-audit-"
_NAME = re.compile(re.escape(_PREFIX) + r"(\d+)-")


def make() -> Path:
    """Make a folder that only this user can read; its name tells the process."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def sweep() -> None:
    """Remove this user's folders whose process is gone: they hold records."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        found = _NAME.match(folder.name)
        if found and folder.stat().st_uid == os.getuid() and not _runs(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
