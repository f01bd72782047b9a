"""Introspection: columns in descriptions, menus in order; and the names of releases before 2023 R2."""

from __future__ import annotations

import tomllib
import typing as t

import pytest
from processes import ROOT, SANDBOX, server
from x3_client import JsonObject, X3Client, decoded

if t.TYPE_CHECKING:
    from collections.abc import Iterator

ENTITIES = ROOT / "tap-sagex3" / "tap_sagex3" / "entities"
SITE = SANDBOX / "local_x3" / "site"  # the site's own columns
TYPE = "kind name ofType { kind name ofType { kind name } }"
SCHEMA = f"""{{ __schema {{ queryType {{ name }} mutationType {{ name }} types {{ kind name description
  fields {{ name description args {{ name type {{ {TYPE} }} }} type {{ {TYPE} }} }} enumValues {{ name }}
}} }} }}"""
Place = tuple[str, ...]  # package, node, collections


@pytest.fixture(scope="module")
def schema(x3: X3Client) -> dict[str, JsonObject]:
    return types_of(x3)


def types_of(x3: X3Client) -> dict[str, JsonObject]:
    """All types by name."""
    return {found["name"]: found for found in decoded(x3.post(SCHEMA))["data"]["__schema"]["types"]}


def name_of(type_: JsonObject) -> str:
    while type_["ofType"]:
        type_ = type_["ofType"]
    return str(type_["name"])


def field(types: dict[str, JsonObject], owner: str, name: str) -> str:
    """The type of a field."""
    return next(name_of(found["type"]) for found in types[owner]["fields"] if found["name"] == name)


def walk(types: dict[str, JsonObject]) -> Iterator[tuple[Place, str]]:
    """Every node and collection with the type of its records, found from the root only."""
    for package in types["RootQuery"]["fields"]:
        for node in types[name_of(package["type"])]["fields"]:
            connection = field(types, name_of(node["type"]), "query")
            yield from records(types, (package["name"], node["name"]), connection)


def records(types: dict[str, JsonObject], place: Place, connection: str) -> Iterator[tuple[Place, str]]:
    record = field(types, field(types, connection, "edges"), "node")
    yield place, record
    for member in types[record]["fields"]:
        if name_of(member["type"]).endswith("_Collection"):
            inner = field(types, name_of(member["type"]), "query")
            yield from records(types, (*place, member["name"]), inner)


def columns_of(types: dict[str, JsonObject], record: str) -> dict[str, list[str]]:
    """X3 column -> the fields whose description names it in parentheses."""
    found: dict[str, list[str]] = {}
    for member in types[record]["fields"]:
        text = member["description"] or ""
        if text.endswith(")"):
            for column in text[text.rindex("(") + 1 : -1].split(", "):
                found.setdefault(column, []).append(member["name"])
    return found


def per_kind(value: t.Any, kind: str) -> t.Any:  # noqa: ANN401 - TOML
    return value.get(kind) if isinstance(value, dict) and kind else value


