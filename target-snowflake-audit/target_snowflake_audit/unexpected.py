"""Errors that are not our own, such as a full disk, in one line for a person: what failed, and in doing what.

No secret is shown: what the settings hold of them is taken out of the message.
"""

from __future__ import annotations

import errno
import logging
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import ResourceError, TargetError, UnexpectedError
from target_snowflake_audit.settings_read import SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_WHILE = "while "
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_AFTER = "what is committed stays, and the next run starts from the last STATE that left"
_SHORTEST = 4
"""Characters of a secret, or of a line of one, that are taken out: shorter ones would blank every message."""


def note(error: BaseException, doing: str) -> None:
    """Keep with an error what was being done, unless it says so itself."""
    if not isinstance(error, TargetError):
        error.add_note(f"{_WHILE}{doing}")


def explained(
    error: Exception, doing: str, settings: Mapping[str, Any], *, shows_text: bool = False
) -> TargetError:
    """Give an error that a person can act on for one that is not our own.

    Its own text could repeat a value of a record, so it is left out once there are records (`shows_text`).
    """
    if isinstance(error, TargetError):
        return error
    # Lines of code only: no message and no value.
    logger.debug("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    told = next((text for text in getattr(error, "__notes__", ()) if text.startswith(_WHILE)), "")
    where = told or f"{_WHILE}{doing}"
    if isinstance(error, MemoryError):
        hint = "lower `batch_size_rows`, `batch_size_bytes` or `max_parallelism`, or give the process more"
        return ResourceError(f"out of memory {where}: {hint}; {_AFTER}")
    if isinstance(error, OSError):
        return ResourceError(without_secrets(_of_system(error, where), settings))
    text = f": {error}" if shows_text else ""
    message = f"{type(error).__name__} {where}{place(error)}{text}; {_AFTER}"
    return UnexpectedError(without_secrets(message, settings))


def without_secrets(text: str, settings: Mapping[str, Any]) -> str:
    """Take every secret of the settings out of a text, also one line of it."""
    for name in SECRETS:
        secret = str(settings.get(name) or "")
        for part in sorted({secret, *secret.splitlines()}, key=len, reverse=True):
            if len(part.strip()) >= _SHORTEST:
                text = text.replace(part.strip(), "***")
    return text


def _of_system(error: OSError, where: str) -> str:
    reason = error.strerror or type(error).__name__
    file = f", {error.filename}" if error.filename else ""
    hint = ""
    if error.errno in _FULL:
        hint = f"; files of batches need room in {tempfile.gettempdir()}, or in the folder that TMPDIR names"
    return f"{reason} {where}{file}{hint}; {_AFTER}"


def place(error: Exception) -> str:
    """Line of code that failed, for a report."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
