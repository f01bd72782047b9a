"""Numbered columns FIELD(n): items of denormalized collections in GraphQL, columns of the records."""

from __future__ import annotations

import shutil
import typing as t
from decimal import Decimal

import pytest
from processes import ROOT
from tap_runs import catalog_of, config_for, run_tap
from tap_sagex3.documents import Document
from tap_sagex3.entity_files import load_entities, read_entities
from tap_sagex3.errors import IncompleteAnswerError
from tap_sagex3.graphql.query import document_selection
from tap_sagex3.levels import ProjectionOptions
from tap_sagex3.paths import PropertyPath, property_path
from tap_sagex3.projection import Projection
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_runs import Alter, Config
    from tap_sagex3.declarations import Entity, StreamDeclaration

    Install = Callable[[Alter], None]

MORE = (
    '  {name = "tax2", type = "text", length = 5, x3 = "TAX2", graphql = "taxes[2].tax.code", joined = true, '
    'text = "Second tax code"},\n'
    '  {name = "taxAmount2", type = "decimal", scale = 4, x3 = "AMTTAX2", graphql = "taxes[2].taxAmount", '
    'joined = true, text = "Amount of the second tax"},\n'
)
COMMENT = '  {name = "comment1"'


def declared(name: str) -> tuple[Entity, StreamDeclaration]:
    return next(
        (entity, stream) for entity in load_entities() for stream in entity.streams if stream.name == name
    )


def item(index: int, **values: object) -> dict[str, t.Any]:
    return {"node": {"denormalizedIndex": index, **values}}


def row_of(*items: object, stream: str = "gl_accounts") -> tuple[dict[str, t.Any], list[t.Any]]:
    """The row of an account with such items in `taxes`, and the values that do not fit."""
    entity, declaration = declared(stream)
    names = frozenset(field.name for field in declaration.fields)
    projection = Projection(
        declaration, entity.sources[0], ProjectionOptions("graphql", names, {}, ("_updateStamp",))
    )
    node = {"taxes": {"query": {"edges": list(items)}}, "dimensions": {"query": {"edges": []}}}
    misfits: list[t.Any] = []
    (row,) = projection.rows(Document(0, "", (), None, node, ""), lambda _, misfit: misfits.append(misfit))
    return row, misfits


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("orderDate", PropertyPath(("orderDate",))),
        ("company.code", PropertyPath(("company", "code"))),
        ("taxes[1].taxAmount", PropertyPath(("taxAmount",), "taxes", 1)),
        ("taxes[12].tax.code", PropertyPath(("tax", "code"), "taxes", 12)),
    ],
)
def test_paths_are_read(text: str, path: PropertyPath) -> None:
    assert property_path(text) == path


def test_an_item_is_found_by_its_index_not_by_its_place() -> None:
    others = [item(3, tax={"code": "C"}), item(1, tax={"code": "A"}), item(2, tax={"code": "B"})]
    assert row_of(*others)[0]["tax1"] == "A"


@pytest.mark.parametrize("items", [(), (item(2, tax={"code": "B"}),), (item(1, tax=None),), (item(1),)])
def test_a_text_without_an_item_is_empty(items: tuple[object, ...]) -> None:
    row, misfits = row_of(*items)
    assert row["tax1"] == ""
    assert misfits == []


def test_a_number_without_an_item_is_null() -> None:
    entity, stream = declared("purchase_order_lines")
    names = frozenset({"discountValue1", "discountValue2", "taxAmount1", "tax1"})
    projection = Projection(stream, entity.sources[0], ProjectionOptions("graphql", names, {}, ()))
    line = {
        "discounts": {"query": {"edges": [item(2, discountValue="2.5")]}},
        "taxes": {"query": {"edges": [item(1, tax={"code": "NOR"}, taxAmount=None)]}},
    }
    node = {"purchaseOrderLines": {"query": {"edges": [{"node": line}]}}}
    (row,) = projection.rows(Document(0, "", (), None, node, ""), lambda *_: None)
    assert row == {
        "discountValue1": None,
        "discountValue2": Decimal("2.5"),
        "taxAmount1": None,
        "tax1": "NOR",
    }


