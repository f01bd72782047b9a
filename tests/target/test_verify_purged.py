"""Verifying what `purge` left: a chain starts at its checkpoint, and what no checkpoint tells of is found.

A server of its own, whose clock is moved on by a month. Tampering is rolled back.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from audit_console import Console
from processes import server
from snowflake_control import SnowflakeControl
from target_snowflake_audit.audit.setup_sql import Setup, script
from target_snowflake_audit.audit.tips import Tip
from target_snowflake_audit.audit.verify import (
    CHANGED,
    CHECKPOINT,
    CUT,
    GAP,
    LINK,
    MISSING,
    Finding,
    Verifier,
)
from target_snowflake_audit.purging import purge
from target_snowflake_audit.session import Session, connect
from target_snowflake_audit.sql.quoting import TableName
from target_world import World, state
from warehouse import administrator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PURGER = "SAGEX3_PURGER"
MONTH = 40 * 86_400


def name(table: str) -> TableName:
    return TableName("ANALYTICS", "AUDIT", table)


def place(table: str) -> str:
    return name(table).sql


def load(world: World, amount: str, *more: dict[str, Any]) -> None:
    rows = [world.line("A", n, amount) for n in range(3)]
    world.run([world.schema_message(), *rows, *more, state({"at": amount})], batch_size_rows=2)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three loads of the same rows, two of them older than a month, the first with a retry and a letter."""
    folder = tmp_path_factory.mktemp("purged")
    setup, secrets = folder / "init.sql", folder / "secrets"
    setup.write_text(script(Setup(user="LOADER")))
    secrets.mkdir(mode=0o700)
    with server(
        "local_snowflake", "--port", "0", "--init-sql", str(setup), "--secrets-dir", str(secrets)
    ) as started:
        world = World(started.ready, SnowflakeControl(started.ready["host"], started.ready["port"]))
        world.query(f'GRANT ROLE "{PURGER}" TO USER "LOADER"')
        world.control.fault("error", pattern="^MERGE INTO", code=603, sqlstate="XX000", user="LOADER")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.0)
            load(world, "1.00", world.line("B", 1, text="x" * 11))
        load(world, "2.00")
        world.control.advance_clock(MONTH)
        world.close()  # no session lives as long
        load(world, "3.00")
        yield world
        world.close()


@pytest.fixture(scope="module")
def history_purged(old: World) -> World:
    """History older than a month is gone, the batches that wrote it are there."""
    purged(old, "RECORD_HISTORY")
    return old


@pytest.fixture(scope="module")
def all_purged(history_purged: World) -> World:
    """All that may be gone after a month is gone."""
    purged(history_purged)
    return history_purged


def purged(world: World, *only: str) -> None:
    session = connect(world.settings(role=PURGER))
    assert purge(session, name, days=30, reason="rule 7", only=only, commit=True).committed
    session.close()


@contextmanager
def tampered(world: World, *statements: str) -> Iterator[list[Finding]]:
    """What is found after some statements; they are undone."""
    ready = world.ready
    session = Session(administrator(ready, database=ready["database"], warehouse=ready["warehouse"]))
    session.execute("ALTER SESSION SET TIMEZONE = 'UTC', AUTOCOMMIT = FALSE", "test")
    session.execute("BEGIN", "test")
    for sql in statements:
        assert session.execute(sql, "test").affected > 0, sql
    yield Verifier(session, name).findings()
    session.rollback()
    session.close()


def kinds(found: list[Finding]) -> set[tuple[str, str]]:
    return {(one.kind, one.table) for one in found}


def test_history_that_was_purged_is_no_fault_and_every_other_row_counts(history_purged: World) -> None:
    history, checkpoints = place("RECORD_HISTORY"), place("CHECKPOINTS")
    with tampered(history_purged) as found:
        assert found == []
    backdated = f'UPDATE {history} SET "LOADED_AT" = DATEADD(\'day\', -60, "LOADED_AT")'
    with tampered(history_purged, backdated) as found:
        assert (CHANGED, "RECORD_HISTORY") in kinds(found)
    young = f'SELECT MIN("ROW_DIGEST") FROM {history} WHERE "LOADED_AT" >= DATEADD(\'day\', -30, SYSDATE())'
    with tampered(history_purged, f'DELETE FROM {history} WHERE "ROW_DIGEST" = ({young})') as found:
        assert kinds(found) == {(MISSING, "RECORD_HISTORY")}
    one = "WHERE \"AUDIT_TABLE\" = 'RECORD_HISTORY'"
    more = f'UPDATE {checkpoints} SET "ROW_COUNT" = "ROW_COUNT" + 1 {one}'
    for sql in (more, f"DELETE FROM {checkpoints} {one}"):
        with tampered(history_purged, sql) as found:
            assert kinds(found) == {(MISSING, "RECORD_HISTORY")}


