"""The query log, faults, and what a client sees of them."""

from __future__ import annotations

import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
import snowflake.connector
from processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from snowflake_account import Account, Session


def test_the_query_log(snow: Account, db: Session, schema: str) -> None:
    snow.control.clear_log()
    db.rows("ALTER SESSION SET QUERY_TAG = 'mine'")
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows("BEGIN")
    db.rows("INSERT INTO T VALUES (1), (2)")
    db.rows("COMMIT")
    db.error("SELECT NOPE FROM T")
    log = snow.control.query_log()
    assert [(e["kind"], e["rows"], e["error"], e["needs_warehouse"]) for e in log] == [
        ("ALTER SESSION", 1, None, False),
        ("CREATE TABLE", 1, None, False),
        ("BEGIN", 1, None, False),
        ("INSERT", 2, None, True),
        ("COMMIT", 1, None, False),
        ("SELECT", 0, 904, True),
    ]
    assert {(e["user"], e["role"], e["warehouse"], e["database"]) for e in log} == {
        ("LOADER", "SAGEX3_LOADER", "LOAD_WH", "ANALYTICS")
    }
    assert [e["query_tag"] for e in log[1:]] == ["mine"] * 5
    transactions = [e["transaction"] for e in log]
    assert transactions[0] is None
    assert transactions[2] == transactions[3] == transactions[4] is not None
    assert len({e["query_id"] for e in log}) == 6
    assert snow.control.statements(kind="INSERT") == ["INSERT INTO T VALUES (1), (2)"]
    assert schema in {s["parameters"].get("SCHEMA", schema) for s in snow.control.sessions()}


@pytest.mark.parametrize(
    ("sql", "needs"),
    [
        ("SELECT 1", False),
        ("SELECT * FROM T", True),
        ("CREATE TABLE N AS SELECT 1 AS A", True),
        ("CREATE TABLE M (A NUMBER)", False),
        ("DELETE FROM T", True),
        ("MERGE INTO T USING T AS S ON T.A = S.A WHEN MATCHED THEN DELETE", True),
        ("TRUNCATE TABLE T", True),
        ("SHOW TABLES", False),
        ("DESCRIBE TABLE T", False),
        ("LIST @~", False),
        ("REMOVE @~/nothing", False),
    ],
)
def test_which_statements_need_a_warehouse(snow: Account, db: Session, sql: str, *, needs: bool) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows(sql)
    assert snow.control.query_log()[-1]["needs_warehouse"] is needs


def test_an_error_at_the_nth_statement(snow: Account, db: Session) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    fault = snow.control.fault("error", pattern="^INSERT", nth=2, code=604)
    db.rows("INSERT INTO T VALUES (1)")
    assert db.error("INSERT INTO T VALUES (2)") == (604, "57014")
    db.rows("INSERT INTO T VALUES (3)")
    assert db.rows("SELECT A FROM T ORDER BY A") == [(1,), (3,)]
    assert snow.control.struck(fault) == 1


def test_an_error_after_it_took_effect(snow: Account, db: Session) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows("BEGIN")
    db.rows("INSERT INTO T VALUES (1)")
    snow.control.fault("error", pattern="^COMMIT", when="after", code=603, sqlstate="XX000")
    assert db.error("COMMIT") == (603, "XX000")
    assert db.rows("SELECT A FROM T") == [(1,)]


def test_a_lost_session_is_gone_with_its_transaction(snow: Account, db: Session, schema: str) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    with snow.session(schema=schema) as other:
        other.rows("BEGIN")
        other.rows("DELETE FROM T")
        snow.control.fault("error", pattern="^INSERT", code=390114)
        assert other.error("INSERT INTO T VALUES (1)")[0] in {390114, 390104}
    assert db.rows("DELETE FROM T") == [(0,)]


def _post(snow: Account, token: str, sql: str, request_id: str) -> dict[str, Any]:
    answer = requests.post(
        f"http://{snow.ready['host']}:{snow.ready['port']}/queries/v1/query-request",
        params={"requestId": request_id},
        headers={"Authorization": f'Snowflake Token="{token}"'},
        json={"sqlText": sql},
        timeout=10,
    )
    return dict(answer.json())


def _token(snow: Account, schema: str) -> str:
    answer = requests.post(
        f"http://{snow.ready['host']}:{snow.ready['port']}/session/v1/login-request",
        params={"databaseName": "ANALYTICS", "schemaName": schema},
        json={"data": {"LOGIN_NAME": "ADMIN", "PASSWORD": snow.ready["admin_password"]}},
        timeout=10,
    )
    return str(answer.json()["data"]["token"])


def test_a_repeated_request_id_runs_once(snow: Account, db: Session, schema: str) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    token, request_id = _token(snow, schema), str(uuid.uuid4())
    first = _post(snow, token, "INSERT INTO T VALUES (1)", request_id)
    assert first["success"]
    assert _post(snow, token, "INSERT INTO T VALUES (1)", request_id) == first
    assert db.value("SELECT COUNT(*) FROM T") == 1


