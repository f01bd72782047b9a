"""Whether a configuration has the form that it should have: known names, right types.

Messages never show the value of a secret.
"""

from __future__ import annotations

import difflib
import logging
import re
import typing as t

from singer_sdk.plugin_base import JSONSchemaValidator
from singer_sdk.singerlib.json import deserialize_json, serialize_json
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_sagex3.settings.login import NEEDED_BY_AUTH
from tap_sagex3.settings.properties import PROPERTIES

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from jsonschema.exceptions import ValidationError

logger = logging.getLogger("tap-sagex3")

CLOSE = 0.8
"""Likeness from which an unknown name is taken for a misspelt one."""
PREFIX = "TAP_SAGEX3_"
NO_BATCH = (
    "Setting batch_config: this tap sends records, no BATCH files, which would skip stream maps and the "
    "whole documents that targets rely on. Take the setting out."
)
BOOLEANS = frozenset({"true", "1", "yes", "on", "false", "0", "no", "off"})
SHOWN = 80
"""Characters of a wrong value that are shown."""


def problems(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> list[str]:
    """What is wrong with names and types, each in one sentence; names that are only unknown are logged.

    Like the SDK's own check it fills defaults into `config`.
    """
    known = schema["properties"]
    likely = _misspelt(config, known)
    for name in sorted(set(config) - set(known) - set(likely)):
        if not name.startswith("_"):  # those are of whoever runs the tap
            logger.warning("Setting %s is unknown; it is ignored.", name)
    spelt = [f"Setting {name} is unknown: is {like} meant?" for name, like in likely.items()]
    errors = list(JSONSchemaValidator(schema).iter_errors(config))
    lacks = [error for error in errors if _is_of_lack(error)]  # one for each setting
    others = [_problem(error) for error in errors if error not in lacks]
    return spelt + ([_missing(config, schema["required"])] if lacks else []) + others


def problems_in_environment(environment: Mapping[str, str], known: Mapping[str, t.Any]) -> list[str]:
    """Variables that are much like one for a setting, or hold what the setting cannot take."""
    names = [name.removeprefix(PREFIX).lower() for name in environment if name.startswith(PREFIX)]
    found = [
        f"Environment variable {PREFIX}{name.upper()} is unknown: is {PREFIX}{like.upper()} meant?"
        for name, like in _misspelt(names, known).items()
    ]
    if environment.get(f"{PREFIX}BATCH_CONFIG"):
        found.append(NO_BATCH)
    for name, described in known.items():
        variable = PREFIX + name.upper()
        text = environment.get(variable)
        wanted = None if text is None else _wanted(text, described.get("type"))
        if wanted:
            shown = "" if described.get("secret") else f" is {_shown(text)}"
            found.append(f"Environment variable {variable}{shown}: expected {wanted}.")
    return found


def _misspelt(names: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Names that are not known but much like a known one, each with that one.

    That may be given too: by hand, or by Meltano, which gives every setting that has a default.
    """
    found = {}
    for name in sorted(set(names) - set(known)):
        like = difflib.get_close_matches(name.lower(), sorted(known), 1, CLOSE)
        if like:
            found[name] = like[0]
    return found


def wrong_members(value: t.Any, properties: Mapping[str, t.Any], where: str) -> list[str]:  # noqa: ANN401
    """Members of an object in a setting that are of another type than declared, each in one sentence."""
    errors = DEFAULT_JSONSCHEMA_VALIDATOR({"properties": properties}).iter_errors(value)
    return [
        f"{where}: {'.'.join(map(str, error.absolute_path))} is {_shown(error.instance)}, expected "
        f"{_expected(error)}."
        for error in errors
    ]


def _is_of_lack(error: ValidationError) -> bool:
    return error.validator == "required" and not error.absolute_path


def _missing(config: Mapping[str, t.Any], required: Sequence[str]) -> str:
    """Which settings are missing, those of the login too, as whoever begins has none of them."""
    names = [name for name in required if name not in config]
    if len(names) == 1:
        return f"Setting {names[0]} is missing: {PROPERTIES[names[0]]['description']}"
    login = NEEDED_BY_AUTH.get(str(config.get("auth") or "basic"), ())
    names += [name for name in login if not config.get(name)]
    return (
        f"Settings {', '.join(names)} are missing: give them in a JSON file with --config FILE, or as "
        f"environment variables such as {PREFIX}{names[0].upper()} with --config ENV."
    )


def _problem(error: ValidationError) -> str:
    """What is wrong, in one sentence that names the setting."""
    path = list(error.absolute_path)
    if not path:
        return f"The configuration is not usable: {error.message}."
    where = ".".join(str(part) for part in path)
    if PROPERTIES.get(str(path[0]), {}).get("secret"):
        return f"Setting {where} is not usable: expected {_expected(error)}."
    return f"Setting {where} is {_shown(error.instance)}: expected {_expected(error)}."


def _shown(value: object) -> str:
    text = serialize_json(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _expected(error: ValidationError) -> str:
    rule, value = error.validator, t.cast("t.Any", error.validator_value)
    if rule == "type":
        types = [value] if isinstance(value, str) else [name for name in value if name != "null"]
        return " or ".join(types)
    if rule == "enum":
        return "one of " + ", ".join(str(item) for item in value if item is not None)
    if rule in {"minimum", "maximum"}:
        return f"{'at least' if rule == 'minimum' else 'at most'} {value}"
    return f"{rule} {value}"


def _wanted(text: str, types: str | Sequence[str] | None) -> str | None:
    """What a text should be to stand for a value of a type; None when it is."""
    names = [types] if isinstance(types, str) else list(types or ())
    if "integer" in names and not re.fullmatch(r"[+-]?\d+", text.strip()):
        return "a whole number"
    if "boolean" in names and text.lower() not in BOOLEANS:
        return "true or false"
    if "object" in names and not _is_json(text, dict):
        return 'a JSON object such as {"name": "value"}'
    if "array" in names and text.strip().startswith("[") and not _is_json(text, list):
        return 'a JSON array such as ["name"]'
    return None


def _is_json(text: str, kind: type) -> bool:
    try:
        return isinstance(deserialize_json(text), kind)
    except ValueError:
        return False
