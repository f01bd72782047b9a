"""Schemas of older drafts, as widespread taps send them, in the words of the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_NAME = frozenset({"properties", "patternProperties", "definitions", "$defs", "dependentSchemas"})
_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SINGLE = frozenset(
    {"items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"}
)
_BOUNDS = (("exclusiveMaximum", "maximum"), ("exclusiveMinimum", "minimum"))


def current(schema: Any) -> Any:  # noqa: ANN401 - a JSON schema, or what stands in its place
    """Give a schema in which bounds of draft 4 and tuples of draft 7 are written as today.

    Up to draft 4, `exclusiveMaximum` was true or false beside `maximum`
    (json-schema.org/draft-06/json-schema-release-notes); up to 2019-09, `items` could be a list
    (json-schema.org/draft/2020-12/release-notes).
    """
    if not isinstance(schema, dict):
        return schema
    return {word: _part(word, part) for word, part in _tuple(_bounds(schema)).items()}


def _part(word: str, part: Any) -> Any:  # noqa: ANN401
    """What stands beside a word of a schema, with the schemas in it."""
    if word in _BY_NAME and isinstance(part, dict):
        return {name: current(one) for name, one in part.items()}
    if word in _LISTS and isinstance(part, list):
        return [current(one) for one in part]
    return current(part) if word in _SINGLE else part


def _tuple(schema: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(schema.get("items"), list):
        return schema
    found = {word: part for word, part in schema.items() if word not in {"items", "additionalItems"}}
    rest = {"items": schema["additionalItems"]} if "additionalItems" in schema else {}
    return {**found, "prefixItems": schema["items"], **rest}


def _bounds(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(schema)
    for exclusive, bound in _BOUNDS:
        if isinstance(found.get(exclusive), bool):
            told = found.pop(exclusive)
            if told and bound in found:
                found[exclusive] = found.pop(bound)
    return found
