"""Rows of a list as they came over the wire, to be taken as columns or one by one. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter

import msgspec

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_sagex3.wire import Node

Values = t.Sequence[t.Any]
_ABSENT = frozenset({type(msgspec.UNSET)})


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of the values of some members, where they are there and not null.

    `texts` are texts of at most so many characters; `integers` are whole numbers.
    """

    texts: Mapping[str, int] = field(default_factory=dict)
    integers: Collection[str] = frozenset()


UNKNOWN = Shape()


class WireRows(t.Protocol):
    """Some rows."""

    @property
    def shape(self) -> Shape:
        """What is known of the values."""

    def columns(self, members: Sequence[str]) -> Sequence[Values]:
        """The values of each member; where it is not there None, or UNSET if other rows have it."""

    def nodes(self) -> Sequence[Node]:
        """The rows as JSON objects."""

    def head(self, end: int) -> WireRows:
        """The rows before a place."""


class NodeRows:
    """Rows that are JSON objects already."""

    shape = UNKNOWN

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Take them."""
        self._nodes = nodes

    def columns(self, members: Sequence[str]) -> Sequence[Values]:
        """The values of each member."""
        if not self._nodes:
            return [()] * len(members)
        # A getter of one member would give no tuple.
        values = itemgetter(*members, *members[:1])
        try:
            return list(zip(*map(values, self._nodes), strict=True))[: len(members)]
        except KeyError:
            return [[node.get(member) for node in self._nodes] for member in members]

    def nodes(self) -> Sequence[Node]:
        """The rows."""
        return self._nodes

    def head(self, end: int) -> NodeRows:
        """The rows before a place."""
        return NodeRows(self._nodes[:end])


class RowLayout:
    """Members that are looked at in the rows of a list: decoding nothing else is faster.

    So is looking at values while they are decoded. A site with values of another shape will have them again:
    after the first one values are taken as they come.
    """

    def __init__(self, members: Sequence[str], shape: Shape = UNKNOWN) -> None:
        """Make types for the rows: `shape` is what values should be like."""
        self.members = {member: place for place, member in enumerate(dict.fromkeys(members))}
        self._shape = shape
        self._strict = self._decoder_of(shape)
        self._lenient = self._decoder_of(UNKNOWN)

    def decode(self, body: bytes) -> tuple[StructRows, t.Any] | None:
        """Rows and links of a page; None when there is anything else to be told about it."""
        shape = self._shape
        try:
            try:
                page = (self._lenient if shape is UNKNOWN else self._strict).decode(body)
            except msgspec.ValidationError:
                shape = self._shape = UNKNOWN
                page = self._lenient.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return None if page.diagnoses else (StructRows(self, page.resources, shape), page.links)

    def _decoder_of(self, shape: Shape) -> msgspec.json.Decoder[t.Any]:
        fields = [
            (f"m{place}", _type(member, shape), msgspec.UNSET) for member, place in self.members.items()
        ]
        names = {f"m{place}": member for member, place in self.members.items()}
        row = msgspec.defstruct("WireRow", fields, rename=names, gc=False)
        rows: t.Any = list[row]  # type: ignore[valid-type]
        whole = msgspec.defstruct(
            "WirePage",
            [("resources", rows), ("links", t.Any, None), ("diagnoses", t.Any, None)],
            rename={name: f"${name}" for name in ("resources", "links", "diagnoses")},
        )
        return msgspec.json.Decoder(whole, float_hook=Decimal)


def _type(member: str, shape: Shape) -> t.Any:  # noqa: ANN401 - a type
    """Type of a member's values."""
    if member in shape.integers:
        return int | msgspec.UnsetType | None
    if member in shape.texts:
        limit = msgspec.Meta(max_length=shape.texts[member])
        return t.Annotated[str, limit] | msgspec.UnsetType | None
    return t.Any


class StructRows:
    """Rows of a layout."""

    def __init__(self, layout: RowLayout, rows: Sequence[msgspec.Struct], shape: Shape) -> None:
        """Take them."""
        self.shape = shape
        self._layout = layout
        self._rows = rows
        self._columns: list[Values] | None = None

    def columns(self, members: Sequence[str]) -> Sequence[Values]:
        """The values of each member."""
        if not self._rows:
            return [()] * len(members)
        if self._columns is None:  # asked for several times: key, change time, everything
            self._columns = list(zip(*map(msgspec.structs.astuple, self._rows), strict=True))
        found = self._columns
        places = self._layout.members
        nothing = (None,) * len(self._rows)
        return [_present(found[places[member]]) if member in places else nothing for member in members]

    def nodes(self) -> Sequence[Node]:
        """The rows as JSON objects, with the members of the layout that they have."""
        names = list(self._layout.members)
        tuples = map(msgspec.structs.astuple, self._rows)
        return [{k: v for k, v in zip(names, row, strict=True) if v is not msgspec.UNSET} for row in tuples]

    def head(self, end: int) -> StructRows:
        """The rows before a place."""
        return StructRows(self._layout, self._rows[:end], self.shape)


def _present(values: Values) -> Values:
    """The values; nulls when no row has one."""
    if values and values[0] is msgspec.UNSET and set(map(type, values)) == _ABSENT:
        return (None,) * len(values)
    return values
