"""All settings, in the order in which they are shown."""

from __future__ import annotations

import typing as t

from tap_sagex3.settings.increments import INCREMENTS
from tap_sagex3.settings.login import LOGIN
from tap_sagex3.settings.server import SERVER
from tap_sagex3.settings.site import SITE

if t.TYPE_CHECKING:
    from tap_sagex3.settings.declare import Property

PROPERTIES: dict[str, Property] = {**SERVER, **LOGIN, **INCREMENTS, **SITE}

CONFIG_JSONSCHEMA: dict[str, t.Any] = {
    "type": "object",
    "properties": PROPERTIES,
    "required": ["server_url", "folder"],
}
