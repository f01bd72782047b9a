"""Answers that are JSON, but not in the form that is documented: told as an error, never taken as data."""

from __future__ import annotations

import json
import typing as t

import pytest
from tap_runs import catalog_of, read_messages_of_run, run_tap
from tap_sagex3.errors import IncompleteAnswerError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_runs import Alter, Config
    from x3_control import X3Control

    Install = Callable[[Alter], None]

ROW = {"BPSNUM": "S1", "UPDDATTIM": "2024-01-01T00:00:00Z"}
REST: list[tuple[str, object]] = [
    ("a null row", {"$resources": [None]}),
    ("a next page that is a text", {"$resources": [ROW], "$links": {"$next": "http://[x"}}),
    ("a next page that is a number", {"$resources": [ROW], "$links": {"$next": {"$url": 5}}}),
    (
        "a next page that is no address",
        {"$resources": [ROW], "$links": {"$next": {"$url": "http://[x/api1/"}}},
    ),
    ("links that are a text", {"$resources": [ROW], "$links": "http://[x"}),
    ("a diagnosis alone", {"$diagnoses": {"$severity": "error", "$message": "boom"}}),
    ("a diagnosis beside rows", {"$resources": [], "$diagnoses": {"$severity": "error", "$message": "boom"}}),
    ("a diagnosis that is a text", {"$resources": [], "$diagnoses": ["boom"]}),
    (
        "a severity in capitals",
        {"$resources": [], "$diagnoses": [{"$severity": "ERROR", "$message": "boom"}]},
    ),
    (
        "a severity of its own",
        {"$resources": [], "$diagnoses": [{"$severity": "transient", "$message": "boom"}]},
    ),
    ("a key that is a list", {"$resources": [{**ROW, "BPSNUM": ["a"]}]}),
    ("a key that is a list, twice", {"$resources": [{**ROW, "BPSNUM": ["a"]}, {**ROW, "BPSNUM": {"a": 1}}]}),
    ("a list", []),
    ("null", None),
    ("a text", "boom"),
]
END = {"hasNextPage": False, "endCursor": None}


def supplier(query: object) -> dict[str, t.Any]:
    return {"data": {"x3MasterData": {"supplier": {"query": query}}}}


GRAPHQL: list[tuple[str, object]] = [
    ("no page info", supplier({"edges": [], "pageInfo": None})),
    ("page info that does not tell", supplier({"edges": [], "pageInfo": {}})),
    ("a next page without a cursor", supplier({"edges": [], "pageInfo": {"hasNextPage": True}})),
    ("a cursor that is a number", supplier({"edges": [], "pageInfo": {"hasNextPage": True, "endCursor": 5}})),
    (
        "an error that is an object",
        {**supplier({"edges": [], "pageInfo": END}), "errors": {"message": "boom"}},
    ),
    ("an error that is a text", {**supplier({"edges": [], "pageInfo": END}), "errors": ["boom"]}),
    (
        "a diagnosis that is an object",
        {
            **supplier({"edges": [], "pageInfo": END}),
            "extensions": {"diagnoses": {"severity": 4, "message": "boom"}},
        },
    ),
    (
        "a severity that is a text",
        {
            **supplier({"edges": [], "pageInfo": END}),
            "extensions": {"diagnoses": [{"severity": "error", "message": "boom"}]},
        },
    ),
    ("nothing", {"data": {"x3MasterData": None}}),
    ("a list", []),
    ("null", None),
]


def refused(config: Config, x3: X3Control, body: object, **where: object) -> None:
    """A run whose list of suppliers is answered so from a page on ends with an error, and no bookmark."""
    config = {**config, "max_retries": 0, "page_size": 5, "detail_workers": 1}
    catalog = catalog_of(config, "suppliers")
    x3.faults({"fault": "status", "status": 200, "body": json.dumps(body), "times": 9, **where})
    messages, error = read_messages_of_run(config, catalog, {})
    x3.faults()
    assert error is not None
    assert not any(m["type"] == "STATE" and "replication_key_value" in str(m) for m in messages)
    whole = run_tap(config, catalog=catalog)
    assert len(whole.records("suppliers")) == len(x3.rows("BPSUPPLIER"))


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in REST])
@pytest.mark.parametrize("nth", [1, 2], ids=["first page", "second page"])
def test_a_list_in_another_form(rest_config: Config, x3: X3Control, body: object, nth: int) -> None:
    refused(rest_config, x3, body, on="rest_query", path="BPSUPPLIER?", nth=nth)


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in GRAPHQL])
@pytest.mark.parametrize("nth", [1, 2], ids=["first page", "second page"])
def test_a_connection_in_another_form(graphql_config: Config, x3: X3Control, body: object, nth: int) -> None:
    refused(graphql_config, x3, body, on="graphql", text="supplier{query", nth=nth)


