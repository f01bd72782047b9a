"""Settings given as text, as variables of the environment hold them; a text that is no value stays text."""

from __future__ import annotations

import json
import typing as t

from target_snowflake_audit.settings_read import PREFIX, SECRETS

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_NO_SETTINGS = frozenset({"loglevel"})
"""What the SDK reads under the same prefix."""
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


def of_environment(variables: Mapping[str, str], known: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Give the settings that variables hold; one that is not known is None, for the check to tell its name.

    An empty variable counts as not set, since a scheduler often cannot unset one.
    """
    found: dict[str, t.Any] = {}
    for variable, text in variables.items():
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and text and name not in _NO_SETTINGS:
            found[name] = value_of(name, text, known[name]) if name in known else None
    return found


def value_of(name: str, text: str, schema: Mapping[str, t.Any]) -> t.Any:  # noqa: ANN401 - any JSON value
    """Read the text of a setting; one that is none of its type stays text, so that the check names it."""
    kinds = schema.get("type", ())
    if name in SECRETS or "string" in kinds:
        return text
    try:
        return _read(text, kinds)
    except (ValueError, RecursionError):
        return text


def _read(text: str, kinds: t.Collection[str]) -> t.Any:  # noqa: ANN401 - any JSON value
    word = text.strip().lower()
    if "boolean" in kinds and word in _TRUE | _FALSE:
        return word in _TRUE
    if "integer" in kinds:
        return int(text)
    if "number" in kinds:
        return float(text)
    if not {"array", "object"} & set(kinds):
        return text
    value = json.loads(text)
    return text if isinstance(value, str) else value  # a text in quotes is told as it stands in the variable
