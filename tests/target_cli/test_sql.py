"""Statement texts: each parses in Snowflake's dialect, and no value can leave its literal."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp
from target_snowflake_audit.cli.sql import dead_letters, runs, trace
from target_snowflake_audit.cli.sql.statement import Audit, Statement, equals, none_of, one_of, select
from target_snowflake_audit.sql.quoting import TableName

AUDIT = Audit("ANALYTICS", 'AU"DIT')
TABLE = TableName("ANALYTICS", "PURCHASING", "SUPPLIER_INVOICES")
EVERY = dead_letters.Filter(stream="s'; DROP TABLE x; --", reason="not_a_number", column="AMOUNT", run="r")
STATEMENTS = [
    dead_letters.list_letters(AUDIT, EVERY, 50),
    dead_letters.list_letters(AUDIT, dead_letters.Filter(status="all"), 1),
    dead_letters.list_letters(AUDIT, dead_letters.Filter(status="skipped"), 1),
    dead_letters.count_letters(AUDIT, dead_letters.Filter(status="replayed")),
    dead_letters.letters_by_id(AUDIT, "0123ab"),
    dead_letters.open_ids(AUDIT, EVERY),
    dead_letters.letters_of_record(AUDIT, str(TABLE), "hash"),
    dead_letters.events(AUDIT, ["a", "b"]),
    runs.runs(AUDIT, 5),
    runs.batches(AUDIT, run="r", stream="s", limit=5),
    trace.loaded_tables(AUDIT),
    trace.a_key(AUDIT, "RECORD_HISTORY", str(TABLE)),
    trace.key_columns(AUDIT, "RECORD_HISTORY", str(TABLE)),
    trace.key_values(AUDIT, "DEAD_LETTERS", str(TABLE), "ID"),
    trace.redacted_key(AUDIT, "DEAD_LETTERS", str(TABLE), "ID"),
    trace.history(AUDIT, str(TABLE), "hash"),
    trace.batches(AUDIT, ["a"]),
    trace.retries(AUDIT, ["a", "b"]),
    trace.rows(TABLE, ("ID", "AMOUNT"), {"ID": "SI1"}, order=("ID",)),
    trace.live_rows(TABLE, ("ID",), {"ID": "SI1", "LINE": 10}, order=("ID",)),
    trace.columns(TABLE),
]


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.text[:60])
def test_each_statement_parses_as_one_snowflake_statement(statement: Statement) -> None:
    assert len(sqlglot.parse(statement.sql, dialect="snowflake")) == 1
    assert statement.text.count("%s") == len(statement.values)


@pytest.mark.parametrize("statement", STATEMENTS[:-1], ids=lambda statement: statement.text[:60])
def test_a_select_names_the_columns_that_it_gives(statement: Statement) -> None:
    parsed = sqlglot.parse_one(statement.sql, dialect="snowflake")
    assert isinstance(parsed, exp.Select)
    assert tuple(column.alias_or_name for column in parsed.selects) == statement.columns


@given(st.text())
def test_a_value_cannot_leave_its_literal(value: str) -> None:
    statement = select(("A",), '"T"', [equals("B", value), one_of("C", [value, "x"]), none_of("D", ["%s"])])
    literals = [
        found.this
        for found in sqlglot.parse_one(statement.sql, dialect="snowflake").find_all(exp.Literal)
        if found.is_string
    ]
    assert sorted(literals) == sorted([value, value, "x", "%s"])


@given(st.text(alphabet='%s"a', min_size=1, max_size=9))
def test_a_name_may_look_like_the_place_of_a_value(name: str) -> None:
    statement = trace.rows(TableName("D", name, name), (name, "A"), {name: "%s", "A": 1}, order=(name,))
    parsed = sqlglot.parse_one(statement.sql, dialect="snowflake")
    assert isinstance(parsed, exp.Select)
    assert tuple(column.alias_or_name for column in parsed.selects) == (name, "A")
    assert [found.this for found in parsed.find_all(exp.Literal)] == ["%s", "1"]


def test_a_time_comes_as_text_with_all_its_digits() -> None:
    statement = trace.rows(TABLE, ("ID", "AT"), {"ID": "SI1"}, order=("ID",), stamps=("AT",))
    assert len(sqlglot.parse(statement.sql, dialect="snowflake")) == 1
    assert statement.columns == ("ID", "AT")
    assert """TO_VARCHAR("AT", 'YYYY-MM-DD HH24:MI:SS.FF9') FROM""" in statement.sql


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(ValueError, match="argument"):
        _ = Statement('SELECT "A" FROM "T" WHERE "B" = %s').sql
