"""Functions whose answers the target relies on."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from snowflake_account import Account, Session

MIDNIGHT = "2026T00:00:00.000000"
LONG = "12345678901234567890.123456789"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("TRY_CAST('12.50' AS NUMBER(38,2))", Decimal("12.50")),
        ("TRY_CAST('abc' AS NUMBER(38,2))", None),
        ("TRY_CAST('1_000' AS NUMBER)", None),
        ("TRY_CAST('2026-02-30' AS DATE)", None),
        ("TRY_CAST('2026-02-28' AS DATE)", dt.date(2026, 2, 28)),
        ("TRY_TO_DECIMAL('1.239', 38, 2)", Decimal("1.24")),
        ("TRY_TO_DECIMAL('12345', 4, 0)", None),
        ("TRY_TO_DECIMAL('', 38, 2)", None),
        ("TRY_TO_DECIMAL(NULL, 38, 2)", None),
        ("TRY_TO_DECIMAL('99999999999999999999999999999999999999', 38, 0)", 10**38 - 1),
        ("TRY_TO_DATE('zzz')", None),
        ("TRY_TO_TIMESTAMP_NTZ('zzz')", None),
        ("TRY_TO_TIMESTAMP_NTZ('2026-01-02T03:04:05Z')", dt.datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001
        ("TRY_TO_TIMESTAMP_NTZ('2026-01-02 03:04:05.123456')", dt.datetime(2026, 1, 2, 3, 4, 5, 123456)),  # noqa: DTZ001
        ("TRY_TO_TIMESTAMP_NTZ('2026-01-02T03:04:05+05:00')", dt.datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001
        ("TRY_TO_TIMESTAMP_NTZ('2026-13-02T03:04:05Z')", None),
        ("TRY_TO_TIMESTAMP_NTZ('1700000000')", dt.datetime(2023, 11, 14, 22, 13, 20)),  # noqa: DTZ001
        ("TRY_TO_TIMESTAMP_NTZ('infinity')", None),
        ("TRY_TO_BOOLEAN('yes')", True),
        ("TRY_TO_BOOLEAN('off')", False),
        ("TRY_TO_BOOLEAN('zz')", None),
        ("TRY_TO_DOUBLE('1e3')", 1000.0),
        ("TRY_TO_DOUBLE('x')", None),
        ("TRY_PARSE_JSON('{bad')", None),
        ("TRY_PARSE_JSON('{\"a\": [1]}'):a[0]::NUMBER", 1),
        ("PARSE_JSON('')", None),
        ("IS_NULL_VALUE(PARSE_JSON('{\"a\": null}'):a)", True),
        ("IS_NULL_VALUE(PARSE_JSON('{\"a\": 1}'):b)", None),
        ("PARSE_JSON('{\"a\": null}'):a::VARCHAR", None),
        ('PARSE_JSON(\'{"A b": "x"}\'):"A b"::VARCHAR', "x"),
        ("OBJECT_CONSTRUCT('a', 1, 'b', NULL)::VARCHAR", '{"a":1}'),
        ("OBJECT_CONSTRUCT_KEEP_NULL('a', NULL)::VARCHAR", '{"a":null}'),
        ("ARRAY_SIZE(ARRAY_CONSTRUCT(1, 'a'))", 2),
        ("OCTET_LENGTH('äb')", 3),
        ("LENGTH('äb')", 2),
        ("SHA2('a', 256)", hashlib.sha256(b"a").hexdigest()),
        ("SHA2('a')", hashlib.sha256(b"a").hexdigest()),
        ("TYPEOF(PARSE_JSON('1.5'))", "DECIMAL"),
        ("EQUAL_NULL(NULL, NULL)", True),
        ("TO_VARCHAR(X, 'YYYY\"T\"HH24:MI:SS.FF6') FROM (SELECT '2026-01-02'::DATE AS X)", MIDNIGHT),
        ("ARRAY_CONSTRUCT(1, 'a')::VARCHAR", '[1,"a"]'),
        ("ARRAY_CONSTRUCT_COMPACT(1, 'a', NULL)::VARCHAR", '[1,"a"]'),
        ("ARRAY_CONSTRUCT()::VARCHAR", "[]"),
        (f"OBJECT_CONSTRUCT('a', PARSE_JSON('{LONG}'))::VARCHAR", f'{{"a":{LONG}}}'),
        (f"ARRAY_CONSTRUCT(PARSE_JSON('{LONG}'))::VARCHAR", f"[{LONG}]"),
        ("1 IS DISTINCT FROM NULL", True),
        ("COUNT_IF(X > 1) FROM (SELECT 1 AS X UNION ALL SELECT 2)", 1),
    ],
)
def test_value(db: Session, expression: str, value: object) -> None:
    assert db.value(f"SELECT {expression}") == value


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("TRY_CAST(1 AS DATE)", (1065, "22023")),
        ("TRY_TO_DECIMAL(PARSE_JSON('1'), 38, 0)", (1065, "22023")),
        ("PARSE_JSON('{bad')", (100069, "22P02")),
        ("'abc'::NUMBER", (100038, "22018")),
        ("'2026-02-30'::DATE", (100040, "22007")),
        ("'zz'::TIMESTAMP_NTZ", (100035, "22007")),
        ("'zz'::BOOLEAN", (100037, "22018")),
        ("SHA2('a', 512)", (2, "0A000")),
        ("TO_VARCHAR(X, 'DY') FROM (SELECT SYSDATE() AS X)", (2, "0A000")),
        ("PARSE_JSON('{\"a\": 12345678901234567.89}'):a::VARCHAR", (2, "0A000")),
    ],
)
def test_error(db: Session, expression: str, error: tuple[int, str]) -> None:
    assert db.error(f"SELECT {expression}") == error


def test_what_the_session_says(snow: Account, schema: str) -> None:
    with snow.session(schema=schema, session_parameters={"QUERY_TAG": "tag"}) as session:
        said = session.rows(
            "SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE(), CURRENT_DATABASE(), "
            "CURRENT_SCHEMA(), CURRENT_ACCOUNT(), CURRENT_TRANSACTION()"
        )
        assert said == [("LOADER", "SAGEX3_LOADER", "LOAD_WH", "ANALYTICS", schema, "SANDBOX", None)]
        session.rows("BEGIN")
        assert int(session.value("SELECT CURRENT_TRANSACTION()")) > 0
        session.rows("COMMIT")
        shown = {row[0]: row[1] for row in session.rows("SHOW PARAMETERS")}
        assert shown["QUERY_TAG"] == "tag"
        session.rows("ALTER SESSION SET QUERY_TAG = 'other', LOCK_TIMEOUT = 7")
        shown = {row[0]: row[1] for row in session.rows("SHOW PARAMETERS")}
        assert (shown["QUERY_TAG"], shown["LOCK_TIMEOUT"]) == ("other", "7")
        session.rows("ALTER SESSION UNSET LOCK_TIMEOUT")
        assert session.error("ALTER SESSION SET NO_SUCH_PARAMETER = 1")[0] == 1008
        last = snow.control.query_log()[-2]["query_id"]
        assert session.value("SELECT LAST_QUERY_ID()") != last
        assert snow.control.query_log()[-1]["query_tag"] == "other"


def test_time_comes_from_the_sandboxs_clock(snow: Account, db: Session) -> None:
    before = db.value("SELECT SYSDATE()")
    snow.control.advance_clock(3_000)  # a session lives longer than that
    after = db.rows("SELECT SYSDATE(), SYSDATE() = SYSDATE(), TO_DATE(SYSDATE())")[0]
    assert dt.timedelta(minutes=50) <= after[0] - before < dt.timedelta(minutes=51)
    assert after[1:] == (True, after[0].date())


def test_a_view_keeps_its_clock_and_refuses_a_frozen_user(db: Session) -> None:
    db.rows("CREATE TABLE T (A TIMESTAMP_NTZ)")
    db.rows("INSERT INTO T SELECT SYSDATE()")
    db.rows("CREATE VIEW V AS SELECT DATEDIFF('second', A, SYSDATE()) AS AGE FROM T")
    assert isinstance(db.value("SELECT AGE FROM V"), int)
    assert db.error("CREATE VIEW W AS SELECT CURRENT_USER() AS U") == (2, "0A000")
