"""Increments in awkward places: lost states, date-only stamps, clocks that go back, changed methods."""

from __future__ import annotations

import typing as t

import pytest
from tap_runs import Run, catalog_of, copy_of, run_tap

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_runs import Alter, Config, Record
    from x3_control import X3Control


@pytest.fixture(autouse=True)
def _undo(x3: X3Control) -> Iterator[None]:
    yield
    x3.reset()


KEPT = {"replication_key", "replication_key_value", "version"}
"""What is left of a stream's state when a run that sends something is cut off before its last STATE."""


def in_full(catalog: dict[str, t.Any], stream: str) -> dict[str, t.Any]:
    changed: dict[str, t.Any] = copy_of(catalog)
    entry = next(e for e in changed["streams"] if e["stream"] == stream)
    entry["replication_method"] = "FULL_TABLE"
    return changed


def cut_off(run: Run) -> Run:
    """What was received of a run that was killed after its last record."""
    last = max(place for place, message in enumerate(run.messages) if message["type"] == "RECORD")
    return Run(run.messages[: last + 1])


@pytest.mark.parametrize(
    ("stream", "table", "column", "field"),
    [("suppliers", "BPSUPPLIER", "BPSNAM", "companyName"), ("stock", "STOCK", "LOT", "lot")],
)
def test_a_b_a_ends_with_a_when_the_state_of_b_was_lost(
    config: Config, x3: X3Control, stream: str, table: str, column: str, field: str
) -> None:
    row, stamp = x3.rows(table, limit=1)[0], x3.now()
    key = row["BPSNUM"] if stream == "suppliers" else [row["STOFCY"], row["STOCOU"]]
    catalog = catalog_of(config, stream)

    def run(name: str, state: Record) -> Run:
        x3.set(table, key, {column: name}, stamp=stamp)
        return run_tap(config, catalog=catalog, state=state)

    first = run("A", {})
    second = cut_off(run("B", first.state))
    assert "B" in [r[field] for r in second.records(stream)]
    before, between = first.state["bookmarks"][stream], second.state["bookmarks"][stream]
    assert between == {name: value for name, value in before.items() if name in KEPT}
    third = run("A", second.state)
    assert "A" in [r[field] for r in third.records(stream)]
    assert len(third.of("ACTIVATE_VERSION")) == (stream == "stock")
    quiet = run("A", third.state)
    assert quiet.of("RECORD") == []
    assert len(quiet.of("STATE")) <= 1
    assert quiet.settled_state == third.settled_state


def test_the_digest_of_a_whole_table_does_not_outlive_incremental_runs(config: Config, x3: X3Control) -> None:
    """Full A, increment B, full A again: the last one must tell that the row of B is gone."""
    catalog = catalog_of(config, "suppliers")
    first = run_tap(config, catalog=in_full(catalog, "suppliers"))
    x3.add("BPSUPPLIER", {"BPSNUM": "ZZNEW"})
    second = run_tap(config, catalog=catalog, state=first.state)
    assert "ZZNEW" in {r["code"] for r in second.records("suppliers")}
    x3.remove("BPSUPPLIER", ["ZZNEW"])
    third = run_tap(config, catalog=in_full(catalog, "suppliers"), state=second.state)
    assert len(third.of("ACTIVATE_VERSION")) == 1
    assert third.records("suppliers")


def test_date_only_stamps_lose_nothing_when_a_sibling_starts_elsewhere(
    rest_config: Config, x3: X3Control
) -> None:
    changed, other = (row["POHNUM"] for row in x3.rows("PORDER", limit=2))
    x3.set("PORDER", other, {"ORDREF": "first"}, stamp="2026-03-10T06:00:00Z")
    one = catalog_of(rest_config, "purchase_orders")
    both = catalog_of(rest_config, "purchase_orders", "purchase_order_lines")
    first = run_tap(rest_config, catalog=one)
    state = first.state
    state["bookmarks"]["purchase_orders"]["replication_key_value"] = "2026-03-10T06:00:00Z"
    x3.expose("PORDER", "UPDDAT")
    x3.set("PORDER", changed, {"ORDREF": "CHANGED"}, stamp="2026-03-10T02:00:00Z")
    run = run_tap(rest_config, catalog=both, state=state)
    assert "CHANGED" in str(run.by_key("purchase_orders")[(changed,)])


