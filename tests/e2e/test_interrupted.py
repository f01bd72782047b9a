"""A target killed in the middle of a load, and two runs at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import warehouse
from pipeline import BIN, Finished, project_config, tap, target
from streams import STREAMS, table

if TYPE_CHECKING:
    from pathlib import Path

    from sandboxes import Sandbox

SMALL = {"batch_size_rows": 20}
CHOSEN = ("suppliers", "stock", "purchase_orders", "purchase_order_lines", "gl_entries", "gl_entry_lines")
"""Masters, a stream read in full, and documents with their lines: of each kind of stream some."""


def tables_as(running: Sandbox) -> dict[str, list[dict[str, Any]]]:
    """Every target table's live rows, in a stable order."""
    return {
        stream: sorted(warehouse.live_rows(running.environment, table(stream)), key=repr) for stream in CHOSEN
    }


def kill_in_the_middle(running: Sandbox, lines: str, folder: Path, at_batch: int) -> list[dict[str, Any]]:
    """Start the target, kill -9 it in the middle of a transaction, and give the STATE values it emitted."""
    running.snowflake.clear_log()
    config = folder / "target-config.json"
    config.write_text(json.dumps({**project_config("loaders"), **SMALL}))
    command = [str(BIN / "target-snowflake-audit"), "--config", "ENV", "--config", str(config)]
    environment = {**os.environ, **running.environment}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        feeder = threading.Thread(target=_feed, args=(process, lines))
        feeder.start()
        _wait_for_open_transaction(running, at_batch)
        process.send_signal(signal.SIGKILL)
        out = process.stdout.read() if process.stdout else ""
        process.wait()
        feeder.join()
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def _feed(process: subprocess.Popen[str], lines: str) -> None:
    try:
        if process.stdin:
            process.stdin.write(lines)
            process.stdin.close()
    except BrokenPipeError:
        return  # the target was killed: that is the point of the test


def _wait_for_open_transaction(running: Sandbox, at_batch: int) -> None:
    """Wait until that many COPY statements ran: the last transaction is then open or just ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        copies = [e for e in running.snowflake.query_log() if str(e["statement"]).lstrip().startswith("COPY")]
        if len(copies) >= at_batch:
            return
        time.sleep(0.02)
    message = "the target did not reach the batch"
    raise AssertionError(message)


def run_again(running: Sandbox, folder: Path, state: dict[str, Any] | None) -> Finished:
    """Run tap and target once more; the dead session's locks end when the warehouse's clock moves on."""
    read = tap(running.environment, folder, state=state, streams=CHOSEN)
    assert read.code == 0, read.err[-4000:]
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(target, running.environment, read.out, folder, SMALL)
        while not loading.done():
            time.sleep(0.5)
            running.snowflake.advance_clock(60)
        return loading.result()


def test_a_killed_load_run_again_gives_the_same_tables(v12: Sandbox, tmp_path: Path) -> None:
    read = tap(v12.environment, tmp_path, streams=CHOSEN)
    emitted = kill_in_the_middle(v12, read.out, tmp_path, at_batch=9)
    state = emitted[-1] if emitted else None
    assert_no_state_ahead_of_commit(v12, state)
    ended = run_again(v12, tmp_path, state)
    assert ended.code == 0, ended.err[-4000:]
    for stream in CHOSEN:
        stored = warehouse.live_rows(v12.environment, table(stream))
        assert warehouse.differences(v12.x3.expected(stream), stored, STREAMS[stream].key) == [], stream
    inserts = warehouse.select(
        v12.environment,
        'SELECT "STREAM", COUNT(*) AS "N", COUNT(DISTINCT "KEY_HASH") AS "KEYS" FROM "AUDIT"."RECORD_HISTORY"'
        ' GROUP BY "STREAM"',
    )
    assert all(row["N"] == row["KEYS"] for row in inserts), "each row must have exactly one history row"


def assert_no_state_ahead_of_commit(running: Sandbox, state: dict[str, Any] | None) -> None:
    """Every record up to a bookmark that left the target must be in its table."""
    for stream, bookmark in (state or {}).get("bookmarks", {}).items():
        reached = bookmark.get("replication_key_value")
        if not reached:
            continue
        stored = {
            tuple(str(row[warehouse.column_name(name)]) for name in STREAMS[stream].key)
            for row in warehouse.live_rows(running.environment, table(stream))
        }
        for record in running.x3.expected(stream):
            if record["updatedDate"] <= reached:
                assert tuple(str(record[name]) for name in STREAMS[stream].key) in stored, (stream, reached)


def test_two_runs_at_once_do_no_harm(v12: Sandbox, tmp_path: Path) -> None:
    read = tap(v12.environment, tmp_path, streams=CHOSEN)
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(target, v12.environment, read.out, folder, SMALL) for folder in folders]
        ended = [future.result() for future in runs]
    assert [e.code for e in ended] == [0, 0], [e.err[-2000:] for e in ended]
    for stream in CHOSEN:
        stored = warehouse.live_rows(v12.environment, table(stream))
        assert warehouse.differences(v12.x3.expected(stream), stored, STREAMS[stream].key) == [], stream
    history = warehouse.select(v12.environment, 'SELECT COUNT(*) AS "N" FROM "AUDIT"."RECORD_HISTORY"')[0][
        "N"
    ]
    assert history == sum(len(rows) for rows in tables_as(v12).values())
