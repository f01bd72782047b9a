"""The entity files of the package: TOML in `entities/`, one for each kind of document."""

from __future__ import annotations

import tomllib
import typing as t
from functools import cache
from importlib.resources import files

from tap_sagex3.declarations import MENUS_FILE, entity_of
from tap_sagex3.errors import DeclarationError

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from tap_sagex3.declarations import Entity

Raw = dict[str, t.Any]


@cache
def load_menus() -> Mapping[str, tuple[str, ...]]:
    """Read the menus of the package."""
    raw = _parse(files("tap_sagex3") / "entities" / MENUS_FILE)
    return {name: tuple(values) for name, values in raw.items()}


@cache
def load_entities() -> tuple[Entity, ...]:
    """Read every entity file of the package.

    Raises:
        DeclarationError: a file is malformed; names the file and the key.
    """
    return read_entities(files("tap_sagex3") / "entities")


def read_entities(folder: Traversable) -> tuple[Entity, ...]:
    """Read the entity files of a folder, in the order of their names.

    Raises:
        DeclarationError: a file is malformed, or two streams have one name.
    """
    documents = {
        entry.name: _parse(entry)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }
    menus = {name: tuple(values) for name, values in documents.pop(MENUS_FILE, {}).items()}
    entities = tuple(entity_of(raw, file, menus) for file, raw in documents.items())
    names = [stream.name for entity in entities for stream in entity.streams]
    if len(names) != len(set(names)):
        msg = f"{folder}: a stream name occurs twice among {sorted(names)}"
        raise DeclarationError(msg)
    return entities


def _parse(entry: Traversable) -> Raw:
    try:
        return tomllib.loads(entry.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{entry.name}: not a TOML file: {error}"
        raise DeclarationError(msg) from error