def declared() -> Iterator[tuple[Place, str, str]]:
    """Each declared column: where it is, its name, and the first part of its path."""
    for path in sorted(ENTITIES.glob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        for source in content.get("source", []):
            yield from of_source(content["stream"], source)


def of_source(streams: list[JsonObject], source: JsonObject) -> Iterator[tuple[Place, str, str]]:
    kind = source.get("kind", "")
    node = (source["graphql"]["package"], source["graphql"]["node"])
    for stream in streams:
        levels = [found["graphql"] for found in plain(stream, kind)]
        for item in stream["fields"]:
            column, way = per_kind(item.get("x3"), kind), per_kind(item.get("graphql"), kind)
            if not isinstance(column, str) or not isinstance(way, str):
                continue
            place = (*node, *levels[: item.get("level", len(levels))])
            if item.get("joined") and "join" in source:
                joined = source["join"]["graphql"]
                place = (joined["package"], joined["node"])
            yield place, column, way.split(".")[0]


def plain(stream: JsonObject, kind: str) -> list[JsonObject]:
    return [found.get(kind, found) if kind else found for found in stream["collections"]]


def test_each_declared_column_is_one_property(schema: dict[str, JsonObject]) -> None:
    places = {place: columns_of(schema, record) for place, record in walk(schema)}
    checked = 0
    for place, column, name in declared():
        assert places[place].get(column) == [name], (place, column)
        checked += 1
    assert checked > 400


def test_menus_are_in_order(schema: dict[str, JsonObject]) -> None:
    menus = {
        name: names
        for folder in (ENTITIES, SITE)
        for name, names in tomllib.loads((folder / "menus.toml").read_text("utf-8")).items()
    }
    shown = {
        name.removesuffix("Enum"): [value["name"] for value in found["enumValues"]]
        for name, found in schema.items()
        if found["kind"] == "ENUM" and not name.startswith("__")
    }
    assert len(shown) > 20
    assert {name: menus[name] for name in shown} == shown


def test_every_node_has_its_operations_and_system_members(schema: dict[str, JsonObject]) -> None:
    for package in schema["RootQuery"]["fields"]:
        for node in schema[name_of(package["type"])]["fields"]:
            operations = {found["name"]: found for found in schema[name_of(node["type"])]["fields"]}
            assert set(operations) == {"query", "read", "readAggregate", "queryAggregate"}
            (identifier,) = operations["read"]["args"]
            assert (identifier["type"]["kind"], name_of(identifier["type"])) == ("NON_NULL", "Id")
    system = {"_id", "_etag", "_createStamp", "_updateStamp", "_createUser", "_updateUser"}
    for place, record in walk(schema):
        names = {found["name"] for found in schema[record]["fields"]}
        assert "denormalizedIndex" in names or system <= names, place


def test_there_is_nothing_to_write_with(x3: X3Client) -> None:
    assert decoded(x3.post(SCHEMA))["data"]["__schema"]["mutationType"] is None


# -- old names --


@pytest.fixture(scope="module")
def old() -> Iterator[X3Client]:
    with server("local_x3", "--scale", "40", "--graphql-names", "old") as running:
        yield X3Client(running.ready)


def test_old_packages_have_the_old_prefix(old: X3Client, schema: dict[str, JsonObject]) -> None:
    now = {found["name"] for found in schema["RootQuery"]["fields"]}
    then = {found["name"] for found in types_of(old)["RootQuery"]["fields"]}
    assert then == {f"xtrem{name[0].upper()}{name[1:]}" for name in now}
    answer = old.post("{ x3Purchasing { purchaseOrder { query { totalCount } } } }")
    assert answer.status_code == 400
    assert 'Cannot query field "x3Purchasing"' in answer.json()["errors"][0]["message"]


def test_renamed_properties_are_found_by_their_columns(old: X3Client, schema: dict[str, JsonObject]) -> None:
    before = types_of(old)
    for name, column, was, now in (
        ("Supplier", "BPSNAM", "companyName", "companyName1"),
        ("Customer", "BPCNAM", "companyName", "companyName1"),
        ("PurchaseOrder", "BPSNUM", "orderFromSupplier", "orderFromSupplier"),
    ):
        assert columns_of(before, name)[column] == [was]
        assert columns_of(schema, name)[column] == [now]
    lines = dict(walk(before))["xtremX3Purchasing", "purchaseOrder", "purchaseOrderQuantityLines"]
    assert columns_of(before, lines)["POPLIN"] == ["lineNumber"]


def test_old_references_and_filters_name_a_supplier_by_its_code(old: X3Client) -> None:
    node = ("xtremX3Purchasing", "purchaseOrder")
    (first,) = old.nodes(*node, "orderFromSupplier { _id code companyName }", "first: 1")
    code = first["orderFromSupplier"]["code"]
    assert first["orderFromSupplier"]["_id"] == code
    for text in (f"{{orderFromSupplier:'{code}'}}", f"{{orderFromSupplier:{{code:'{code}'}}}}"):
        found = old.nodes(*node, "orderFromSupplier { code }", f'filter: "{text}"')
        assert {item["orderFromSupplier"]["code"] for item in found} == {code}
    inner = "edges { node { orderFromSupplier { code { code } } } }"
    nested = old.post(f"{{ xtremX3Purchasing {{ purchaseOrder {{ query {{ {inner} }} }} }} }}")
    assert nested.status_code == 400
