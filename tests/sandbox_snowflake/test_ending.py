"""Statements that would never end: the server's end, and its bound for a statement."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import snowflake.connector
from processes import start_server
from snowflake_account import Account, Session, account
from snowflake_control import SnowflakeControl

if TYPE_CHECKING:
    from pathlib import Path

RUNAWAY = "SELECT COUNT(*) FROM N A, N B, N C, N D, N E WHERE (A.I * 7 + B.I * C.I + D.I * E.I) % 9973 = 9972"


def numbers(session: Session) -> None:
    """A table of 10,000 rows; the product of five of it outlives any test."""
    session.rows("CREATE TABLE N (I NUMBER)")
    session.rows(f"INSERT INTO N VALUES {', '.join(f'({i})' for i in range(100))}")
    session.rows("INSERT INTO N SELECT A.I FROM N A, N B")


@pytest.mark.parametrize("how", ["stdin", "SIGTERM"])
def test_a_statement_that_never_ends_does_not_keep_the_server(tmp_path: Path, how: str) -> None:
    server = start_server("local_snowflake", "--contract", "off", "--secrets-dir", str(tmp_path))
    try:
        running = Account(server.ready, SnowflakeControl(server.ready["host"], server.ready["port"]))
        session = Session(running.connect(**running.loader_settings(), request_timeout=5))
        numbers(session)
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(session.rows, RUNAWAY)
            while not any(entry["running"] for entry in running.control.sessions()):
                time.sleep(0.05)
            time.sleep(0.5)
            assert not pending.done()
            if how == "stdin":
                assert server.process.stdin is not None
                server.process.stdin.close()
            else:
                server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) == 0, server.log_text()
            with pytest.raises(snowflake.connector.errors.Error):
                pending.result(60)
    finally:
        server.process.kill()
        server.stop()


def test_a_statement_has_a_bound(tmp_path: Path) -> None:
    options = ("--contract", "off", "--longest-statement", "1", "--secrets-dir", str(tmp_path))
    with account(*options) as running, running.session() as session:
        numbers(session)
        assert session.error(RUNAWAY) == (604, "57014")
        assert session.value("SELECT COUNT(*) FROM N") == 10_100
