"""Command on what the GraphQL side of a site is like: nodes of lines, what is absent, other names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from local_x3.control.registry import Command
from local_x3.errors import ControlError
from local_x3.graphql.site import GraphqlSite

if TYPE_CHECKING:
    from local_x3.control.state import State


class SetGraphqlSite(Command, tag="graphql_site"):
    """Change what is given of the GraphQL site, for which the schema is built anew; return all of it.

    `line_nodes` makes the items of each collection a node of their own. `absent` lists nodes, properties and
    collections that the site does not have, `renamed` says what it calls them instead. Both name them as
    `package.node`, with collections and a property behind it, and as they are called without these two.
    """

    line_nodes: bool | UnsetType = UNSET
    absent: list[str] | UnsetType = UNSET
    renamed: dict[str, str] | UnsetType = UNSET

    def run(self, state: State) -> object:
        """Be that site from now on."""
        api = state.graphql
        if api is None:
            msg = "this release has no GraphQL API"
            raise ControlError(msg)
        given = msgspec.to_builtins(self)
        del given["do"]
        try:
            api.use_site(msgspec.convert({**msgspec.to_builtins(api.site), **given}, GraphqlSite))
        except ValueError as problem:
            raise ControlError(str(problem)) from None
        return {"site": api.site}


COMMANDS = (SetGraphqlSite,)
