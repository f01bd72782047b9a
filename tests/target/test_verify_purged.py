"""Verifying what `purge` left: a chain starts at its checkpoint, and what no checkpoint tells of is found.

A server of its own, whose clock is moved on by a month. Tampering is rolled back.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from audit_console import Console
from audited_server import audited_server
from target_snowflake_audit.audit.run_chain import RunChain
from target_snowflake_audit.audit.tables import DEAD_LETTER_EVENTS, RETRIES, RUNS, SCHEMA_CHANGES
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
from target_snowflake_audit.sql import chain
from target_snowflake_audit.sql.quoting import TableName, literal
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


def interleaved(world: World) -> None:
    """A run's chain in which links of several rows that go stand between links that stay.

    And one by people, whose first link loses one of its two rows: the other is about an open letter.
    """
    session = connect(world.settings())
    run, people = RunChain("long", name), RunChain("people", name)
    retry = {"RUN_ID": "long", "ATTEMPT": 1, "STEP": "merge", "ERROR_CLASS": "network", "OUTCOME": "retried"}
    change = {"RUN_ID": "long", "STREAM": "s", "TARGET_TABLE": "T", "CHANGE": "add_column", "STATEMENT": "x"}
    run.insert(session, RUNS, [{"RUN_ID": "long", "EVENT": "started", "STATUS": "running"}])
    run.insert(session, RETRIES, [retry, retry, retry])
    run.insert(session, SCHEMA_CHANGES, [{**change, "CAUSE": "first"}])
    run.insert(session, SCHEMA_CHANGES, [{**change, "CAUSE": "second"}])
    run.insert(session, RETRIES, [retry, retry])
    run.insert(session, RUNS, [{"RUN_ID": "long", "EVENT": "ended", "STATUS": "failed", "BATCHES": 0}])
    [row] = world.query(f'SELECT "DEAD_LETTER_ID" FROM {place("DEAD_LETTERS")}')
    letter, event = row["DEAD_LETTER_ID"], {"EVENT": "reviewed"}
    both = [{**event, "EVENT_ID": f"e{n}", "DEAD_LETTER_ID": one} for n, one in enumerate((letter, "gone"))]
    people.insert(session, DEAD_LETTER_EVENTS, both)
    people.insert(session, DEAD_LETTER_EVENTS, [{**event, "EVENT_ID": "e2", "DEAD_LETTER_ID": letter}])
    session.close()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three loads of the same rows, two of them older than a month, the first with a retry and a letter."""
    with audited_server(tmp_path_factory.mktemp("purged")) as world:
        world.query(f'GRANT ROLE "{PURGER}" TO USER "LOADER"')
        world.control.fault("error", pattern="^MERGE INTO", code=603, sqlstate="XX000", user="LOADER")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.0)
            load(world, "1.00", world.line("B", 1, text="x" * 11))
        load(world, "2.00")
        interleaved(world)
        world.control.advance_clock(MONTH)
        world.close()  # no session lives as long
        load(world, "3.00")
        yield world


@pytest.fixture(scope="module")
def history_purged(old: World) -> World:
    """History older than a month is gone, the batches that wrote it are there."""
    purged(old, "RECORD_HISTORY")
    return old


@pytest.fixture(scope="module")
def links_purged(history_purged: World) -> World:
    """Links of runs' chains are gone too, and links around them are there."""
    purged(history_purged, "RETRIES", "DEAD_LETTER_EVENTS")
    return history_purged


@pytest.fixture(scope="module")
def all_purged(links_purged: World) -> World:
    """All that may be gone after a month is gone."""
    purged(links_purged)
    return links_purged


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
    try:
        for sql in statements:
            assert session.execute(sql, "test").affected > 0, sql
        yield Verifier(session, name).findings()
    finally:  # else the locks of a test that fails would hold up all after it
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


def place_of(number: int) -> str:
    return f'"CHAIN" = \'run:long\' AND "CHAIN_NUMBER" = {number}'


def test_links_that_purge_left_between_those_it_took_count_each(links_purged: World) -> None:
    told = links_purged.query(
        f"SELECT FIRST_NUMBER AS A, LAST_NUMBER AS Z, ROW_COUNT AS N FROM {place('CHECKPOINTS')}"
        " WHERE OF_CHAIN = 'run:long'"
    )
    assert told == [{"A": 2, "Z": 5, "N": 5}]
    changes = place("SCHEMA_CHANGES")
    with tampered(links_purged) as found:
        assert found == []
    for number in (3, 4):
        with tampered(links_purged, f"DELETE FROM {changes} WHERE {place_of(number)}") as found:
            assert (GAP, "") in kinds(found), number
    with tampered(links_purged, f"DELETE FROM {changes} WHERE \"CHAIN\" = 'run:long'") as found:
        assert (GAP, "") in kinds(found)


