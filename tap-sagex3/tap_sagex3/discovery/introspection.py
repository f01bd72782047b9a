"""Asks a GraphQL server for the types that declarations may need, several in one request."""

from __future__ import annotations

import logging
import typing as t

from tap_sagex3.discovery.types import FIELDS, Root, Types, Wanted, members_of, next_types, root_of
from tap_sagex3.errors import INCOMPLETE, IncompleteAnswerError, IntrospectionRefusedError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_sagex3.graphql.client import GraphqlClient

logger = logging.getLogger("tap-sagex3")

TYPES_AT_ONCE = 60
DEPTH = 14
"""Steps from the operations of a node to the reference of a line of a line."""


class Introspection:
    """Types of one folder, asked for as needed and kept."""

    def __init__(self, client: GraphqlClient) -> None:
        """Nothing is asked yet."""
        self._client = client
        self.types = Types()
        self._root: Root | None = None

    def root(self) -> Root:
        """Nodes by package. Raises IntrospectionRefusedError when the server does not tell."""
        if self._root is None:
            found = self._client.introspect(f"{{__schema{{queryType{{{FIELDS}}}}}}}")
            schema = found.get("__schema")
            packages = members_of(schema.get("queryType") if isinstance(schema, dict) else None)
            if not packages:
                msg = f"GraphQL described its schema without a query type: {INCOMPLETE}"
                raise IncompleteAnswerError(msg)
            names = {member.name: member.type_name for member in packages.values() if member.is_object}
            self._load(names.values())
            self._root = root_of(names, self.types)
        return self._root

    def explore(self, starts: Iterable[str], wanted: Wanted) -> None:
        """Ask for types from some on, as far as they may be of use."""
        names = set(starts)
        for _ in range(DEPTH):
            self._load(name for name in names if name not in self.types)
            names = next_types(self.types, names, wanted)
            if not names:
                return

    def _load(self, names: Iterable[str]) -> None:
        for some in _batches(sorted(set(names))):
            aliases = " ".join(f't{n}:__type(name:"{name}"){{{FIELDS}}}' for n, name in enumerate(some))
            found = self._client.introspect(f"{{{aliases}}}")
            for n, name in enumerate(some):
                if f"t{n}" not in found:
                    msg = f"GraphQL did not describe type {name}: {INCOMPLETE}"
                    raise IncompleteAnswerError(msg)
                self.types.add(name, members_of(found[f"t{n}"]))


def introspected(client: GraphqlClient) -> Introspection | None:
    """An introspection whose root is known; None, with a log line, when this server refuses it."""
    found = Introspection(client)
    try:
        found.root()
    except IntrospectionRefusedError as error:
        logger.warning(
            "GraphQL does not tell what it has (%s): names are taken as declared and configured.", error
        )
        return None
    return found


def _batches(names: list[str]) -> Iterable[list[str]]:
    return (names[at : at + TYPES_AT_ONCE] for at in range(0, len(names), TYPES_AT_ONCE))
