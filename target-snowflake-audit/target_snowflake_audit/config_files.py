"""Configuration files as given on the command line, of the target and of `snowflake-audit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import ConfigFileError
from target_snowflake_audit.values import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def read(files: Iterable[str | Path]) -> dict[str, Any]:
    """Give the settings of files, later ones over earlier ones; each is read once, as it may be a pipe.

    Raises:
        ConfigFileError: one cannot be read, or holds no JSON object.
    """
    found: dict[str, Any] = {}
    for file in files:
        found.update(_read(str(file)))
    return found


def _read(file: str) -> dict[str, Any]:
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigFileError(file, error.strerror or type(error).__name__) from None
    except (ValueError, RecursionError) as error:
        raise ConfigFileError(file, f"not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ConfigFileError(file, f"expected a JSON object of settings, got {kind_of(content)}")
    return content
