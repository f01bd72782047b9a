"""How long sessions live, what ends them and their statements, and what their parameters do."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import requests
import snowflake.connector
from connector4 import result4, run4, start4, wait4

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowflake_account import Account, Session

HOUR = 3600


class Raw:
    """A session without a connector, which would renew its token by itself."""

    def __init__(self, snow: Account, schema: str) -> None:
        """Log in as the administrator."""
        self._url = f"http://{snow.ready['host']}:{snow.ready['port']}"
        data = {"LOGIN_NAME": "ADMIN", "PASSWORD": snow.ready["admin_password"]}
        place = {"databaseName": "ANALYTICS", "schemaName": schema}
        answer = self.post("/session/v1/login-request", "", {"data": data}, **place)["data"]
        self.token, self.master = answer["token"], answer["masterToken"]

    def post(self, path: str, token: str, body: object = None, **query: str) -> dict[str, Any]:
        """Send a request and give its answer."""
        headers = {"Authorization": f'Snowflake Token="{token}"'} if token else {}
        answer = requests.post(self._url + path, params=query, headers=headers, json=body, timeout=20)
        assert answer.status_code == 200
        return dict(answer.json())

    def run(self, sql: str, token: str = "", request: str = "") -> dict[str, Any]:
        """Run a statement."""
        request = request or str(uuid.uuid4())
        return self.post(
            "/queries/v1/query-request", token or self.token, {"sqlText": sql}, requestId=request
        )

    def renew(self) -> dict[str, Any]:
        """Ask for a new token."""
        asked = {"oldSessionToken": self.token, "requestType": "RENEW"}
        return self.post("/session/token-request", self.master, asked)


@pytest.fixture
def raw(snow: Account, schema: str) -> Raw:
    return Raw(snow, schema)


def test_a_token_lives_an_hour_and_is_renewed_with_the_master_token(snow: Account, raw: Raw) -> None:
    assert raw.run("SELECT 1")["success"]
    assert raw.renew()["success"]
    snow.control.advance_clock(HOUR)
    assert raw.run("SELECT 1")["code"] == "390112"
    assert raw.post("/session/heartbeat", raw.token)["code"] == "390112"
    renewed = raw.renew()["data"]["sessionToken"]
    assert raw.run("SELECT 1", renewed)["success"]
    assert raw.run("SELECT 1")["code"] == "390112"
    assert raw.post("/session/token-request", "guess", {})["code"] == "390115"


def test_a_session_that_idles_for_four_hours_is_gone(snow: Account, raw: Raw, db: Session) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    raw.run("BEGIN")
    assert raw.run("DELETE FROM T")["success"]
    snow.control.advance_clock(4 * HOUR - 1)
    assert raw.renew()["success"]
    snow.control.advance_clock(4 * HOUR)
    assert raw.run("COMMIT")["code"] == "390112"
    assert raw.renew()["code"] == "390114"
    assert snow.control.locks() == []
    assert raw.renew()["code"] == "390111"


def test_heartbeats_keep_a_session_alive(snow: Account, raw: Raw) -> None:
    token = raw.token
    for _ in range(6):
        snow.control.advance_clock(HOUR - 100)
        assert raw.post("/session/heartbeat", token)["success"]
        token = raw.renew()["data"]["sessionToken"]
    assert raw.run("SELECT 1", token)["success"]


def test_a_closed_session_and_an_unknown_token(raw: Raw) -> None:
    assert raw.post("/session", raw.token, {}, delete="true")["success"]
    assert raw.run("SELECT 1")["code"] == "390111"
    assert raw.run("SELECT 1", "guess")["code"] == "390104"


def test_both_connectors_renew_their_token_and_end_after_four_idle_hours(snow: Account, schema: str) -> None:
    older = start4(
        snow,
        """
        connection = connect()
        rows(connection, "CREATE TEMPORARY TABLE MINE (A NUMBER)")
        wait()
        kept = rows(connection, "SELECT COUNT(*) FROM MINE")
        wait()
        tell([kept, errno(connection, "SELECT 1")])
        """,
        schema=schema,
    )
    with snow.session(schema=schema) as session:
        session.rows("CREATE TEMPORARY TABLE MINE (A NUMBER)")
        wait4(older)
        snow.control.advance_clock(HOUR + 1)
        assert session.rows("SELECT COUNT(*) FROM MINE") == [(0,)]
        assert older.stdin is not None
        older.stdin.write("\n")
        older.stdin.flush()
        wait4(older)
        snow.control.advance_clock(4 * HOUR)
        assert session.error("SELECT 1")[0] == 390114
    assert result4(older) == [[[0]], 390114]


def test_parameters_are_kept_read_unset_and_refused(snow: Account, schema: str) -> None:
    wanted = {"QUERY_TAG": "run 7", "LOCK_TIMEOUT": 5, "ABORT_DETACHED_QUERY": True}
    with snow.session(schema=schema, session_parameters=wanted) as session:
        session.rows("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 9, TIMEZONE = 'UTC'")
        shown = {row[0]: row[1] for row in session.rows("SHOW PARAMETERS IN SESSION")}
        assert shown["QUERY_TAG"] == "run 7"
        assert (shown["LOCK_TIMEOUT"], shown["ABORT_DETACHED_QUERY"]) == ("5", "true")
        assert (shown["STATEMENT_TIMEOUT_IN_SECONDS"], shown["TIMEZONE"]) == ("9", "UTC")
        session.rows("ALTER SESSION UNSET LOCK_TIMEOUT, QUERY_TAG")
        assert dict(row[:2] for row in session.rows("SHOW PARAMETERS"))["LOCK_TIMEOUT"] == "43200"
        assert snow.control.query_log()[-1]["query_tag"] == ""
        for change, refused in (
            ("NO_SUCH_THING = 1", (1008, "22023")),
            ("LOCK_TIMEOUT = 'soon'", (1008, "22023")),
            ("AUTOCOMMIT = MAYBE", (1008, "22023")),
            ("QUERY_TAG = '" + "x" * 2001 + "'", (1008, "22023")),
            ("STRICT_JSON_OUTPUT = TRUE", (2, "0A000")),
            ("TRANSACTION_ABORT_ON_ERROR = TRUE", (2, "0A000")),
        ):
            assert (change[:30], session.error(f"ALTER SESSION SET {change}")) == (change[:30], refused)
        session.rows("ALTER SESSION SET STRICT_JSON_OUTPUT = FALSE")
    with pytest.raises(snowflake.connector.errors.Error) as caught:
        snow.connect(**snow.loader_settings(), session_parameters={"NO_SUCH_THING": 1})
    assert "NO_SUCH_THING" in str(caught.value)


def test_a_statement_has_parameters_of_its_own(snow: Account, db: Session, schema: str) -> None:
    db.rows("ALTER SESSION SET QUERY_TAG = 'session'")
    cursor = db.connection.cursor()
    cursor.execute("SELECT 1", _statement_params={"QUERY_TAG": "statement"})
    db.rows("SELECT 2")
    run4(
        snow,
        """
        connection = connect(session_parameters={"QUERY_TAG": "older"})
        rows(connection, "SELECT 3", _statement_params={"QUERY_TAG": "once"})
        rows(connection, "SELECT 4")
        tell(None)
        """,
        schema=schema,
    )
    tags = {e["statement"]: e["query_tag"] for e in snow.control.query_log(kind="SELECT")}
    assert tags == {"SELECT 1": "statement", "SELECT 2": "session", "SELECT 3": "once", "SELECT 4": "older"}
    with pytest.raises(snowflake.connector.errors.Error) as caught:
        cursor.execute("SELECT 1", _statement_params={"NO_SUCH_THING": "x"})
    assert caught.value.errno == 1008


def _until(happened: Callable[[], bool], timeout: float = 15.0) -> None:
    """Wait for something that the control endpoint shows."""
    deadline = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(snow: Account, request: str) -> bool:
    return any(session["request_id"] == request for session in snow.control.sessions())


def _fill(db: Session) -> None:
    """1,010 rows, for a query over 10^12 combinations of them."""
    db.rows("INSERT INTO L VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")
    db.rows("INSERT INTO L SELECT A.N FROM L A, L B, L C")


LONG = "SELECT COUNT(DISTINCT MOD(A.N * B.N + C.N * D.N, 7)) FROM L A, L B, L C, L D"


def test_a_statement_ends_when_its_time_is_over(snow: Account, db: Session) -> None:
    db.rows("CREATE TABLE L (N NUMBER)")
    _fill(db)
    db.rows("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
    assert db.error(LONG) == (630, "57014")
    snow.control.fault("slow", pattern="^INSERT", seconds=60)
    started = time.monotonic()
    assert db.error("INSERT INTO L SELECT 1") == (630, "57014")
    assert time.monotonic() - started < 30
    assert db.value("SELECT COUNT(*) FROM L") == 1010
    assert [e["error"] for e in snow.control.query_log()[-3:]] == [630, 630, None]


def test_a_client_gives_a_statement_up(snow: Account, db: Session, raw: Raw, schema: str) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows("CREATE TABLE L (N NUMBER)")
    _fill(db)
    db.rows("BEGIN")
    db.rows("DELETE FROM T")
    with ThreadPoolExecutor(1) as pool:
        for sql in ("DELETE FROM T", LONG):
            request = str(uuid.uuid4())
            running = pool.submit(raw.run, sql, "", request)
            _until(partial(_runs, snow, request))
            time.sleep(0.1)
            assert not running.done()
            assert raw.post("/queries/v1/abort-request", raw.token, {"requestId": "another"})["success"]
            assert raw.post("/queries/v1/abort-request", raw.token, {"requestId": request})["success"]
            assert running.result(10)["code"] == "000604"
    db.rows("ROLLBACK")
    assert raw.run("DELETE FROM T")["success"]
    assert run4(snow, f'tell(errno(connect(), "{LONG}", timeout=1))', schema=schema) == 604


def _waits(snow: Account, count: int) -> bool:
    return len([lock for lock in snow.control.locks() if lock["state"] == "WAITING"]) == count


def test_a_waiting_statement_without_a_client(snow: Account, db: Session, raw: Raw) -> None:
    """With ABORT_DETACHED_QUERY it is given up after five minutes, without it waits on."""
    db.rows("CREATE TABLE T (A NUMBER)")
    for parameter, left in (("FALSE", 1), ("TRUE", 0)):
        raw.run(f"ALTER SESSION SET ABORT_DETACHED_QUERY = {parameter}")
        db.rows("BEGIN")
        db.rows("DELETE FROM T")
        with pytest.raises(requests.Timeout):
            requests.post(
                f"http://{snow.ready['host']}:{snow.ready['port']}/queries/v1/query-request",
                headers={"Authorization": f'Snowflake Token="{raw.token}"'},
                json={"sqlText": "DELETE FROM T"},
                timeout=0.3,
            )
        _until(lambda: any(session["detached"] for session in snow.control.sessions()))
        db.rows("SELECT 1")  # the holder is not idle
        snow.control.advance_clock(250)
        db.rows("SELECT 1")
        snow.control.advance_clock(60)
        time.sleep(0.6)  # for the one that must wait on
        _until(partial(_waits, snow, left))
        db.rows("ROLLBACK")
        _until(lambda: not any(s["running"] for s in snow.control.sessions()))


def test_the_place_of_a_login(snow: Account, schema: str) -> None:
    with snow.admin() as admin:
        admin.rows(
            "CREATE USER SETTLER PASSWORD = 'x' DEFAULT_ROLE = SAGEX3_LOADER DEFAULT_WAREHOUSE = LOAD_WH "
            f"DEFAULT_NAMESPACE = 'ANALYTICS.{schema}'"
        )
        try:
            admin.rows("GRANT ROLE SAGEX3_LOADER TO USER SETTLER")
            where = "SELECT CURRENT_ROLE(), CURRENT_DATABASE(), CURRENT_SCHEMA(), CURRENT_WAREHOUSE()"
            with snow.session(user="SETTLER", password="x", database=None, warehouse=None) as session:  # noqa: S106
                assert session.rows(where) == [("SAGEX3_LOADER", "ANALYTICS", schema, "LOAD_WH")]
        finally:
            admin.rows("DROP USER SETTLER")
    for place in ({"database": "NOPE"}, {"schema": "NOPE"}, {"warehouse": "NOPE"}):
        with snow.session(**place) as session:
            assert session.rows("SELECT 1") == [(1,)]
        with pytest.raises(snowflake.connector.errors.Error) as caught:
            snow.connect(
                **snow.loader_settings(),
                **place,
                session_parameters={"CLIENT_VALIDATE_DEFAULT_PARAMETERS": True},
            )
        assert "does not exist or not authorized" in str(caught.value)


def test_a_twenty_first_waiter_is_refused(snow: Account, db: Session, schema: str) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    others = [Raw(snow, schema) for _ in range(21)]
    db.rows("BEGIN")
    db.rows("DELETE FROM T")
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(other.run, "DELETE FROM T") for other in others[:20]]
        _until(lambda: sum(lock["state"] == "WAITING" for lock in snow.control.locks()) == 20)
        refused = others[20].run("DELETE FROM T")
        db.rows("ROLLBACK")
        assert refused["code"] == "000625"
        assert "20 statement limit" in refused["message"]
        assert all(future.result(20)["success"] for future in waiting)


def test_without_a_warehouse(db: Session, snow: Account, schema: str) -> None:
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows("CREATE STAGE LOAD")
    with snow.session(schema=schema, warehouse=None) as session:
        for sql in (
            "SELECT * FROM T",
            "INSERT INTO T VALUES (1)",
            "UPDATE T SET A = 1",
            "DELETE FROM T",
            "TRUNCATE TABLE T",
            "MERGE INTO T USING (SELECT 1 AS X) S ON T.A = S.X WHEN MATCHED THEN DELETE",
            "COPY INTO T FROM @LOAD FILE_FORMAT = (TYPE = CSV)",
            "CREATE TABLE N AS SELECT 1 AS A",
        ):
            assert (sql, session.error(sql)) == (sql, (606, "57P03"))
        for sql in (
            "SELECT 1",
            "BEGIN",
            "COMMIT",
            "CREATE TABLE M (A NUMBER)",
            "ALTER TABLE M ADD COLUMN B NUMBER",
            "CREATE VIEW V AS SELECT A FROM M",
            "SHOW TABLES",
            "DESCRIBE TABLE M",
            "LIST @LOAD",
            "REMOVE @LOAD",
            "DROP TABLE M",
        ):
            session.rows(sql)


def test_what_a_user_starts_with_holds_unless_the_session_says_otherwise(snow: Account) -> None:
    """alter-user page: session parameters of a user; ROWS_PER_RESULTSET cuts results off without a word."""
    three = "SELECT COLUMN1 FROM VALUES (1), (2), (3)"
    with snow.admin() as admin:
        admin.rows("ALTER USER LOADER SET ROWS_PER_RESULTSET = 2 TIMEZONE = 'Asia/Tokyo'")
        try:
            with snow.session() as session:
                assert len(session.rows(three)) == 2
                session.rows("ALTER SESSION SET ROWS_PER_RESULTSET = 0")
                assert len(session.rows(three)) == 3
            admin.rows("ALTER USER LOADER SET BINARY_OUTPUT_FORMAT = 'BASE64'")
            with (
                pytest.raises(snowflake.connector.Error, match="BINARY_OUTPUT_FORMAT at BASE64"),
                snow.session(),
            ):
                pass
            with snow.session(session_parameters={"BINARY_OUTPUT_FORMAT": "HEX"}) as session:
                assert len(session.rows(three)) == 2
            assert admin.error("ALTER USER LOADER SET ROWS_PER_RESULTSET = 'many'") == (1008, "22023")
        finally:
            admin.rows("ALTER USER LOADER UNSET ROWS_PER_RESULTSET, TIMEZONE, BINARY_OUTPUT_FORMAT")
