"""Entities as data: the TOML files of `entities/` as validated, frozen dataclasses.

One file describes one kind of document: where it is found in both APIs, and which streams with which fields
come from it. The JSON schema, the REST projection and the GraphQL query are all made from it, so that both
APIs give the same records.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tap_sagex3.errors import DeclarationError
from tap_sagex3.paths import property_path

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TYPES = frozenset(
    {"text", "integer", "decimal", "boolean", "date", "datetime", "enum", "dimensions", "constant(kind)"}
)
GRAPHQL_TYPES = frozenset({"Decimal", "Int", "NoYes", "String"})
MENUS_FILE = "menus.toml"
BUILT_IN_NAMES = "stream_options"
CUSTOM_NAMES = "custom_streams (or stream_options)"
"""Settings that give the names of a source; a custom one may be changed by options, too."""
UPDATED = "updatedDate"
"""Replication key of every stream; not declared as a field, since each API names its stamp in its own way."""

_ENTITY_KEYS = frozenset({"name", "description", "source", "stream"})
_SOURCE_KEYS = frozenset({"kind", "table", "filter", "rest", "graphql", "join"})
_STREAM_KEYS = frozenset(
    {"name", "description", "key", "replace_scope", "collections", "fields", "full_table", "flattened"}
)
_FIELD_KEYS = frozenset(
    {
        "name",
        "type",
        "length",
        "scale",
        "menu",
        "x3",
        "graphql",
        "graphql_type",
        "level",
        "joined",
        "text",
        "table",
    }
)
PerKind = str | dict[str, str] | None
Filter = tuple[tuple[str, str, str | int | bool], ...]
Raw = dict[str, t.Any]


@dataclass(frozen=True, slots=True)
class RestSource:
    """Where REST (api1) gives the documents; with `details`, columns and lines come from `$details`.

    `where` is a condition of api1 that the list is always asked with. `setting` is where a user mends names.
    """

    class_name: str
    representation: str
    key: tuple[str, ...]
    details: bool
    details_representation: str | None = None
    where: str = ""
    setting: str = BUILT_IN_NAMES

    def of(self, facet: str) -> str:
        """Representation of a facet, `$query` or `$details`, with the facet."""
        own = self.details_representation if facet == "$details" else None
        return f"{own or self.representation}.{facet}"


@dataclass(frozen=True, slots=True)
class GraphqlSource:
    """Package and node of the documents in GraphQL, and the dotted paths that make their key.

    `filter` (property, `_eq` or `_ne`, and value) is sent with every query, where two sources share a node.
    """

    package: str
    node: str
    key: tuple[str, ...]
    filter: Filter = ()
    setting: str = BUILT_IN_NAMES


@dataclass(frozen=True, slots=True)
class Source:
    """One place where documents of an entity are found; `kind` tells several places apart."""

    kind: str | None
    table: str
    rest: RestSource
    graphql: GraphqlSource
    join: GraphqlSource | None
    join_table: str | None


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of child rows: its member in REST `$details`, its GraphQL property, and its table."""

    rest: str
    graphql: str
    table: str


@dataclass(frozen=True, slots=True)
class DimensionColumns:
    """Numbered scalars of dimension types and values in REST: DIE1..DIEn and CCE1..CCEn."""

    type: str
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Field:
    """One property of a stream, with its place in both APIs.

    `level` is 0 for the document, 1 for its first collection, 2 for a nested one. `table` is named when it is
    not the table of that level (a line whose columns come from two tables). `own` tells fields of settings.
    """

    name: str
    type: str
    text: str
    level: int
    x3: PerKind
    graphql: PerKind
    graphql_type: str | None
    length: int | None
    scale: int | None
    menu: tuple[str, ...]
    joined: bool
    dimensions: DimensionColumns | None
    table: PerKind
    own: bool = False

    def x3_column(self, kind: str | None) -> str | None:
        """X3 column of this field for a kind of document; None when that kind has none."""
        return _for_kind(self.x3, kind)

    def graphql_path(self, kind: str | None) -> str | None:
        """GraphQL path (see `paths`) of this field for a kind of document; None when that kind has none."""
        return _for_kind(self.graphql, kind)


