"""What differs from site to site: nodes of lines, what a site does not have, and what it names otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from local_x3.graphql.nodes import pascal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_x3.graphql.nodes import NodeView, Shape

NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
NODE_PARTS = 2  # of a path: package and node


class GraphqlSite(msgspec.Struct, forbid_unknown_fields=True):
    """One site. Paths are `package.node`, or those with collections and a property behind them."""

    line_nodes: bool = False
    """The items of each collection are a node of their own, too."""
    absent: list[str] = []
    """Nodes, properties and collections that the site does not have."""
    renamed: dict[str, str] = {}
    """Nodes (to another `package.node`), properties and collections (to another name)."""


def read_site(text: bytes) -> GraphqlSite:
    """Read a site from TOML.

    Raises:
        ValueError: it is not TOML, or has something of another type.
    """
    return msgspec.toml.decode(text, type=GraphqlSite)


def apply_site(views: list[NodeView], site: GraphqlSite) -> list[NodeView]:
    """Take away what is absent, and rename: both name things as they were before.

    Raises:
        ValueError: a path leads to nothing, or a new name is none or is taken.
    """
    twice = sorted({*site.absent}.intersection(site.renamed))
    if twice:
        msg = f"{twice[0]} cannot be both absent and renamed"
        raise ValueError(msg)
    found = [_Place.of(views, path) for path in [*site.absent, *site.renamed]]
    gone, renamed = found[: len(site.absent)], found[len(site.absent) :]
    for place in gone:
        place.remove()
    for place, name in zip(renamed, site.renamed.values(), strict=True):
        place.rename(name, views)
    absent = [place.view for place in gone if not place.name]
    left = [view for view in views if not any(view is each for each in absent)]
    if not left:
        msg = "absent: at least one node must be left"
        raise ValueError(msg)
    return left


@dataclass(frozen=True, slots=True)
class _Place:
    """A node (without a name), or a member of its shape or of the shape of a collection."""

    path: str
    view: NodeView
    shape: Shape
    name: str = ""

    @classmethod
    def of(cls, views: Iterable[NodeView], path: str) -> _Place:
        """Find what a path leads to."""
        package, _, rest = path.partition(".")
        node, *members = rest.split(".")
        view = next((view for view in views if (view.package, view.name) == (package, node)), None)
        if view is None:
            msg = f"{path}: there is no node {'.'.join(path.split('.')[:NODE_PARTS])}"
            raise ValueError(msg)
        shape = view.shape
        for name in members[:-1]:
            collection = shape.collections.get(name) or shape.denormalized.get(name)
            if collection is None:
                msg = f"{path}: {name} is no collection of {shape.name}"
                raise ValueError(msg)
            shape = collection.shape
        if members and members[-1] not in _members(shape):
            msg = f"{path}: {shape.name} has no property or collection {members[-1]}"
            raise ValueError(msg)
        return cls(path, view, shape, members[-1] if members else "")

    def remove(self) -> None:
        """Take a member away; nodes are left out of the list by the caller."""
        shape, name = self.shape, self.name
        shape.properties.pop(name, None)
        shape.collections.pop(name, None)
        shape.denormalized.pop(name, None)
        if shape.dimensions is not None and shape.dimensions.path == name:
            shape.dimensions = None

    def rename(self, name: str, views: Iterable[NodeView]) -> None:
        """Give it another name."""
        if self.name:
            self._rename_member(name)
            return
        package, _, node = name.partition(".")
        if not (NAME.fullmatch(package) and NAME.fullmatch(node)):
            msg = f"renamed: {name!r} is no package.node"
            raise ValueError(msg)
        if any(view.name == node for view in views if view is not self.view):
            msg = f"renamed: there is a node {node} already"
            raise ValueError(msg)
        self.view.package, self.view.name = package, node
        self.shape.name = pascal(node)

    def _rename_member(self, name: str) -> None:
        shape = self.shape
        if not NAME.fullmatch(name):
            msg = f"renamed: {name!r} is no name"
            raise ValueError(msg)
        if name in _members(shape):
            msg = f"renamed: {shape.name} has {name} already"
            raise ValueError(msg)
        if shape.dimensions is not None and shape.dimensions.path == self.name:
            shape.dimensions = replace(shape.dimensions, path=name)
        _rename_key(shape.properties, self.name, name)
        _rename_key(shape.collections, self.name, name)
        _rename_key(shape.denormalized, self.name, name)


def _members(shape: Shape) -> set[str]:
    dimensions = {shape.dimensions.path} if shape.dimensions is not None else set()
    return {*shape.properties, *shape.collections, *shape.denormalized, *dimensions}


def _rename_key(found: dict[str, Any], name: str, new: str) -> None:
    """Rename a key and keep the order."""
    renamed = {new if key == name else key: value for key, value in found.items()}
    found.clear()
    found.update(renamed)
