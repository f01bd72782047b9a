"""`live_keys` and `control_totals`: read when asked for, the same by every way, silent when unchanged."""

from __future__ import annotations

import json
import typing as t
from collections import defaultdict
from decimal import Decimal

import pytest
from tap_runs import Run, catalog_of, copy_of, run_tap, run_tap_until_it_fails
from tap_sagex3.control import CONTROL_STREAMS
from tap_sagex3.errors import TapError
from tap_sagex3.tap import TapSageX3

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_runs import Config, Record
    from x3_control import X3Control

DOCUMENTS = (
    "suppliers",
    "customers",
    "products",
    "purchase_orders",
    "supplier_invoices",
    "sales_invoices",
    "gl_accounts",
    "gl_entries",
    "dimension_types",
    "dimensions",
)
GROUP = ("ledgerType", "ledger", "company", "fiscalYear", "period", "ledgerCurrency")


@pytest.fixture(autouse=True)
def _undo(x3: X3Control) -> Iterator[None]:
    yield
    x3.reset()


def keys_of(run: Run) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for record in run.records("live_keys"):
        found[record["stream"]].add(record["key"])
    return dict(found)


def keys_in(rows: list[Record], key: list[str]) -> set[str]:
    return {
        json.dumps([row[name] for name in key], separators=(",", ":"), ensure_ascii=False) for row in rows
    }


