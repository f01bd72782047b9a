"""What a site leaves out of its classes: columns and collections, by path."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local_x3.declarations import Level, Source


def without(source: Source, paths: Iterable[str]) -> Source:
    """Return a source as the site shows it.

    A path is `CLASS.COLUMN`, `CLASS.COLLECTION` or `CLASS.COLLECTION.COLUMN`, and so on inwards. A numbered
    column (`DIE7`) is left out with those above it: the site has fewer dimensions. Paths of other classes are
    passed over.

    Raises:
        ValueError: the class has no such member, or it is part of the class's key.
    """
    for path in paths:
        name, _, member = path.partition(".")
        if name == source.rest_class and member:
            source = replace(source, level=_without(source, source.level, member.split("."), path))
    return source


def _without(source: Source, level: Level, names: Sequence[str], path: str) -> Level:
    name, *inner = names
    if inner:
        if name not in level.children:
            msg = f"{path}: {name} is no collection of {level.table}"
            raise ValueError(msg)
        child = _without(source, level.children[name], inner, path)
        return replace(level, children={**level.children, name: child})
    if level is source.level and name in source.key:
        msg = f"{path}: {name} is part of the key of {source.rest_class}"
        raise ValueError(msg)
    if name in level.children:
        return replace(level, children={key: child for key, child in level.children.items() if key != name})
    if name in level.columns:
        return replace(level, columns={key: found for key, found in level.columns.items() if key != name})
    return _with_fewer(level, name, path)


def _with_fewer(level: Level, name: str, path: str) -> Level:
    """Return the level with fewer numbered columns."""
    pairs = level.dimensions.pairs() if level.dimensions is not None else ()
    number = next((index for index, kind, value in pairs if name in {kind, value}), None)
    if level.dimensions is None or number is None:
        msg = f"{path}: {level.table} has no column or collection {name}"
        raise ValueError(msg)
    return replace(level, dimensions=replace(level.dimensions, count=number - 1))
