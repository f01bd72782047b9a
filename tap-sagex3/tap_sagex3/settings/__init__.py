"""All settings of the tap: declared once, read once into a frozen dataclass."""

from __future__ import annotations

from tap_sagex3.settings.properties import CONFIG_JSONSCHEMA, PROPERTIES
from tap_sagex3.settings.read import Settings, is_configured, parse_time, read_settings
from tap_sagex3.settings.site import STREAM_OPTION_PROPERTIES
from tap_sagex3.settings.version import api_of_version

__all__ = [
    "CONFIG_JSONSCHEMA",
    "PROPERTIES",
    "STREAM_OPTION_PROPERTIES",
    "Settings",
    "api_of_version",
    "is_configured",
    "parse_time",
    "read_settings",
]
