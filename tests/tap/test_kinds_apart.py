"""Documents of several kinds in one place, and conditions that settings give: only what was meant is read."""

from __future__ import annotations

import re
import typing as t

import pytest
from tap_runs import catalog_of, run_tap, run_tap_until_it_fails
from tap_sagex3.errors import NotReadableError, SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_runs import Config, Record
    from x3_control import X3Control

INVOICES = ("supplier_invoices", "supplier_invoice_lines")
ORDERS = ("purchase_orders", "purchase_order_lines")


@pytest.fixture(autouse=True)
def _undo(x3: X3Control) -> Iterator[None]:
    yield
    x3.reset()


def with_options(config: Config, options: Record, *streams: str) -> Config:
    return {**config, "stream_options": dict.fromkeys(streams, options)}


def of(records: list[Record]) -> list[Record]:
    """Records without what the tap adds, in an order of their own."""
    found = [{name: value for name, value in row.items() if not name.startswith("_sdc")} for row in records]
    return sorted(found, key=lambda row: (row["id"], row.get("lineNumber", 0)))


def test_a_class_that_lists_both_kinds_ends_the_run_before_anything_is_sent(
    rest_config: Config, x3: X3Control
) -> None:
    x3.rest_site(both_kinds=True)
    run, error = run_tap_until_it_fails(
        rest_config, NotReadableError, catalog=catalog_of(rest_config, *INVOICES)
    )
    assert run.of("SCHEMA") == run.of("RECORD") == run.of("STATE") == []
    assert re.search(r"found both as purchasing and as financial document \(PINVOICE\.\$query", str(error))
    assert "stream_options" in str(error)
    assert '{"purchasing": {"where": "ORIMOD eq 4"}' in str(error)


def test_kinds_are_told_apart_by_a_condition(rest_config: Config, x3: X3Control) -> None:
    before = run_tap(rest_config, catalog=catalog_of(rest_config, *INVOICES))
    x3.rest_site(both_kinds=True)
    kinds = {"purchasing": {"where": "ORIMOD eq 4"}, "financial": {"where": "ORIMOD ne 4"}}
    config = with_options(rest_config, kinds, *INVOICES)
    run = run_tap(config, catalog=catalog_of(config, *INVOICES))
    for stream in INVOICES:
        assert run.records(stream)
        assert of(run.records(stream)) == of(before.records(stream))
    number = x3.rows("PINVOICE")[0]["NUM"]
    x3.touch("PINVOICE", number)
    again = run_tap(config, catalog=catalog_of(config, *INVOICES), state=run.state)
    assert {record["id"] for record in again.records("supplier_invoices")} <= {number}


def test_one_class_of_two_that_lists_both_kinds(rest_config: Config, x3: X3Control) -> None:
    """Sales invoices have a table of their own; the class of the others may hold them, too."""
    x3.rest_site(both_kinds=True)
    streams = ("sales_invoices", "sales_invoice_lines")
    catalog = catalog_of(rest_config, *streams)
    _, error = run_tap_until_it_fails(rest_config, NotReadableError, catalog=catalog)
    assert re.search(r"both as sales and as financial", str(error))


def test_graphql_kinds_that_a_filter_does_not_tell_apart(graphql_config: Config) -> None:
    kinds = {"financial": {"filter": {"sourceModule": {"_ne": "sales"}}}}
    config = with_options(graphql_config, kinds, *INVOICES)
    run, error = run_tap_until_it_fails(config, NotReadableError, catalog=catalog_of(config, *INVOICES))
    assert run.of("RECORD") == []
    assert re.search(r"as purchasing and as financial.*supplierInvoiceHeader.*sourceModule", str(error))


def test_a_condition_of_settings_limits_what_is_read(config: Config, x3: X3Control) -> None:
    site = x3.rows("PORDER")[0]["POHFCY"]
    wanted = {row["POHNUM"] for row in x3.rows("PORDER") if row["POHFCY"] == site}
    others = {row["POHNUM"] for row in x3.rows("PORDER")} - wanted
    assert wanted
    assert others
    options = {"where": f"POHFCY eq '{site}'", "filter": {"purchaseSite.code": site}}
    config = {**with_options(config, options, *ORDERS), "page_size": 3}
    catalog = catalog_of(config, *ORDERS, "live_keys")
    run = run_tap(config, catalog=catalog)
    assert {record["id"] for record in run.records("purchase_orders")} == wanted
    assert {record["id"] for record in run.records("purchase_order_lines")} == wanted
    assert len(run.records("purchase_orders")) == len(wanted)
    keys = [record["key"] for record in run.records("live_keys") if record["stream"] == "purchase_orders"]
    assert len(keys) == len(wanted)
    for number in (min(wanted), min(others)):
        x3.set("PORDER", number, {"ORDREF": "CHANGED"})
    again = run_tap(config, catalog=catalog, state=run.state)
    assert {record["id"] for record in again.records("purchase_orders")} == {min(wanted)}


def test_changed_lines_of_other_documents_are_not_read(rest_config: Config, x3: X3Control) -> None:
    x3.rest_site(line_classes={"PORDERQ": "PORDERQ"})
    site = x3.rows("PORDER")[0]["POHFCY"]
    config = with_options(rest_config, {"where": f"POHFCY eq '{site}'"}, *ORDERS)
    catalog = catalog_of(config, *ORDERS)
    first = run_tap(config, catalog=catalog)
    of_site = {row["POHNUM"]: row["POHFCY"] == site for row in x3.rows("PORDER")}
    lines = x3.rows("PORDERQ")
    mine = next(line for line in lines if of_site[line["POHNUM"]])
    other = next(line for line in lines if not of_site[line["POHNUM"]])
    for line in (mine, other):
        x3.set("PORDERQ", [line[n] for n in ("POHNUM", "POPLIN", "POQSEQ")], {"RCPQTYSTU": 83})
    second = run_tap(config, catalog=catalog, state=first.state)
    assert {record["id"] for record in second.records("purchase_order_lines")} == {mine["POHNUM"]}


@pytest.mark.parametrize("given", ["sourceModule", {"sourceModule": {"_gt": 1}}, {"sourceModule": ["sales"]}])
def test_a_filter_in_another_form_is_refused(graphql_config: Config, given: object) -> None:
    config = with_options(graphql_config, {"filter": given}, "purchase_orders")
    with pytest.raises(SettingsError, match=r"stream_options.*purchase_orders.*filter"):
        run_tap(config)


def test_a_condition_on_a_column_that_the_list_has_not(rest_config: Config) -> None:
    config = with_options(rest_config, {"where": "NOPE eq 1"}, *ORDERS)
    run, error = run_tap_until_it_fails(config, Exception, catalog=catalog_of(config, *ORDERS))
    assert run.of("RECORD") == []
    assert "NOPE" in str(error)
