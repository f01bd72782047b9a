"""Chains of the audit tables: right whatever happens while they are written; what is done to them shows.

One server of its own: tampered rows must not be other tests' business. A test that tampers does so in a
transaction of the administrator and rolls back.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from audited_server import audited_server
from target_snowflake_audit.audit.tables import BATCHES, BY_NAME, RETRIES, TABLES
from target_snowflake_audit.audit.tips import Tip, keys_of
from target_snowflake_audit.audit.verify import (
    ADDED,
    CHANGED,
    CUT,
    ERASED,
    GAP,
    LINK,
    MISSING,
    NOT_CHAINED,
    SIGNATURE,
    Finding,
    Verifier,
)
from target_snowflake_audit.errors import DeadLetterLimitError, SettingError
from target_snowflake_audit.purging import erase
from target_snowflake_audit.retry_classes import NETWORK
from target_snowflake_audit.run import Run
from target_snowflake_audit.session import Answer, Session, StatementError, connect
from target_snowflake_audit.sql import chain, verify
from target_snowflake_audit.sql.erasure import Subject
from target_snowflake_audit.sql.quoting import TableName, identifier
from target_world import World, lines, state
from warehouse import administrator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "0123456789abcdef0123456789abcdef"
CHAINED = [table for table in TABLES if table.digest]
COLUMNS = [
    (table.name, column.name, column.type)
    for table in CHAINED
    for column in table.columns
    if column.covered and column.name != table.digest
]


def name(table: str) -> TableName:
    return TableName("ANALYTICS", "AUDIT", table)


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server with an audit schema in which every table has rows, several runs old."""
    with audited_server(tmp_path_factory.mktemp("chained")) as found:
        _history(found)
        yield found


def _history(world: World) -> None:
    bad = world.line("B", 1, text="x" * 11)
    rows = [world.schema_message(), *(world.line("A", n) for n in range(30)), bad, state({"n": 1})]
    world.run(rows, batch_size_rows=16, audit_hmac_key=KEY)
    world.control.fault("error", pattern="^MERGE INTO", code=603, sqlstate="XX000", user="LOADER", times=1)
    rows = [world.schema_message(), world.line("A", 1, "2.00"), bad, state({"n": 2})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.0)
        world.run(rows, audit_hmac_key=KEY)
    many = [world.schema_message(), *(world.line("C", n, text="y" * 11) for n in range(3))]
    with pytest.raises(DeadLetterLimitError):
        world.run(many, max_dead_letters=2, audit_hmac_key=KEY)
    world.run([world.schema_message(), world.line("A", 2, "3.00"), state({"n": 3})], audit_hmac_key=KEY)


@pytest.fixture(scope="module")
def admin(chained: World) -> Iterator[Session]:
    ready = chained.ready
    session = Session(administrator(ready, database=ready["database"], warehouse=ready["warehouse"]))
    session.execute("ALTER SESSION SET TIMEZONE = 'UTC', AUTOCOMMIT = FALSE", "test")
    yield session
    session.close()


@contextmanager
def undone(session: Session, *statements: str) -> Iterator[None]:
    session.execute("BEGIN", "test")
    try:
        for sql in statements:
            assert session.execute(sql, "test").affected > 0, sql
        yield
    finally:
        session.rollback()


def findings(session: Session, key: str = KEY, **more: Any) -> list[Finding]:  # noqa: ANN401
    return Verifier(session, name, [key.encode()]).findings(**more)


def kinds(found: list[Finding]) -> set[tuple[str, str]]:
    return {(one.kind, one.table) for one in found}


def test_what_the_target_wrote_verifies_with_the_loaders_own_statements(chained: World) -> None:
    for table in CHAINED:
        assert chained.query(f"SELECT COUNT(*) AS N FROM {name(table.name).sql}") != [{"N": 0}], table.name
    session = connect(chained.settings())
    assert findings(session) == []
    session.close()
    operations = [row["OPERATION"] for row in chained.query(f"SELECT OPERATION FROM {name('BATCHES').sql}")]
    assert sorted(operations) == ["load", "load", "load", "load", "refused"]