@pytest.mark.parametrize(("when", "rows_after_the_cut"), [("before", 0), ("after", 1)])
def test_a_cut_connection_and_the_same_request_again(
    snow: Account, db: Session, schema: str, when: str, rows_after_the_cut: int
) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    token, request_id = _token(snow, schema), str(uuid.uuid4())
    snow.control.fault("reset", pattern="^INSERT", when=when)
    with pytest.raises(requests.ConnectionError):
        _post(snow, token, "INSERT INTO T VALUES (1)", request_id)
    assert db.value("SELECT COUNT(*) FROM T") == rows_after_the_cut
    assert _post(snow, token, "INSERT INTO T VALUES (1)", request_id)["success"]
    assert db.value("SELECT COUNT(*) FROM T") == 1


def test_the_connector_survives_one_cut(snow: Account, db: Session) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    for when in ("before", "after"):
        snow.control.fault("reset", pattern="^INSERT", when=when)
        db.rows("INSERT INTO T VALUES (1)")
    assert db.value("SELECT COUNT(*) FROM T") == 2


def test_a_slow_statement_a_refused_login_and_a_failed_upload(
    snow: Account, db: Session, tmp_path: Path
) -> None:
    snow.control.fault("slow", pattern="SELECT 7", seconds=0.5)
    started = time.monotonic()
    assert db.value("SELECT 7") == 7
    assert time.monotonic() - started >= 0.5
    snow.control.fault("error", on="login", code=390144, message="JWT token is invalid.")
    with pytest.raises(snowflake.connector.errors.DatabaseError) as caught:
        snow.connect(**snow.loader_settings())
    assert caught.value.errno == 390144
    db.rows("CREATE STAGE LOAD")
    (tmp_path / "x.csv").write_text("1\n")
    snow.control.fault("error", on="upload", times=100)
    with pytest.raises(snowflake.connector.errors.Error):
        db.rows(f"PUT 'file://{tmp_path}/x.csv' @LOAD")
    snow.control.clear_faults()
    assert db.rows("LIST @LOAD") == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_slow_fault_holds_up_can_be_seen(snow: Account, db: Session, when: str) -> None:
    """A test that waits for it knows on which side of the statement the session stands."""
    db.rows("CREATE TABLE T (A NUMBER)")
    fault = snow.control.fault("slow", pattern="^INSERT INTO T", when=when, seconds=60)
    assert snow.control.do("holding") == []
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(db.rows, "INSERT INTO T VALUES (1)")
        snow.control.wait_until_held(fault)
        assert snow.control.do("holding") == [fault]
        logged = [e["statement"] for e in snow.control.query_log(kind="INSERT")]
        assert ("INSERT INTO T VALUES (1)" in logged) == (when == "after")
        snow.control.clear_faults()
        held.result(30)
    assert snow.control.do("holding") == []
    assert db.value("SELECT COUNT(*) FROM T") == 1
    with pytest.raises(TimeoutError, match="holds nothing up"):
        snow.control.wait_until_held(snow.control.fault("slow", pattern="NEVER", seconds=60), timeout=0.05)


def test_wrong_orders_are_told(snow: Account) -> None:
    for order, details, told in (
        ("nonsense", {}, "unknown order"),
        ("fault", {"kind": "boom"}, "fault kind must be one of"),
        ("fault", {"kind": "error", "wehn": "after"}, "unknown fault field wehn"),
        ("advance_clock", {"seconds": -1}, "only move forward"),
        ("advance_clock", {}, "needs 'seconds'"),
    ):
        with pytest.raises(ValueError, match=told):
            snow.control.do(order, **details)


def test_the_page_tells_of_every_order_and_every_field_of_a_fault(snow: Account) -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text()
    table = page[page.index("### Control of the local Snowflake") : page.index("## How it is checked")]
    rows = re.findall(r"^\| (`.*?) \|(.*?)\| ", table, re.MULTILINE)
    with pytest.raises(ValueError, match="there are") as refused:
        snow.control.do("nonsense")
    known = str(refused.value).partition("there are ")[2].split(", ")
    assert sorted(re.findall(r"`(\w+)`", "".join(orders for orders, _ in rows))) == known
    listed = next(arguments for orders, arguments in rows if orders == "`fault`")
    fields = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", listed))
    with pytest.raises(ValueError, match="there are") as refused:
        snow.control.do("fault", nonsense=1)
    assert sorted(fields) == str(refused.value).partition("there are ")[2].split(", ")


def test_nothing_is_answered_with_an_http_500(snow: Account, schema: str) -> None:
    token = _token(snow, schema)
    for sql in (
        "SELECT (",
        "FOO BAR",
        "\0",
        "SELECT '" + "x" * 10,
        "CREATE",
        "@",
        "COPY INTO",
        "GRANT X",
        "ALTER TABLE",
    ):
        answer = _post(snow, token, sql, str(uuid.uuid4()))
        assert answer["success"] is False, sql
        assert len(answer["code"]) == 6, sql
    assert _post(snow, "guess", "SELECT 1", str(uuid.uuid4()))["code"] == "390104"
