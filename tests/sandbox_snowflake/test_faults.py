"""Kills, refused and broken uploads, and which statement a fault strikes."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
import snowflake.connector
from connector4 import run4, start4, wait4

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from snowflake_account import Account, Session

LOADING = """
    connection = connect()
    wait()
    for sql in ("BEGIN", "INSERT INTO T VALUES (1)", "UPDATE T SET A = A + 1", "COMMIT"):
        rows(connection, sql)
    tell("done")
"""


def _ended(process: subprocess.Popen[str]) -> int:
    wait4(process)
    process.communicate("\n", timeout=30)
    return process.returncode


@pytest.mark.parametrize(
    ("statement", "when", "left", "held"),
    [
        ("UPDATE", "before", 0, 0),
        ("UPDATE", "after", 0, 1),
        ("COMMIT", "before", 0, 1),
        ("COMMIT", "after", 1, 0),
    ],
)
def test_a_kill_at_a_statement_leaves_what_was_committed_and_the_locks(
    snow: Account, db: Session, schema: str, *, statement: str, when: str, left: int, held: int
) -> None:
    """The process that sent the statement is killed by the server: no test needs to hit the moment."""
    db.rows("CREATE TABLE T (A NUMBER)")
    process = start4(snow, LOADING, schema=schema)
    fault = snow.control.fault("kill", statement=statement, when=when)
    assert _ended(process) == -signal.SIGKILL
    assert snow.control.struck(fault) == 1
    assert db.value("SELECT COUNT(*) FROM T") == left
    mine = [lock for lock in snow.control.locks() if lock["table"].endswith(f".{schema}.T")]
    assert len(mine) == held
    snow.control.advance_clock(301)
    assert db.rows("UPDATE T SET A = 0") == [(left, 0)]


def test_a_kill_after_a_statement_that_was_refused(snow: Account, schema: str) -> None:
    """An answer that says no is lost like any other."""
    process = start4(
        snow, 'connection = connect()\nwait()\nrows(connection, "DESC TABLE NOT_THERE")', schema=schema
    )
    fault = snow.control.fault("kill", pattern="NOT_THERE", when="after")
    assert _ended(process) == -signal.SIGKILL
    assert snow.control.struck(fault) == 1


def test_a_signal_to_a_chosen_process_at_the_nth_statement(snow: Account, db: Session, schema: str) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    script = """
    connection = connect()
    wait()
    for number in range(4):
        rows(connection, f"INSERT INTO T VALUES ({number})")
    tell("done")
    """
    process = start4(snow, script, schema=schema)
    snow.control.fault("kill", statement="INSERT", nth=3, when="before", signal="SIGTERM", pid=process.pid)
    assert _ended(process) == -signal.SIGTERM
    assert db.value("SELECT COUNT(*) FROM T") >= 2


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"pid": 1}, "must not be killed"),
        ({"pid": -7}, "must not be killed"),
        ({"signal": "SIGNOT"}, "unknown signal"),
        ({"on": "login"}, "a kill strikes at a statement"),
        ({"when": "during"}, "only an upload"),
        ({"when": "never"}, "when must be one of"),
    ],
)
def test_a_fault_that_cannot_be_meant_is_refused(
    snow: Account, details: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        snow.control.fault("kill", **details)


def test_a_fault_strikes_statements_of_a_kind(snow: Account, db: Session) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    snow.control.fault("error", statement="MERGE", code=608, times=1)
    db.rows("SELECT 'MERGE INTO'")
    merge = "MERGE INTO T USING (SELECT 1 AS A) S ON T.A = S.A WHEN NOT MATCHED THEN INSERT (A) VALUES (S.A)"
    assert db.error(f"/* x */ {merge}") == (608, "57P03")
    assert db.rows(merge) == [(1,)]
    log = [(e["kind"], e["error"]) for e in snow.control.query_log(kind="MERGE")]
    assert log == [("MERGE", 608), ("MERGE", None)]


UPLOADS = [
    ({"status": 503}, True),
    ({"status": 400}, True),
    ({"kind": "reset", "when": "during"}, True),
    ({"kind": "reset", "when": "before"}, True),
    ({"kind": "reset", "when": "after"}, True),
]


@pytest.mark.parametrize(("fault", "heals"), UPLOADS)
def test_an_upload_that_fails_once(
    snow: Account, db: Session, schema: str, tmp_path: Path, *, fault: dict[str, object], heals: bool
) -> None:
    """Both connectors send the file again; nothing of the first attempt is ever seen."""
    db.rows("CREATE STAGE LOAD")
    file = tmp_path / "x.csv"
    file.write_text("1\n" * 50_000)
    sql = f"PUT 'file://{file}' @LOAD AUTO_COMPRESS=FALSE OVERWRITE=TRUE"
    details = {"kind": "error", "on": "upload", "times": 1, **fault}
    kind = str(details.pop("kind"))
    snow.control.fault(kind, **details)
    assert (db.rows(sql)[0][6] == "UPLOADED") is heals
    assert db.rows("LIST @LOAD")[0][1] == 100_000
    snow.control.fault(kind, **details)
    older = run4(snow, f'tell(rows(connect(), "{sql}")[0][6])', schema=schema)
    assert older == "UPLOADED"
    assert db.rows("LIST @LOAD")[0][1] == 100_000


def test_an_upload_that_stays_forbidden(snow: Account, db: Session, tmp_path: Path) -> None:
    db.rows("CREATE STAGE LOAD")
    (tmp_path / "x.csv").write_text("1\n")
    snow.control.fault("error", on="upload", times=1000, status=403)
    with pytest.raises(snowflake.connector.errors.Error):
        db.rows(f"PUT 'file://{tmp_path}/x.csv' @LOAD")
    assert db.rows("LIST @LOAD") == []


def test_a_slow_login(snow: Account) -> None:
    fault = snow.control.fault("slow", on="login", seconds=1.5)
    with snow.session() as session:
        assert session.value("SELECT 1") == 1
    assert snow.control.struck(fault) == 1
