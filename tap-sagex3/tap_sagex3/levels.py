"""The columns of one level of a document: how a wire object fills them. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tap_sagex3.dimension_values import dimension_filler
from tap_sagex3.numbered import Member, expectation, numbered_filler
from tap_sagex3.paths import PropertyPath, property_path
from tap_sagex3.values import MisfitError, converter
from tap_sagex3.wire import walk

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tap_sagex3.declarations import Field
    from tap_sagex3.documents import Misfit, Row
    from tap_sagex3.numbered import Filler
    from tap_sagex3.values import Converter
    from tap_sagex3.wire import Node

NO_LIMIT = 1 << 30
"""Length of texts that have none."""


@dataclass(frozen=True, slots=True)
class ProjectionOptions:
    """What a projection depends on besides declarations.

    `selected` are the columns to emit; `dimensions` gives the column of each dimension type; `stamp_fields`
    are the members that may hold a change stamp, best first. `collections_shown` says that the site describes
    the nested collections.
    """

    api: str
    selected: frozenset[str]
    dimensions: Mapping[str, str]
    stamp_fields: tuple[str, ...]
    collections_shown: bool = False

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
        self.texts: list[tuple[str, str, int]] = []
        self.others: list[tuple[str, str, Converter]] = []
        self.references: list[tuple[str, str, tuple[str, ...], Converter, t.Any]] = []
        self._numbered: dict[str, list[Member]] = {}
        self.fillers: list[Filler] = []
        self.missing: list[str] | None = None
        """Members that the first wire object did not have; None before there was one."""
        for field in fields:
            if not options.wants(field):
                continue
            if field.dimensions:
                filler = dimension_filler(field, options.api, options.selected, options.dimensions)
                self.fillers.append(filler)
                continue
            place = field.graphql_path(kind) if graphql else field.x3_column(kind)
            if place is not None:
                self._add(field, property_path(place) if graphql else PropertyPath((place,)), options.api)
        self.fillers.extend(numbered_filler(name, members) for name, members in self._numbered.items())

    def _add(self, field: Field, path: PropertyPath, api: str) -> None:
        first, *rest = path.names
        # X3 keeps an empty reference as empty text; GraphQL shows it as a null object or leaves its item out.
        empty = "" if field.type == "text" else None
        if path.collection is not None:
            member = Member(field.name, path.index, path.names, converter(field, api), empty)
            self._numbered.setdefault(path.collection, []).append(member)
        elif rest:
            self.references.append((field.name, first, tuple(rest), converter(field, api), empty))
        elif field.type == "text":
            self.texts.append((field.name, first, field.length or NO_LIMIT))
        else:
            self.others.append((field.name, first, converter(field, api)))

    def note_missing(self, node: Node) -> None:
        """Look which members the first wire object does not have."""
        if self.missing is None:
            flat = [*(member for _, member, _ in self.texts), *(member for _, member, _ in self.others)]
            self.missing = [member for member in flat if member not in node]

    def fill(self, node: Node, row: Row, misfits: list[Misfit]) -> None:
        """Convert one wire object into columns of a row; misfits go in unchanged and are noted."""
        if self.missing is None:
            self.note_missing(node)
        get = node.get
        for name, member, limit in self.texts:
            value = get(member)
            row[name] = value
            if value is not None and (value.__class__ is not str or len(value) > limit):
                misfits.append((name, value, f"expected text of at most {limit} characters"))
        for name, member, convert in self.others:
            value = get(member)
            try:
                row[name] = convert(value)
            except (MisfitError, TypeError) as error:
                row[name] = value
                misfits.append((name, value, expectation(error)))
        if self.references:
            self._fill_references(node, row, misfits)
        for fill in self.fillers:
            fill(node, row, misfits)

    def _fill_references(self, node: Node, row: Row, misfits: list[Misfit]) -> None:
        """Columns that GraphQL shows inside of nested objects."""
        get = node.get
        for name, first, rest, convert, empty in self.references:
            value = get(first)
            if value is not None:
                value = value.get(rest[0]) if len(rest) == 1 else walk(value, rest)
            try:
                row[name] = empty if value is None else convert(value)
            except (MisfitError, TypeError) as error:
                row[name] = value
                misfits.append((name, value, expectation(error)))