def test_python_computes_the_same_digest_from_the_stored_row(chained: World) -> None:
    """The form that `sql.chain` describes, written out once more."""
    texts = ", ".join(map(identifier, ("STREAM", "TARGET_TABLE", "RUN_ID", "BATCH_ID", "HIGHEST_VALUE")))
    shown = 'TO_VARCHAR("AT", \'YYYY-MM-DD HH24:MI:SS.FF9\') AS "AT"'
    nothing = '"BOOKMARK" IS NULL AND "REPLICATION_KEY" = \'updatedDate\''
    table = name("WATERMARKS").sql
    sql = f'SELECT {texts}, "REPLICATION_KEY", "ROW_DIGEST", {shown} FROM {table} WHERE {nothing}'
    rows = chained.query(sql)
    assert rows
    for row in rows:
        text = "WATERMARKS," + f"AT={row.pop('AT')},"
        digest = row.pop("ROW_DIGEST")
        for key, value in sorted(row.items()):
            text += "" if value is None else f"{key}={len(value)}:{value},"
        assert digest == "1:" + hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.sampled(1, lambda case: case["table"])
@pytest.mark.parametrize(("table", "column", "kind"), COLUMNS)
def test_a_changed_value_of_any_column_is_found(admin: Session, table: str, column: str, kind: str) -> None:
    quoted, place = identifier(column), name(table).sql
    changed = {
        "VARIANT": "PARSE_JSON('{\"forged\": 1}')",
        "TIMESTAMP_NTZ(9)": f"DATEADD('second', 1, COALESCE({quoted}, '2026-01-01'::TIMESTAMP_NTZ))",
        "NUMBER(38,0)": f"COALESCE({quoted}, 0) + 1",
    }.get(kind, f"CONCAT(COALESCE({quoted}, ''), ' ')")
    with undone(admin, f"UPDATE {place} SET {quoted} = {changed}"):
        rows = admin.execute(f"SELECT COUNT(*) FROM {place}", "test").rows[0][0]
        found = admin.execute(
            verify.changed_rows(name(table), BY_NAME[table], name("CHECKPOINTS")), "test"
        ).rows
        assert [wrong for wrong, *_ in found] == [found[0][0]] * rows
        assert found[0][0] in {verify.ROW, verify.PAYLOAD}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("table", [table.name for table in CHAINED])
def test_a_row_taken_out_or_put_in_is_found(admin: Session, table: str) -> None:
    place, digest = name(table).sql, identifier(BY_NAME[table].digest)
    among = "WHERE \"EVENT\" = 'started'" if table == "RUNS" else ""  # a chain does not show its end cut off
    first = f"{digest} = (SELECT MIN({digest}) FROM {place} {among})"
    with undone(admin, f"DELETE FROM {place} WHERE {first}"):
        assert kinds(findings(admin)) & {(MISSING, table), (LINK, ""), (GAP, ""), (GAP, table), (CUT, table)}
    copied = f"INSERT INTO {place} SELECT * FROM {place} WHERE {first}"
    with undone(admin, copied):
        assert kinds(findings(admin)) & {(ADDED, table), (LINK, ""), (GAP, table)}
    if table in {"RECORD_HISTORY", "WATERMARKS"}:
        forged = f"UPDATE {place} SET {digest} = NULL WHERE {first}"
        with undone(admin, forged):
            assert (NOT_CHAINED, table) in kinds(findings(admin))


def test_a_value_set_back_to_null_and_a_moved_letter_are_found(admin: Session) -> None:
    place = name("RETRIES").sql
    with undone(admin, f'UPDATE {place} SET "QUERY_ID" = NULL, "SQLSTATE" = NULL'):
        assert (CHANGED, "RETRIES") in kinds(findings(admin))


