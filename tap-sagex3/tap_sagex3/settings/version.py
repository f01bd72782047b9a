"""Which API an X3 version is read with. Pure."""

from __future__ import annotations

import re

from tap_sagex3.errors import SettingsError

FIRST_GRAPHQL_VERSION = 12
FIRST_VERSION = 6
_VERSION = re.compile(r"[vV]?(\d+)(?:\.\d+)*")


def api_of_version(version: str) -> str:
    """The API that an X3 version is read with: `rest` for V6 to V11, `graphql` for V12 and later.

    Raises:
        SettingsError: the text is not a version of X3.
    """
    found = _VERSION.fullmatch(version.strip())
    number = int(found.group(1)) if found else 0
    if number < FIRST_VERSION:
        msg = f"Setting x3_version is {version!r}: expected V6 or later, for example V11 or V12."
        raise SettingsError(msg)
    return "graphql" if number >= FIRST_GRAPHQL_VERSION else "rest"
