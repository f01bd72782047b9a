"""WAREHOUSE_MS and STATEMENT_MS: the time of the statements that need a warehouse, as Snowflake sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from target_snowflake_audit.warehouse_time import needs_warehouse

if TYPE_CHECKING:
    from target_world import World

RUNS = "ANALYTICS.AUDIT.RUNS"


def test_warehouse_time_counts_the_statements_that_need_one(world: World) -> None:
    world.control.clear_log()
    world.run([world.schema_message(), world.line("A", 1), world.line("A", 2, text="z" * 11)])
    sent = world.control.query_log(user="LOADER")
    assert {
        entry["statement"]
        for entry in sent
        if needs_warehouse(entry["statement"]) != entry["needs_warehouse"]
    } == set()
    [batch] = world.audit("BATCHES")
    steps = json.loads(batch["STEP_MS"])
    idle = ("put", "begin", "transaction", "commit")
    assert batch["WAREHOUSE_MS"] == sum(ms for step, ms in steps.items() if step not in idle)
    [ended] = world.query(
        f"SELECT STATEMENT_MS FROM {RUNS} WHERE RUN_ID = '{batch['RUN_ID']}' AND EVENT = 'ended'"
    )
    assert ended["STATEMENT_MS"] >= batch["WAREHOUSE_MS"] > 0
