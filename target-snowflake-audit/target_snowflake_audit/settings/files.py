"""Configuration files as given on the command line."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from target_snowflake_audit.errors import ConfigFileError
from target_snowflake_audit.values import kind_of


def read(files: t.Iterable[str]) -> dict[str, t.Any]:
    """Give the settings of files, later ones over earlier ones; each is read once, as it may be a pipe.

    Raises:
        ConfigFileError: one cannot be read, or holds no JSON object.
    """
    found: dict[str, t.Any] = {}
    for file in files:
        found.update(_read(file))
    return found


def _read(file: str) -> dict[str, t.Any]:
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigFileError(file, error.strerror or type(error).__name__) from None
    except (ValueError, RecursionError) as error:
        raise ConfigFileError(file, f"not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ConfigFileError(file, f"expected a JSON object of settings, got {kind_of(content)}")
    return content