@pytest.mark.parametrize("severity", ["info", "Warning", "success"])
def test_a_mild_diagnosis_is_none_of_an_error(rest_config: Config, alter: Install, severity: str) -> None:
    def tell(url: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        return (
            {**body, "$diagnoses": [{"$severity": severity, "$message": "x"}]}
            if "BPSUPPLIER?" in url
            else None
        )

    alter(tell)
    assert run_tap(rest_config, catalog=catalog_of(rest_config, "suppliers")).records("suppliers")


@pytest.mark.parametrize("diagnosis", [{"severity": 1}, {"severity": "2"}, {"severity": "warn"}, {}])
def test_a_mild_diagnosis_of_graphql(graphql_config: Config, alter: Install, diagnosis: object) -> None:
    alter(
        lambda _, body: (
            {**body, "extensions": {"diagnoses": [diagnosis]}} if "supplier" in str(body) else None
        )
    )
    assert run_tap(graphql_config, catalog=catalog_of(graphql_config, "suppliers")).records("suppliers")


def test_a_joined_page_that_comes_twice(graphql_config: Config, x3: X3Control, alter: Install) -> None:
    """The server gives two joined records a page, and the second page is the first one again."""
    catalog = catalog_of(graphql_config, "sales_invoices")
    kept: list[t.Any] = []

    def twice(_: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        found = body["data"].get("x3InvoicingData", {}).get("customerInvoiceHeader", {}).get("query")
        if not found or (not kept and (len(found["edges"]) < 3 or "customerInvoiceType" in str(found))):
            return None
        if kept:
            found["edges"] = kept[0]
        else:
            found["pageInfo"]["hasNextPage"] = True  # the cursor is a real one
            kept.append(found["edges"])
        return body

    assert x3.rows("SINVOICEV")
    alter(twice)
    with pytest.raises(IncompleteAnswerError, match=r"on two pages|paging does not move on"):
        run_tap(graphql_config, catalog=catalog)


def test_a_joined_record_that_one_answer_leaves_out_is_asked_for_again(
    graphql_config: Config, alter: Install
) -> None:
    catalog = catalog_of(graphql_config, "sales_invoices")
    whole = run_tap(graphql_config, catalog=catalog).by_key("sales_invoices")
    left_out: list[t.Any] = []

    def leave_out(_: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        found = body["data"].get("x3InvoicingData", {}).get("customerInvoiceHeader", {}).get("query")
        if not found or left_out or len(found["edges"]) < 3 or "customerInvoiceType" in str(found):
            return None
        left_out.append(found["edges"].pop())
        return body

    alter(leave_out)
    again = run_tap(graphql_config, catalog=catalog).by_key("sales_invoices")
    assert left_out
    assert again == whole


def test_a_page_of_totals_that_comes_twice(
    graphql_config: Config, x3: X3Control, alter: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_sagex3.control.ledger_aggregates.GROUPS_AT_ONCE", 5)
    x3.graphql_site(line_nodes=True)
    kept: list[t.Any] = []

    def repeat(_: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        found = body["data"].get("x3FinanceData", {}).get("journalEntryLine", {}).get("queryAggregate")
        if not found:
            return None
        kept.append(found["edges"])
        if len(kept) == 2:
            found["edges"] = kept[0]
        return body

    try:
        catalog = catalog_of(graphql_config, "control_totals")
        alter(repeat)
        with pytest.raises(IncompleteAnswerError, match="another row may be missing"):
            run_tap(graphql_config, catalog=catalog)
        assert len(kept) == 2
    finally:
        x3.reset()
