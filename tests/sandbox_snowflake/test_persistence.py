"""Several clients on one persistent database, a restart, and a server that is killed."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from connector4 import result4, start4
from processes import start_server
from snowflake_account import Account, Session, account
from snowflake_control import SnowflakeControl

if TYPE_CHECKING:
    from pathlib import Path


def test_users_roles_grants_and_warehouses_survive_a_restart(tmp_path: Path) -> None:
    script = tmp_path / "init.sql"
    script.write_text("CREATE ROLE IF NOT EXISTS KEEPERS;\n")
    options = ("--contract", "off", "--persist", str(tmp_path / "data"), "--init-sql", str(script))
    with account(*options) as first, first.admin() as admin:
        ready = first.ready
        admin.rows("CREATE TABLE KEPT (A NUMBER)")
        admin.rows("CREATE WAREHOUSE SECOND")
        admin.rows("GRANT USAGE ON WAREHOUSE SECOND TO ROLE KEEPERS")
        admin.rows("GRANT USAGE ON DATABASE ANALYTICS TO ROLE KEEPERS")
        admin.rows("GRANT USAGE ON SCHEMA ANALYTICS.PUBLIC TO ROLE KEEPERS")
        admin.rows("GRANT INSERT ON TABLE KEPT TO ROLE KEEPERS")
        admin.rows("CREATE USER GUARD PASSWORD = 'x' DEFAULT_ROLE = KEEPERS DEFAULT_WAREHOUSE = SECOND")
        admin.rows("GRANT ROLE KEEPERS TO USER GUARD")
    with account(*options) as second:
        # What the environment of the first run says still works: passwords, tokens and keys.
        for name in ("admin_password", "private_key_path"):
            assert second.ready[name] == ready[name]
        assert second.ready["users"]["LOADER"]["token"] == ready["users"]["LOADER"]["token"]
        with second.session(user="GUARD", password="x", warehouse="SECOND") as guard:  # noqa: S106
            assert guard.rows("INSERT INTO KEPT VALUES (1)") == [(1,)]
            assert guard.error("SELECT * FROM KEPT") == (3001, "42501")
        with second.session() as loader:
            assert loader.value("SELECT CURRENT_USER()") == "LOADER"
    mode = (tmp_path / "data" / "users.json").stat().st_mode
    assert mode & 0o777 == 0o600


def test_a_killed_server_keeps_what_was_committed_and_nothing_else(tmp_path: Path) -> None:
    options = ("--contract", "off", "--persist", str(tmp_path / "data"))
    server = start_server("local_snowflake", *options)
    running = Account(server.ready, SnowflakeControl(server.ready["host"], server.ready["port"]))
    one, two = (Session(running.connect(**running.loader_settings())) for _ in range(2))
    one.rows("CREATE TABLE T (A NUMBER)")
    one.rows("INSERT INTO T VALUES (1)")
    one.rows("BEGIN")
    one.rows("INSERT INTO T VALUES (2)")
    one.rows("COMMIT")
    one.rows("BEGIN")
    one.rows("UPDATE T SET A = A + 10")
    two.rows("BEGIN")
    two.rows("INSERT INTO T VALUES (3)")
    server.process.kill()
    server.process.wait()
    server.stop()
    with account(*options) as again, again.session() as session:
        assert session.rows("SELECT A FROM T ORDER BY A") == [(1,), (2,)]
        assert session.rows("UPDATE T SET A = 0") == [(2, 0)]


MERGE = "MERGE INTO TOTAL USING (SELECT 1 AS X) S ON S.X = 1 WHEN MATCHED THEN UPDATE SET N = N + 1"


@pytest.mark.parametrize("threads", [8])
def test_every_writer_counts_exactly_once(snow: Account, db: Session, schema: str, threads: int) -> None:
    """Sessions of both connectors change one table by turns, insert side by side, and give some up."""
    db.rows("CREATE TABLE TOTAL (N NUMBER)")
    db.rows("INSERT INTO TOTAL VALUES (0)")
    db.rows("CREATE TABLE LOG (WHO NUMBER, STEP NUMBER)")
    older = start4(
        snow,
        """
        connection = connect()
        for step in range(5):
            rows(connection, "BEGIN")
            rows(connection, "UPDATE TOTAL SET N = N + 1")
            rows(connection, f"INSERT INTO LOG VALUES (99, {step})")
            rows(connection, "COMMIT")
        tell("done")
        """,
        schema=schema,
    )

    def work(number: int) -> None:
        with snow.session(schema=schema) as session:
            for step, end in zip(range(6), itertools.cycle(["COMMIT", "COMMIT", "ROLLBACK"]), strict=False):
                session.rows("BEGIN")
                if step % 2:
                    session.rows("UPDATE TOTAL SET N = N + 1")
                else:
                    session.rows(MERGE)
                session.rows(f"INSERT INTO LOG VALUES ({number}, {step})")
                session.rows(end)

    assert older.stdin is not None
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    assert result4(older) == "done"
    committed = threads * 4 + 5
    assert db.value("SELECT N FROM TOTAL") == committed
    assert db.rows("SELECT COUNT(*), COUNT(DISTINCT WHO, STEP) FROM LOG") == [(committed, committed)]
    assert snow.control.locks() == []
