"""Digests of audit rows whose values are known beforehand: their text is written out and must be the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit.audit.tables import BATCHES, BY_NAME, RECORD_HISTORY
from target_snowflake_audit.session import Session
from target_snowflake_audit.sql import audit_rows, chain
from target_snowflake_audit.sql.quoting import TableName
from warehouse import administrator

if TYPE_CHECKING:
    from target_world import World

RETRIES = TableName("ANALYTICS", "AUDIT", "RETRIES")
BATCHES_NAME = TableName("D", "AUDIT", "BATCHES")
ODD = ["plain", "", "it's", "back\\slash", "a,b=1:2", "é", "\U0001f600 \U0001f600", "$$;--", "'", "%", "\n\t"]


def row(text: str, number: int = 0) -> dict[str, object]:
    return {
        "RUN_ID": "r",
        "STEP": text,
        "ATTEMPT": number,
        "ERROR_CLASS": "network",
        "MESSAGE": text,
        "OUTCOME": "again",
        "FAILED_AT": "2026-01-31 08:00:00.5",
    }


@pytest.mark.parametrize("texts", [*([text] for text in ODD), ODD, ["same", "same"]])
def test_a_known_value_is_in_the_digest_as_it_is_stored(world: World, texts: list[str]) -> None:
    declared = BY_NAME["RETRIES"]
    connection = administrator(world.ready)
    session = Session(connection)
    try:
        session.execute("BEGIN", "begin")
        rows = [row(text, number=at - 1) for at, text in enumerate(texts)]
        session.execute(
            audit_rows.insert(RETRIES, rows, chain.link(f"run:{world.schema}", 1, "'p'")), "insert"
        )
        computed = chain.row_digest(declared, "t", declared.names)
        own = f'SELECT "STEP", {computed} = "CHAIN_DIGEST" FROM {RETRIES.sql} AS t WHERE "CHAIN" = '
        found = session.execute(f"{own}'run:{world.schema}'", "read").rows
    finally:
        session.rollback()
        session.close()
    assert sorted((str(step), bool(same)) for step, same in found) == sorted((text, True) for text in texts)


def test_only_what_is_surely_the_same_in_both_is_written_out() -> None:
    known: dict[str, str | int] = {
        "STREAM": "é",
        "RUN_ID": "r1",
        "RECEIVED": 7,
        "NOTE": 7,
        "DEAD": "7",
        "QUERY_IDS": "x",
    }
    sql = chain.row_digest(BATCHES, "r", set(known), known)
    assert sql.startswith("CONCAT('1:', SHA2(CONCAT('BATCHES,', ")
    assert "RECEIVED=7,RUN_ID=2:r1," in sql
    assert [name for name in known if f'r."{name}"' in sql] == ["STREAM", "NOTE", "DEAD", "QUERY_IDS"]


def test_only_bare_literals_are_known_of_a_query() -> None:
    columns = {"RUN_ID": "'r1'", "STREAM": "'it''s'", "TARGET_TABLE": "'a' || 'b'", "NOTE": "'a\\\\'"}
    sql = chain.insert(BATCHES_NAME, {**columns, "OPERATION": 's."OP"'}, "FROM x AS s")
    assert "RUN_ID=2:r1," in sql
    for name in ("STREAM", "TARGET_TABLE", "NOTE", "OPERATION"):
        assert f'TO_VARCHAR(LENGTH(r."{name}"))' in sql


def test_columns_that_hold_record_values_are_payload() -> None:
    """A new column of JSON or long text needs a decision: does it hold values of records?"""
    known = {"CHANGED_COLUMNS"}
    for column in RECORD_HISTORY.columns:
        assert column.payload == (column.type == "VARIANT" and column.name not in known), column.name
