"""Where the command finds its settings: the target's own, from configuration files and the environment."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.settings_read import SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PREFIX = "TARGET_SNOWFLAKE_AUDIT_"


def read(files: Sequence[Path], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Give the settings by name: environment variables first, later files over earlier ones for the rest.

    Environment variables hold text; settings that are lists or objects are JSON there, as Meltano writes
    them. An empty variable counts as not set, since a scheduler often cannot unset one.

    Raises:
        CommandError: a file is missing or holds no JSON object.
    """
    settings: dict[str, Any] = {}
    for file in files:
        settings.update(_file(file))
    variables = os.environ if environment is None else environment
    for name, value in variables.items():
        if name.startswith(PREFIX) and value:
            setting = name.removeprefix(PREFIX).lower()
            settings[setting] = value if setting in SECRETS else _value(value)
    return settings


def required(settings: Mapping[str, Any], name: str) -> str:
    """Give one text setting that the command cannot do without.

    Raises:
        CommandError: it is not set.
    """
    value = settings.get(name)
    if value is None or value == "":
        message = f"setting `{name}` is missing: set {PREFIX}{name.upper()} or name a file with --config"
        raise CommandError(message)
    return str(value)


def _file(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"--config {file}: {error.strerror}"
        raise CommandError(message) from None
    except ValueError as error:
        message = f"--config {file}: not JSON: {error}"
        raise CommandError(message) from None
    if not isinstance(content, dict):
        message = f"--config {file}: expected a JSON object of settings, got {type(content).__name__}"
        raise CommandError(message)
    return content


def _value(text: str) -> Any:  # noqa: ANN401 - settings are of any JSON type
    """Read lists and objects as JSON; the rest stays text (a password may look like a number)."""
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
