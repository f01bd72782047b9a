"""From documents to the rows of one stream; pure.

For each stream, API and kind of document a `Projection` is compiled once; it then makes rows in one pass over
the wire's own dictionaries.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from msgspec import UNSET

from tap_sagex3.columns import ColumnPlan, can_be_columns
from tap_sagex3.declarations import UPDATED
from tap_sagex3.documents import JOINED
from tap_sagex3.errors import NotReadableError
from tap_sagex3.levels import LevelPlan
from tap_sagex3.values import EXPECTED_TIME, MisfitError, later, stamp_converter
from tap_sagex3.wire import children

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from msgspec import Struct

    from tap_sagex3.declarations import Field, Source, StreamDeclaration
    from tap_sagex3.documents import Document, DocumentPage, Misfit, Row
    from tap_sagex3.levels import ProjectionOptions
    from tap_sagex3.wire import Node


@dataclass(frozen=True, slots=True)
class BadStamp:
    """A change stamp that is not a time; it is sent as it came."""

    value: t.Any


Stamp = str | BadStamp | None


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
        self._rest = source.rest
        self._representation = source.rest.representation
        self._keys = [_key_members(stream, level, source, options) for level in range(stream.depth + 1)]
        # Nested collections of REST that no line has had so far, though there were lines.
        self._absent: dict[str, bool] = {}
        self._collections_shown = options.collections_shown
        self._updated = UPDATED in options.selected
        self._found_by: str | None = None
        self._header: Node = {}
        self.latest: str | None = None
        """Latest change time among the rows of the last document; None when none of them has one."""
        self._stamps = options.stamp_fields
        self._stamp = stamp_converter()
        self._columns = self._column_plan()

    def missing(self) -> list[str]:
        """Members that this site does not give: their columns stay null."""
        return [member for level in self._levels for member in level.missing or ()]

    def absent_collection(self) -> str | None:
        """A nested collection that no line of the read had; None when there is none, or no line."""
        return next((name for name, absent in self._absent.items() if absent), None)

    def doubtful_collection(self) -> str | None:
        """The same, unless the site says that it has the collection."""
        return None if self._collections_shown else self.absent_collection()

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
                f"representation in {self._rest.setting}."
            )
            raise NotReadableError(msg)

    def _column_plan(self) -> ColumnPlan | None:
        """How whole pages are made to rows; None when documents have to be taken one by one."""
        if self._collections or not self._has_rows or self._joined or not can_be_columns(self._levels[0]):
            return None
        template = {name: value for name, value in self._template.items() if name != UPDATED}
        return ColumnPlan(template, self._levels[0], UPDATED if self._updated else None)

    def page(self, page: DocumentPage) -> tuple[list[Struct], Sequence[str | None]] | None:
        """Rows of a page of documents, to be encoded, and the change time of each.

        None when its documents have to be taken one by one. Nothing is noted then.
        """
        if self._columns is None or not page.keys or not self._has_keys(page):
            return None
        stamps = self._stamps_of(page)
        rows = None if stamps is None else self._columns.rows(page.rows, stamps)
        if rows is None or stamps is None:
            return None
        if self._levels[0].missing is None:
            self._levels[0].note_missing(page.rows.head(1).nodes()[0])
        return rows, stamps

    def _has_keys(self, page: DocumentPage) -> bool:
        """Whether all documents have the columns of the stream's key."""
        keys = self._keys[0]
        columns = page.rows.columns(keys) if keys else ()
        return not any(UNSET in column or None in column for column in columns)

    def _stamps_of(self, page: DocumentPage) -> Sequence[str | None] | None:
        """Change time of each document of a page; None when one of them is not a time."""
        if page.stamped_by == self._stamps[0] and None not in page.stamps:
            return page.stamps
        values = page.rows.columns(self._stamps[:1])[0]
        if None in values or UNSET in values:
            found = [self._stamp_of(node) for node in page.rows.nodes()]
            times = [stamp for stamp in found if not isinstance(stamp, BadStamp)]
            if len(times) < len(found):
                return None
        else:
            try:
                times = list(map(self._stamp, values))
            except (MisfitError, TypeError):
                return None
        if None not in times:
            return times
        return [stamp or other for stamp, other in zip(times, page.stamps, strict=True)]

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
        stamp = self._stamp_of(document.node)
        if document.level == 0 or not self._collections:
            stamp = stamp or document.stamp
        if not self._collections:
            self._finish(row, stamp, misfits, warn)
            return [row]
        # The stamp by which a changed line was found is not that of the other lines.
        self._found_by = document.stamp
        self._header = document.node
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
                changed = changed or self._found_by
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
        if self._api == "rest" and not self._rest.details and name not in node:
            msg = (
                f"REST {self._representation}.$query has no collection {name}: set details: true in rest of "
                "custom_streams."
            )
            raise NotReadableError(msg)
        return children(node, name, self._api)

    def _check_key(self, node: Node, level: int) -> None:
        """Refuse a wire object without the columns of the stream's key: its rows could not be told apart."""
        for member in self._keys[level]:
            if member not in node:
                msg = (
                    f"REST {self._representation}.$details has no column {member}, part of the key of "
                    f"{self.stream.name}: {self._missing_key_advice(member, level)}."
                )
                raise NotReadableError(msg)

    def _missing_key_advice(self, member: str, level: int) -> str:
        if level and member in self._header:
            return f'it is on the document, so add "level": 0 to its field in {self._rest.setting}'
        return f"add it to the representation, or give another in {self._rest.setting}"

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
