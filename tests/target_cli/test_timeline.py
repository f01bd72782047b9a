from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from target_snowflake_audit.audit.tables import (
    BATCHES,
    DEAD_LETTER_EVENTS,
    DEAD_LETTERS,
    RECORD_HISTORY,
    RETRIES,
)
from target_snowflake_audit.cli.trace.timeline import Change, Trail, changes, timeline

MONDAY = datetime(2026, 3, 2, 8, 0, 0)  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone


def at(minutes: int) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def row(names: tuple[str, ...], **values: Any) -> dict[str, Any]:  # noqa: ANN401 - values of any column
    assert set(values) <= set(names)
    return {**dict.fromkeys(names), **values}


def version(batch: str, minute: int, operation: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    own = {
        "BATCH_ID": batch,
        "RUN_ID": "run",
        "OPERATION": operation,
        "CAUSE": "record",
    }
    return row(RECORD_HISTORY.names, **own, LOADED_AT=at(minute), **values)


def batch(name: str, minute: int, attempt: int = 1) -> dict[str, Any]:
    own = {"BATCH_ID": name, "RUN_ID": "run", "BATCH_NUMBER": 1, "ATTEMPT": attempt, "RECEIVED": 7}
    return row(BATCHES.names, **own, STARTED_AT=at(minute), ACTOR="LOADER")


def test_the_life_of_a_record_is_told_in_order() -> None:
    errors = [{"column": "AMOUNT", "property": "amount", "value": "12,5x", "reason": "not a number"}]
    letter = row(
        DEAD_LETTERS.names,
        DEAD_LETTER_ID="d1",
        BATCH_ID="b2",
        RUN_ID="run",
        PHASE="validate",
        ERRORS=errors,
        AT=at(20),
        SOURCE_TIME=at(15),
    )
    event = row(
        DEAD_LETTER_EVENTS.names,
        DEAD_LETTER_ID="d1",
        EVENT="replayed",
        BATCH_ID="b3",
        AT=at(30),
        ACTOR="R",
    )
    attempt = row(
        RETRIES.names,
        BATCH_ID="b1",
        ATTEMPT=1,
        STEP="merge",
        ERROR_CLASS="network",
        OUTCOME="retried",
        FAILED_AT=at(4),
    )
    trail = Trail(
        history=[
            version("b3", 30, "replay", BEFORE={"AMOUNT": Decimal("1.0")}, AFTER={"AMOUNT": Decimal("12.5")}),
            version("b1", 5, "insert", AFTER={"AMOUNT": 1}, SOURCE_TIME=at(1), EXTRACTED_AT=at(2)),
        ],
        letters=[letter],
        events=[event],
        batches=[batch("b1", 3, attempt=2), batch("b2", 19)],
        retries=[attempt],
    )
    told = [(step.what, step.clock, step.at) for step in timeline(trail)]
    assert told == [
        ("changed in the source", "source", at(1)),
        ("read by the tap", "tap", at(2)),
        ("attempt failed", "target", at(4)),
        ("batch started", "snowflake", at(3)),
        ("insert", "snowflake", at(5)),
        ("changed in the source", "source", at(15)),
        ("batch started", "snowflake", at(19)),
        ("refused", "snowflake", at(20)),
        ("replay", "snowflake", at(30)),
        ("dead letter replayed", "snowflake", at(30)),
    ]
    steps = timeline(trail)
    assert steps[7].errors == tuple(errors)
    assert steps[8].changes == (Change("AMOUNT", Decimal("1.0"), Decimal("12.5")),)
    assert steps[9].facts["actor"] == "R"


def test_a_source_clock_that_is_ahead_does_not_break_the_order_of_loads() -> None:
    trail = Trail(history=[version("b1", 5, "insert", SOURCE_TIME=at(500)), version("b2", 10, "update")])
    assert [step.what for step in timeline(trail)] == ["changed in the source", "insert", "update"]


def test_a_delete_without_a_record_has_no_source_change() -> None:
    deleted = version("b1", 5, "delete", BEFORE={"ID": "1"}, SOURCE_TIME=at(1))
    deleted["CAUSE"] = "replace_scope"
    steps = timeline(Trail(history=[deleted]))
    assert [(step.what, step.facts["cause"], step.changes) for step in steps] == [
        ("delete", "replace_scope", ())
    ]


def test_changes_tell_null_from_text_and_leave_out_equal_values_and_audit_columns() -> None:
    before = {"ID": "1", "NOTE": None, "AMOUNT": Decimal("1.10"), "_AUDIT_BATCH_ID": "b1", "GONE": "x"}
    after = {"ID": "1", "NOTE": "", "AMOUNT": Decimal("1.1"), "_AUDIT_BATCH_ID": "b2", "NEW": 1}
    assert changes(before, after) == (
        Change("NOTE", None, ""),
        Change("NEW", None, 1),
        Change("GONE", "x", None),
    )
