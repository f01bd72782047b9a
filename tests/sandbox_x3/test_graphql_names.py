"""Introspection: columns in descriptions, menus in order; and the names of releases before 2023 R2."""

from __future__ import annotations

import re
import tomllib
import typing as t

import pytest
from processes import ROOT, SANDBOX, server
from x3_client import JsonObject, X3Client, decoded
from x3_schema import SCHEMA, Place, columns_of, name_of, types_of, walk

if t.TYPE_CHECKING:
    from collections.abc import Iterator

ENTITIES = ROOT / "tap-sagex3" / "tap_sagex3" / "entities"
SITE = SANDBOX / "local_x3" / "site"  # the site's own columns


@pytest.fixture(scope="module")
def schema(x3: X3Client) -> dict[str, JsonObject]:
    return types_of(x3)


def per_kind(value: t.Any, kind: str) -> t.Any:  # noqa: ANN401 - TOML
    return value.get(kind) if isinstance(value, dict) and kind else value


def declared() -> Iterator[tuple[Place, str, str]]:
    """Each declared column: where it is, its name, and its path."""
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
            yield place, column, way


def plain(stream: JsonObject, kind: str) -> list[JsonObject]:
    return [found.get(kind, found) if kind else found for found in stream["collections"]]


def test_each_declared_column_is_one_property(schema: dict[str, JsonObject]) -> None:
    places = {place: columns_of(schema, record) for place, record in walk(schema)}
    checked = 0
    for place, column, path in declared():
        if "[" not in path:
            assert places[place].get(column) == [path.split(".")[0]], (place, column)
            checked += 1
    assert checked > 350


def test_each_numbered_column_is_in_a_denormalized_collection(schema: dict[str, JsonObject]) -> None:
    places = {place: columns_of(schema, record) for place, record in walk(schema)}
    checked = 0
    for place, column, path in declared():
        if "[" in path:
            collection, number, inner = re.split(r"\[|\]\.", path)
            base = column.removesuffix(number)
            assert base != column, (place, column)
            assert places[*place, collection].get(base) == [inner.split(".")[0]], (place, column)
            assert column not in places[place]
            checked += 1
    assert checked > 40


def test_descriptions_of_nodes_name_no_table(schema: dict[str, JsonObject]) -> None:
    collections = 0
    for package in schema["RootQuery"]["fields"]:
        for node in schema[name_of(package["type"])]["fields"]:
            record = name_of(node["type"]).removesuffix("_Operations")
            assert node["description"].replace(" ", "").lower() == f"{record}({record})".lower()
            assert schema[record]["description"] == node["description"]
    for _, record in walk(schema):
        for member in schema[record]["fields"]:
            if name_of(member["type"]).endswith("_Collection"):
                collections += 1
                inner = name_of(member["type"]).removesuffix("_Collection")
                assert member["description"].endswith(f" ({inner})")
    assert collections > 7


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
