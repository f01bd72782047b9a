"""A, B, A over three runs ends with A: nothing may take the second A for something already loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import warehouse
from pipeline import Finished, tap, target
from streams import STREAMS, table

if TYPE_CHECKING:
    from pathlib import Path

    from sandboxes import Sandbox


def load(running: Sandbox, stream: str, folder: Path, state: dict[str, object] | None) -> Finished:
    """Run tap and target for one stream and give the tap's result; its state is for the next run."""
    read = tap(running.environment, folder, streams=[stream], state=state)
    assert read.code == 0, read.err[-4000:]
    written = target(running.environment, read.out, folder)
    assert written.code == 0, written.err[-4000:]
    return read


def stored(running: Sandbox, stream: str, key: tuple[str, ...]) -> dict[str, object]:
    rows = warehouse.live_rows(running.environment, table(stream))
    columns = [warehouse.column_name(name) for name in STREAMS[stream].key]
    (row,) = [row for row in rows if tuple(str(row[c]) for c in columns) == key]
    return row


def test_full_table_stream_ends_with_a(either: Sandbox, tmp_path: Path) -> None:
    x3 = either.x3
    first = x3.rows("STOCK", 1)[0]
    key = [first["STOFCY"], first["STOCOU"]]
    state = None
    for lot in ("A", "B", "A"):
        x3.set("STOCK", key, {"LOT": lot})
        read = load(either, "stock", tmp_path, state)
        assert read.records("stock"), f"the change to {lot} was not sent"
        state = read.state
        row = stored(either, "stock", (first["STOFCY"], str(first["STOCOU"])))
        assert row["LOT"] == lot


def test_incremental_stream_with_equal_stamps_ends_with_a(either: Sandbox, tmp_path: Path) -> None:
    x3 = either.x3
    first = x3.rows("BPSUPPLIER", 1)[0]
    stamp = x3.now()
    state = None
    for name in ("A", "B", "A"):
        x3.set("BPSUPPLIER", first["BPSNUM"], {"BPSNAM": name}, stamp=stamp)
        read = load(either, "suppliers", tmp_path, state)
        state = read.state
        assert stored(either, "suppliers", (first["BPSNUM"],))["COMPANY_NAME"] == name
    operations = warehouse.select(
        either.environment,
        'SELECT "OPERATION" FROM "AUDIT"."RECORD_HISTORY" '
        f"WHERE \"STREAM\" = 'suppliers' AND \"KEY\":CODE::VARCHAR = '{first['BPSNUM']}'"
        ' ORDER BY "LOADED_AT"',
    )
    assert [row["OPERATION"] for row in operations] == ["insert", "update", "update"]


def test_a_second_read_of_unchanged_data_emits_nothing(either: Sandbox, tmp_path: Path) -> None:
    first = tap(either.environment, tmp_path)
    assert first.code == 0, first.err[-4000:]
    assert len({m["stream"] for m in first.messages if m["type"] == "RECORD"}) == len(STREAMS)
    second = tap(either.environment, tmp_path, state=first.state)
    assert second.code == 0, second.err[-4000:]
    assert [m["type"] for m in second.messages if m["type"] in {"RECORD", "ACTIVATE_VERSION"}] == []


def test_a_line_removed_in_x3_is_soft_deleted(either: Sandbox, tmp_path: Path) -> None:
    x3 = either.x3
    lines = x3.rows("PORDERQ")
    order = next(line["POHNUM"] for line in lines if sum(o["POHNUM"] == line["POHNUM"] for o in lines) > 1)
    read = load(either, "purchase_order_lines", tmp_path, None)
    gone = next(line for line in lines if line["POHNUM"] == order)
    x3.advance(60)
    x3.remove("PORDERQ", [order, gone["POPLIN"], gone["POQSEQ"]])
    load(either, "purchase_order_lines", tmp_path, read.state)
    rows = warehouse.live_rows(either.environment, table("purchase_order_lines"))
    expected = x3.expected("purchase_order_lines", _api(either))
    key = STREAMS["purchase_order_lines"].key
    assert warehouse.differences(expected, rows, key) == []


def _api(running: Sandbox) -> str:
    return "rest" if running.environment["TAP_SAGEX3_X3_VERSION"] == "V11" else "graphql"
