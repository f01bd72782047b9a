"""What the README shows works: queries for the warehouse, settings."""

from __future__ import annotations

import json
import re
import sqlite3
import time
import typing as t
from contextlib import closing

from processes import ROOT
from tap_runs import catalog_of, run_tap
from tap_sagex3.customizing import entities_with
from tap_sagex3.settings import PROPERTIES, read_settings
from tap_sagex3.sources import check_options

if t.TYPE_CHECKING:
    from tap_runs import Config, Record
    from x3_control import X3Control

README = (ROOT / "tap-sagex3" / "README.md").read_text(encoding="utf-8")
WHOLE = 10_000
"""Amounts have four decimals, of which SQLite knows nothing: it sums whole numbers exactly."""
GROUP = ("ledgerType", "ledger", "fiscalYear", "period", "ledgerCurrency")
COLUMNS = {
    "gl_entries": ("entryType", "id"),
    "gl_entry_lines": (
        *GROUP,
        "entryType",
        "id",
        "lineNumber",
        "lineCompany",
        "sign",
        "amountInLedgerCurrency",
    ),
    "live_keys": ("stream", "key"),
    "control_totals": (*GROUP, "company", "debitInLedgerCurrency", "creditInLedgerCurrency"),
}
AMOUNTS = frozenset({"amountInLedgerCurrency", "debitInLedgerCurrency", "creditInLedgerCurrency"})


def queries() -> list[str]:
    found = re.findall(r"^    SELECT .*?;$", README, re.MULTILINE | re.DOTALL)
    return t.cast("list[str]", found[:3])


def load(database: sqlite3.Connection, table: str, records: list[Record]) -> None:
    """Load some columns, with names in snake case as targets give them."""
    names = COLUMNS[table]
    columns = [re.sub(r"([A-Z])", r"_\1", name).lower() for name in names]
    database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
    rows = [
        [int(record[name] * WHOLE) if name in AMOUNTS else record[name] for name in names]
        for record in records
    ]
    database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows)


def test_the_queries_find_what_is_missing_and_nothing_else(config: Config) -> None:
    run = run_tap(config, catalog=catalog_of(config, *COLUMNS))
    missed, differing, _ = queries()
    with closing(sqlite3.connect(":memory:")) as database:
        for stream in COLUMNS:
            assert run.records(stream)
            load(database, stream, run.records(stream))
        assert database.execute(missed).fetchall() == database.execute(differing).fetchall() == []
        entry = run.records("gl_entries")[3]
        database.execute(
            "DELETE FROM gl_entries WHERE entry_type = ? AND id = ?", (entry["entryType"], entry["id"])
        )
        key = json.dumps([entry["entryType"], entry["id"]], separators=(",", ":"))
        assert database.execute(missed).fetchall() == [(key,)]
        line = run.records("gl_entry_lines")[5]
        database.execute(
            "DELETE FROM gl_entry_lines WHERE entry_type=? AND id=? AND line_number=? AND ledger_type=?",
            [line[name] for name in ("entryType", "id", "lineNumber", "ledgerType")],
        )
        (row,) = database.execute(differing).fetchall()
        company = ("ledgerType", "ledger", "lineCompany", "fiscalYear", "period", "ledgerCurrency")
        assert row[:6] == tuple(line[name] for name in company)
        amount = int(line["amountInLedgerCurrency"] * WHOLE)
        assert row[6:] == ((amount, 0) if line["sign"] == 1 else (0, amount))


def test_the_query_finds_a_document_that_lost_all_lines(config: Config, x3: X3Control) -> None:
    streams = ("purchase_orders", "purchase_order_lines")
    catalog = catalog_of(config, *streams)
    first = run_tap(config, catalog=catalog)
    rows = x3.rows("PORDERQ")
    number = rows[0]["POHNUM"]
    x3.advance(3600)
    for row in rows:
        if row["POHNUM"] == number:
            x3.remove("PORDERQ", [row[name] for name in ("POHNUM", "POPLIN", "POQSEQ")])
    x3.touch("PORDER", number)
    time.sleep(1)  # times of extraction are of whole seconds
    second = run_tap(config, catalog=catalog, state=first.state)
    x3.reset()
    assert second.counts() == {"purchase_orders": 1}
    *_, lost = queries()
    with closing(sqlite3.connect(":memory:")) as database:
        for stream in streams:
            database.execute(f"CREATE TABLE {stream} (id, line, _sdc_extracted_at, UNIQUE (id, line))")
        for message in [*first.of("RECORD"), *second.of("RECORD")]:
            record = message["record"]
            values = (record["id"], str(record.get("lineNumber")), message["time_extracted"])
            database.execute(f"REPLACE INTO {message['stream']} VALUES (?, ?, ?)", values)
        assert database.execute(lost).fetchall() == [(number,)]


def test_the_settings_that_are_shown_can_be_used() -> None:
    """Blocks that begin with a brace are whole configurations, or settings to add to one."""
    blocks = re.findall(r"(?:^ {4}.*\n)+", README, re.MULTILINE)
    shown = [json.loads(block) for block in blocks if block.lstrip().startswith("{")]
    added = [given for given in shown if "auth" not in given]
    assert len(shown) - len(added) >= 2
    assert len(added) >= 4
    login = {"server_url": "https://x3.example.com", "folder": "SEED", "username": "u", "password": "p"}
    for given in shown:
        assert given.keys() <= PROPERTIES.keys()
    for given in added:
        settings = read_settings({**login, **given})
        check_options(settings, entities_with(settings))
