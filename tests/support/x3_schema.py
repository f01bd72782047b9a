"""What introspection tells of a GraphQL schema, walked from its root."""

from __future__ import annotations

import typing as t

from x3_client import JsonObject, X3Client, decoded

if t.TYPE_CHECKING:
    from collections.abc import Iterator

TYPE = "kind name ofType { kind name ofType { kind name } }"
SCHEMA = f"""{{ __schema {{ queryType {{ name }} mutationType {{ name }} types {{ kind name description
  fields {{ name description args {{ name type {{ {TYPE} }} }} type {{ {TYPE} }} }} enumValues {{ name }}
}} }} }}"""
Place = tuple[str, ...]
"""Package, node, collections."""


def types_of(x3: X3Client) -> dict[str, JsonObject]:
    """All types by name."""
    return {found["name"]: found for found in decoded(x3.post(SCHEMA))["data"]["__schema"]["types"]}


def name_of(type_: JsonObject) -> str:
    """The name of a type without what is around it."""
    while type_["ofType"]:
        type_ = type_["ofType"]
    return str(type_["name"])


def field(types: dict[str, JsonObject], owner: str, name: str) -> str:
    """The type of a field."""
    return next(name_of(found["type"]) for found in types[owner]["fields"] if found["name"] == name)


def walk(types: dict[str, JsonObject]) -> Iterator[tuple[Place, str]]:
    """Every node and collection with the type of its records, found from the root only."""
    for package in types["RootQuery"]["fields"]:
        for node in types[name_of(package["type"])]["fields"]:
            connection = field(types, name_of(node["type"]), "query")
            yield from records(types, (package["name"], node["name"]), connection)


def records(types: dict[str, JsonObject], place: Place, connection: str) -> Iterator[tuple[Place, str]]:
    """A node or collection and those below it."""
    record = field(types, field(types, connection, "edges"), "node")
    yield place, record
    for member in types[record]["fields"]:
        if name_of(member["type"]).endswith("_Collection"):
            inner = field(types, name_of(member["type"]), "query")
            yield from records(types, (*place, member["name"]), inner)


def columns_of(types: dict[str, JsonObject], record: str) -> dict[str, list[str]]:
    """X3 column -> the fields whose description names it in parentheses."""
    found: dict[str, list[str]] = {}
    for member in types[record]["fields"]:
        text = member["description"] or ""
        if text.endswith(")"):
            for column in text[text.rindex("(") + 1 : -1].split(", "):
                found.setdefault(column, []).append(member["name"])
    return found
