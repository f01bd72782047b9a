"""What an operator sees and ends: locks, transactions, queries, sessions, users and grants."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from snowflake_account import Account, Session


@pytest.fixture
def table(db: Session) -> str:
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows("INSERT INTO T VALUES (1), (2)")
    return "T"


@pytest.mark.usefixtures("table")
def test_locks_and_transactions_are_shown_and_aborted(snow: Account, db: Session, schema: str) -> None:
    db.rows("BEGIN")
    db.rows("UPDATE T SET A = 3")
    transaction = str(db.value("SELECT CURRENT_TRANSACTION()"))
    resource = f"ANALYTICS.{schema}.T"
    with snow.session(schema=schema) as other, snow.admin() as admin, ThreadPoolExecutor(1) as pool:
        shown = other.rows("SHOW LOCKS")
        assert [(row[0], row[2], row[4]) for row in shown] == [(resource, transaction, "HOLDING")]
        assert admin.rows("SHOW LOCKS") == []
        waiting = pool.submit(other.rows, "UPDATE T SET A = A + 10")
        snow.control.wait_for_waiter(resource)
        assert [(row[0], row[4]) for row in admin.rows("SHOW LOCKS IN ACCOUNT")] == [
            (resource, "HOLDING"),
            (resource, "WAITING"),
        ]
        assert [row[0] for row in admin.rows("SHOW TRANSACTIONS IN ACCOUNT")] == [transaction]
        assert admin.rows("SHOW TRANSACTIONS") == []
        assert admin.rows(f"DESCRIBE TRANSACTION {transaction}")[0][5] == "running"
        admin.rows(f"SELECT SYSTEM$ABORT_TRANSACTION({transaction})")
        assert waiting.result(10) == [(2, 0)]
        assert admin.rows(f"DESC TRANSACTION {transaction}")[0][5] == "aborted"
        assert admin.error("SELECT SYSTEM$ABORT_TRANSACTION(1)") == (1008, "22023")
        assert other.rows("SELECT A FROM T ORDER BY A") == [(11,), (12,)]


@pytest.mark.usefixtures("table")
def test_after_an_abort_statements_commit_by_themselves_and_nobody_is_told(
    snow: Account, db: Session
) -> None:
    """The documentation names no error: a client that does not look loses its transaction unnoticed."""
    db.rows("BEGIN")
    db.rows("DELETE FROM T")
    transaction = db.value("SELECT CURRENT_TRANSACTION()")
    with snow.admin() as admin:
        admin.rows(f"SELECT SYSTEM$ABORT_TRANSACTION({transaction})")
    assert db.value("SELECT CURRENT_TRANSACTION()") is None
    db.rows("INSERT INTO T VALUES (3)")
    db.rows("ROLLBACK")
    db.rows("COMMIT")
    assert db.rows("SELECT A FROM T ORDER BY A") == [(1,), (2,), (3,)]


@pytest.mark.usefixtures("table")
def test_a_transaction_of_four_hours_is_rolled_back(snow: Account, db: Session) -> None:
    db.rows("BEGIN")
    db.rows("DELETE FROM T")
    for _ in range(4):
        snow.control.advance_clock(3590)
        assert db.value("SELECT COUNT(*) FROM T") == 0
    snow.control.advance_clock(60)
    assert db.value("SELECT COUNT(*) FROM T") == 2


@pytest.mark.usefixtures("table")
def test_queries_and_sessions_are_ended_by_an_administrator(snow: Account, db: Session, schema: str) -> None:
    db.rows("BEGIN")
    db.rows("DELETE FROM T")
    resource = f"ANALYTICS.{schema}.T"
    with snow.session(schema=schema) as other, snow.admin() as admin, ThreadPoolExecutor(1) as pool:
        number = other.value("SELECT CURRENT_SESSION()")
        for function in ("SYSTEM$CANCEL_QUERY", "SYSTEM$CANCEL_ALL_QUERIES"):
            waiting = pool.submit(other.error, "DELETE FROM T")
            snow.control.wait_for_waiter(resource)
            query = next(s["query_id"] for s in snow.control.sessions() if str(s["id"]) == str(number))
            wanted = f"'{query}'" if function == "SYSTEM$CANCEL_QUERY" else number
            admin.rows(f"SELECT {function}({wanted})")
            assert waiting.result(10) == (604, "57014")
        admin.rows(f"SELECT SYSTEM$ABORT_SESSION({number})")
        assert other.error("SELECT 1")[0] is not None
        assert admin.error("SELECT SYSTEM$ABORT_SESSION(1)") == (1008, "22023")
        assert admin.error("SELECT SYSTEM$WAIT(1)") == (2, "0A000")
    db.rows("ROLLBACK")


def test_users_roles_and_grants_are_shown(snow: Account) -> None:
    with snow.admin() as admin:
        users = {row[0]: row for row in admin.rows("SHOW USERS")}
        assert users["LOADER"][2] == "SERVICE"
        assert users["LOADER"][5] == "true"
        assert ("ACCOUNTADMIN", "Y") in admin.rows("SHOW ROLES")
        admin.rows("CREATE ROLE SHOWN")
        admin.rows("GRANT ROLE SHOWN TO USER REVIEWER")
        admin.rows("GRANT USAGE ON DATABASE ANALYTICS TO ROLE SHOWN")
        granted = admin.rows("SHOW GRANTS TO ROLE SHOWN")
        assert granted == [("USAGE", "DATABASE", "ANALYTICS", "ROLE", "SHOWN", "false")]
        assert ("USAGE", "DATABASE", "ANALYTICS", "ROLE", "SHOWN", "false") in admin.rows(
            "SHOW GRANTS ON DATABASE ANALYTICS"
        )
        assert ("SHOWN", "USER", "REVIEWER") in admin.rows("SHOW GRANTS TO USER REVIEWER")
        assert admin.rows("SHOW GRANTS OF ROLE SHOWN") == [("SHOWN", "USER", "REVIEWER")]
        described = {row[0]: row[1] for row in admin.rows("DESCRIBE USER ADMIN")}
        assert described["PASSWORD"] == "********"  # noqa: S105 - hidden
        assert admin.error("DESCRIBE USER NOBODY")[0] == 2043
        assert admin.error("SHOW GRANTS ON ACCOUNT") == (2, "0A000")


def test_secondary_roles_give_nothing(db: Session) -> None:
    db.rows("USE SECONDARY ROLES NONE")
    assert db.error("USE SECONDARY ROLES ALL") == (2, "0A000")
