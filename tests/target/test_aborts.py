"""Transactions that Snowflake aborts while the target is in the middle: nothing half, nothing lost."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from target_world import state

if TYPE_CHECKING:
    from target_world import Message, World


def messages(world: World, count: int) -> list[Message]:
    found = [world.schema_message(), *(world.line(f"D{n}", 0) for n in range(count))]
    return [*found, state({"bookmarks": {world.stream: {"n": count}}})]


@pytest.mark.parametrize(
    "step",
    [
        "^UPDATE .*FENCE",
        "^COPY INTO",
        "^INSERT INTO .*RECORD_HISTORY",
        "^MERGE INTO",
        "^INSERT INTO .*BATCHES",
        "^INSERT INTO .*WATERMARKS",
    ],
)
def test_a_transaction_that_snowflake_aborts_is_not_half_committed(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader pauses in mid-transaction; after five minutes a writer that waits gets its fence."""
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)
    world.run([world.schema_message(), world.line("X", 0)])
    fault = world.control.fault("slow", pattern=step, when="after", seconds=60, user="LOADER")
    load_while_aborted(world, fault)
    assert len(world.rows()) == 21
    assert len(world.audit("RECORD_HISTORY")) == 21
    assert world.counts() == [{"received": 1, "inserted": 1}, {"received": 20, "inserted": 20}]
    assert len(world.audit("WATERMARKS")) == 2
    [retry] = world.audit("RETRIES")
    assert (retry["ERROR_CLASS"], retry["OUTCOME"]) == ("aborted", "retried")


def load_while_aborted(world: World, fault: int, longer: float = 0.0) -> None:
    """Load 20 rows; while the loader pauses, a writer waits for its fence until the loader is aborted."""
    with ThreadPoolExecutor(2) as pool:
        load = pool.submit(world.run, messages(world, 20))
        held = paused(world, fault)
        rival = pool.submit(world.query, f'UPDATE {held} SET "EPOCH" = 1 - "EPOCH"')
        world.control.wait_for_waiter(held)
        world.control.advance_clock(301)
        rival.result(30)
        time.sleep(longer)
        world.control.clear_faults()
        load.result(60)


def paused(world: World, fault: int) -> str:
    """Wait until the loader's statement has ended and its answer is held up: its fence."""
    world.control.wait_until_held(fault)
    locks = world.control.locks()
    [fence] = [e["table"] for e in locks if "FENCE" in e["table"] and e["state"] == "HOLDING"]
    return str(fence)


def test_a_commit_that_took_too_long_is_looked_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction is aborted between the last look at it and its COMMIT, which says nothing then."""
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)
    monkeypatch.setattr("target_snowflake_audit.session.DOUBT_SECONDS", 0.5)
    world.run([world.schema_message(), world.line("X", 0)])
    pattern = r"^SELECT CURRENT_TRANSACTION"
    fault = world.control.fault("slow", pattern=pattern, when="after", nth=2, seconds=60, user="LOADER")
    load_while_aborted(world, fault, longer=0.6)
    assert len(world.rows()) == 21
    assert len(world.audit("RECORD_HISTORY")) == 21
    assert world.counts() == [{"received": 1, "inserted": 1}, {"received": 20, "inserted": 20}]