def totals_of(rows: list[Record]) -> dict[tuple[t.Any, ...], tuple[int, int, Decimal, Decimal]]:
    """What the totals of ledger lines must be, computed from loaded rows."""
    documents: dict[tuple[t.Any, ...], set[tuple[str, str]]] = defaultdict(set)
    amounts: dict[tuple[t.Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for row in rows:
        group = tuple(row["lineCompany" if name == "company" else name] for name in GROUP)
        documents[group].add((row["entryType"], row["id"]))
        amounts[group][0] += 1
        amounts[group][1 if row["sign"] == 1 else 2] += Decimal(str(row["amountInLedgerCurrency"]))
    return {
        group: (len(documents[group]), int(lines), debit, credit)
        for group, (lines, debit, credit) in amounts.items()
    }


def told_by(run: Run) -> dict[tuple[t.Any, ...], tuple[int, int, Decimal, Decimal]]:
    return {
        tuple(row[name] for name in GROUP): (
            row["documents"],
            row["lines"],
            Decimal(row["debitInLedgerCurrency"]),
            Decimal(row["creditInLedgerCurrency"]),
        )
        for row in run.records("control_totals")
    }


def test_control_streams_are_in_the_catalog_and_not_read_by_default(config: Config) -> None:
    catalog = TapSageX3(config=copy_of(config)).catalog_dict
    entries = {entry["stream"]: entry for entry in catalog["streams"]}
    for name in CONTROL_STREAMS:
        root = next(m["metadata"] for m in entries[name]["metadata"] if m["breadcrumb"] in ([], ()))
        assert root["selected-by-default"] is False
    run = run_tap(config)
    assert not run.keys.keys() & set(CONTROL_STREAMS)
    assert not run_tap(config, catalog=copy_of(catalog)).keys.keys() & set(CONTROL_STREAMS)


def test_live_keys_are_the_keys_of_the_records_of_each_document_stream(
    config: Config, api: str, x3: X3Control
) -> None:
    run = run_tap(config, catalog=catalog_of(config, "live_keys"))
    loaded = run_tap(config, catalog=catalog_of(config, *DOCUMENTS))
    assert keys_of(run) == {
        stream: keys_in(x3.expected(stream, api), loaded.keys[stream]) for stream in DOCUMENTS
    }
    assert len(run.of("ACTIVATE_VERSION", "live_keys")) == 1
    quiet = run_tap(config, catalog=catalog_of(config, "live_keys"), state=run.state)
    assert quiet.of("RECORD") == quiet.of("ACTIVATE_VERSION") == []
    assert quiet.settled_state == run.settled_state


def test_live_keys_read_lists_only(rest_config: Config, x3: X3Control) -> None:
    catalog = catalog_of(rest_config, "live_keys")
    before = x3.counters().get("rest_details", 0)
    assert run_tap(rest_config, catalog=catalog).records("live_keys")
    assert x3.counters().get("rest_details", 0) == before


def test_live_keys_of_the_streams_that_are_read_in_the_same_run(config: Config) -> None:
    run = run_tap(
        config, catalog=catalog_of(config, "live_keys", "suppliers", "stock", "purchase_order_lines")
    )
    assert keys_of(run).keys() == {"suppliers"}


def test_keys_that_cannot_all_be_read_are_not_sent(rest_config: Config, x3: X3Control) -> None:
    catalog = catalog_of(rest_config, "live_keys")
    x3.rest_site(absent=["GACCENTRY"])
    run, error = run_tap_until_it_fails(rest_config, TapError, catalog=catalog)
    assert run.of("RECORD") == run.of("ACTIVATE_VERSION") == []
    assert "GACCENTRY" in str(error)
    optional = run_tap({**rest_config, "optional_streams": ["gl_entries"]}, catalog=catalog)
    assert "gl_entries" not in keys_of(optional)
    assert "suppliers" in keys_of(optional)


def test_control_totals_are_those_of_the_ledger_lines_by_each_way(
    config: Config, api: str, x3: X3Control
) -> None:
    catalog = catalog_of(config, "control_totals")
    loaded = run_tap(config, catalog=catalog_of(config, "gl_entry_lines")).records("gl_entry_lines")
    expected = totals_of(loaded)
    run = run_tap(config, catalog=catalog)
    assert len(expected) > 5
    assert told_by(run) == expected
    assert all(debit == credit for _, _, debit, credit in expected.values())
    if api == "graphql":
        x3.graphql_site(line_nodes=True)
        before = x3.counters().get("graphql", 0)
        aggregated = run_tap({**config, "page_size": 1}, catalog=catalog)  # documents would be many requests
        assert told_by(aggregated) == expected
        assert x3.counters().get("graphql", 0) - before < 30
        assert run_tap(config, catalog=catalog, state=run.state).of("RECORD") == []
    quiet = run_tap(config, catalog=catalog, state=run.state)
    assert quiet.of("RECORD") == quiet.of("ACTIVATE_VERSION") == []


def test_a_sign_that_is_none_sends_no_totals(config: Config, x3: X3Control) -> None:
    line = x3.rows("GACCENTRYD", limit=1)[0]
    x3.set("GACCENTRYD", [line[n] for n in ("TYP", "NUM", "LIN", "LEDTYP")], {"SNS": 0})
    run, error = run_tap_until_it_fails(config, TapError, catalog=catalog_of(config, "control_totals"))
    assert run.of("RECORD") == []
    assert "sign 0" in str(error)


def test_totals_show_a_ledger_entry_that_lost_all_lines(config: Config, x3: X3Control) -> None:
    streams = ("gl_entries", "gl_entry_lines")
    first = run_tap(config, catalog=catalog_of(config, *streams))
    entry = first.records("gl_entry_lines")[0]
    document = {"TYP": entry["entryType"], "NUM": entry["id"]}
    x3.advance(3600)
    for row in x3.rows("GACCENTRYD"):
        if document.items() <= row.items():
            x3.remove("GACCENTRYD", [row[name] for name in ("TYP", "NUM", "LIN", "LEDTYP")])
    x3.touch("GACCENTRY", list(document.values()))
    second = run_tap(config, catalog=catalog_of(config, *streams), state=first.state)
    assert second.counts() == {"gl_entries": 1}
    ours = totals_of(first.records("gl_entry_lines"))
    theirs = told_by(run_tap(config, catalog=catalog_of(config, "control_totals")))
    differing = {group[2:5] for group in ours.keys() | theirs.keys() if ours.get(group) != theirs.get(group)}
    assert differing == {(entry["company"], entry["fiscalYear"], entry["period"])}


def test_what_increments_cannot_see_is_seen_by_the_control_streams(config: Config, x3: X3Control) -> None:
    """Outside the model: a commit later than the look-back, an empty stamp, a deletion."""
    config = {**config, "auth": "basic", "lookback_seconds": 600, "line_lookback_days": 0}
    streams = ("gl_entries", "gl_entry_lines")
    x3.advance(-10 * 86_400)
    first = run_tap(config, catalog=catalog_of(config, *streams))
    rows = {**first.by_key("gl_entry_lines")}
    entries = first.records("gl_entries")
    gone, late = entries[0], entries[1]
    line = next(r for r in rows.values() if r["id"] == late["id"])

    transaction = x3.begin()
    key = [late["entryType"], late["id"], line["lineNumber"], 1]
    x3.set("GACCENTRYD", key, {"AMTLED": Decimal("99999.99")}, transaction=transaction)
    x3.touch("GACCENTRY", key[:2], transaction=transaction)
    x3.advance(86_400)
    x3.touch("GACCENTRY", [entries[2]["entryType"], entries[2]["id"]])
    second = run_tap(config, catalog=catalog_of(config, *streams), state=first.state)
    x3.commit(transaction)
    x3.remove("GACCENTRY", [gone["entryType"], gone["id"]])
    x3.add("GACCENTRY", {"TYP": late["entryType"], "NUM": "ZZ-NEW"}, stamp="1599-12-31T00:00:00Z")
    third = run_tap(config, catalog=catalog_of(config, *streams), state=second.state)
    assert not {late["id"], gone["id"], "ZZ-NEW"} & {r["id"] for r in third.records("gl_entries")}

    control = run_tap(config, catalog=catalog_of(config, *CONTROL_STREAMS))
    loaded = {**first.by_key("gl_entries"), **second.by_key("gl_entries"), **third.by_key("gl_entries")}
    have = keys_in(list(loaded.values()), ["entryType", "id"])
    live = keys_of(control)["gl_entries"]
    assert have - live == keys_in([gone], ["entryType", "id"])
    assert live - have == keys_in([{"entryType": late["entryType"], "id": "ZZ-NEW"}], ["entryType", "id"])
    rows.update(second.by_key("gl_entry_lines"))
    rows.update(third.by_key("gl_entry_lines"))
    ours, theirs = totals_of(list(rows.values())), told_by(control)
    differing = {group[1:5] for group in ours.keys() | theirs.keys() if ours.get(group) != theirs.get(group)}
    for entry in (gone, late):
        assert any(
            group[1:] == (entry["company"], entry["fiscalYear"], entry["period"]) for group in differing
        )