def test_a_batch_that_repeats_a_number_is_found_although_it_is_linked(admin: Session) -> None:
    place = name("BATCHES").sql
    last = f'"CHAIN_NUMBER" = (SELECT MAX("CHAIN_NUMBER") FROM {place})'
    forged = {
        "BATCH_ID": "'forged'",
        "CHAIN_PREVIOUS": '"CHAIN_DIGEST"',
        "LOADED_AT": "DATEADD('second', 1, \"LOADED_AT\")",
        "HISTORY_DIGEST": "NULL",
        "LETTERS_DIGEST": "NULL",
        "EVENTS_DIGEST": "NULL",
        "WATERMARK_DIGEST": "NULL",
    }
    values = ", ".join(forged.get(column, identifier(column)) for column in BATCHES.names)
    columns = ", ".join(map(identifier, BATCHES.names))
    digest = chain.row_digest(BATCHES, "t", BATCHES.names)
    with undone(
        admin,
        f"INSERT INTO {place} ({columns}) SELECT {values} FROM {place} WHERE {last}",
        f'UPDATE {place} AS t SET "CHAIN_DIGEST" = {digest} WHERE "BATCH_ID" = \'forged\'',
    ):
        found = kinds(findings(admin))
        assert (GAP, "BATCHES") in found
        assert not found & {(LINK, "BATCHES"), (CHANGED, "BATCHES")}


def test_batches_that_are_gone_are_found(admin: Session) -> None:
    place = name("BATCHES").sql
    last = f'"CHAIN_NUMBER" = (SELECT MAX("CHAIN_NUMBER") FROM {place})'
    with undone(admin, f"DELETE FROM {place} WHERE {last}"):
        found = kinds(findings(admin))
        assert {(CUT, "BATCHES"), (MISSING, "BATCHES")} <= found
    with undone(admin, f'DELETE FROM {place} WHERE "CHAIN_NUMBER" = 2'):
        assert {(GAP, "BATCHES"), (LINK, "BATCHES")} <= kinds(findings(admin))
    with undone(admin, f'UPDATE {place} SET "CHAIN_PREVIOUS" = \'1:0\' WHERE "CHAIN_NUMBER" = 2'):
        assert {(LINK, "BATCHES"), (CHANGED, "BATCHES")} <= kinds(findings(admin))


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("RUNS", {"CHAIN_NUMBER": "NULL"}),
        ("RUNS", {"CHAIN": "'run:made up'", "CHAIN_NUMBER": "1", "CHAIN_PREVIOUS": "NULL"}),
        ("RUNS", {"CHAIN": "'batch:made up'"}),
        ("DEAD_LETTER_EVENTS", {"CHAIN": "'run:made up'", "CHAIN_NUMBER": "NULL", "EVENT": "'discarded'"}),
    ],
)
def test_rows_put_in_beside_the_chains_are_found(admin: Session, table: str, changed: dict[str, str]) -> None:
    """With a right digest, by somebody who may only insert."""
    declared, place = BY_NAME[table], name(table).sql
    forged = {**changed, declared.digest: "NULL"}
    forged |= {"EVENT_ID": "'forged'"} if "EVENT_ID" in declared.names else {"ERROR": "'forged'"}
    values = ", ".join(
        f"{forged.get(column, identifier(column))} AS {identifier(column)}" for column in declared.names
    )
    one = f"SELECT {values} FROM {place} LIMIT 1"
    digest = chain.row_digest(declared, "t", declared.names)
    columns = ", ".join(
        digest if column == declared.digest else f"t.{identifier(column)}" for column in declared.names
    )
    listed = ", ".join(map(identifier, declared.names))
    with undone(admin, f"INSERT INTO {place} ({listed}) SELECT {columns} FROM ({one}) AS t"):
        assert (NOT_CHAINED, table) in kinds(findings(admin))


