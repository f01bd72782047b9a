"""Runs that last longer than tokens and sessions live: by the sandbox's clock, which the test moves.

A session token lives an hour and the connector renews it; four hours without a sign of life end a session.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit.session import Session, connect
from target_snowflake_audit.target import TargetSnowflakeAudit
from target_world import lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_snowflake_audit.session import Answer
    from target_world import Message, World

HOUR = 3600


def advance(world: World, seconds: int) -> None:
    """Move the clock; the session that the tests themselves look through ends too."""
    world.close()
    world.control.advance_clock(seconds)


class LongRun:
    """A run in this process that takes messages in pieces."""

    def __init__(self, world: World, **settings: object) -> None:
        """Start it; nothing is read yet."""
        self._world = world
        self._target = TargetSnowflakeAudit(config=world.settings(**settings))

    def take(self, messages: Iterable[Message]) -> None:
        """Take some messages."""
        self._target.process_lines(io.StringIO(lines(messages)))

    def end(self) -> None:
        """End the input."""
        self._target.process_endofpipe()


def loaded(world: World, batches: int) -> None:
    """Return when a run, which loads beside what it reads, has committed so many batches."""
    deadline = time.monotonic() + 60
    while len(world.audit("BATCHES")) < batches:
        assert time.monotonic() < deadline, f"{world.audit('BATCHES')} after a minute"
        time.sleep(0.05)


def logins(world: World) -> int:
    """How many sessions the loader's statements came from since the log was cleared."""
    return len({entry["session"] for entry in world.control.query_log(user="LOADER")})


def test_an_expired_token_is_renewed_between_batches(world: World) -> None:
    world.control.clear_log()
    run = LongRun(world, batch_size_rows=1)
    run.take([world.schema_message(), world.line("A", 1)])
    loaded(world, 1)
    advance(world, HOUR + 1)
    run.take([world.line("B", 1)])
    run.end()
    assert len(world.rows()) == 2
    assert world.audit("RETRIES") == []
    assert logins(world) == 1


def test_a_session_that_ended_while_idle_is_opened_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for statements that no retry guards: the second SCHEMA changes the table first thing."""
    monkeypatch.setattr("target_snowflake_audit.session.LOOK_AFTER_SECONDS", 0)
    world.control.clear_log()
    run = LongRun(world, batch_size_rows=1)
    run.take([world.schema_message(), world.line("A", 1)])
    loaded(world, 1)
    advance(world, 4 * HOUR + 1)
    schema = world.schema_message()["schema"]
    wider = {**schema, "properties": {**schema["properties"], "note": {"type": ["string", "null"]}}}
    run.take([world.schema_message(wider), world.line("B", 1, note="new")])
    loaded(world, 2)
    advance(world, 4 * HOUR + 1)
    run.end()
    assert [row["NOTE"] for row in world.rows()] == [None, "new"]
    assert world.audit("RETRIES") == []
    assert logins(world) >= 2


@pytest.mark.parametrize(("pause", "tries"), [(HOUR + 1, 1), (4 * HOUR + 1, 2)])
def test_a_pause_in_the_middle_of_a_batch(
    world: World, pause: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an hour the connector renews the token; after four the batch is replayed on a new session."""
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)
    pauses = iter([pause])
    execute = Session.execute

    def slept(session: Session, sql: str, step: str) -> Answer:
        if step == "merge" and (seconds := next(pauses, 0)):
            advance(world, seconds)
            time.sleep(1.1)  # a token names the second it was made in, and nothing else that differs
        return execute(session, sql, step)

    monkeypatch.setattr(Session, "execute", slept)
    began = len(world.control.logins())
    world.run([world.schema_message(), world.line("A", 1), world.line("A", 2)])
    assert len(world.rows()) == 2
    assert len(world.audit("RECORD_HISTORY")) == 2
    [batch] = world.audit("BATCHES")
    assert batch["ATTEMPT"] == tries
    assert [row["ERROR_CLASS"] for row in world.audit("RETRIES")] == ["session"] * (tries - 1)
    shown = [login["proof"] for login in world.control.logins()[began:] if login["user"] == "LOADER"]
    assert len(shown) == len(set(shown)) == tries, "each login shows a key-pair token of its own"


def test_sessions_are_kept_alive_by_heartbeats(world: World) -> None:
    session = connect(world.settings())
    found = [s for s in world.control.sessions() if s["user"] == "LOADER"]
    assert found
    assert all(one["parameters"]["CLIENT_SESSION_KEEP_ALIVE"] is True for one in found)
    session.close()