@pytest.mark.parametrize("number", [3, 4])
def test_a_link_computed_again_beside_purged_ones_is_found(links_purged: World, number: int) -> None:
    """One is named by a link that is left, the other by a link that was purged."""
    changes = place("SCHEMA_CHANGES")
    digest = chain.row_digest(SCHEMA_CHANGES, "t", SCHEMA_CHANGES.names)
    with tampered(
        links_purged,
        f"UPDATE {changes} AS t SET \"CAUSE\" = 'forged' WHERE {place_of(number)}",
        f'UPDATE {changes} AS t SET "CHAIN_DIGEST" = {digest} WHERE {place_of(number)}',
    ) as found:
        assert kinds(found) == {(LINK, "")}


def test_of_a_link_that_lost_some_rows_those_that_stay_are_counted(links_purged: World) -> None:
    events, which = place("DEAD_LETTER_EVENTS"), '"CHAIN" = \'run:people\' AND "CHAIN_NUMBER" = 1'
    rows = links_purged.query(f"SELECT EVENT_ID FROM {events} WHERE {which}")
    assert rows == [{"EVENT_ID": "e0"}]
    with tampered(links_purged, f"DELETE FROM {events} WHERE {which}") as found:
        assert (LINK, "") in kinds(found)
    copied = f"INSERT INTO {events} SELECT * FROM {events} WHERE {which}"
    with tampered(links_purged, copied) as found:
        assert (LINK, "") in kinds(found)


@pytest.mark.parametrize("links", ["NULL", 'PARSE_JSON(\'[{"number": 2}, {"number": 5}]\')'])
def test_a_checkpoint_that_names_other_links_than_it_counts_is_found(links_purged: World, links: str) -> None:
    forged = f'UPDATE {place("CHECKPOINTS")} SET "LINKS" = {links} WHERE "OF_CHAIN" = \'run:long\''
    with tampered(links_purged, forged) as found:
        assert (CHECKPOINT, "CHECKPOINTS") in kinds(found)


@pytest.mark.parametrize("links", ['{"number": 2}', '[{"T": {}}]', "[1]", "7", '[{"number": "x"}]'])
def test_links_of_another_form_are_a_finding_and_no_crash(links_purged: World, links: str) -> None:
    where = "\"OF_CHAIN\" = 'run:long'"
    forged = f'UPDATE {place("CHECKPOINTS")} SET "LINKS" = PARSE_JSON({literal(links)}) WHERE {where}'
    with tampered(links_purged, forged) as found:
        assert {(CHANGED, "CHECKPOINTS"), (CHECKPOINT, "CHECKPOINTS")} <= kinds(found)


@pytest.mark.parametrize(
    "tips",
    [
        '{"T": {}}',
        "[1]",
        "7",
        '{"T": 1}',
        '{"T": {"number": "x", "digest": "d"}}',
        '{"T": {"number": 1e400}}',
    ],
)
def test_tips_of_another_form_are_a_finding_and_no_crash(links_purged: World, tips: str) -> None:
    forged = f'UPDATE {place("RUNS")} SET "TIPS" = PARSE_JSON({literal(tips)}) WHERE "TIPS" IS NOT NULL'
    with tampered(links_purged, forged) as found:
        assert any(
            (one.kind, one.table) == (CHANGED, "RUNS") and "what no run writes" in one.what for one in found
        )


def test_a_signature_outside_ascii_is_a_wrong_one() -> None:
    tip = Tip("T", 1, "d")
    assert tip.signed_by([b"k" * 32], tip.signature(b"k" * 32))
    assert not tip.signed_by([b"k" * 32], "\u00e9")


def test_a_chain_starts_at_its_checkpoint_and_the_command_says_until_when(all_purged: World) -> None:
    numbers = all_purged.query(f'SELECT MIN("CHAIN_NUMBER") AS N FROM {place("BATCHES")}')
    assert numbers[0]["N"] > 1
    console = Console(all_purged.ready, all_purged.environment(role="SAGEX3_LOADER"))
    answer = console("verify")
    assert (answer.code, answer.err) == (0, "")
    text = " ".join(answer.out.split())  # lines are as long as the terminal is wide
    said = text[text.index("BATCHES of") :]
    assert f"numbers 1 to {numbers[0]['N'] - 1}, purged until 20" in said
    assert "by LOADER" in said
    assert "rule 7" in said
    assert "Every digest and every link is right." in text
    assert "does not show that its end was cut off" in text
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