def test_a_bookmark_in_the_future_goes_back_and_loses_nothing(
    config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = catalog_of(config, "suppliers")
    code = x3.rows("BPSUPPLIER", limit=1)[0]["BPSNUM"]
    state = run_tap(config, catalog=catalog).state
    state["bookmarks"]["suppliers"]["replication_key_value"] = "2031-01-02T09:00:00Z"
    x3.set("BPSUPPLIER", code, {"BPSNAM": "After the clock was right again"})
    run = run_tap(config, catalog=catalog, state=state)
    assert [r["companyName"] for r in run.records("suppliers")] == ["After the clock was right again"]
    assert run.state["bookmarks"]["suppliers"]["replication_key_value"] <= x3.now()
    assert any("suppliers" in r.getMessage() and "set back" in r.getMessage() for r in caplog.records)
    assert run_tap(config, catalog=catalog, state=run.state).of("RECORD") == []


def test_a_server_clock_that_is_ahead_does_not_move_the_bookmark_past_ours(
    graphql_config: Config, x3: X3Control
) -> None:
    config = {**graphql_config, "auth": "basic"}
    catalog = catalog_of(config, "suppliers")
    code = x3.rows("BPSUPPLIER", limit=1)[0]["BPSNUM"]
    real = x3.now()
    x3.set_clock("2031-01-02T09:00:00Z", frozen=True)
    x3.touch("BPSUPPLIER", code)
    run = run_tap(config, catalog=catalog)
    assert run.state["bookmarks"]["suppliers"]["replication_key_value"] < real[:4] + "-12-32"


def test_a_bookmark_without_offset_is_utc(config: Config, x3: X3Control) -> None:
    catalog = catalog_of(config, "suppliers")
    code = x3.rows("BPSUPPLIER", limit=1)[0]["BPSNUM"]
    x3.touch("BPSUPPLIER", code)
    bookmark = x3.now().removesuffix("Z")
    state = {
        "bookmarks": {"suppliers": {"replication_key": "updatedDate", "replication_key_value": bookmark}}
    }
    run = run_tap(config, catalog=catalog, state=state)
    assert [r["code"] for r in run.records("suppliers")] == [code]


def test_a_time_out_of_range_is_sent_unchanged_with_a_warning(
    config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    number, early = x3.rows("PINVOICE", limit=1)[0]["NUM"], "0001-01-01T00:00:00+05:00"
    x3.bad_value("PINVOICE", number, "CREDATTIM", early)
    run = run_tap(config, catalog=catalog_of(config, "supplier_invoices"))
    assert run.by_key("supplier_invoices")[(number,)]["createdDate"] == early
    assert any(number in r.getMessage() and "createdDate is" in r.getMessage() for r in caplog.records)


@pytest.mark.parametrize("stream", ["purchase_orders", "gl_entry_lines"])
def test_a_stamp_that_is_no_time_is_sent_unchanged_with_a_warning(
    rest_config: Config,
    x3: X3Control,
    caplog: pytest.LogCaptureFixture,
    alter: Callable[[Alter], None],
    stream: str,
) -> None:
    """Also on flattened rows, which have the later of two stamps."""
    table, key = ("PORDER", "POHNUM") if stream == "purchase_orders" else ("GACCENTRY", "NUM")
    number, bad = x3.rows(table, limit=1)[0][key], "20/03/2024 10:00"
    catalog = catalog_of(rest_config, stream)
    alter(lambda _, body: {**body, "UPDDATTIM": bad} if body.get(key) == number else None)
    run = run_tap(rest_config, catalog=catalog)
    found = {record["updatedDate"] for record in run.records(stream) if record["id"] == number}
    assert found == {bad}
    assert any(number in r.getMessage() and "updatedDate is" in r.getMessage() for r in caplog.records)
