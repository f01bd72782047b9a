"""Kills, signals, lost answers, faults, rivals: nothing lost, nothing twice, no STATE before its COMMIT."""

from __future__ import annotations

import datetime as dt
import json
import signal
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit.audit.tables import SCHEMA_CHANGES
from target_snowflake_audit.retry_classes import CONTENTION, NETWORK, SESSION
from target_snowflake_audit.run import Run
from target_snowflake_audit.session import Session, StatementError
from target_snowflake_audit.staging.orphans import orphans
from target_world import feed, lines, state

if TYPE_CHECKING:
    import subprocess

    from target_snowflake_audit.session import Answer
    from target_world import Message, World


def messages(world: World, count: int = 300, amount: str = "1.00") -> list[Message]:
    found = [world.schema_message()]
    for n in range(count):
        found.append(world.line(f"D{n // 10:03d}", n % 10, amount))
        if n % 100 == 99:
            found.append(state({"bookmarks": {world.stream: {"n": n + 1}}}))
    return found


def test_state_leaves_only_after_its_records_are_committed(world: World) -> None:
    process = world.start(batch_size_rows=100)
    text = lines(messages(world))
    head, tail = text.rsplit("\n", 60)[0] + "\n", text[len(text.rsplit("\n", 60)[0]) + 1 :]
    feed(process, head)
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    committed = world.query(f'SELECT COUNT(*) AS "N" FROM {world.table}')[0]["N"]
    assert first == {"bookmarks": {world.stream: {"n": 100}}}
    assert committed >= 100
    out, _ = process.communicate(tail.encode(), timeout=60)
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1]) == {"bookmarks": {world.stream: {"n": 300}}}
    assert len(world.rows()) == 300


@pytest.mark.parametrize("step", ["^COPY INTO", "^MERGE INTO", "^COMMIT"])
def test_kill_in_the_middle_then_the_same_command_again(world: World, step: str) -> None:
    """The killed session still holds the fence: the second run waits until Snowflake aborts it."""
    fault = world.control.fault("kill", pattern=step, nth=2, user="LOADER")
    process = world.start(batch_size_rows=100)
    out, _ = process.communicate(lines(messages(world)).encode(), timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert world.control.struck(fault) == 1
    states = [json.loads(line) for line in out.splitlines()]
    stored = world.query(f'SELECT COUNT(*) AS "N" FROM {world.table}')[0]["N"]
    assert all(s["bookmarks"][world.stream]["n"] <= stored for s in states)
    world.control.clear_faults()
    mover = threading.Timer(2, world.control.advance_clock, args=(400,))
    mover.start()
    world.run(messages(world), batch_size_rows=100)
    mover.join()
    assert len(world.rows()) == 300
    assert len(world.audit("RECORD_HISTORY")) == 300
    keys = world.query(f'SELECT COUNT(DISTINCT "DOCUMENT_ID", "LINE_NUMBER") AS "N" FROM {world.table}')
    assert keys == [{"N": 300}]


def test_sigterm_ends_with_the_last_safe_state_and_says_so(world: World) -> None:
    process = world.start(batch_size_rows=100)
    head = lines(messages(world)[:150])
    feed(process, head)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode not in (0, None)
    assert json.loads(first) == {"bookmarks": {world.stream: {"n": 100}}}
    assert out == b""
    assert b"interrupted with 0 dead letters" in err
    batch = world.audit("BATCHES")[0]
    [run] = world.query(f"SELECT STATUS FROM ANALYTICS.AUDIT.RUNS_CURRENT WHERE RUN_ID = '{batch['RUN_ID']}'")
    assert run["STATUS"] == "interrupted"
    assert len(world.rows()) == 100


def running_load(world: World) -> subprocess.Popen[bytes]:
    """A run whose second batch is held up in its MERGE, with more input to come."""
    world.run(messages(world, 10))
    fault = world.control.fault("slow", pattern="^MERGE INTO", seconds=60, user="LOADER")
    process = world.start(batch_size_rows=20)
    feed(process, lines(messages(world, 30, "2.00")))
    world.control.wait_until_held(fault, 60)
    return process


def test_sigterm_lets_a_running_load_finish(world: World) -> None:
    process = running_load(world)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    world.control.clear_faults()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted with 0 dead letters" in err
    # What was being loaded is there; what was only gathered is not.
    assert sorted({row["AMOUNT"] for row in world.rows()}) == [Decimal("2.00")]
    assert len(world.rows()) == 20
    [row] = world.query(
        "SELECT STATUS FROM ANALYTICS.AUDIT.RUNS_CURRENT WHERE RUN_ID = "
        f"(SELECT MAX_BY(RUN_ID, LOADED_AT) FROM ANALYTICS.AUDIT.BATCHES WHERE STREAM = '{world.stream}')"
    )
    assert row["STATUS"] == "interrupted"


def test_second_signal_ends_at_once_and_nothing_is_half_there(world: World) -> None:
    process = running_load(world)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode not in (0, None)
    world.control.clear_faults()
    world.control.wait_until_idle("LOADER")
    world.control.advance_clock(400)
    assert {row["AMOUNT"] for row in world.rows()} == {Decimal("1.00")}


def test_lost_answer_of_commit_is_looked_up(world: World) -> None:
    world.control.fault("reset", pattern="^COMMIT", when="after", user="LOADER")
    world.run(messages(world, 20))
    assert len(world.rows()) == 20
    assert world.counts() == [{"received": 20, "inserted": 20}]
    assert len(world.audit("RECORD_HISTORY")) == 20


@pytest.mark.parametrize(
    ("pattern", "code", "sqlstate", "kind"),
    [
        ("^MERGE INTO", 603, "XX000", "internal"),
        ("^UPDATE .*FENCE", 625, "57014", "contention"),
        ("^COPY INTO", 608, "57014", "warehouse"),
        ("^INSERT INTO .*RECORD_HISTORY", 390114, "08001", "session"),
    ],
)
def test_fault_is_retried_on_a_new_session_and_recorded(
    world: World, pattern: str, code: int, sqlstate: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)
    world.control.fault("error", pattern=pattern, code=code, sqlstate=sqlstate, user="LOADER", times=1)
    world.run(messages(world, 20))
    assert len(world.rows()) == 20
    assert len(world.audit("RECORD_HISTORY")) == 20
    [retry] = world.audit("RETRIES")
    assert (retry["ERROR_CLASS"], retry["ERRNO"], retry["ATTEMPT"], retry["OUTCOME"]) == (
        kind,
        code,
        1,
        "retried",
    )
    assert world.audit("BATCHES")[0]["ATTEMPT"] == 2


def test_connection_lost_before_a_statement_took_effect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)
    world.control.fault("reset", pattern="^MERGE INTO", when="before", user="LOADER", times=1)
    world.run(messages(world, 20))
    assert len(world.rows()) == 20


