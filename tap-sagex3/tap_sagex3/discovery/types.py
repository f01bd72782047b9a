"""GraphQL types as introspection tells them, as far as they were asked for. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = t.Any
OBJECT = "OBJECT"
_COLUMN = re.compile(r"\(([A-Z0-9_]+)\)\s*$")
"""The X3 column at the end of a property's description: `Order date (ORDDAT)`."""

TYPE_REFERENCE = "name kind ofType{name kind ofType{name kind ofType{name kind}}}"
FIELDS = f"name fields{{name description type{{{TYPE_REFERENCE}}}}}"


@dataclass(frozen=True, slots=True)
class Property:
    """A field of a type: the X3 column in its description, and the type behind lists and non-nulls."""

    name: str
    column: str | None
    type_name: str
    kind: str

    @property
    def is_object(self) -> bool:
        """Whether it needs a selection of its own."""
        return self.kind == OBJECT


Members = dict[str, Property]


def members_of(described: Json) -> Members:
    """Fields of a type from an answer of introspection; nothing when there is no such type."""
    found: Members = {}
    for item in (described or {}).get("fields") or ():
        name, kind = _unwrapped(item.get("type") or {})
        column = _COLUMN.search(item.get("description") or "")
        found[item["name"]] = Property(item["name"], column.group(1) if column else None, name, kind)
    return found


def _unwrapped(reference: Json) -> tuple[str, str]:
    while reference.get("ofType"):
        reference = reference["ofType"]
    return str(reference.get("name")), str(reference.get("kind"))


class Types:
    """Types by name. Those that were not asked for have no members."""

    def __init__(self) -> None:
        """Start empty."""
        self._members: dict[str, Members] = {}

    def add(self, name: str, members: Members) -> None:
        """Keep a type."""
        self._members[name] = members

    def __contains__(self, name: str) -> bool:
        """Whether a type was asked for."""
        return name in self._members

    def of(self, name: str) -> Members:
        """Members of a type."""
        return self._members.get(name, {})

    def records_of(self, holder: str) -> str | None:
        """Type of the records that a node's operations, or a collection, give: query, edges, node."""
        name: str | None = holder
        for member in ("query", "edges", "node"):
            found = self.of(name).get(member) if name else None
            name = found.type_name if found else None
        return name

    def collections_of(self, name: str) -> dict[str, str]:
        """Collections of a type, with the type of their records."""
        found = {}
        for member in self.of(name).values():
            records = self.records_of(member.type_name) if member.is_object else None
            if records is not None:
                found[member.name] = records
        return found

    def columns_of(self, name: str) -> frozenset[str]:
        """X3 columns that the members of a type, and of its denormalized collections, name."""
        own = {member.column for member in self.of(name).values()}
        for records in self.collections_of(name).values():
            if "denormalizedIndex" in self.of(records):
                own |= {member.column for member in self.of(records).values()}
        return frozenset(column for column in own if column)


def next_types(types: Types, names: Iterable[str], wanted: Wanted) -> set[str]:
    """Types to ask for after some were: those behind members that may be of use."""
    found: set[str] = set()
    for name in names:
        for member in types.of(name).values():
            if member.is_object and member.type_name not in types and wanted.matches(name, member):
                found.add(member.type_name)
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names and columns that declarations use."""

    names: frozenset[str]
    columns: frozenset[str]

    def matches(self, owner: str, member: Property) -> bool:
        """Whether a member of a type may lead to something declared."""
        if member.name in {"query", "edges", "node"}:
            return True
        if owner.endswith(("_Operations", "_Collection", "_Connection", "_Edge")):
            return False
        return (
            member.name in self.names
            or member.column in self.columns
            or member.type_name.endswith("_Collection")
        )


Root = dict[str, dict[str, str]]
"""Package, node, and the type of its operations."""


def root_of(packages: Mapping[str, str], types: Types) -> Root:
    """Nodes by package."""
    return {
        package: {member.name: member.type_name for member in types.of(name).values() if member.is_object}
        for package, name in packages.items()
    }
