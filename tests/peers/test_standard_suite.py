"""The standard target suite of the SDK that meltanolabs-target-snowflake pins, on the local Snowflake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from . import contents, environments, exceptions, servers, suite, table
from .suite import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from .servers import Warehouse

EXEMPT = "test_target_record_missing_key_property"
# The SDK that the peer 0.20.4 pins lists 17; fewer would mean that the list is not read as it should be.
LISTED = 17


def _run(environment: Path, start: Callable[[], AbstractContextManager[Warehouse]]) -> dict[str, Outcome]:
    with start() as warehouse:
        return suite.run(environment, warehouse)


@pytest.mark.alone
def test_every_listed_test_is_as_it_must_be() -> None:
    peer = environments.peer()
    outcomes = _run(peer, servers.ours)
    listed = suite.listed(peer)
    assert len(listed) >= LISTED
    assert suite.problems(outcomes, exceptions.registered(), listed) == {}
    assert sum(outcome.good for outcome in outcomes.values()) == len(outcomes) - 1


@pytest.mark.alone
@pytest.mark.full
def test_every_listed_test_is_as_it_must_be_on_connector_5() -> None:
    peer = environments.peer_on_connector_5()
    outcomes = _run(peer, servers.ours)
    assert suite.problems(outcomes, exceptions.registered(), suite.listed(peer)) == {}


@pytest.mark.alone
@pytest.mark.full
def test_stock_fakesnow_passes_four() -> None:
    outcomes = _run(environments.peer(), servers.stock)
    assert sorted(test for test, outcome in outcomes.items() if outcome.good) == [
        "test_target_camelcase_complex_schema",
        "test_target_cli_prints",
        "test_target_invalid_schema",
        "test_target_record_before_schema",
    ]


def _outcome(**changed: Any) -> Outcome:  # noqa: ANN401 - fields of Outcome
    refused = Outcome(
        EXEMPT, passed=False, code=100072, sqlstate="22000", message="NULL", statement="merge into T"
    )
    return replace(refused, **changed)


@pytest.mark.parametrize(
    ("changed", "right"),
    [
        ({}, True),
        ({"passed": True}, False),
        ({"code": 100038}, False),
        ({"sqlstate": "42000"}, False),
        ({"statement": "copy into T"}, False),
        ({"test": "test_target_other"}, False),
        ({"test": "test_target_other", "passed": True}, True),
        ({"test": "test_target_other", "passed": True, "wrong": "2 rows for 3"}, False),
    ],
)
def test_an_exception_holds_for_one_test_and_one_error(changed: dict[str, Any], right: bool) -> None:  # noqa: FBT001
    known = exceptions.registered()
    assert (exceptions.complaint(_outcome(**changed), known) == "") is right


def test_a_test_that_did_not_run_is_a_problem() -> None:
    outcomes = {EXEMPT: _outcome(), "test_x[one]": _outcome(test="test_x[one]", passed=True)}
    wanted = {EXEMPT, "test_x", "test_new"}
    assert suite.problems(outcomes, exceptions.registered(), wanted) == {"test_new": "did not run"}
    assert suite.problems({}, exceptions.registered(), set()) == {EXEMPT: "did not run"}


STREAM = """{"type": "SCHEMA", "stream": "a-b", "key_properties": ["id"], "schema": {"properties": {"id": {"type": "integer"}, "t": {"type": "string", "format": "date-time"}}}}
{"type": "RECORD", "stream": "a-b", "record": {"id": 1, "t": "2026-01-01T12:00:00Z"}}
{"type": "RECORD", "stream": "a-b", "record": {"id": 1, "t": "2026-01-02T12:00:00Z"}}"""  # noqa: E501


def _left(**changed: object) -> dict[str, Any]:
    row: dict[str, object] = {"ID": 1, "T": "2026-01-02T12:00:00", **dict.fromkeys(contents.METADATA)}
    row |= dict.fromkeys(contents.FILLED, "x")
    types = {"ID": "NUMBER(38,0)", "T": "TIMESTAMP_NTZ(9)", **contents.METADATA}
    return {"tables": {"A_B": {"types": types, "rows": [row | changed]}}}


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (_left(), ""),
        (_left(ID=2), "1 rows for 1, such as"),
        (_left(T=None), "1 rows for 1, such as"),
        (_left(_SDC_RECEIVED_AT=None), "empty ['_SDC_RECEIVED_AT']"),
        (_left(_SDC_DELETED_AT="x"), "rows marked as deleted"),
        ({"tables": {}}, "no table"),
        ({"tables": {**_left()["tables"], "C": {"types": {}, "rows": []}}}, "a table C that no stream has"),
        ({"tables": {"A_B": {"types": {"ID": "FLOAT"}, "rows": []}}}, "columns {"),
        ({"tables": {"A_B": {**_left()["tables"]["A_B"], "rows": []}}}, "0 rows for 1"),
        ({"unreadable": "gone"}, "unreadable: gone"),
    ],
)
def test_wrong_rows_are_seen(left: dict[str, Any], told: str) -> None:
    found = contents.differences("test_target_x", {"x": STREAM}, left)
    assert found.startswith(told) if told else found == ""


def test_rows_where_none_must_be_are_seen() -> None:
    rows: dict[str, Any] = {"tables": {"T": {"types": {}, "rows": [{}]}}}
    assert contents.differences("test_target_invalid_schema", {"invalid_schema": STREAM}, rows) != ""
    assert contents.differences("test_target_cli_prints", {}, {"tables": {}}) == ""


def test_the_table_names_every_test_and_the_proof(capsys: pytest.CaptureFixture[str]) -> None:
    message = "001003 (42000): 001003 (42000): Parser Error: near REMOVE (request_id=ab-1 and more)"
    runs = {
        "stock": {
            EXEMPT: _outcome(code=1003, message=message),
            "b": _outcome(test="b", passed=True, wrong="w"),
        },
        "ours": {EXEMPT: _outcome()},
    }
    table.show("title", runs, exceptions.registered())
    printed = capsys.readouterr().out
    for text in ("001003 Parser Error: near REMOVE ", "passes, rows wrong: w", "100072 NULL", "did not run"):
        assert text in printed
    assert "/sql-reference/constraints-overview" in printed
    assert "0 of 2" in printed