def test_what_cannot_succeed_is_not_tried_again(world: World) -> None:
    fault = world.control.fault(
        "error", pattern="^MERGE INTO", code=904, sqlstate="42000", user="LOADER", times=5
    )
    with pytest.raises(StatementError, match="compilation"):
        world.run(messages(world, 20))
    assert world.control.struck(fault) == 1
    assert world.rows() == []
    [retry] = world.audit("RETRIES")
    assert (retry["OUTCOME"], retry["STEP"], retry["ERRNO"]) == ("gave_up", "merge", 904)


def test_gives_up_after_the_allowed_attempts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.0)
    fault = world.control.fault(
        "error", pattern="^MERGE INTO", code=625, sqlstate="57014", user="LOADER", times=9
    )
    with pytest.raises(StatementError, match="contention"):
        world.run(messages(world, 20), retry_max_attempts=3)
    assert world.control.struck(fault) == 3


def test_two_targets_at_once_make_no_double_row(world: World) -> None:
    world.run([world.schema_message()])
    inputs = [lines(messages(world, 200, amount)) for amount in ("1.00", "2.00")]
    processes = [world.start(batch_size_rows=50) for _ in inputs]
    threads = [
        threading.Thread(target=process.communicate, args=(text.encode(),), kwargs={"timeout": 90})
        for process, text in zip(processes, inputs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.returncode for process in processes] == [0, 0]
    rows = world.rows()
    assert len(rows) == 200
    assert {row["AMOUNT"] for row in rows} <= {Decimal("1.00"), Decimal("2.00")}
    written = sum(c.get("inserted", 0) + c.get("updated", 0) for c in world.counts())
    assert len(world.audit("RECORD_HISTORY")) == written
    batches = world.audit("BATCHES", '"CHAIN_NUMBER"')
    assert [batch["CHAIN_NUMBER"] for batch in batches] == list(range(1, 9))
    assert [batch["CHAIN_PREVIOUS"] for batch in batches[1:]] == [
        batch["CHAIN_DIGEST"] for batch in batches[:-1]
    ]


def test_waiting_for_another_writer_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.transaction._SAY_AFTER_SECONDS", 0.05)
    world.control.fault("slow", pattern="^UPDATE .*FENCE", seconds=1, user="LOADER", times=1)
    ended = world.run(messages(world, 10))
    assert "another session is writing to the table" in ended.log


def test_fence_without_its_row_aborts(world: World) -> None:
    from target_snowflake_audit.errors import IntegrityError  # noqa: PLC0415
    from target_snowflake_audit.sql.fence import fence_of  # noqa: PLC0415
    from target_snowflake_audit.sql.quoting import TableName  # noqa: PLC0415

    world.run(messages(world, 10))
    fence = fence_of(
        TableName("ANALYTICS", world.schema, world.stream.upper()), TableName("ANALYTICS", "AUDIT_LOCK", "")
    )
    world.query(f"DELETE FROM {fence.sql}")
    with pytest.raises(IntegrityError, match="exactly one"):
        world.run(messages(world, 10, "2.00"))
    assert {row["AMOUNT"] for row in world.rows()} == {Decimal("1.00")}


def test_run_that_lost_its_session_still_says_how_it_ended(world: World) -> None:
    run = Run(world.settings())
    with run.lane():
        run.start()
        run.drop_session()
    row = {"STREAM": world.stream, "TARGET_TABLE": world.table, "CHANGE": "create_table", "CAUSE": "test"}
    run.later(SCHEMA_CHANGES, {"RUN_ID": run.run_id, **row, "STATEMENT": "none"})
    run.end("interrupted", "a signal came while waiting")
    rows = world.query(f"SELECT EVENT, STATUS FROM ANALYTICS.AUDIT.RUNS WHERE RUN_ID = '{run.run_id}'")
    assert sorted((row["EVENT"], row["STATUS"]) for row in rows) == [
        ("ended", "interrupted"),
        ("started", "running"),
    ]
    assert len(world.audit("SCHEMA_CHANGES")) == 1


def test_changes_of_a_table_are_kept_though_nothing_was_loaded(world: World) -> None:
    world.run([world.schema_message()])
    changes = {row["CHANGE"] for row in world.audit("SCHEMA_CHANGES")}
    assert changes == {"create_schema", "create_table"}


def test_files_of_a_killed_run_are_removed_a_day_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = world.control.fault("kill", pattern="^MERGE INTO", user="LOADER")
    process = world.start()
    process.communicate(lines(messages(world, 10)).encode(), timeout=60)
    assert world.control.struck(fault) == 1
    world.control.wait_until_idle("LOADER")
    world.control.advance_clock(400)
    stage = '@"ANALYTICS"."AUDIT_LOCK"."LOAD"'
    left = {row["name"].split("/")[1] for row in world.query(f"LIST {stage}")}
    world.run(messages(world, 10))
    assert left <= {row["name"].split("/")[1] for row in world.query(f"LIST {stage}")}
    monkeypatch.setattr("target_snowflake_audit.staging.orphans.AGE", dt.timedelta(hours=-2))
    world.run(messages(world, 10))
    assert world.query(f"LIST {stage}") == []


def test_only_old_folders_of_runs_are_orphans() -> None:
    now = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
    old, new = "Fri, 27 Nov 2026 02:22:32 GMT", "Sun, 29 Nov 2026 02:22:32 GMT"
    a, b, c = "a" * 32, "b" * 32, "c" * 32
    files = [(f"load/{a}/x/rows/r.gz", old), (f"load/{a}/y/rows/r.gz", old), (f"load/{b}/x/rows/r.gz", old)]
    files += [(f"load/{b}/y/rows/r.gz", new), ("load/mine/r.gz", old), (f"load/{c}/r.gz", "no time")]
    assert orphans(files, now) == [a]


@pytest.mark.parametrize(
    ("event", "how"),
    [
        ("ended", "session ended"),
        ("ended", "table busy"),
        ("ended", "answer lost"),
        ("ended", "statement lost"),
        ("started", "answer lost"),
    ],
)
def test_begin_and_end_of_a_run_are_recorded_once_whatever_the_first_try_met(
    world: World, event: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that was lost may have been one of success: the row is not written twice."""
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)
    codes = {"session ended": (390114, SESSION), "table busy": (625, CONTENTION)}
    execute = Session.execute
    met: list[str] = []

    def refused(session: Session, sql: str, step: str) -> Answer:
        if step != "insert RUNS" or f"'{event}'" not in sql or met:
            return execute(session, sql, step)
        met.append(how)
        if how == "answer lost":
            execute(session, sql, step)
        code, found = codes.get(how, (None, NETWORK))
        raise StatementError(step, how, found, errno=code)

    monkeypatch.setattr(Session, "execute", refused)
    world.run(messages(world, 20))
    assert met == [how]
    [batch] = world.audit("BATCHES")
    told = f"RUN_ID = '{batch['RUN_ID']}'"
    rows = world.query(f"SELECT EVENT, STATUS FROM ANALYTICS.AUDIT.RUNS WHERE {told} ORDER BY CHAIN_NUMBER")
    assert [(row["EVENT"], row["STATUS"]) for row in rows] == [("started", "running"), ("ended", "completed")]
    tables = ("RUNS", "RETRIES", "SCHEMA_CHANGES")
    linked = [f"SELECT CHAIN_NUMBER AS N FROM ANALYTICS.AUDIT.{name} WHERE {told}" for name in tables]
    numbers = {row["N"] for row in world.query(" UNION ALL ".join(linked))}
    assert numbers == set(range(1, len(numbers) + 1))
    [retry] = world.query(f"SELECT OUTCOME, STEP FROM ANALYTICS.AUDIT.RETRIES WHERE {told}")
    assert (retry["OUTCOME"], retry["STEP"]) == ("retried", "insert RUNS")
