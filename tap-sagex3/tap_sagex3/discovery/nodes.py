"""Which node of an instance a declared one is: as named, in a renamed package, or by its columns. Pure."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_sagex3.discovery.types import Root, Types

_OLD, _NEW = "xtremX3", "x3"
_SHARE = 2

Place = tuple[str, str]


def find_node(root: Root, package: str, node: str) -> Place | None:
    """Package and node by name: as they are, in the package's other name, or the only node of that name."""
    for name in (package, _renamed(package)):
        if node in root.get(name, {}):
            return name, node
    elsewhere = [name for name, nodes in root.items() if node in nodes]
    return (elsewhere[0], node) if len(elsewhere) == 1 else None


def node_with_columns(root: Root, types: Types, key: Iterable[str], columns: frozenset[str]) -> Place | None:
    """The node whose properties have the key's columns and the most of all others, at least half of them."""
    best: tuple[int, Place] | None = None
    for package, nodes in root.items():
        for node, operations in nodes.items():
            records = types.records_of(operations)
            found = types.columns_of(records) if records else frozenset()
            score = len(found & columns)
            if set(key) <= found and score * _SHARE >= len(columns) and (best is None or score > best[0]):
                best = (score, (package, node))
    return best[1] if best else None


def _renamed(package: str) -> str:
    """The name of a package before or after Sage renamed them all."""
    if package.startswith(_OLD):
        return _NEW + package[len(_OLD) :]
    return _OLD + package[len(_NEW) :] if package.startswith(_NEW) else package
