"""Reads entity declarations (TOML) into the tables, classes and nodes that the server serves.

Those of the standard are the tap's; the site's own columns and entities are in `site/`.
This is a loader of its own: the sandbox never imports the tap.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_x3.numbered import TABLE, Numbered, numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal
    from random import Random

DEFAULT_FOLDER = Path(__file__).parents[3] / "tap-sagex3" / "tap_sagex3" / "entities"
STANDARD = Path(__file__).parent / "standard"
DEFAULT_SITE = Path(__file__).parent / "site"
MENUS = "menus.toml"
NO_ENTITIES = frozenset({MENUS, TABLE.name})
OWN_PREFIXES = frozenset("XYZ")  # what a site adds begins with one of these [D]
GRAPHQL_TYPES = {
    "text": "String", "integer": "Int", "decimal": "Decimal", "boolean": "Boolean",
    "date": "Date", "datetime": "Datetime", "enum": "Enum",
}  # fmt: skip
WHERE_TYPES = {"text": "text", "date": "date", "datetime": "datetime"}  # every other type is a number


class DeclarationError(Exception):
    """A declaration file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a native table and the GraphQL property that shows it (`path` empty: REST only).

    The property of a numbered column is one of an item of a denormalized collection.
    """

    name: str
    type: str
    path: tuple[str, ...]
    graphql_type: str
    text: str
    table: str
    length: int = 0
    scale: int = 0
    menu_name: str = ""
    menu: tuple[str, ...] = ()
    joined: bool = False
    numbered: Numbered | None = None

    @property
    def reference(self) -> bool:
        """Whether the column holds the code of another record; a text stream (`notes.value`) does not."""
        return len(self.path) > 1 and self.path[-1] != "value"

    @property
    def where_type(self) -> str:
        """The type by which `where` compares it."""
        return WHERE_TYPES.get(self.type, "number")


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Numbered pairs of columns TYPE1.., VALUE1..; in GraphQL one denormalized collection."""

    type: str
    value: str
    count: int
    path: str

    @lru_cache  # noqa: B019 - there is one a declaration, for as long as the server runs
    def pairs(self) -> tuple[tuple[int, str, str], ...]:
        """Return (index, type column, value column), index from 1."""
        return tuple((n, f"{self.type}{n}", f"{self.value}{n}") for n in range(1, self.count + 1))


@dataclass(slots=True)
class Level:
    """A table inside a document: the document itself or an embedded collection."""

    table: str
    rest: str = ""
    graphql: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    dimensions: Dimensions | None = None
    join_table: str = ""  # of the columns that are `joined`
    children: dict[str, Level] = field(default_factory=dict)
    makers: tuple[tuple[str, Callable[[Random], str | int | Decimal]], ...] | None = (
        None  # set by data.filler
    )


@dataclass(frozen=True, slots=True)
class StreamField:
    """A property of an emitted record: where its value is found. No column and no constant: always null."""

    name: str
    type: str
    level: int
    column: Column | None = None
    constant: str | None = None
    dimensions: Dimensions | None = None


@dataclass(frozen=True, slots=True)
class StreamView:
    """How records of a stream are cut out of a document."""

    name: str
    key: tuple[str, ...]
    collections: tuple[str, ...]
    fields: tuple[StreamField, ...]

    @property
    def flattened(self) -> bool:
        """Whether outer columns beside the key are repeated on the row."""
        depth = len(self.collections)
        return any(f.column and f.level < depth and f.name not in self.key for f in self.fields)


