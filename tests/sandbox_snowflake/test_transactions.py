"""Transactions and locks."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from snowflake_account import Account, Session


@pytest.fixture
def table(db: Session) -> str:
    db.rows("CREATE TABLE T (ID NUMBER, V VARCHAR(5))")
    db.rows("INSERT INTO T VALUES (1, 'a'), (2, 'b')")
    db.rows("CREATE TABLE U (ID NUMBER)")
    return "T"


def _count(db: Session, table: str = "T") -> int:
    return int(db.value(f"SELECT COUNT(*) FROM {table}"))


@pytest.mark.usefixtures("table")
def test_rollback_undoes_every_kind_of_change(db: Session) -> None:
    for change in (
        "DELETE FROM T",
        "TRUNCATE TABLE T",
        "UPDATE T SET V = 'x'",
        "INSERT OVERWRITE INTO T SELECT 9, 'z'",
        "INSERT INTO T SELECT 3, 'c'",
    ):
        db.rows("BEGIN")
        db.rows(change)
        assert db.rows("SELECT * FROM T ORDER BY ID") != [(1, "a"), (2, "b")]
        db.rows("ROLLBACK")
        assert db.rows("SELECT * FROM T ORDER BY ID") == [(1, "a"), (2, "b")]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE W (A NUMBER)",
        "CREATE TEMPORARY TABLE W (A NUMBER)",
        "ALTER TABLE U ADD COLUMN B NUMBER",
        "CREATE STAGE S",
    ],
)
def test_ddl_commits_the_open_transaction(db: Session, ddl: str) -> None:
    db.rows("BEGIN")
    db.rows("INSERT INTO T VALUES (3, 'c')")
    db.rows(ddl)
    db.rows("ROLLBACK")
    assert _count(db) == 3


@pytest.mark.usefixtures("table")
def test_begin_twice_and_ends_without_a_begin(db: Session) -> None:
    db.rows("COMMIT")
    db.rows("ROLLBACK")
    db.rows("BEGIN TRANSACTION")
    db.rows("INSERT INTO T VALUES (3, 'c')")
    first = db.value("SELECT CURRENT_TRANSACTION()")
    db.rows("BEGIN")
    assert db.value("SELECT CURRENT_TRANSACTION()") == first
    db.rows("ROLLBACK")
    assert _count(db) == 2


@pytest.mark.usefixtures("table")
def test_a_failed_statement_leaves_the_transaction_open(db: Session) -> None:
    db.rows("BEGIN")
    db.error("INSERT INTO T VALUES (3, 'too long')")
    db.rows("INSERT INTO T VALUES (3, 'c')")
    db.error("SELECT NOPE FROM T")
    db.error("SELECT * FROM NOPE")
    db.rows("COMMIT")
    assert _count(db) == 3


@pytest.mark.usefixtures("table")
def test_what_cannot_go_on_is_refused_until_rollback(db: Session) -> None:
    """Here the stand-in is stricter than Snowflake, which would keep the first row."""
    db.rows("BEGIN")
    db.rows("INSERT INTO T VALUES (3, 'c')")
    db.error("INSERT INTO T VALUES (4, 'too long')")
    for sql in ("INSERT INTO T VALUES (5, 'e')", "SELECT 1", "COMMIT"):
        assert db.error(sql) == (90232, "25000")
    db.rows("ROLLBACK")
    assert _count(db) == 2


@pytest.mark.usefixtures("table")
def test_autocommit_off(snow: Account, db: Session, schema: str) -> None:
    with snow.session(schema=schema, autocommit=False) as other:
        other.rows("INSERT INTO T VALUES (3, 'c')")
        assert _count(db) == 2
        other.rows("ROLLBACK")
        other.rows("INSERT INTO T VALUES (4, 'd')")
        other.rows("COMMIT")
    assert _count(db) == 3


@pytest.mark.usefixtures("table")
def test_a_statement_sees_what_was_committed_before_it(snow: Account, db: Session, schema: str) -> None:
    with snow.session(schema=schema) as other:
        db.rows("BEGIN")
        assert _count(db) == 2
        other.rows("INSERT INTO T VALUES (3, 'c')")
        assert _count(db) == 3
        other.rows("BEGIN")
        other.rows("INSERT INTO T VALUES (4, 'd')")
        assert _count(db) == 3
        db.rows("COMMIT")
        other.rows("ROLLBACK")


@pytest.mark.usefixtures("table")
def test_changing_what_somebody_else_changed_since_the_snapshot_is_refused(
    snow: Account, db: Session, schema: str
) -> None:
    with snow.session(schema=schema) as other:
        db.rows("BEGIN")
        db.rows("INSERT INTO U VALUES (1)")
        other.rows("INSERT INTO T VALUES (3, 'c')")
        assert db.error("UPDATE T SET V = 'x'") == (2, "0A000")
        _count(db)
        assert snow.control.query_log()[-1]["stale"] == [f"ANALYTICS.{schema}.T"]
        db.rows("ROLLBACK")


@pytest.mark.usefixtures("table")
def test_a_second_writer_waits_and_then_sees_the_first_ones_rows(
    snow: Account, db: Session, schema: str
) -> None:
    with snow.session(schema=schema) as other, ThreadPoolExecutor(1) as pool:
        db.rows("BEGIN")
        db.rows("UPDATE T SET V = V || '1'")
        other.rows("BEGIN")
        waiting = pool.submit(other.rows, "UPDATE T SET V = V || '2'")
        snow.control.wait_for_waiter(f"ANALYTICS.{schema}.T")
        held = [lock for lock in snow.control.locks() if lock["state"] == "HOLDING"]
        assert [(lock["user"], lock["table"]) for lock in held] == [("LOADER", f"ANALYTICS.{schema}.T")]
        assert not waiting.done()
        db.rows("COMMIT")
        assert waiting.result(10) == [(2, 0)]
        other.rows("COMMIT")
        assert db.rows("SELECT V FROM T ORDER BY ID") == [("a12",), ("b12",)]


@pytest.mark.usefixtures("table")
def test_inserts_block_nobody(snow: Account, db: Session, schema: str) -> None:
    with snow.session(schema=schema) as other:
        db.rows("BEGIN")
        db.rows("INSERT INTO U VALUES (1)")
        other.rows("BEGIN")
        other.rows("INSERT INTO U VALUES (2)")
        other.rows("COMMIT")
        db.rows("COMMIT")
    assert _count(db, "U") == 2


@pytest.mark.usefixtures("table")
def test_lock_timeout(snow: Account, db: Session, schema: str) -> None:
    with snow.session(schema=schema) as other, ThreadPoolExecutor(1) as pool:
        db.rows("BEGIN")
        db.rows("DELETE FROM T")
        other.rows("ALTER SESSION SET LOCK_TIMEOUT = 900")
        waiting = pool.submit(other.error, "DELETE FROM T")
        snow.control.wait_for_waiter(f"ANALYTICS.{schema}.T")
        for _ in range(4):
            db.rows("SELECT 1")  # the holder is not idle
            snow.control.advance_clock(226)
        assert waiting.result(10) == (625, "57014")
        db.rows("ROLLBACK")


@pytest.mark.usefixtures("table")
def test_statement_timeout_ends_a_wait(snow: Account, db: Session, schema: str) -> None:
    with snow.session(schema=schema) as other:
        db.rows("BEGIN")
        db.rows("DELETE FROM T")
        other.rows("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
        assert other.error("DELETE FROM T") == (630, "57014")
        db.rows("ROLLBACK")


@pytest.mark.usefixtures("table")
def test_a_deadlock_ends_one_of_both(snow: Account, db: Session, schema: str) -> None:
    with snow.session(schema=schema) as other, ThreadPoolExecutor(1) as pool:
        for session, name in ((db, "T"), (other, "U")):
            session.rows("BEGIN")
            session.rows(f"DELETE FROM {name}")
        waiting = pool.submit(db.rows, "DELETE FROM U")
        snow.control.wait_for_waiter(f"ANALYTICS.{schema}.U")
        assert other.error("DELETE FROM T") == (625, "57014")
        other.rows("ROLLBACK")
        waiting.result(10)
        db.rows("ROLLBACK")


@pytest.mark.usefixtures("table")
def test_the_lock_of_a_client_that_vanished_stays_for_five_minutes(
    snow: Account, db: Session, schema: str
) -> None:
    gone = snow.connect(**snow.loader_settings(), schema=schema)
    gone.cursor().execute("BEGIN")
    gone.cursor().execute("UPDATE T SET V = 'gone'")
    # No more requests come from this session, as after a kill -9 of its process.
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(db.rows, "UPDATE T SET V = 'here'")
        snow.control.wait_for_waiter(f"ANALYTICS.{schema}.T")
        snow.control.advance_clock(200)
        time.sleep(0.3)
        assert not waiting.done()
        snow.control.advance_clock(101)
        assert waiting.result(10) == [(2, 0)]
        done.set()
    assert db.rows("SELECT DISTINCT V FROM T") == [("here",)]
    gone.close()


@pytest.mark.usefixtures("table")
def test_a_holder_whose_statement_took_long_has_not_been_idle(
    snow: Account, db: Session, schema: str
) -> None:
    with snow.session(schema=schema) as other, ThreadPoolExecutor(2) as pool:
        other.rows("BEGIN")
        other.rows("UPDATE T SET V = 'first'")
        fault = snow.control.fault("slow", pattern="^SELECT 'long'", seconds=60)
        running = pool.submit(other.rows, "SELECT 'long'")
        snow.control.wait_until_held(fault)
        waiting = pool.submit(db.rows, "UPDATE T SET V = 'last'")
        snow.control.wait_for_waiter(f"ANALYTICS.{schema}.T")
        snow.control.advance_clock(301)
        snow.control.clear_faults()
        assert running.result(30) == [("long",)]
        snow.control.advance_clock(200)
        assert other.rows("COMMIT") == [("Statement executed successfully.",)]
        assert waiting.result(30) == [(2, 0)]
    assert db.rows("SELECT DISTINCT V FROM T") == [("last",)]


@pytest.mark.usefixtures("table")
def test_closing_a_session_rolls_back(snow: Account, db: Session, schema: str) -> None:
    with snow.session(schema=schema) as other:
        other.rows("BEGIN")
        other.rows("DELETE FROM T")
    assert db.rows("UPDATE T SET V = 'x'") == [(2, 0)]


def test_many_sessions_at_once(snow: Account, db: Session, schema: str) -> None:
    db.rows("CREATE TABLE T (N NUMBER)")
    db.rows("INSERT INTO T VALUES (0)")
    db.rows("CREATE TABLE A (N NUMBER)")

    def work(number: int) -> None:
        with snow.session(schema=schema) as session:
            session.rows(f"CREATE TABLE OWN_{number} (N NUMBER)")
            for _ in range(5):
                session.rows("BEGIN")
                session.rows("UPDATE T SET N = N + 1")
                session.rows("INSERT INTO A SELECT N FROM T")
                session.rows("COMMIT")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert db.value("SELECT N FROM T") == 20
    assert db.rows("SELECT COUNT(*), COUNT(DISTINCT N), MAX(N) FROM A") == [(20, 20, 20)]


def test_the_same_definitions_by_many_sessions_at_once_wait_for_each_other(snow: Account) -> None:
    def define(number: int) -> int:
        with snow.session() as session:
            for schema in range(4):
                session.rows(f"CREATE SCHEMA IF NOT EXISTS ANALYTICS.MANY{schema}")
                session.rows(f"CREATE TABLE IF NOT EXISTS ANALYTICS.MANY{schema}.T (ID NUMBER)")
        return number

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(define, range(4))) == [0, 1, 2, 3]
