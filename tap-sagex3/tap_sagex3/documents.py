"""A document and the rows of the streams that come from it; pure.

A document is one header with its lines and analytical lines, from one fetch. For each stream, API and kind of
document a `Projection` is compiled once; it then makes rows in one pass over the wire's own dictionaries.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tap_sagex3.declarations import UPDATED
from tap_sagex3.dimension_values import dimension_filler
from tap_sagex3.errors import NotReadableError
from tap_sagex3.numbered import Member, expectation, numbered_filler
from tap_sagex3.paths import PropertyPath, property_path
from tap_sagex3.values import EXPECTED_TIME, MisfitError, converter, later, stamp_converter
from tap_sagex3.wire import children, walk

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from tap_sagex3.declarations import Field, Source, StreamDeclaration
    from tap_sagex3.numbered import Filler
    from tap_sagex3.values import Converter
    from tap_sagex3.wire import Node

Row = dict[str, t.Any]
Misfit = tuple[str, t.Any, str]
"""Field, value as received, what was expected."""

_NO_LIMIT = 1 << 30

JOINED = "_joined"
"""Member under which a document holds the second GraphQL node of the same key."""


@dataclass(slots=True)
class Document:
    """One document as received. Nobody changes one; making a frozen one costs a microsecond more.

    `parts` is its key, `key` the same as one text. `stamp` is the canonical change time by which it was
    found, if any. `level` is the level whose change it was found by: 0 for the document itself (or its joined
    record), 1 for its lines, 2 for lines of lines.
    """

    source: int
    key: str
    parts: tuple[t.Any, ...]
    stamp: str | None
    node: Node
    extracted: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class BadStamp:
    """A change stamp that is not a time; it is sent as it came."""

    value: t.Any


Stamp = str | BadStamp | None


@dataclass(frozen=True, slots=True)
class ProjectionOptions:
    """What a projection depends on besides declarations.

    `selected` are the columns to emit; `dimensions` gives the column of each dimension type; `stamp_fields`
    are the members that may hold a change stamp, best first.
    """

    api: str
    selected: frozenset[str]
    dimensions: Mapping[str, str]
    stamp_fields: tuple[str, ...]

    def wants(self, field: Field) -> bool:
        """Whether a field has a selected column."""
        return wants(field, self.selected, self.dimensions)


def wants(field: Field, selected: Collection[str], dimensions: Mapping[str, str]) -> bool:
    """Whether a field has a selected column: dimensions have one for each type besides their own."""
    return field.name in selected or (
        field.dimensions is not None and not set(dimensions.values()).isdisjoint(selected)
    )


class LevelPlan:
    """Fills the columns of one level (document, line, analytical line) from one wire object.

    Texts, most of the columns, are checked in place; other values go through their converter.
    """

    def __init__(self, fields: Iterable[Field], kind: str | None, options: ProjectionOptions) -> None:
        """Compile the selected fields of one level."""
        graphql = options.api == "graphql"
        self._texts: list[tuple[str, str, int]] = []
        self._others: list[tuple[str, str, Converter]] = []
        self._references: list[tuple[str, str, tuple[str, ...], Converter, t.Any]] = []
        self._numbered: dict[str, list[Member]] = {}
        self._fillers: list[Filler] = []
        self.missing: list[str] | None = None
        """Members that the first wire object did not have; None before there was one."""
        for field in fields:
            if not options.wants(field):
                continue
            if field.dimensions:
                self._fillers.append(
                    dimension_filler(field, options.api, options.selected, options.dimensions)
                )
                continue
            place = field.graphql_path(kind) if graphql else field.x3_column(kind)
            if place is not None:
                self._add(field, property_path(place) if graphql else PropertyPath((place,)), options.api)
        self._fillers.extend(numbered_filler(name, members) for name, members in self._numbered.items())

    def _add(self, field: Field, path: PropertyPath, api: str) -> None:
        first, *rest = path.names
        # X3 keeps an empty reference as empty text; GraphQL shows it as a null object or leaves its item out.
        empty = "" if field.type == "text" else None
        if path.collection is not None:
            member = Member(field.name, path.index, path.names, converter(field, api), empty)
            self._numbered.setdefault(path.collection, []).append(member)
        elif rest:
            self._references.append((field.name, first, tuple(rest), converter(field, api), empty))
        elif field.type == "text":
            self._texts.append((field.name, first, field.length or _NO_LIMIT))
        else:
            self._others.append((field.name, first, converter(field, api)))

    def fill(self, node: Node, row: Row, misfits: list[Misfit]) -> None:
        """Convert one wire object into columns of a row; misfits go in unchanged and are noted."""
        if self.missing is None:
            flat = [*(member for _, member, _ in self._texts), *(member for _, member, _ in self._others)]
            self.missing = [member for member in flat if member not in node]
        get = node.get
        for name, member, limit in self._texts:
            value = get(member)
            row[name] = value
            if value is not None and (value.__class__ is not str or len(value) > limit):
                misfits.append((name, value, f"expected text of at most {limit} characters"))
        for name, member, convert in self._others:
            value = get(member)
            try:
                row[name] = convert(value)
            except (MisfitError, TypeError) as error:
                row[name] = value
                misfits.append((name, value, expectation(error)))
        if self._references:
            self._fill_references(node, row, misfits)
        for fill in self._fillers:
            fill(node, row, misfits)

    def _fill_references(self, node: Node, row: Row, misfits: list[Misfit]) -> None:
        """Columns that GraphQL shows inside of nested objects."""
        get = node.get
        for name, first, rest, convert, empty in self._references:
            value = get(first)
            if value is not None:
                value = value.get(rest[0]) if len(rest) == 1 else walk(value, rest)
            try:
                row[name] = empty if value is None else convert(value)
            except (MisfitError, TypeError) as error:
                row[name] = value
                misfits.append((name, value, expectation(error)))


class Projection:
    """Makes the rows of one stream from the documents of one source through one API."""

    def __init__(self, stream: StreamDeclaration, source: Source, options: ProjectionOptions) -> None:
        """Compile the plan."""
        self.stream = stream
        self._api = options.api
        self._template: Row = dict.fromkeys(
            name for name in _columns(stream, options) if name in options.selected
        )
        for field in stream.fields:
            if field.type == "constant(kind)" and field.name in options.selected:
                self._template[field.name] = source.kind
        self._levels = [
            LevelPlan(
                (f for f in stream.fields if f.level == level and not _is_apart(f, source, options)),
                source.kind,
                options,
            )
            for level in range(stream.depth + 1)
        ]
        apart = [field for field in stream.fields if _is_apart(field, source, options)]
        self._joined = LevelPlan(apart, source.kind, options) if apart else None
        collections = [stream.collection(level, source.kind) for level in range(1, stream.depth + 1)]
        self._has_rows = None not in collections
        self._collections = [
            (collection.rest if options.api == "rest" else collection.graphql)
            for collection in collections
            if collection
        ]
        self._representation = source.rest.representation
        self._keys = [_key_members(stream, level, source, options) for level in range(stream.depth + 1)]
        # Nested collections of REST that no line has had so far, though there were lines.
        self._absent: dict[str, bool] = {}
        self._updated = UPDATED in options.selected
        self.latest: str | None = None
        """Latest change time among the rows of the last document; None when none of them has one."""
        self._stamps = options.stamp_fields
        self._stamp = stamp_converter()

    def missing(self) -> list[str]:
        """Members that this site does not give: their columns stay null."""
        return [member for level in self._levels for member in level.missing or ()]

    def absent_collection(self) -> str | None:
        """A nested collection that no line of the read had; None when there is none, or no line."""
        return next((name for name, absent in self._absent.items() if absent), None)

    def check_collections(self) -> None:
        """After a read: each nested collection was there.

        Raises:
            NotReadableError: no line of the whole read had one.
        """
        name = self.absent_collection()
        if name is not None:
            msg = (
                f"REST {self._representation}.$details has no collection {name} in any line, so the rows of "
                f"{self.stream.name} cannot be read: add it to the representation, or give another "
                "representation in stream_options."
            )
            raise NotReadableError(msg)

    def rows(self, document: Document, warn: Callable[[Row, Misfit], None]) -> list[Row]:
        """All rows of a document; `warn` is told of each value that does not fit its type."""
        self.latest = None
        if not self._has_rows:
            return []
        misfits: list[Misfit] = []
        row = self._template.copy()
        self._check_key(document.node, 0)
        self._levels[0].fill(document.node, row, misfits)
        if self._joined is not None and document.node.get(JOINED) is not None:
            self._joined.fill(document.node[JOINED], row, misfits)
        stamp = self._stamp_of(document.node) or document.stamp
        if not self._collections:
            self._finish(row, stamp, misfits, warn)
            return [row]
        return list(self._lines(document.node, row, stamp, 0, misfits, warn))

    def _lines(
        self,
        node: Node,
        outer: Row,
        stamp: Stamp,
        depth: int,
        misfits: list[Misfit],
        warn: Callable[[Row, Misfit], None],
    ) -> Iterator[Row]:
        """Rows of the collection at a depth, with the columns of the outer levels repeated."""
        plan = self._levels[depth + 1]
        deepest = depth + 1 == len(self._collections)
        for line in self._children(node, depth):
            self._check_key(line, depth + 1)
            row = outer.copy()
            found = misfits.copy() if misfits else []
            plan.fill(line, row, found)
            own = self._stamp_of(line)
            changed = _later_stamp(stamp, own) if self.stream.flattened else own or stamp
            if deepest:
                self._finish(row, changed, found, warn)
                yield row
            else:
                yield from self._lines(line, row, changed, depth + 1, found, warn)

    def _children(self, node: Node, depth: int) -> Sequence[Node]:
        """The rows of the collection at a depth. X3 may leave an empty nested one out of a line."""
        name = self._collections[depth]
        if self._api == "rest" and depth:
            if node.get(name) is None:
                self._absent.setdefault(name, True)
                return ()
            self._absent[name] = False
        return children(node, name, self._api)

    def _check_key(self, node: Node, level: int) -> None:
        """Refuse a wire object without the columns of the stream's key: its rows could not be told apart."""
        for member in self._keys[level]:
            if member not in node:
                msg = (
                    f"REST {self._representation}.$details has no column {member}, part of the key of "
                    f"{self.stream.name}: add it to the representation, or give another in stream_options."
                )
                raise NotReadableError(msg)

    def _stamp_of(self, node: Node) -> Stamp:
        """Change time of a wire object, from the first stamp it has."""
        for name in self._stamps:
            value = node.get(name)
            if value is not None:
                try:
                    return t.cast("str | None", self._stamp(value))
                except (MisfitError, TypeError):
                    return BadStamp(value)
        return None

    def _finish(
        self, row: Row, stamp: Stamp, misfits: list[Misfit], warn: Callable[[Row, Misfit], None]
    ) -> None:
        for misfit in misfits:
            warn(row, misfit)
        if not isinstance(stamp, BadStamp):
            self.latest = later(self.latest, stamp)
        if self._updated and isinstance(stamp, BadStamp):
            row[UPDATED] = stamp.value
            warn(row, (UPDATED, stamp.value, EXPECTED_TIME))
        elif self._updated:
            row[UPDATED] = stamp


def _later_stamp(outer: Stamp, own: Stamp) -> Stamp:
    """The later stamp; one that is not a time goes before all others, so that it is seen."""
    if isinstance(own, BadStamp):
        return own
    return outer if isinstance(outer, BadStamp) else later(outer, own)


def _key_members(
    stream: StreamDeclaration, level: int, source: Source, options: ProjectionOptions
) -> tuple[str, ...]:
    """REST columns of a level that make up the stream's key; GraphQL itself refuses a missing property."""
    if options.api != "rest":
        return ()
    fields = (field for field in stream.fields if field.name in stream.key and field.level == level)
    columns = (field.x3_column(source.kind) for field in fields)
    return tuple(column for column in columns if column)


def _is_apart(field: Field, source: Source, options: ProjectionOptions) -> bool:
    """Whether a column is on the joined GraphQL node of its source."""
    return field.joined and source.join is not None and options.api == "graphql"


def _columns(stream: StreamDeclaration, options: ProjectionOptions) -> Iterator[str]:
    """Column names in the order of the schema."""
    for field in stream.fields:
        yield field.name
        if field.dimensions:
            yield from options.dimensions.values()
    yield UPDATED
