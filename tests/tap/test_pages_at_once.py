"""A page of documents converted at once gives the same bytes as its documents taken one by one."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.mapper import SameRecordTransform
from tap_sagex3.documents import DocumentPage
from tap_sagex3.emitter import Emitter
from tap_sagex3.entity_files import load_entities
from tap_sagex3.levels import ProjectionOptions
from tap_sagex3.projection import Projection
from tap_sagex3.reading import StampReader
from tap_sagex3.rest.listing import shape_of
from tap_sagex3.wire_rows import UNKNOWN, NodeRows, RowLayout, Shape, StructRows
from tap_sagex3.writer import encode

if t.TYPE_CHECKING:
    from tap_sagex3.declarations import Entity, Field, Source, StreamDeclaration
    from tap_sagex3.wire_rows import WireRows

FLAT = [
    (entity, stream)
    for entity in load_entities()
    for stream in entity.streams
    if not stream.depth and not any(field.dimensions for field in stream.fields)
]
STAMPS = {"rest": ("UPDDATTIM", "UPDDAT"), "graphql": ("_updateStamp",)}

FITTING: dict[str, tuple[t.Any, ...]] = {
    "text": ("", "a", None),
    "integer": (0, 7, None),
    "decimal": (1, Decimal("12.5"), Decimal("-0.00"), Decimal("1E+3"), None),
    "boolean": (0, 1, 2, None),
    "enum": (0, 1, None),
    "date": ("2024-02-29", "", "1599-12-31", None),
    "datetime": ("2024-02-29T08:00:00Z", "2024-02-29T08:00:00.120+02:00", None),
    "constant(kind)": (None,),
}
STRANGE: tuple[t.Any, ...] = (
    *(
        True,
        False,
        1,
        Decimal(1),
        Decimal("1.0"),
        Decimal("1E-30"),
        Decimal("9" * 60),
        -1,
        99,
        "1",
        "x" * 300,
    ),
    *([], {}, ["a"], {"code": "x"}, "2024-02-30", "29/02/2024"),
)
TIMES = ("2024-02-29T08:00:00Z", "2024-03-01T00:00:00.5Z", "2024-03-02", None, "20/03/2024 10:00")


def projection_of(entity: Entity, stream: StreamDeclaration, api: str) -> tuple[Projection, Source]:
    source = entity.sources[0]
    options = ProjectionOptions(
        api, frozenset((*(field.name for field in stream.fields), "updatedDate")), {}, STAMPS[api]
    )
    return Projection(stream, source, options), source


def wire_object(draw: st.DrawFn, stream: StreamDeclaration, source: Source, api: str) -> dict[str, t.Any]:
    """An object as the wire has it: most values fit, a few do not, some members are not there."""
    node: dict[str, t.Any] = {}
    for field in stream.fields:
        place = field.graphql_path(source.kind) if api == "graphql" else field.x3_column(source.kind)
        if place is None:
            continue
        strange = draw(st.integers(0, 60)) == 0
        fitting = _graphql_values(field) if api == "graphql" else FITTING[field.type]
        value = draw(st.sampled_from(STRANGE if strange else fitting))
        *outer, last = place.split(".") if api == "graphql" else [place]
        inner: t.Any = node
        for name in outer:
            inner = inner.setdefault(name, {}) if isinstance(inner, dict) else {}
        inner[last] = value
    node |= {stamp: draw(st.sampled_from(TIMES)) for stamp in STAMPS[api]}
    if draw(st.integers(0, 20)) == 0:
        node.pop(draw(st.sampled_from(sorted(node))))
    return node


def _graphql_values(field: Field) -> tuple[t.Any, ...]:
    if field.type == "decimal" or field.graphql_type == "Decimal":
        return ("1", "12", "-0", None)
    if field.type == "enum":
        return (*field.menu, None)
    if field.type == "boolean":
        return ("no", "yes", None) if field.graphql_type == "NoYes" else (True, False, None)
    return FITTING[field.type]


@pytest.mark.parametrize("api", ["rest", "graphql"])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_page_at_once_is_its_documents_one_by_one(api: str, data: st.DataObject) -> None:
    entity, stream = data.draw(st.sampled_from([pair for pair in FLAT if can_take_pages(*pair, api)]))
    projection, source = projection_of(entity, stream, api)
    count = data.draw(st.integers(1, 4))
    keys = keys_of(stream, source) if api == "rest" else {}
    nodes = []
    for _ in range(count):
        node = data.draw(st.composite(wire_object)(stream, source, api))
        nodes.append({**node, **keys})
    stamps = [data.draw(st.sampled_from((None, "2024-01-01T00:00:00Z"))) for _ in nodes]
    rows: WireRows = NodeRows(nodes)
    if api == "rest" and data.draw(st.booleans()):
        placed = [(field, field.x3_column(source.kind)) for field in stream.fields]
        known = [(field, column) for field, column in placed if column]
        shape = shape_of(known) if data.draw(st.booleans()) else UNKNOWN
        layout = RowLayout([*STAMPS[api], *(name for node in nodes for name in node)], shape)
        found = layout.decode(encode({"$resources": nodes}))
        assert found is not None
        rows = found[0]
    parts = [("k", number) for number in range(count)]
    page = DocumentPage(0, source.kind, rows, parts, stamps, "2024-05-01T00:00:00Z")
    if data.draw(st.booleans()):
        page.stamped_by = STAMPS[api][0]
        page.stamps = StampReader("rows").read_all([node.get(page.stamped_by) for node in nodes])

    at_once = projection.page(page)

    misfits: list[object] = []
    one_by_one, times = [], []
    for document in page.documents():
        one_by_one += projection.rows(document, lambda _, misfit: misfits.append(misfit))
        times.append(projection.latest)
    if at_once is not None:
        sent, latest = at_once
        assert [encode(row) for row in sent] == [encode(row) for row in one_by_one]
        assert latest == times
        assert not misfits
    else:
        uneven = isinstance(rows, StructRows) and any(set(node) != set(nodes[0]) for node in nodes)
        assert misfits or uneven, "a page without misfits needs not be taken apart"


def test_pages_of_the_tap_s_flat_streams_are_taken_at_once() -> None:
    whole = {
        (stream.name, api)
        for entity, stream in FLAT
        for api in ("rest", "graphql")
        if can_take_pages(entity, stream, api)
    }
    assert {("products", "rest"), ("stock", "graphql"), ("stock", "rest"), ("suppliers", "rest")} <= whole


def keys_of(stream: StreamDeclaration, source: Source) -> dict[str, t.Any]:
    """Columns of the key, which REST never leaves out."""
    fields = [(field, field.x3_column(source.kind)) for field in stream.fields if field.name in stream.key]
    return {column: 1 if field.type == "integer" else "k" for field, column in fields if column}


def can_take_pages(entity: Entity, stream: StreamDeclaration, api: str) -> bool:
    projection, source = projection_of(entity, stream, api)
    node: dict[str, t.Any] = {STAMPS[api][0]: None}
    for field in stream.fields:
        place = field.graphql_path(source.kind) if api == "graphql" else field.x3_column(source.kind)
        if place:
            node.setdefault(place.split(".")[0] if api == "graphql" else place, None)
    node |= keys_of(stream, source) if api == "rest" else {}
    page = DocumentPage(0, source.kind, NodeRows([node]), [("k",)], [None], "2024-05-01T00:00:00Z")
    return projection.page(page) is not None


def test_values_of_another_shape_are_taken_as_they_come_from_then_on() -> None:
    layout = RowLayout(["CODE", "MENU"], Shape({"CODE": 3}, {"MENU"}))

    def decoded(**row: object) -> StructRows:
        found = layout.decode(encode({"$resources": [row]}))
        assert found is not None
        return found[0]

    assert decoded(CODE="abc", MENU=1).shape.texts == {"CODE": 3}
    assert decoded(CODE=None).shape.texts == {"CODE": 3}
    assert decoded(CODE="abcd", MENU="1").nodes() == [{"CODE": "abcd", "MENU": "1"}]
    assert decoded(CODE="abc", MENU=1).shape is UNKNOWN
    assert layout.decode(b'{"$resources":[{"CODE":') is None


@pytest.mark.parametrize("version", [None, 1714521600000])
def test_lines_of_a_page_are_those_of_its_records(version: int | None) -> None:
    schema = {"type": "object", "properties": {"code": {"type": "string"}}}
    stream_map = SameRecordTransform("products", schema, ["code"], None)
    emitter = Emitter([stream_map], version, b"salt")
    rows = [{"code": "a"}, {"code": "é"}]
    lines = [emitter.encode([row], "2024-05-01T00:00:00Z") for row in rows]
    block = emitter.block(rows, "2024-05-01T00:00:00Z")
    assert block.lines == b"".join(line for found in lines for line in found.lines)
    assert emitter.digested(block.rows) == b"".join(found.digested for found in lines)
    assert len(block.rows) == len(rows)