def test_a_chain_computed_again_shows_by_tips_only(admin: Session) -> None:
    """Somebody who may write computes the last batch's digest again; the tip that its run stored differs."""
    from target_snowflake_audit.sql import chain  # noqa: PLC0415

    place = name("BATCHES").sql
    last = f'"CHAIN_NUMBER" = (SELECT MAX("CHAIN_NUMBER") FROM {place})'
    before = admin.execute(
        f'SELECT "CHAIN", "CHAIN_NUMBER", "CHAIN_DIGEST" FROM {place} WHERE {last}', "test"
    ).rows
    forged = f'UPDATE {place} SET "INSERTED" = "INSERTED" + 1 WHERE {last}'
    digest = chain.row_digest(BATCHES, "t", BATCHES.names)
    again = f'UPDATE {place} AS t SET "CHAIN_DIGEST" = {digest} WHERE {last}'
    tips = f'UPDATE {name("RUNS").sql} SET "TIPS" = NULL'
    with undone(admin, forged, again):
        assert kinds(findings(admin)) == {(CUT, "BATCHES")}
    chain_name, number, digest = before[0]
    with undone(admin, forged, again, tips):
        anchor = Tip(str(chain_name), int(number), str(digest))
        assert (CUT, "BATCHES") in kinds(findings(admin, anchors=[anchor]))
        found = kinds(findings(admin))
        assert (CUT, "BATCHES") not in found
        assert (SIGNATURE, "RUNS") in found  # a run that signed no tip


def test_a_tip_that_the_key_did_not_sign_is_found(admin: Session) -> None:
    assert kinds(findings(admin, key=KEY[::-1])) == {(SIGNATURE, "RUNS")}


@pytest.mark.parametrize("table", ["RECORD_HISTORY", "DEAD_LETTERS"])
def test_erased_values_are_told_from_changed_ones(admin: Session, table: str) -> None:
    payload = [column for column in BY_NAME[table].columns if column.payload]
    blank = ", ".join(
        f"{identifier(c.name)} = {('PARSE_JSON(' + repr('[]') + ')') if c.type == 'VARIANT' else repr('')}"
        for c in payload
    )
    place = name(table).sql
    erased = f"UPDATE {place} SET {blank}, \"ERASURE_ID\" = 'e1'"
    told = f"""INSERT INTO {name("CHECKPOINTS").sql}
        ("CHECKPOINT_ID", "KIND", "AUDIT_TABLE", "ROW_COUNT", "ACTOR", "ACTOR_ROLE", "AT", "REASON")
        SELECT 'e1', 'erase', '{table}', COUNT(*) - {{0}}, 'A', 'B', SYSDATE(), 'asked' FROM {place}"""
    with undone(admin, erased, told.format(0)):
        assert kinds(findings(admin)) == {(ERASED, table)}
    with undone(admin, erased, told.format(1)):  # more than was told
        assert kinds(findings(admin)) == {(ERASED, table), (CHANGED, table)}
    with undone(admin, erased):  # nobody told
        assert kinds(findings(admin)) == {(CHANGED, table)}
    with undone(admin, f"UPDATE {place} SET {blank}"):
        assert kinds(findings(admin)) == {(CHANGED, table)}


