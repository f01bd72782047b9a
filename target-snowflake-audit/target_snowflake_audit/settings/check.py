"""Whether settings have known names, and values of their types and ranges; no secret is ever shown."""

from __future__ import annotations

import ast
import difflib
import json
import logging
import typing as t

from singer_sdk.plugin_base import JSONSchemaValidator

from target_snowflake_audit.settings_read import wrong_secrets
from target_snowflake_audit.values import kind_of

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from jsonschema.exceptions import ValidationError

logger = logging.getLogger("target-snowflake-audit")

_LIKE = 0.8
"""Likeness from which an unknown name is taken for a misspelt one."""
_SHOWN = 80
"""Characters of a wrong value that are shown."""
_NEVER_SHOWN = frozenset({"stream_map_config", "batch_config", "faker_config"})
"""Settings whose members may be secrets: a seed of hashes, an address with a login."""
_FILTER, _REMOVED = "__filter__", "__NULL__"
"""Of `stream_maps`: the rule that is an expression, and the word that is none."""
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a JSON array",
    "object": "a JSON object",
}


def problems(config: dict[str, t.Any], schema: Mapping[str, t.Any]) -> list[str]:
    """What is wrong, each in one line that names the setting; names that are only unknown are logged.

    Like the SDK's own check it fills defaults into `config`.
    """
    secrets = wrong_secrets(config)
    found = [f"setting `{name}`: {problem}" for name, problem in secrets.items()]
    found += _of_names(config, schema["properties"])
    found += [f"setting `{name}`: is missing" for name in schema.get("required", ()) if name not in config]
    for error in JSONSchemaValidator(_usable(schema)).iter_errors(config):
        if error.absolute_path and error.absolute_path[0] not in secrets:
            found.append(_said(error))
    return [*found, *_broken_maps(config.get("stream_maps"))]


def _usable(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Leave out what the SDK says of the members of `stream_maps`: its validator breaks on that."""
    return {**schema, "properties": {**schema["properties"], "stream_maps": {"type": ["object", "null"]}}}


def _of_names(names: Collection[str], known: Mapping[str, t.Any]) -> list[str]:
    """Names that are much like a known one: others may be for whoever runs the target.

    One that begins with `_` is a setting that was taken out, and `stream_maps.x` is a member of an object.
    """
    found = []
    for name in sorted(set(names) - set(known)):
        if name.startswith("_"):
            continue
        part = name.partition(".")[0]
        is_member = part != name and "object" in known.get(part, {}).get("type", ())
        like = [] if is_member else difflib.get_close_matches(name.lower(), sorted(known), 1, _LIKE)
        if like:
            found.append(f"setting `{name}` is unknown: is `{like[0]}` meant?")
        else:
            logger.warning("setting `%s` is unknown; it is ignored", name)
    return found


def _said(error: ValidationError) -> str:
    first, *rest = error.absolute_path
    where = f"setting `{first}`" + (f", at {'.'.join(map(str, rest))}" if rest else "")
    if error.validator in {"additionalProperties", "required"}:
        return f"{where}: {error.message}"  # only names are in it
    is_structure = {"array", "object"} & set(_kinds(error))
    hidden = first in _NEVER_SHOWN or is_structure or isinstance(error.instance, (dict, list))
    value = kind_of(error.instance) if hidden else _shown(error.instance)
    reason = _not_json(error.instance) if is_structure else ""
    return f"{where}: is {value}{reason}, expected {_expected(error)}"


def _kinds(error: ValidationError) -> list[str]:
    """JSON types that the value may have."""
    kinds = t.cast("Mapping[str, t.Any]", error.schema).get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _not_json(value: object) -> str:
    """Why a text is no JSON, and where; '' where it is, or where there is no text."""
    try:
        if isinstance(value, str):
            json.loads(value)
    except ValueError as error:
        return f" that is not JSON ({error})"
    except RecursionError:
        return " that nests too deeply"
    return ""


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _expected(error: ValidationError) -> str:
    rule, schema = error.validator, t.cast("Mapping[str, t.Any]", error.schema)
    if rule == "enum":
        return "one of " + ", ".join(str(item) for item in schema["enum"] if item is not None)
    if rule not in {"type", "minimum", "maximum"}:
        return f"what fits {rule} {_shown(schema.get(str(rule)))}"
    kinds = _kinds(error)
    words = " or ".join(_KINDS[kind] for kind in kinds if kind in _KINDS) + _range(schema)
    is_text = isinstance(error.instance, str) and {"array", "object"} & set(kinds)
    return f"{words}; a variable of the environment holds it as JSON text" if is_text else words


def _range(schema: Mapping[str, t.Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None or high is None:
        return "" if low is None else f" of at least {low}"
    return f" from {low} to {high}"


def _broken_maps(maps: object) -> Iterator[str]:
    """Expressions that cannot be read, told before the SCHEMA of their stream comes."""
    for stream, rules in maps.items() if isinstance(maps, dict) else ():
        for name, text in rules.items() if isinstance(rules, dict) else ():
            is_expression = isinstance(text, str) and text != _REMOVED
            if is_expression and (name == _FILTER or not str(name).startswith("__")):
                reason = _unreadable(text)
                where = f"stream `{stream}`, {'' if name == _FILTER else 'property '}`{name}`"
                if reason:
                    yield f"setting `stream_maps`: {where}: {_shown(text)} is no expression: {reason}"


def _unreadable(expression: str) -> str:
    """Why an expression cannot be read; '' when it can."""
    try:
        return "" if ast.parse(expression).body else "it is empty"
    except SyntaxError as error:
        return error.msg
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
