"""Selection through the tap's command line: what is not selected is neither sent nor asked for."""

from __future__ import annotations

import typing as t

import pytest
from singer_upsert import comparable
from streams import STREAMS
from tap_cli import TapProgram, assert_refused, select

if t.TYPE_CHECKING:
    from pathlib import Path

    from tap_runs import Config
    from x3_control import X3Control

CHOSEN: dict[str, set[str]] = {
    "suppliers": {"companyName", "authorizedCreditAmount"},
    "purchase_order_lines": {"grossPrice", "quantityInPurchaseUnitOrdered"},
    "sales_invoice_lines": {"lineAmountExcludingTax"},
    "gl_cost_allocations": {"amountInCurrency", "dimensionCct"},
    "gl_entry_lines": {"amountInLedgerCurrency"},
    "stock": {"quantityInStockUnit"},
}
"""Neither a key nor a replication key is among them: those come all the same."""


def kept(stream: str) -> set[str]:
    """Properties that a run with the chosen ones has."""
    stamp = {"updatedDate"} if stream != "stock" else set()
    return CHOSEN[stream] | set(STREAMS[stream].key) | stamp


@pytest.fixture
def tap(config: Config, tmp_path: Path) -> TapProgram:
    """The tap's program for the shared local X3, through each API."""
    return TapProgram(tmp_path, config)


def test_only_selected_streams_and_properties_are_sent(tap: TapProgram, api: str, x3: X3Control) -> None:
    run = tap.run(catalog=select(tap.discover(), CHOSEN))
    assert run.keys.keys() == CHOSEN.keys()
    assert run.counts().keys() == CHOSEN.keys()
    for stream in CHOSEN:
        names = kept(stream)
        assert set(run.of("SCHEMA", stream)[0]["schema"]["properties"]) == names
        expected = {
            tuple(record[name] for name in STREAMS[stream].key): {name: record[name] for name in names}
            for record in x3.expected(stream, api)
        }
        assert run.by_key(stream).keys() == expected.keys()
        for key, record in run.by_key(stream).items():
            assert comparable(record) == comparable(expected[key])
    assert {name for name, bookmark in run.state["bookmarks"].items() if bookmark} == CHOSEN.keys()


def test_what_changes_is_sent_with_the_selected_properties(tap: TapProgram, api: str, x3: X3Control) -> None:
    catalog = select(tap.discover(), CHOSEN)
    first = tap.run(catalog=catalog)
    code = x3.rows("BPSUPPLIER")[4]["BPSNUM"]
    x3.set("BPSUPPLIER", code, {"BPSNAM": f"Chosen, {api}"})
    second = tap.run(catalog=catalog, state=first.state)
    assert second.counts() == {"suppliers": 1}
    (record,) = second.records("suppliers")
    assert record.keys() == kept("suppliers")
    assert record["companyName"] == f"Chosen, {api}"
    assert tap.run(catalog=catalog, state=second.state).of("RECORD") == []


def test_a_stream_that_is_selected_later_misses_nothing(tap: TapProgram, api: str, x3: X3Control) -> None:
    catalog = tap.discover()
    first = tap.run(catalog=select(catalog, {"gl_entry_lines": CHOSEN["gl_entry_lines"]}))
    second = tap.run(catalog=select(catalog, {"gl_entry_lines": None, "customers": None}), state=first.state)
    assert len(second.records("customers")) == len(x3.expected("customers", api)) > 0


@pytest.mark.parametrize(
    ("stream", "place"),
    [
        ("suppliers", "companyName1"),
        ("purchase_order_lines", "grossPrice"),
        ("gl_cost_allocations", "dimension{code}"),
    ],
)
def test_graphql_is_not_asked_for_deselected_properties(
    graphql_config: Config, tmp_path: Path, x3: X3Control, stream: str, place: str
) -> None:
    tap = TapProgram(tmp_path, {**graphql_config, "max_retries": 0})
    catalog = tap.discover()
    text = {"fault": "status", "status": 503, "on": "graphql", "text": place, "times": 999}
    x3.faults(text)
    without = tap.run(catalog=select(catalog, {stream: ()}))
    assert len(without.records(stream)) == len(x3.expected(stream))
    assert_refused(tap.started(catalog=select(catalog, {stream: CHOSEN[stream]})), "503")