@dataclass(frozen=True, slots=True)
class StreamDeclaration:
    """One Singer stream: its key, its fields, and the collections (outermost first) its rows come from."""

    name: str
    description: str
    key: tuple[str, ...]
    replace_scope: tuple[str, ...]
    collections: tuple[Mapping[str | None, Collection], ...]
    fields: tuple[Field, ...]
    full_table: bool
    flattened: bool

    @property
    def depth(self) -> int:
        """Level of the rows: 0 for documents, 1 for lines, 2 for lines of lines."""
        return len(self.collections)

    def collection(self, level: int, kind: str | None) -> Collection | None:
        """The collection of a level (1 is the outermost) for a kind of document."""
        declared = self.collections[level - 1]
        return declared.get(kind, declared.get(None))


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of document, with its sources and its streams."""

    name: str
    description: str
    sources: tuple[Source, ...]
    streams: tuple[StreamDeclaration, ...]


def entity_of(raw: Raw, file: str, menus: Mapping[str, tuple[str, ...]]) -> Entity:
    """Read one entity; `file` names it in errors. Raises DeclarationError when it is malformed."""
    _check_keys(raw, _ENTITY_KEYS, file)
    sources = tuple(_source(source, file) for source in _required(raw, "source", file))
    kinds = [source.kind for source in sources]
    _check(
        len(kinds) == 1 or (None not in kinds and len(set(kinds)) == len(kinds)),
        file,
        "give each [[source]] a kind",
    )
    return Entity(
        name=_required(raw, "name", file),
        description=_required(raw, "description", file),
        sources=sources,
        streams=tuple(_stream(stream, file, menus) for stream in _required(raw, "stream", file)),
    )


def _source(raw: Raw, file: str) -> Source:
    _check_keys(raw, _SOURCE_KEYS, f"{file}: source")
    rest = _required(raw, "rest", file)
    join = raw.get("join")
    return Source(
        kind=raw.get("kind"),
        table=_required(raw, "table", file),
        rest=RestSource(
            class_name=_required(rest, "class", file),
            representation=_required(rest, "representation", file),
            key=tuple(_required(rest, "key", file)),
            details=bool(rest.get("details", False)),
            details_representation=rest.get("details_representation"),
            where=rest.get("where", ""),
        ),
        graphql=_graphql_source(_required(raw, "graphql", file), file),
        join=_graphql_source(_required(join, "graphql", file), file) if join else None,
        join_table=join.get("table") if join else None,
    )


def _graphql_source(raw: Raw, file: str) -> GraphqlSource:
    key = tuple(_required(raw, "key", file))
    _check(not any("[" in path for path in key), file, f"key {list(key)} must have no index")
    return GraphqlSource(
        package=_required(raw, "package", file),
        node=_required(raw, "node", file),
        key=key,
        filter=filter_of(raw.get("filter", {}), file),
    )


def filter_of(raw: Raw, where: str) -> Filter:
    """Conditions that must all hold: property and a value to be equal to, or `{_ne = value}`.

    Raises:
        DeclarationError: a condition has another form; begins with `where`.
    """
    return tuple(_condition(name, value, where) for name, value in raw.items())


def _condition(name: str, value: object, file: str) -> tuple[str, str, str | int | bool]:
    operator = "_eq"
    if isinstance(value, dict) and list(value) == ["_ne"]:
        operator, value = "_ne", value["_ne"]
    if not isinstance(value, str | int):
        msg = f"{file}: filter of {name} must be a text, a whole number, a boolean, or {{_ne = one of them}}"
        raise DeclarationError(msg)
    return name, operator, value


def _stream(raw: Raw, file: str, menus: Mapping[str, tuple[str, ...]]) -> StreamDeclaration:
    where = f"{file}: stream {raw.get('name')}"
    _check_keys(raw, _STREAM_KEYS, where)
    collections = tuple(_collections(level, where) for level in raw.get("collections", []))
    depth = len(collections)
    fields = tuple(field_of(field, where, depth, menus) for field in _required(raw, "fields", where))
    names = [field.name for field in fields]
    key = tuple(_required(raw, "key", where))
    scope = tuple(raw.get("replace_scope", ()))
    _check(len(set(names)) == len(names), where, "a field name occurs twice")
    _check(UPDATED not in names, where, f"{UPDATED} is added to every stream and must not be declared")
    _check(set(key) <= set(names), where, f"key {list(key)} is not among the fields")
    _check(set(scope) <= set(key), where, f"replace_scope {list(scope)} is not part of the key")
    outer = any(field.level < depth and field.name not in key for field in fields)
    return StreamDeclaration(
        name=_required(raw, "name", where),
        description=_required(raw, "description", where),
        key=key,
        replace_scope=scope,
        collections=collections,
        fields=fields,
        full_table=bool(raw.get("full_table", False)),
        flattened=bool(raw.get("flattened", outer)),
    )


def _collections(raw: Raw, where: str) -> Mapping[str | None, Collection]:
    if "rest" in raw:
        return {None: _collection(raw, where)}
    return {kind: _collection(collection, where) for kind, collection in raw.items()}


def _collection(raw: Raw, where: str) -> Collection:
    return Collection(
        rest=_required(raw, "rest", where),
        graphql=_required(raw, "graphql", where),
        table=_required(raw, "table", where),
    )


def field_of(raw: Raw, where: str, depth: int, menus: Mapping[str, tuple[str, ...]]) -> Field:
    """Read one field of a stream whose rows are at level `depth`. Raises DeclarationError."""
    place = f"{where}: field {raw.get('name')}"
    _check_keys(raw, _FIELD_KEYS, place)
    _check(isinstance(_required(raw, "name", place), str), place, "its name is no text")
    kind = _required(raw, "type", place)
    _check(kind in TYPES, place, f"type {kind!r} is none of {sorted(TYPES)}")
    graphql_type = raw.get("graphql_type")
    _check(
        graphql_type in {None, *GRAPHQL_TYPES},
        place,
        f"graphql_type {graphql_type!r} is none of {sorted(GRAPHQL_TYPES)}",
    )
    level = raw.get("level", depth)
    _check(0 <= level <= depth, place, f"level {level} is deeper than the stream's collections")
    x3 = raw.get("x3")
    return Field(
        name=_required(raw, "name", place),
        type=kind,
        text=_required(raw, "text", place),
        level=level,
        x3=None if kind == "dimensions" else x3,
        graphql=_graphql_path(raw.get("graphql"), place),
        graphql_type=graphql_type,
        length=raw.get("length"),
        scale=raw.get("scale"),
        menu=_menu(raw, place, menus),
        joined=bool(raw.get("joined", False)),
        dimensions=_dimension_columns(x3, place) if kind == "dimensions" else None,
        table=raw.get("table"),
    )


def _graphql_path(raw: PerKind, place: str) -> PerKind:
    """The path of a field, checked."""
    for text in raw.values() if isinstance(raw, dict) else [raw]:
        try:
            if text is not None:
                property_path(text)
        except (TypeError, ValueError) as error:
            msg = f"{place}: graphql path {error}"
            raise DeclarationError(msg) from error
    return raw


def _menu(raw: Raw, place: str, menus: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if raw["type"] != "enum":
        return ()
    name = _required(raw, "menu", place)
    if isinstance(name, list):
        return tuple(str(item) for item in name)
    built_in = ", ".join(sorted(menus))
    wanted = f"give a list of the names of its values, or one of the built-in menus {built_in}"
    _check(name in menus, place, f"there is no menu {name!r}: {wanted}")
    return menus[name]


def _dimension_columns(raw: object, place: str) -> DimensionColumns:
    if not isinstance(raw, dict):
        msg = f"{place}: x3 of a dimensions field must be a table with type, value and count"
        raise DeclarationError(msg)
    return DimensionColumns(
        type=_required(raw, "type", place),
        value=_required(raw, "value", place),
        count=_required(raw, "count", place),
    )


def _for_kind(value: PerKind, kind: str | None) -> str | None:
    if isinstance(value, dict):
        return value.get(kind) if kind is not None else None
    return value


def _required(raw: Raw, key: str, where: str) -> t.Any:  # noqa: ANN401 - a TOML value of any type
    if key not in raw:
        msg = f"{where}: {key!r} is missing"
        raise DeclarationError(msg)
    return raw[key]


def _check_keys(raw: Raw, known: Iterable[str], where: str) -> None:
    unknown = sorted(set(raw) - set(known))
    _check(not unknown, where, f"unknown keys {unknown}, expected some of {sorted(known)}")


def _check(condition: bool, where: str, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not condition:
        msg = f"{where}: {what}"
        raise DeclarationError(msg)
