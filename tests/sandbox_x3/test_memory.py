"""Memory does not grow with the data: nothing is kept of a document but its place in lists."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from processes import Server, server
from x3_client import X3Client, decoded

SMALL, LARGE = 1_500, 10_000
BYTES_A_DOCUMENT = 600  # numbers in lists, and what a sort needs for a moment
SPREAD = 6_000_000  # what two runs of one server differ by
CACHED_VALUES = "100000"


@dataclass
class Measured:
    """A server of some scale, and the most memory it has had."""

    scale: int
    running: Server
    client: X3Client

    @property
    def peak(self) -> int:
        """Peak resident bytes."""
        text = Path(f"/proc/{self.running.process.pid}/status").read_text()
        (found,) = re.findall(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
        return int(found) * 1024


@pytest.fixture
def measured(tmp_path: Path) -> t.Iterator[tuple[Measured, Measured]]:
    site = tmp_path / "graphql.toml"
    site.write_text("line_nodes = true")
    options = ("--cached-values", CACHED_VALUES, "--graphql-site", str(site), "--scale")
    with server("local_x3", *options, str(SMALL)) as small, server("local_x3", *options, str(LARGE)) as large:
        found = (
            Measured(SMALL, small, X3Client(small.ready)),
            Measured(LARGE, large, X3Client(large.ready)),
        )
        yield found
        for one in found:
            one.client.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux' /proc")
def test_memory_hardly_grows_with_the_data(measured: tuple[Measured, Measured]) -> None:
    for one in measured:
        read_all_pages(one)
        sort_by_stamp(one)
        filter_on_another_column(one)
        sum_and_list_lines(one)
    small, large = (one.peak for one in measured)
    assert large - small < (LARGE - SMALL) * BYTES_A_DOCUMENT + SPREAD


def read_all_pages(one: Measured) -> None:
    assert len(one.client.all_rows("GACCENTRY", count="1000")) == one.scale


def sort_by_stamp(one: Measured) -> None:
    order = "UPDDATTIM desc, TYP asc, NUM asc"
    rows = one.client.rows("GACCENTRY", orderBy=order, where="UPDDATTIM gt @2024-01-01T00:00:00Z@")
    assert [row["UPDDATTIM"] for row in rows] == sorted((row["UPDDATTIM"] for row in rows), reverse=True)


def filter_on_another_column(one: Measured) -> None:
    text = "{description: {_eq: 'Paiement'}}"
    answer = one.client.query("x3FinanceData", "journalEntry", "totalCount", f'first: 1, filter: "{text}"')
    assert 0 < answer["totalCount"] < one.scale / 4


def sum_and_list_lines(one: Measured) -> None:
    grouped = "edges { node { group { sign } values { amountInLedgerCurrency { sum distinctCount } } } }"
    query = f"{{ x3FinanceData {{ journalEntryLine {{ queryAggregate {{ {grouped} }} }} }} }}"
    answer = decoded(one.client.post(query))["data"]["x3FinanceData"]["journalEntryLine"]["queryAggregate"]
    assert [edge["node"]["group"]["sign"] for edge in answer["edges"]] == [-1, 1]
    text = "{_updateStamp: {_gte: '2025-10-01T00:00:00Z'}}"
    lines = one.client.query("x3FinanceData", "journalEntryLine", "totalCount", f'first: 1, filter: "{text}"')
    assert one.scale < lines["totalCount"]