def test_a_chain_starts_at_its_checkpoint_and_the_command_says_until_when(all_purged: World) -> None:
    numbers = all_purged.query(f'SELECT MIN("CHAIN_NUMBER") AS N FROM {place("BATCHES")}')
    assert numbers[0]["N"] > 1
    console = Console(all_purged.ready, all_purged.environment(role="SAGEX3_LOADER"))
    answer = console("verify")
    assert (answer.code, answer.err) == (0, "")
    [said] = [line for line in answer.out.splitlines() if line.startswith("BATCHES")]
    assert f"numbers 1 to {numbers[0]['N'] - 1}, purged until 20" in said
    assert "by LOADER" in said
    assert "rule 7" in said
    assert "Every digest and every link is right." in answer.out
    assert "does not show that its end was cut off" in answer.out
    document = console("verify", "--json").json
    assert document["findings"] == []
    assert {one["audit_table"] for one in document["purged"]} >= {"RECORD_HISTORY", "BATCHES", "RETRIES"}


def test_what_is_done_after_the_checkpoint_is_found(all_purged: World) -> None:
    batches, history = place("BATCHES"), place("RECORD_HISTORY")
    lowest = f'"CHAIN_NUMBER" = (SELECT MIN("CHAIN_NUMBER") FROM {batches})'
    with tampered(all_purged, f'UPDATE {batches} SET "INSERTED" = "INSERTED" + 1 WHERE {lowest}') as found:
        assert (CHANGED, "BATCHES") in kinds(found)
    with tampered(all_purged, f"DELETE FROM {batches} WHERE {lowest}") as found:
        assert {(GAP, "BATCHES"), (LINK, "BATCHES"), (CHECKPOINT, "CHECKPOINTS")} <= kinds(found)
    newest = f'"ROW_DIGEST" = (SELECT MAX_BY("ROW_DIGEST", "LOADED_AT") FROM {history})'
    with tampered(all_purged, f"DELETE FROM {history} WHERE {newest}") as found:
        assert (MISSING, "RECORD_HISTORY") in kinds(found)
    with tampered(all_purged, f'UPDATE {history} SET "SEQ" = "SEQ" + 1 WHERE {newest}') as found:
        assert (CHANGED, "RECORD_HISTORY") in kinds(found)


def test_a_checkpoint_that_is_missing_or_forged_is_found(all_purged: World) -> None:
    batches, checkpoints = place("BATCHES"), place("CHECKPOINTS")
    of_batches = "WHERE \"AUDIT_TABLE\" = 'BATCHES'"
    with tampered(all_purged, f"DELETE FROM {checkpoints} {of_batches}") as found:
        assert {(GAP, "BATCHES"), (LINK, "BATCHES")} <= kinds(found)
    with tampered(all_purged, f"UPDATE {checkpoints} SET \"LAST_DIGEST\" = '1:0' {of_batches}") as found:
        assert {(GAP, "BATCHES"), (LINK, "BATCHES")} <= kinds(found)
    # Somebody deletes one batch more and moves the checkpoint on, but does not know how many rows it was.
    lowest = f'(SELECT MIN("CHAIN_NUMBER") FROM {batches})'
    digest = f'(SELECT MIN_BY("CHAIN_DIGEST", "CHAIN_NUMBER") FROM {batches})'
    moved = f'UPDATE {checkpoints} SET "LAST_NUMBER" = {lowest}, "LAST_DIGEST" = {digest} {of_batches}'
    gone = f'DELETE FROM {batches} WHERE "CHAIN_NUMBER" = {lowest}'
    with tampered(all_purged, moved, gone) as found:
        assert (CHECKPOINT, "CHECKPOINTS") in kinds(found)
    for table in ("RETRIES", "WATERMARKS"):
        with tampered(all_purged, f"DELETE FROM {checkpoints} WHERE \"AUDIT_TABLE\" = '{table}'") as found:
            assert found != [], table


def test_a_tip_from_before_the_purge_proves_the_checkpoint(all_purged: World, tmp_path: Path) -> None:
    [row] = all_purged.query(
        f"SELECT OF_CHAIN, LAST_NUMBER, LAST_DIGEST FROM {place('CHECKPOINTS')} WHERE AUDIT_TABLE = 'BATCHES'"
    )
    tip = Tip(row["OF_CHAIN"], int(row["LAST_NUMBER"]), row["LAST_DIGEST"])
    console = Console(all_purged.ready, all_purged.environment())
    kept = tmp_path / "tips.log"
    kept.write_text(f"INFO Chain tip {tip.line(None)}\n")
    assert console("verify", "--anchors", str(kept)).code == 0
    kept.write_text(
        "INFO Chain tip " + json.dumps({"chain": tip.chain, "number": tip.number, "digest": "1:0"})
    )
    answer = console("verify", "--anchors", str(kept), "--json")
    assert answer.code == 1
    assert [one["kind"] for one in answer.json["findings"]] == [CUT]
    kept.write_text("nothing of the kind")
    assert console("verify", "--anchors", str(kept)).code == 2