def test_a_value_that_does_not_fit_is_kept_and_told() -> None:
    row, misfits = row_of(item(1, tax={"code": 5}))
    assert row["tax1"] == 5
    assert [name for name, *_ in misfits] == ["tax1"]


@pytest.mark.parametrize("taxes", [None, {}, {"query": None}, {"query": {"edges": [{"node": None}]}}, [1]])
def test_what_is_no_list_of_items_is_incomplete(taxes: object) -> None:
    entity, stream = declared("gl_accounts")
    options = ProjectionOptions("graphql", frozenset({"tax1"}), {}, ())
    projection = Projection(stream, entity.sources[0], options)
    with pytest.raises(IncompleteAnswerError, match="Collection taxes is not a list of numbered items"):
        projection.rows(Document(0, "", (), None, {"taxes": taxes}, ""), lambda *_: None)


def test_a_collection_is_asked_for_once() -> None:
    entity, stream = declared("purchase_order_lines")
    selection, _ = document_selection([stream], entity.sources[0], ("_updateStamp",))
    text = selection.text()
    assert text.count("taxes{") == text.count("discounts{") == 1
    assert "taxes{query(first:100){edges{node{denormalizedIndex tax{code} taxAmount}} pageInfo" in text


def test_pages_of_items_are_read_to_the_end(
    graphql_config: Config, x3: X3Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_sagex3.graphql.query.NESTED_PAGE", 1)
    run = run_tap(
        graphql_config, catalog=catalog_of(graphql_config, "purchase_orders", "purchase_order_lines")
    )
    for stream in ("purchase_orders", "purchase_order_lines"):
        found = {tuple(record[name] for name in run.keys[stream]): record for record in x3.expected(stream)}
        assert run.by_key(stream) == found
    lines = run.records("purchase_order_lines")
    assert None not in {line[name] for line in lines for name in ("discountValue3", "taxAmount3")}


def test_pages_of_items_of_a_joined_node_are_read_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "entities"
    shutil.copytree(ROOT / "tap-sagex3" / "tap_sagex3" / "entities", folder)
    file = folder / "sales_invoice.toml"
    file.write_text(file.read_text("utf-8").replace(COMMENT, MORE + COMMENT, 1), encoding="utf-8")
    entities = read_entities(folder)
    monkeypatch.setattr("tap_sagex3.tap.load_entities", lambda: entities)
    monkeypatch.setattr("tap_sagex3.graphql.query.NESTED_PAGE", 1)
    with (
        local_x3("--port", "0", "--scale", "30", "--entities", str(folder)) as running,
        X3Control(running.ready["url"]) as control,
    ):
        config = config_for(running, "graphql")
        run = run_tap(config, catalog=catalog_of(config, "sales_invoices"))
        expected = {(record["id"],): record for record in control.expected("sales_invoices")}
    assert run.by_key("sales_invoices") == expected
    amounts = [record["taxAmount2"] for record in run.records("sales_invoices")]
    assert sum(1 for amount in amounts if amount) > len(amounts) / 2


def test_a_page_of_items_that_is_not_there_ends_the_run(graphql_config: Config, alter: Install) -> None:
    catalog = catalog_of(graphql_config, "sales_invoices")

    def spoil(_: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        found = body["data"].get("x3InvoicingData", {}).get("customerInvoiceHeader")
        edges = found["query"]["edges"] if found else []
        if not edges or "taxes" not in edges[0]["node"]:
            return None
        edges[0]["node"]["taxes"] = None
        return body

    alter(spoil)
    with pytest.raises(IncompleteAnswerError, match="GraphQL gave no list in taxes"):
        run_tap(graphql_config, catalog=catalog)
