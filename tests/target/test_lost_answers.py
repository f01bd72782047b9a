"""Answers that are lost although Snowflake did what was asked: the truth is looked up, not done again."""

from __future__ import annotations

import json
import os
import signal
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import InterruptedRunError
from target_snowflake_audit.retry_classes import NETWORK
from target_snowflake_audit.session import Session, StatementError
from target_world import LINE_SCHEMA, state

if TYPE_CHECKING:
    from target_snowflake_audit.session import Answer
    from target_world import Message, World

WAY: dict[str, Any] = {"load_method": "overwrite", "max_deleted_percent": 100}
LAST = {"retry_max_attempts": 1}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)


def load(world: World) -> list[Message]:
    return [world.schema_message(), world.line("A", 1), world.line("A", 2), state({"n": 1})]


def lose_commit(world: World, when: str = "after", nth: int = 2, **way: Any) -> int:  # noqa: ANN401
    """Lose the answer of the COMMIT of a stream's batch, before or after it took effect.

    The connector asks once more by itself where the connection breaks, but not where the session has ended.
    """
    world.run(
        [world.schema_message()], **way
    )  # so that the first COMMIT of the next run is that of its RUNS row
    return world.control.fault("error", pattern="^COMMIT", when=when, nth=nth, code=390114, user="LOADER")


def refuse_fence(world: World, nth: int) -> int:
    """Refuse the fence the nth time."""
    return world.control.fault("error", pattern="^UPDATE .*FENCE", nth=nth, code=603, user="LOADER")


def outcomes(world: World) -> list[tuple[str, str]]:
    return [(row["STEP"], row["OUTCOME"]) for row in world.audit("RETRIES", '"FAILED_AT"')]


# COMMIT


@pytest.mark.parametrize(
    ("way", "nth"),
    [({}, 2), ({"load_method": "append-only"}, 2), (WAY, 2), (WAY, 3)],
    ids=["upsert", "append-only", "shadow", "replacement"],
)
def test_a_lost_answer_of_the_last_commit_is_looked_up(world: World, way: dict[str, Any], nth: int) -> None:
    fault = lose_commit(world, nth=nth, **way)
    ended = world.run(load(world), **way, **LAST)
    assert world.control.struck(fault) == 1
    assert ended.states == [{"n": 1}]
    assert len(world.rows()) == 2
    assert outcomes(world) == [("commit", "retried")]
    [run] = {row["RUN_ID"] for row in world.audit("BATCHES")}
    told = world.query(f"SELECT STATUS, RECORDS FROM ANALYTICS.AUDIT.RUNS_CURRENT WHERE RUN_ID = '{run}'")
    assert [(row["STATUS"], row["RECORDS"]) for row in told] == [("completed", 2)]


def test_a_last_commit_that_did_not_arrive_fails_the_run(world: World) -> None:
    fault = lose_commit(world, "before")
    with pytest.raises(StatementError) as caught:
        world.run(load(world), **LAST)
    assert world.control.struck(fault) == 1
    assert caught.value.step == "commit"
    assert caught.value.__notes__[-1] == ""
    assert world.rows() == []
    assert outcomes(world) == [("commit", "gave_up")]
    assert world.run(load(world)).states == [{"n": 1}]
    assert len(world.rows()) == 2


def test_a_commit_that_an_earlier_attempt_lost_is_looked_up_too(world: World) -> None:
    """The attempt after it does not get as far as asking."""
    fault, fence = lose_commit(world), refuse_fence(world, 2)
    ended = world.run(load(world), retry_max_attempts=2)
    assert (world.control.struck(fault), world.control.struck(fence)) == (1, 1)
    assert ended.states == [{"n": 1}]
    assert len(world.rows()) == 2
    assert [row["RECEIVED"] for row in world.audit("BATCHES")] == [2]


def test_where_the_truth_cannot_be_looked_up_the_run_fails(world: World) -> None:
    fault, fence = lose_commit(world), refuse_fence(world, 2)
    with pytest.raises(StatementError) as caught:
        world.run(load(world), **LAST)
    assert (world.control.struck(fault), world.control.struck(fence)) == (1, 1)
    assert caught.value.step == "commit"
    assert caught.value.__notes__[-1] == ""
    assert world.run(load(world)).states == [{"n": 1}]
    assert len(world.rows()) == 2


def test_a_signal_after_a_lost_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction has ended well: its STATE leaves before the run stops."""
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 60.0)  # the signal wakes it
    execute = Session.execute

    def told(session: Session, sql: str, step: str) -> Answer:
        answer = execute(session, sql, step)
        if step == "commit":
            monkeypatch.setattr(Session, "execute", execute)
            os.kill(os.getpid(), signal.SIGTERM)
            raise StatementError(step, "no answer", NETWORK)
        return answer

    monkeypatch.setattr(Session, "execute", told)
    with pytest.raises(InterruptedRunError) as caught:
        world.run(load(world))
    assert json.loads(caught.value.__notes__[-1]) == {"n": 1}
    assert len(world.rows()) == 2


# DDL

WIDER: Message = {
    **LINE_SCHEMA,
    "properties": {
        **LINE_SCHEMA["properties"],
        "text": {"type": ["string", "null"], "maxLength": 30},
        **{
            f"more{at}": {"type": ["string", "null"], **more}
            for at, more in enumerate(({}, {"maxLength": 9}))
        },
        "paid": {"type": ["number", "null"], "multipleOf": 0.001},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "share": {"type": ["number", "null"]},
        "parts": {"type": ["array", "null"]},
        "yes": {"type": ["boolean", "null"]},
    },
}


@pytest.mark.parametrize("way", [WAY, {}], ids=["overwrite", "upsert"])
@pytest.mark.parametrize(
    ("begin", "rest"),
    [("CREATE .*TABLE", ""), ("ALTER TABLE", ".* ADD COLUMN"), ("ALTER TABLE", ".* SET DATA")],
)
def test_a_lost_answer_of_ddl(world: World, begin: str, rest: str, way: dict[str, Any]) -> None:
    """Of what is made of a table, and with overwrite of what is made beside it."""
    name = '"AUDIT_LOCK"."SHADOW_' if way else f'"{world.schema}"'
    pattern = f'^{begin} .*"ANALYTICS".{name}{rest}'
    fault = world.control.fault("error", pattern=pattern, when="after", code=390114, user="LOADER")
    more: dict[str, Any] = {
        "more0": "x",
        "more1": "y",
        "text": "z" * 30,
        "paid": Decimal("0.125"),
        "day": "2026-01-31",
    }
    messages = [
        world.schema_message(),
        world.line("A", 1),
        world.schema_message(WIDER),
        world.line("A", 2, **more),
        state({"n": 1}),
    ]
    assert world.run(messages, **way).states == [{"n": 1}]
    assert world.control.struck(fault) == 1
    first, second = world.rows()
    assert (first["MORE0"], first["TEXT"], first["PAID"]) == (None, None, None)
    assert (second["MORE0"], second["MORE1"], second["PAID"]) == ("x", "y", Decimal("0.125"))
    assert second["TEXT"] == "z" * 30
    assert [outcome for _, outcome in outcomes(world)] == ["retried"]
    assert world.query("SHOW TABLES LIKE 'SHADOW_%' IN SCHEMA ANALYTICS.AUDIT_LOCK") == []
