"""The main job as typed: `meltano run tap-sagex3 target-snowflake-audit`, against both versions of X3."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
import warehouse
from pipeline import Finished, meltano
from streams import STREAMS, table

if TYPE_CHECKING:
    from sandboxes import Sandbox

pytestmark = pytest.mark.alone


def main_job(running: Sandbox) -> Finished:
    ended = meltano(running.environment, "run", "tap-sagex3", "target-snowflake-audit")
    assert ended.code == 0, ended.err[-6000:]
    return ended


def api_of(running: Sandbox) -> str:
    return "rest" if running.environment["TAP_SAGEX3_X3_VERSION"] == "V11" else "graphql"


def assert_warehouse_equals_x3(running: Sandbox) -> None:
    for stream, loaded in STREAMS.items():
        expected = running.x3.expected(stream, api_of(running))
        assert expected, f"the sandbox holds no {stream}"
        stored = warehouse.live_rows(running.environment, table(stream))
        assert warehouse.differences(expected, stored, loaded.key) == [], stream


def history(running: Sandbox) -> Counter[tuple[str, str]]:
    """Number of history rows by stream and operation."""
    sql = 'SELECT "STREAM", "OPERATION", COUNT(*) AS "N" FROM "AUDIT"."RECORD_HISTORY" GROUP BY 1, 2'
    return Counter(
        {(r["STREAM"], r["OPERATION"]): r["N"] for r in warehouse.select(running.environment, sql)}
    )


def loader_statements(running: Sandbox) -> list[dict[str, object]]:
    """Statements of the loader that need a warehouse, since the log was cleared."""
    log = running.snowflake.query_log()
    return [entry for entry in log if entry["user"] == "LOADER" and entry["needs_warehouse"]]


@pytest.mark.timeout(400)
def test_everything_arrives_and_then_only_what_changed(either: Sandbox) -> None:
    running = either
    main_job(running)
    assert_warehouse_equals_x3(running)
    first = history(running)
    assert {operation for _, operation in first} == {"insert"}

    running.snowflake.clear_log()
    main_job(running)
    assert loader_statements(running) == [], "a run without changes must not wake a warehouse"
    assert history(running) == first

    changed = change_five_records(running)
    main_job(running)
    assert_warehouse_equals_x3(running)
    assert history(running) - first == changed


def change_five_records(running: Sandbox) -> Counter[tuple[str, str]]:
    """Change five records in X3 and say which history rows that must make."""
    x3, api = running.x3, api_of(running)
    before = {stream: by_key(running, stream) for stream in STREAMS}
    x3.advance(60)
    supplier = x3.rows("BPSUPPLIER", 1)[0]
    x3.set("BPSUPPLIER", supplier["BPSNUM"], {"BPSNAM": 'Zérø\'s "New" Name'})
    order = x3.rows("PORDER", 1)[0]
    x3.set("PORDER", order["POHNUM"], {"ORDREF": "changed"})
    entry = next(e for e in x3.rows("GACCENTRY") if by_header(before["gl_entry_lines"], e["TYP"], e["NUM"]))
    x3.set("GACCENTRY", [entry["TYP"], entry["NUM"]], {"DESVCR": "posted by hand"})
    product = x3.rows("ITMMASTER", 1)[0]
    x3.set("ITMMASTER", product["ITMREF"], {"ITMDES1": "a bracket"})
    gone = x3.rows("STOCK", 1)[0]
    x3.remove("STOCK", [gone["STOFCY"], gone["STOCOU"]])
    expected: Counter[tuple[str, str]] = Counter()
    for stream, loaded in STREAMS.items():
        after = {tuple(r[k] for k in loaded.key): r for r in x3.expected(stream, api)}
        updated = sum(1 for key, record in after.items() if record != before[stream][key])
        deleted = len(before[stream].keys() - after.keys())
        expected += Counter({(stream, "update"): updated, (stream, "delete"): deleted})
    assert expected["gl_entry_lines", "update"] > 1, "repeated header columns must reach each line"
    assert expected["stock", "delete"] == 1
    return expected


def by_key(running: Sandbox, stream: str) -> dict[tuple[object, ...], dict[str, object]]:
    records = running.x3.expected(stream, api_of(running))
    return {tuple(record[name] for name in STREAMS[stream].key): record for record in records}


def by_header(
    lines: dict[tuple[object, ...], dict[str, object]], entry_type: str, number: str
) -> list[object]:
    return [line for key, line in lines.items() if key[:2] == (entry_type, number)]


def test_the_job_and_its_schedule_are_there(v12: Sandbox) -> None:
    listed = meltano(v12.environment, "schedule", "list")
    assert "0 */4 * * *" in listed.out, listed.err
    # One stream is enough: what the job does with all of them is the test before.
    chosen = {**v12.environment, "TAP_SAGEX3__SELECT": '["suppliers.*"]'}
    ended = meltano(chosen, "schedule", "run", "sagex3-every-4-hours")
    assert ended.code == 0, ended.err[-4000:]
    stored = warehouse.live_rows(v12.environment, table("suppliers"))
    assert len(stored) == len(v12.x3.expected("suppliers"))
