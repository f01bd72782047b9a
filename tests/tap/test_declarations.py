from __future__ import annotations

import typing as t
from decimal import Decimal

import pytest
from graphql import parse
from streams import STREAMS
from tap_sagex3.entity_files import load_entities, read_entities
from tap_sagex3.errors import DeclarationError
from tap_sagex3.graphql.query import (
    collection_query,
    compared,
    document_selection,
    filter_text,
    from_value,
    literal,
    one_of,
    order_text,
    page_query,
)
from tap_sagex3.schema import stream_schema

if t.TYPE_CHECKING:
    from pathlib import Path

    from tap_sagex3.declarations import Entity, StreamDeclaration

PAIRS = [(entity, stream) for entity in load_entities() for stream in entity.streams]
EACH_STREAM = pytest.mark.parametrize(("entity", "stream"), PAIRS, ids=[stream.name for _, stream in PAIRS])

GOOD = """
name = "thing"
description = "Things."
[[source]]
table = "THING"
rest = {class = "THING", representation = "THING", key = ["NUM"]}
graphql = {package = "x3Data", node = "thing", key = ["id"]}
[[stream]]
name = "things"
description = "One row a thing."
key = ["id"]
collections = []
fields = [
  {name = "id", type = "text", length = 20, x3 = "NUM", graphql = "id", text = "Number"},
  {name = "state", type = "enum", menu = "State", x3 = "STA", graphql = "state", text = "State"},
]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "menus.toml").write_text('State = ["open", "closed"]\n', encoding="utf-8")
    (folder / "thing.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_promised_streams_and_keys_are_declared() -> None:
    assert {stream.name: stream.key for _, stream in PAIRS} == {name: of.key for name, of in STREAMS.items()}


def test_a_declaration_is_read(tmp_path: Path) -> None:
    (entity,) = read_entities(write(tmp_path, GOOD))
    assert entity.sources[0].rest.class_name == "THING"
    assert entity.streams[0].fields[1].menu == ("open", "closed")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "thing"', 'nam = "thing"', "unknown keys"),
        ('table = "THING"', "", "'table' is missing"),
        ('type = "text"', 'type = "txt"', "type 'txt' is none of"),
        (
            'menu = "State"',
            'menu = "Stat"',
            "there is no menu 'Stat': give a list of the names of its values, or one of",
        ),
        ('key = ["id"]\ncollections', 'key = ["ident"]\ncollections', "key .* is not among the fields"),
        ('key = ["id"]\ncollections', 'key = ["id"]\nreplace_scope = ["x"]\ncollections', "replace_scope"),
        ('name = "state"', 'name = "id"', "a field name occurs twice"),
        ('name = "state"', 'name = "updatedDate"', "updatedDate is added"),
        ('text = "State"', 'text = "State", level = 3', "level 3 is deeper"),
        ('text = "State"', 'text = "State", graphql_type = "Bool"', "graphql_type 'Bool'"),
        ('text = "State"', 'text = "State", lenght = 3', "unknown keys.*lenght"),
        ('graphql = "state"', 'graphql = "states[0].state"', "field state: graphql path 'states.0..state'"),
        ('graphql = "state"', 'graphql = "states[1]"', r"expected names joined .* taxes\[1\].tax.code"),
        ('graphql = "state"', 'graphql = "a.states[1].state"', "graphql path 'a.states"),
        ('graphql = "state"', 'graphql = "states[x].state"', "graphql path 'states"),
        ('graphql = "state"', 'graphql = "state."', "graphql path 'state.'"),
        ('graphql = "state"', 'graphql = {a = "state{x}"}', "graphql path 'state{x}'"),
        ('graphql = "state"', "graphql = 5", "graphql path"),
        ('node = "thing", key = ["id"]', 'node = "thing", key = ["ids[1].id"]', "key .* must have no index"),
        ("[[stream]]", "[[strem]]", "unknown keys"),
        ("fields = [", "fields = [[", "not a TOML file"),
    ],
)
def test_a_malformed_declaration_is_refused_naming_file_and_key(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in GOOD
    with pytest.raises(DeclarationError, match=f"thing.toml.*{words}"):
        read_entities(write(tmp_path, GOOD.replace(old, new)))


@EACH_STREAM
def test_schemas_describe_each_field_and_its_column(entity: Entity, stream: StreamDeclaration) -> None:
    schema = stream_schema(entity, stream, ["CCT"], {})
    properties = schema["properties"]
    assert schema["required"] == list(stream.key)
    assert all("null" not in properties[name]["type"] for name in stream.key)
    for field in stream.fields:
        found = properties[field.name]
        assert found["description"].startswith(field.text)
        if field.type != "constant(kind)":
            table_and_column = found["description"].removeprefix(f"{field.text} ").strip("()")
            assert "." in table_and_column
        if field.scale is not None:
            assert found["multipleOf"] == Decimal(1).scaleb(-field.scale)
        assert found.get("maxLength") == (None if field.type == "enum" else field.length)
    assert properties["updatedDate"]["format"] == "date-time"
    assert schema.get("x-replace-scope") == (list(stream.replace_scope) or None)
    assert (stream.depth > 0) == bool(stream.replace_scope)


def test_columns_that_differ_by_kind_are_all_named() -> None:
    entity, stream = next(pair for pair in PAIRS if pair[1].name == "supplier_invoice_lines")
    description = stream_schema(entity, stream, [], {})["properties"]["lineNumber"]["description"]
    assert "PINVOICED.PIDLIN" in description
    assert "BPSINVLIG.LIG" in description


@EACH_STREAM
def test_every_query_is_graphql(entity: Entity, stream: StreamDeclaration) -> None:
    for source in entity.sources:
        selection, joined = document_selection([stream], source, ("_updateStamp",))
        queries = [page_query(source.graphql, selection)]
        if joined is not None and source.join is not None:
            queries.append(page_query(source.join, joined))
        outer: list[str] = []
        here = selection
        while here.collections:
            name, here = next(iter(here.collections.items()))
            queries.append(collection_query(source.graphql, outer, name, here))
            outer.append(name)
        for query in queries:
            # One read operation each: nothing is ever written to X3.
            (operation,) = parse(query).definitions
            assert operation.to_dict()["operation"] == "query"


def test_filters() -> None:
    assert literal("it's a \\ 'test'") == r"'it\'s a \\ \'test\''"
    assert literal(True) == "true"  # noqa: FBT003 - the value itself
    assert literal(5) == "5"
    assert filter_text([("code.code", literal("A")), ("n", from_value(3))]) == "{code:{code:'A'},n:{_gte:3}}"
    assert filter_text([("id", one_of(["a", "b"]))]) == "{id:{_in:['a','b']}}"
    assert order_text(["_updateStamp", "code.code"]) == "{_updateStamp:1,code:{code:1}}"
    assert compared("_eq", "a") == "'a'"
    assert compared("_ne", "a") == "{_ne:'a'}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [('"a"', ("module", "_eq", "a")), ('{_ne = "a"}', ("module", "_ne", "a")), ("3", ("module", "_eq", 3))],
)
def test_filters_of_a_node(tmp_path: Path, written: str, expected: tuple[str, str, object]) -> None:
    text = GOOD.replace('key = ["id"]}', f'key = ["id"], filter = {{module = {written}}}}}')
    (entity,) = read_entities(write(tmp_path, text))
    assert entity.sources[0].graphql.filter == (expected,)


@pytest.mark.parametrize("written", ['{_gt = "a"}', '["a"]', '{_ne = ["a"]}', "1.5", "{}"])
def test_other_filters_are_refused(tmp_path: Path, written: str) -> None:
    text = GOOD.replace('key = ["id"]}', f'key = ["id"], filter = {{module = {written}}}}}')
    with pytest.raises(DeclarationError, match=r"thing.toml: filter of module must be"):
        read_entities(write(tmp_path, text))


def test_kinds_that_share_a_node_leave_out_no_document() -> None:
    """Of two filters on one node one must be the negation of the other."""
    for entity in load_entities():
        filters: dict[str, list[tuple[str, str, object]]] = {}
        for source in entity.sources:
            filters.setdefault(source.graphql.node, []).extend(source.graphql.filter)
        for conditions in filters.values():
            if len(conditions) == 2:
                (name, operator, value), (other, negated, same) = sorted(conditions, key=lambda c: c[1])
                assert (name, value) == (other, same)
                assert (operator, negated) == ("_eq", "_ne")
