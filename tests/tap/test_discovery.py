"""GraphQL names that changed are found by the X3 column; what is not there is told, or read through REST."""

from __future__ import annotations

import typing as t

import pytest
from singer_upsert import comparable
from streams import STREAMS
from tap_runs import Run, catalog_of, config_for, copy_of, run_tap, run_tap_until_it_fails
from tap_sagex3.errors import NotReadableError
from tap_sagex3.tap import TapSageX3
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_runs import Config, Record

RENAMED = {
    "x3FinanceData.journalEntry": "x3Finance.accountingEntry",
    "x3FinanceData.journalEntry.lines": "entryLines",
    "x3FinanceData.journalEntry.lines.analyticalLines": "costLines",
    "x3FinanceData.journalEntry.description": "entryText",
    "x3FinanceData.journalEntry.lines.account": "ledgerAccount",
    "x3Purchasing.purchaseOrder.orderDate": "dateOfOrder",
    "x3Purchasing.purchaseOrder.purchaseOrderLines": "purchaseOrderQuantityLines",
    "x3Purchasing.purchaseOrder.purchaseOrderLines.taxes": "lineTaxes",
    "x3MasterData.supplier.currency": "supplierCurrency",
}
CHANGED = (
    "gl_entries",
    "gl_entry_lines",
    "gl_cost_allocations",
    "purchase_orders",
    "purchase_order_lines",
    "suppliers",
)


@pytest.fixture(autouse=True)
def _undo(x3: X3Control) -> Iterator[None]:
    yield
    x3.reset()


def check(run: Run, x3: X3Control, api: str, *streams: str) -> None:
    for stream in streams:
        expected = {tuple(r[name] for name in STREAMS[stream].key): r for r in x3.expected(stream, api)}
        found = run.by_key(stream)
        assert comparable(list(map(repr, sorted(found)))) == comparable(list(map(repr, sorted(expected))))
        for key, record in found.items():
            assert comparable(record) == comparable(
                {name: value for name, value in expected[key].items() if name in record}
            )


def properties_of(config: Config, stream: str) -> set[str]:
    catalog = TapSageX3(config=copy_of(config)).catalog_dict
    entry = next(entry for entry in catalog["streams"] if entry["stream"] == stream)
    return set(entry["schema"]["properties"])


def test_renamed_nodes_collections_and_properties_are_found(graphql_config: Config, x3: X3Control) -> None:
    before = {stream: properties_of(graphql_config, stream) for stream in CHANGED}
    x3.graphql_site(renamed=RENAMED)
    run = run_tap(graphql_config, catalog=catalog_of(graphql_config, *CHANGED))
    check(run, x3, "graphql", *CHANGED)
    assert {stream: set(run.records(stream)[0]) for stream in CHANGED} == before
    quiet = run_tap(graphql_config, catalog=catalog_of(graphql_config, *CHANGED), state=run.state)
    assert quiet.of("RECORD") == []


def test_a_name_that_another_column_has_now(graphql_config: Config, x3: X3Control) -> None:
    """The description tells: `orderDate` of this site is the date of the receipt."""
    node = "x3Purchasing.purchaseOrder"
    x3.graphql_site(renamed={f"{node}.orderDate": "dateOfOrder", f"{node}.expectedReceiptDate": "orderDate"})
    run = run_tap(graphql_config, catalog=catalog_of(graphql_config, "purchase_orders"))
    assert any(r["orderDate"] != r["expectedReceiptDate"] for r in run.records("purchase_orders"))
    check(run, x3, "graphql", "purchase_orders")


@pytest.mark.parametrize("names", ["old", "2022r3"])
def test_names_of_older_releases_are_found(names: str) -> None:
    with (
        local_x3("--port", "0", "--scale", "30", "--graphql-names", names) as running,
        X3Control(running.ready["url"]) as x3,
    ):
        run = run_tap(config_for(running, "graphql"))
        check(run, x3, "graphql", *STREAMS)


def test_properties_that_are_not_there_are_left_out_of_the_catalog_with_a_warning(
    graphql_config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    x3.graphql_site(
        absent=[
            "x3Purchasing.purchaseOrder.internalOrderReference",
            "x3Purchasing.purchaseOrder.purchaseOrderLines.grossPrice",
        ]
    )
    catalog = catalog_of(graphql_config, "purchase_orders", "purchase_order_lines")
    run = run_tap(graphql_config, catalog=catalog)
    check(run, x3, "graphql", "purchase_orders", "purchase_order_lines")
    assert "internalOrderReference" not in run.records("purchase_orders")[0]
    assert "grossPrice" not in run.records("purchase_order_lines")[0]
    told = [r.getMessage() for r in caplog.records if "this site has no" in r.getMessage()]
    assert any("purchase_orders" in text and "internalOrderReference" in text for text in told)


def test_a_node_that_is_not_there_is_read_through_rest_when_there_is_a_login(
    graphql_config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    x3.graphql_site(absent=["x3FinanceData.journalEntry"])
    streams = ("gl_entries", "gl_entry_lines", "gl_cost_allocations")
    config = {
        **graphql_config,
        "rest_username": graphql_config["username"],
        "rest_password": graphql_config["password"],
    }
    run = run_tap(config, catalog=catalog_of(config, *streams))
    check(run, x3, "rest", *streams)
    assert any("read through REST instead" in r.getMessage() for r in caplog.records)
    without = {name: value for name, value in graphql_config.items() if not name.endswith("word")}
    _, error = run_tap_until_it_fails(without, NotReadableError, catalog=catalog_of(without, *streams))
    assert "x3FinanceData.journalEntry" in str(error)
    fixed = {**config, "api": "graphql"}
    run_tap_until_it_fails(fixed, NotReadableError, catalog=catalog_of(fixed, *streams))
    optional = {**without, "optional_streams": list(streams)}
    skipped = run_tap(optional, catalog=catalog_of(optional, "suppliers", *streams))
    assert set(skipped.counts()) == {"suppliers"}


def test_a_key_that_is_not_there_is_refused_by_name(graphql_config: Config, x3: X3Control) -> None:
    x3.graphql_site(absent=["x3Purchasing.purchaseOrder.id"])
    _, error = run_tap_until_it_fails(
        graphql_config, NotReadableError, catalog=catalog_of(graphql_config, "purchase_orders")
    )
    assert '"id"' in str(error)
    assert "stream_options" in str(error)


def test_a_server_that_does_not_describe_its_schema_is_read_as_declared(
    graphql_config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    body = '{"errors":[{"message":"GraphQL introspection is not allowed"}]}'
    x3.faults(
        {"fault": "status", "status": 400, "body": body, "on": "graphql", "text": "__schema", "times": 99}
    )
    run = run_tap(graphql_config, catalog=catalog_of(graphql_config, *CHANGED))
    check(run, x3, "graphql", *CHANGED)
    assert any("introspection is not allowed" in r.getMessage() for r in caplog.records)


def test_the_whole_site_is_asked_with_few_requests(graphql_config: Config, x3: X3Control) -> None:
    x3.reset_counters()
    catalog: Record = TapSageX3(config=copy_of(graphql_config)).catalog_dict
    assert len(catalog["streams"]) > len(STREAMS)
    assert x3.counters()["graphql"] <= 20