@dataclass(frozen=True, slots=True)
class Node:
    """A GraphQL node: package, name, and the paths that make up its natural key."""

    package: str
    name: str
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of documents of an entity: its class, its node and its streams."""

    entity: str
    kind: str
    rest_class: str
    representation: str
    details: bool
    key: tuple[str, ...]
    node: Node
    join: Node | None
    join_table: str
    preset: Mapping[str, int | str]
    level: Level
    streams: tuple[StreamView, ...]

    @property
    def name(self) -> str:
        """Return a name that is unique among all sources."""
        return f"{self.entity}.{self.kind}" if self.kind else self.entity


def load_sources(folder: Path = DEFAULT_FOLDER, site: Path = DEFAULT_SITE) -> list[Source]:
    """Read every declaration in `folder` and in `site`, in order of file name, those of the site last.

    Columns of `standard/` are added where they belong to an entity of `folder`.

    Args:
        folder: entities that every X3 has: the tap's declarations.
        site: columns and entities of the site's own, which the tap does not know; see README.md in there.

    Raises:
        DeclarationError: a file lacks something or two fields of one column disagree.
    """
    menus = {**_read_menus(folder), **_read_menus(site)}
    sources: list[Source] = []
    paths = [path for place in (folder, STANDARD, site) for path in sorted(place.glob("*.toml"))]
    for path in paths:
        if path.name in NO_ENTITIES:
            continue
        declared = tomllib.loads(path.read_text("utf-8"))
        try:
            if path.parent == STANDARD:
                _complete(sources, declared, menus)
            elif "extends" in declared:
                _extend(sources, declared, menus)
            else:
                sources.extend(_source(declared, raw, menus) for raw in declared["source"])
        except KeyError as problem:
            msg = f"{path.name}: {problem} is missing"
            raise DeclarationError(msg) from None
        except DeclarationError as problem:
            msg = f"{path.name}: {problem}"
            raise DeclarationError(msg) from None
    return sources


def _read_menus(folder: Path) -> dict[str, tuple[str, ...]]:
    path = folder / MENUS
    if not path.exists():
        return {}
    return {name: tuple(names) for name, names in tomllib.loads(path.read_text("utf-8")).items()}


def _complete(
    sources: list[Source], declared: Mapping[str, Any], menus: Mapping[str, tuple[str, ...]]
) -> None:
    """Add columns that every X3 has, unless they are declared already."""
    fields = {part["table"]: part["fields"] for part in declared["columns"]}
    for source in sources:
        for level in levels_of(source.level) if source.entity == declared["extends"] else ():
            for raw in fields.get(level.table, ()):
                level.columns.setdefault(raw["x3"], _column(raw, raw["x3"], source.kind, level, menus))


def _extend(sources: list[Source], declared: Mapping[str, Any], menus: Mapping[str, tuple[str, ...]]) -> None:
    """Add columns to the tables of an entity, or widen their numbered dimensions."""
    levels = [
        (source.kind, level)
        for source in sources
        if source.entity == declared["extends"]
        for level in levels_of(source.level)
    ]
    for part in (*declared.get("columns", ()), *declared.get("dimensions", ())):
        found = [(kind, level) for kind, level in levels if level.table == part["table"]]
        if not found:
            msg = f"{declared['extends']} has no table {part['table']}"
            raise DeclarationError(msg)
        for kind, level in found:
            for raw in part.get("fields", ()):
                _own_column(level, _column(raw, raw["x3"], kind, level, menus))
            if "count" in part:
                _widen(level, part["count"])


def _own_column(level: Level, column: Column) -> None:
    if column.name in level.columns or column.name[:1] not in OWN_PREFIXES:
        msg = f"{column.name} is there already or is no name of a site's own column"
        raise DeclarationError(msg)
    level.columns[column.name] = column


def _widen(level: Level, count: int) -> None:
    if level.dimensions is None:
        msg = f"{level.table} has no numbered dimensions"
        raise DeclarationError(msg)
    level.dimensions = replace(level.dimensions, count=count)


def levels_of(level: Level) -> Iterator[Level]:
    """Yield a level and those below it."""
    yield level
    for child in level.children.values():
        yield from levels_of(child)


def _of_kind(value: Any, kind: str) -> Any:  # noqa: ANN401 - TOML value of either form
    """Take the part of a per-kind form that is for `kind`; other values are for every kind."""
    return value.get(kind) if isinstance(value, dict) and kind and kind in value else value


def _column_name(raw: Mapping[str, Any], attribute: str, kind: str) -> str | None:
    value = raw.get(attribute)
    if isinstance(value, dict):
        value = value.get(kind)
    return value if isinstance(value, str) else None


def _node(raw: Mapping[str, Any]) -> Node:
    return Node(raw["package"], raw["node"], tuple(raw["key"]))


def _source(
    declared: Mapping[str, Any], raw: Mapping[str, Any], menus: Mapping[str, tuple[str, ...]]
) -> Source:
    kind = raw.get("kind", "")
    rest = raw["rest"]
    join = raw.get("join")
    level = Level(raw["table"], key=tuple(rest["key"]), join_table=join["table"] if join else "")
    streams = tuple(_stream(stream, kind, level, menus) for stream in declared["stream"])
    for column in level.key:
        if column not in level.columns:
            msg = f"key column {column} has no field"
            raise DeclarationError(msg)
    return Source(
        entity=declared["name"],
        kind=kind,
        rest_class=rest["class"],
        representation=rest["representation"],
        details=rest["details"],
        key=level.key,
        node=_node(raw["graphql"]),
        join=_node(join["graphql"]) if join else None,
        join_table=join["table"] if join else "",
        preset=dict(raw.get("filter", {})),
        level=level,
        streams=streams,
    )


def _stream(
    raw: Mapping[str, Any], kind: str, root: Level, menus: Mapping[str, tuple[str, ...]]
) -> StreamView:
    levels = [root]
    for declared in raw["collections"]:
        collection = _of_kind(declared, kind)
        child = levels[-1].children.setdefault(
            collection["rest"], Level(collection["table"], collection["rest"], collection["graphql"])
        )
        levels.append(child)
    fields = tuple(_field(f, kind, levels, menus) for f in raw["fields"])
    depth = len(levels) - 1
    own_key = tuple(f.column.name for f in fields if f.name in raw["key"] and f.level == depth and f.column)
    if depth and not levels[-1].key:
        levels[-1].key = own_key
    return StreamView(raw["name"], tuple(raw["key"]), tuple(level.rest for level in levels[1:]), fields)


def _field(
    raw: Mapping[str, Any], kind: str, levels: list[Level], menus: Mapping[str, tuple[str, ...]]
) -> StreamField:
    depth = raw.get("level", len(levels) - 1)
    level = levels[depth]
    name, kind_of_field = raw["name"], raw["type"]
    if kind_of_field == "constant(kind)":
        return StreamField(name, "text", depth, constant=kind)
    if kind_of_field == "dimensions":
        x3 = raw["x3"]
        level.dimensions = Dimensions(x3["type"], x3["value"], x3["count"], raw["graphql"])
        return StreamField(name, "dimensions", depth, dimensions=level.dimensions)
    column_name = _column_name(raw, "x3", kind)
    if column_name is None:
        return StreamField(name, kind_of_field, depth)
    column = _column(raw, column_name, kind, level, menus)
    known = level.columns.get(column_name)
    if known is None:
        level.columns[column_name] = column
    elif _meaning(known) != _meaning(column):
        msg = f"{column_name} is declared twice with different types or paths"
        raise DeclarationError(msg)
    return StreamField(name, kind_of_field, depth, column=level.columns[column_name])


def _meaning(column: Column) -> tuple[object, ...]:
    return (column.type, column.path, column.scale, column.menu, column.numbered)


def _column(
    raw: Mapping[str, Any], name: str, kind: str, level: Level, menus: Mapping[str, tuple[str, ...]]
) -> Column:
    path = _column_name(raw, "graphql", kind)
    table = _column_name(raw, "table", kind) or level.table
    tables = (table, level.table, level.join_table)
    place = numbered(tables, name, path, raw["text"]) if path else None
    if path and "[" in path and place is None:
        msg = f"{name}: graphql {path} needs the form collection[n].member and a numbered column"
        raise DeclarationError(msg)
    menu_name = raw.get("menu", "")
    graphql_type = raw.get("graphql_type", GRAPHQL_TYPES[raw["type"]])
    return Column(
        name=name,
        type=raw["type"],
        path=place.path if place else tuple(path.split(".")) if path else (),
        graphql_type=graphql_type,
        text=raw["text"],
        table=table,
        length=raw.get("length", 0),
        scale=raw.get("scale", 0),
        menu_name="NoYes" if graphql_type == "NoYes" else menu_name,
        menu=menus["NoYes"] if graphql_type == "NoYes" else menus[menu_name] if menu_name else (),
        joined=bool(raw.get("joined")),
        numbered=place,
    )
