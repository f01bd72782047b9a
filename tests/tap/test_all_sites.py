"""Every stream over every kind of site: as many rows as X3 holds, and the same sum of each number, exactly.

The sandbox tells the truth from its own tables, without either API.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from decimal import Decimal

import pytest
from site_variants import VARIANTS, Variant
from streams import STREAMS
from tap_cli import TapProgram, select
from x3_control import X3Control

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tap_runs import Record, Run

CONTROL = ("live_keys", "control_totals")
TABLES = {
    "gl_entry_lines": ("GACCENTRYD", {"amountInCurrency": "AMTCUR", "amountInLedgerCurrency": "AMTLED"}),
    "gl_cost_allocations": ("GACCENTRYA", {"amountInCurrency": "AMTCUR"}),
    "purchase_order_lines": ("PORDERQ", {"quantityInStockUnitOrdered": "QTYSTU"}),
    "stock": ("STOCK", {"quantityInStockUnit": "QTYSTU"}),
    "customers": ("BPCUSTOMER", {"authorizedCreditAmount": "OSTAUZ"}),
}
"""Streams that hold one table, and the columns of some of their numbers."""


def _kind(arguments: Mapping[str, t.Any]) -> tuple[str, bool]:
    """`make test` reads the plain site of each API and one of the others."""
    variant = arguments["variant"]
    return variant.api, variant in (VARIANTS["V12"], VARIANTS["V11"])


@pytest.mark.sampled(1, _kind)
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_counts_and_sums_are_those_of_the_site(variant: Variant, tmp_path: Path) -> None:
    with variant.running(tmp_path) as (running, config), X3Control(running.ready["url"]) as x3:
        tap = TapProgram(tmp_path, config)
        catalog = select(tap.discover(), dict.fromkeys((*STREAMS, *CONTROL)))
        run = tap.run(catalog=catalog)
        expected = {stream: x3.expected(stream, variant.api_of(stream)) for stream in STREAMS}
        for stream, records in expected.items():
            assert records
            assert len(run.records(stream)) == len(run.by_key(stream)) == len(records), stream
            assert totals(run.records(stream), numbers(run, stream)) == totals(
                records, numbers(run, stream)
            ), stream
        for stream, (table, columns) in TABLES.items():
            rows = x3.rows(table)
            assert len(rows) == len(run.records(stream))
            for name in columns.keys() & set(numbers(run, stream)):
                assert total(run.records(stream), name) == total(rows, columns[name]), (stream, name)
        check_control_streams(run)
        again = tap.run(catalog=catalog, state=run.state)
        assert again.counts() == {}
        for stream, bookmark in run.state["bookmarks"].items():
            moved = again.state["bookmarks"][stream]
            assert moved.get("replication_key_value", "") >= bookmark.get("replication_key_value", "")
            assert moved.get("digest") == bookmark.get("digest")


def check_control_streams(run: Run) -> None:
    """The control streams count what the others sent."""
    documents = Counter(record["stream"] for record in run.records("live_keys"))
    assert documents == {stream: run.counts()[stream] for stream in documents}
    assert {"gl_entries", "purchase_orders", "suppliers"} <= documents.keys()
    totals_ = run.records("control_totals")
    assert total(totals_, "lines") == run.counts()["gl_entry_lines"]
    moved = total(totals_, "debitInLedgerCurrency") + total(totals_, "creditInLedgerCurrency")
    assert moved == total(run.records("gl_entry_lines"), "amountInLedgerCurrency")


def numbers(run: Run, stream: str) -> list[str]:
    """Numbers among the properties of a stream, as this site has them."""
    properties = run.of("SCHEMA", stream)[0]["schema"]["properties"]
    return [name for name, schema in properties.items() if {"number", "integer"} & {*schema["type"]}]


def totals(records: Iterable[Record], names: Iterable[str]) -> dict[str, Decimal]:
    """The sum of each of some numbers."""
    rows = list(records)
    return {name: total(rows, name) for name in names}


def total(records: Iterable[Record], name: str) -> Decimal:
    """The sum of a number; nothing counts as 0."""
    return sum((Decimal(record[name] or 0) for record in records), Decimal(0))