def test_what_erase_leaves_verifies_as_erased(
    chained: World, admin: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at where `erase` would commit; then it is rolled back."""
    letter = chained.query(f"SELECT DEAD_LETTER_ID, TARGET_TABLE FROM {name('DEAD_LETTERS').sql}")[0]
    key = chained.query(f"SELECT KEY_HASH FROM {name('RECORD_HISTORY').sql}")[0]["KEY_HASH"]
    subject = Subject(letter["TARGET_TABLE"], (key,), letters=(letter["DEAD_LETTER_ID"],))
    seen: list[Finding] = []
    execute = Session.execute

    def run(session: Session, sql: str, step: str) -> Answer:
        if sql == "COMMIT":
            seen.extend(findings(session))
            sql = "ROLLBACK"
        return execute(session, sql, step)

    monkeypatch.setattr(Session, "execute", run)
    erase(admin, name, subject, reason="asked for", commit=True)
    assert kinds(seen) == {(ERASED, "RECORD_HISTORY"), (ERASED, "DEAD_LETTERS")}


def test_tips_are_logged_for_each_table_and_the_run(chained: World) -> None:
    world = chained.for_test("tips")
    ended = world.run([world.schema_message(), world.line("A", 1)], audit_hmac_key=KEY)
    found = [json.loads(text) for text in re.findall(r"^Chain tip (\{.*\})$", ended.log, re.MULTILINE)]
    assert [tip["chain"].startswith(start) for tip, start in zip(found, (world.table, "run:"), strict=True)]
    [batch] = world.audit("BATCHES")
    tip = Tip(world.table, 1, batch["CHAIN_DIGEST"])
    assert found[0] == {"chain": tip.chain, **tip.as_json(KEY.encode())}
    assert KEY not in ended.log
    assert KEY not in "".join(map(str, world.control.query_log()))
    assert re.search(r"warehouse time \d+\.\d s", ended.log)
    with pytest.raises(SettingError, match=r"audit_hmac_key.*32"):
        keys_of({"audit_hmac_key": f"{KEY},short"})


@pytest.mark.full
@pytest.mark.parametrize("pattern", ["^COMMIT", "^MERGE INTO"])
def test_lost_answers_leave_no_gap(chained: World, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.0)
    world = chained.for_test(f"lost {pattern}")
    world.control.fault("reset", pattern=pattern, when="after", user="LOADER", times=9)
    process = threading.Timer(2.0, world.control.clear_faults)
    process.start()
    world.run([world.schema_message(), world.line("A", 1), state({"n": 1})], audit_hmac_key=KEY)
    process.join()
    world.run([world.schema_message(), world.line("A", 2), state({"n": 2})], audit_hmac_key=KEY)
    numbers = [row["CHAIN_NUMBER"] for row in world.audit("BATCHES", '"CHAIN_NUMBER"')]
    assert numbers == [1, 2]
    session = connect(world.settings())
    assert findings(session) == []
    session.close()


def _losing(lost: str, *, stored: bool) -> Callable[[Session, str, str], Answer]:
    """`Session.execute` that fails at a step, before or after it took effect."""
    execute = Session.execute

    def run(session: Session, sql: str, step: str) -> Answer:
        if step != lost or stored:
            answer = execute(session, sql, step)
        if step == lost:
            raise StatementError(step, "the answer was lost", NETWORK)
        return answer

    return run


def test_rows_whose_answer_was_lost_are_not_written_again(
    chained: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored, but the answer never came; stored nothing, and the answer never came."""
    world = chained.for_test("doubt")
    run = Run(world.settings(audit_hmac_key=KEY))
    row = {"BATCH_ID": "b", "STREAM": world.stream, "TARGET_TABLE": world.table, "STEP": "test"}
    row |= {"RUN_ID": run.run_id, "ERROR_CLASS": "network", "OUTCOME": "retried"}
    with run.lane():
        run.start()
        for attempt, stored in ((1, True), (2, False)):
            run.later(RETRIES, {**row, "ATTEMPT": attempt})
            with monkeypatch.context() as patch:
                patch.setattr(Session, "execute", _losing("insert RETRIES", stored=stored))
                with pytest.raises(StatementError, match="lost"):
                    run.write_pending()
            run.drop_session()
            run.later(RETRIES, {**row, "ATTEMPT": attempt + 10})
            run.write_pending()
    run.end("completed")
    rows = world.audit("RETRIES", where=f"RUN_ID = '{run.run_id}'")
    assert sorted((row["ATTEMPT"], row["CHAIN_NUMBER"]) for row in rows) == [(1, 2), (2, 4), (11, 3), (12, 4)]
    session = connect(world.settings())
    assert findings(session) == []
    session.close()


@pytest.mark.full
def test_two_targets_on_one_table_make_one_chain(chained: World) -> None:
    world = chained.for_test("two")
    world.run([world.schema_message()], audit_hmac_key=KEY)
    rows = [lines([world.schema_message(), *(world.line(d, n) for n in range(40))]) for d in ("A", "B")]
    processes = [world.start(batch_size_rows=10, audit_hmac_key=KEY) for _ in rows]
    threads = [
        threading.Thread(target=process.communicate, args=(text.encode(),), kwargs={"timeout": 120})
        for process, text in zip(processes, rows, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [row["CHAIN_NUMBER"] for row in world.audit("BATCHES", '"CHAIN_NUMBER"')]
    assert numbers == list(range(1, 9))
    session = connect(world.settings())
    assert findings(session) == []
    session.close()
