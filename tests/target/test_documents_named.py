"""Which records are of one document: those that SQL sees in one, however their values are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.parts import Chunk
from target_snowflake_audit.checking.plan import StreamPlan, make_plan
from target_snowflake_audit.deletions import Documents
from target_snowflake_audit.reading.blocks import RECORD_TEXT
from target_snowflake_audit.reading.reader import MessageReader

if TYPE_CHECKING:
    from target_world import Message, World

STATE: dict[str, Any] = {"type": "STATE", "value": {"done": True}}
TEXT: dict[str, Any] = {"type": "string", "maxLength": 30}
NUMBER: dict[str, Any] = {"type": ["number", "null"], "multipleOf": 0.01}


def scoped(document: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON schemas
    """A schema of lines of a document."""
    properties = {"doc": document, "line": {"type": "integer"}, "amount": NUMBER, **more}
    return {"type": "object", "properties": properties, "x-replace-scope": ["doc"]}


def plan_of(document: dict[str, Any], **more: Any) -> StreamPlan:  # noqa: ANN401
    """A plan of such lines."""
    schema = scoped(document, **more)
    settings = {"number_type": "NUMBER(38,4)"}
    return make_plan(settings, "s", schema, ["doc", "line"], {"stream": "s", "schema": schema}, "DB")


def numbers(world: World) -> list[int]:
    """Numbers of the live lines."""
    return sorted(int(row["LINE"]) for row in world.rows())


def lines(world: World, *documents: Any) -> list[Message]:  # noqa: ANN401
    """Lines 1, 2, ... of documents."""
    return [
        world.record({"doc": document, "line": number, "amount": 1})
        for number, document in enumerate(documents, 1)
    ]


WRITTEN: list[tuple[dict[str, Any], list[Any]]] = [
    ({"type": "number", "multipleOf": 0.01}, [1, 1.0, "1.00"]),
    ({"type": "integer"}, [1, 1.0, 1]),
    (
        {"type": "string", "format": "date-time"},
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+01:00"],
    ),
    ({"type": "string", "format": "date"}, ["2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01"]),
]


@pytest.mark.parametrize(("kind", "values"), WRITTEN)
def test_one_document_in_several_forms(kind: dict[str, Any], values: list[Any]) -> None:
    checker = Checker(plan_of(kind))
    documents = Documents(("doc",), checker.document_of)
    other = {"number": 2, "integer": 2, "string": "2026-02-02"}[kind["type"]]
    starts = [documents.starts({"doc": value})[0] for value in (*values, other, *values)]
    names = {checker.document_of([value]) for value in values} - {None}
    assert len(names) == 1
    assert starts == [True, False, False, True, True, False, False]


def test_no_line_is_gone_where_a_number_is_written_in_two_ways(world: World) -> None:
    kind = {"type": "number", "multipleOf": 0.01}
    first = [world.schema_message(scoped(kind), ["doc", "line"]), *lines(world, 1, 1, 1, 1), STATE]
    again = [world.schema_message(scoped(kind), ["doc", "line"]), *lines(world, 1, 1, 1.0, 1), STATE]
    for messages in (first, again):
        world.run(messages, batch_size_rows=2)
        assert numbers(world) == [1, 2, 3, 4]


def test_true_is_not_one() -> None:
    documents = Documents(("doc",), Checker(plan_of({"type": ["integer", "boolean"]})).document_of)
    assert documents.starts({"doc": True})[0]
    assert documents.starts({"doc": 1})[0]


def test_names_that_nest_deeper_than_they_can_be_compared() -> None:
    """Each is taken to go on with the document before it."""
    documents = Documents(("doc",), Checker(plan_of(TEXT)).document_of)
    values: list[list[Any]] = [[], []]
    for _ in range(2000):
        values = [[value] for value in values]
    assert [documents.starts({"doc": one})[0] for one in ("A", *values, "A", "B")] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_another_schema_reads_names_by_its_own_rules(world: World) -> None:
    """The second SCHEMA takes longer names; with the first one's rules they could not be told apart."""
    short, long = {"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 50}
    messages = [
        world.schema_message(scoped(short), ["doc", "line"]),
        *lines(world, "D1", "D1"),
        world.schema_message(scoped(long), ["doc", "line"]),
        *lines(world, "D1", "D1", "D1")[2:],
        *lines(world, *["LONG1"] * 5)[3:],
        *lines(world, *["LONG2"] * 6)[5:],
        *lines(world, *["LONG1"] * 4)[3:],
        STATE,
    ]
    world.run(messages, max_deleted_percent=100)
    assert [(row["DOC"], int(row["LINE"])) for row in world.rows()] == [
        ("D1", 1),
        ("D1", 2),
        ("D1", 3),
        ("LONG1", 4),
        ("LONG2", 6),
    ]


def test_the_document_at_hand_keeps_its_name_under_other_types() -> None:
    narrow, wide = (Checker(plan_of({"type": "number", "multipleOf": part})) for part in (0.1, 0.001))
    assert narrow.document_of([1]) != wide.document_of([1])
    documents = Documents(("doc",), narrow.document_of)
    assert documents.starts({"doc": 1}) == (True, False)
    documents.named_by(wide.document_of)
    documents.next_batch()
    assert [documents.starts({"doc": value}) for value in (1, 2, 1)] == [
        (False, False),
        (True, False),
        (True, True),
    ]


UNREADABLE = [b"1E99999999999999999999", b"9" * 5000, b'"x"', b"{}", b"[" * 1200 + b"]" * 1200]


@pytest.mark.parametrize("value", UNREADABLE)
@pytest.mark.parametrize("name", [b"doc", b"amount"])
def test_a_number_that_nobody_can_read_is_a_letter(name: bytes, value: bytes) -> None:
    checker = Checker(plan_of(NUMBER))
    raw = [b'{"doc":1,"line":1,"amount":1}', b'{"doc":1,"line":2,"amount":1,"%s":%s}' % (name, value)]
    documents = Documents(("doc",), checker.document_of)
    for row in checker.scopes(raw) or ():
        documents.starts(row)
    checked = checker.check(Chunk([], raw, [1, 2], [None, None]))
    assert len(checked.letters) == 1
    assert checked.lost == ([2] if name == b"doc" or value[:1] == b"[" else [])


def test_a_row_holds_no_text_that_is_no_utf8() -> None:
    """Numbers and what the schema does not declare are kept as they came, and must be looked at as well."""
    reader, form = MessageReader(), Checker(plan_of(NUMBER)).form
    assert form is not None
    reader.decode_as("s", form.decode)
    for name in (b"amount", b"undeclared"):
        record = b'{"doc":1,"line":1,"amount":1,"%s":"\xff"}' % name
        message = reader.deserialize_json(b'{"type":"RECORD","stream":"s","record":%s}' % record)
        assert message["record"][name.decode()] == "\udcff"
        assert message[RECORD_TEXT].decode().endswith('"\\udcff"}')


@pytest.mark.parametrize("before", [b"", b'"amount":1E99999999999999999999,'])
@pytest.mark.parametrize("kinds", [{}, {"deep": {}}])
def test_a_record_as_deep_as_can_just_be_read(before: bytes, kinds: dict[str, Any]) -> None:
    """Whether its line, the record or a value is too deep depends on the stack: it is loaded or a letter."""
    checker = Checker(plan_of(TEXT, **kinds))
    found = set()
    for depth in range(880, 1010):
        raw = b'{"doc":"A","line":1,%s"deep":%s}' % (before, b"[" * depth + b"]" * depth)
        checked = checker.check(Chunk([], [raw], [1], [None]))
        assert len(checked.lines) == 1
        found.add(len(checked.letters))
    assert 1 in found
