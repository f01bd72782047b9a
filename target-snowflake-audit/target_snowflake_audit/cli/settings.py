"""Where the command finds its settings: the target's own, from configuration files and the environment."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import config_files
from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.errors import ConfigFileError
from target_snowflake_audit.settings_read import PREFIX, SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def read(files: Sequence[Path], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Give the settings by name: environment variables first, later files over earlier ones for the rest.

    Environment variables hold text; settings that are lists or objects are JSON there, as Meltano writes
    them. An empty variable counts as not set, since a scheduler often cannot unset one.

    Raises:
        CommandError: a file is missing or holds no JSON object.
    """
    try:
        settings = config_files.read(files)
    except ConfigFileError as error:
        raise CommandError(str(error)) from None
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


def _value(text: str) -> Any:  # noqa: ANN401 - settings are of any JSON type
    """Read lists and objects as JSON; the rest stays text (a password may look like a number)."""
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
