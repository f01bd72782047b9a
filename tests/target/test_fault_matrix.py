"""Each fault of Snowflake at each statement: a run ends well or fails clearly, and a second one mends it."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
import three_streams
from target_snowflake_audit.errors import TargetError
from target_snowflake_audit.session import StatementError

if TYPE_CHECKING:
    from target_world import Message, World

PARTS, BATCHES = ("lines",), 2
FAULTS: dict[str, dict[str, Any]] = {
    "603": {"kind": "error", "code": 603},
    "604": {"kind": "error", "code": 604},
    "608": {"kind": "error", "code": 608},
    "625": {"kind": "error", "code": 625},
    "390112": {"kind": "error", "code": 390112},
    "390114": {"kind": "error", "code": 390114},
    "reset before": {"kind": "reset", "when": "before"},
    "reset after": {"kind": "reset", "when": "after"},
    "slow": {"kind": "slow", "when": "after", "seconds": 0.3},
}
CLASSES = {603: "internal", 604: "cancelled", 608: "warehouse", 625: "contention", 390114: "session"}
"""Class of each code that the connector leaves to us; it renews an expired token (390112) by itself."""
SAMPLES = 9
SLICES = 30
SEED = 9


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)


def load(world: World) -> list[Message]:
    return three_streams.messages(world, PARTS, BATCHES)


def reference(world: World) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Query log of the run without a fault and what it leaves; made once for a server."""
    if "without fault" not in world.shared:
        own = world.for_test("without fault")
        own.control.clear_log()
        own.run(load(own), **three_streams.options())
        log = own.control.query_log(user="LOADER")
        world.shared["without fault"] = (log, three_streams.stored(own))
    found: tuple[list[dict[str, Any]], dict[str, list[str]]] = world.shared["without fault"]
    return found


def states_of(error: BaseException) -> list[Message]:
    """STATE lines that left before a run failed."""
    return [json.loads(line) for note in error.__notes__ for line in note.splitlines()]


def struck_and_mended(world: World, name: str, number: int) -> None:
    """Run with a fault at a statement; a run that fails is run again from its last STATE."""
    log, expected = reference(world)
    entry = log[number - 1]
    own = world.for_test(f"{name} {number} {world.schema}")  # a sampled case comes in the matrix, too
    case = f"{name} at statement {number} of {len(log)}: {entry['statement'][:100]}"
    fault = own.control.fault(nth=number, user="LOADER", **FAULTS[name])
    failed: TargetError | None = None
    try:
        own.run(load(own), **three_streams.options())
    except TargetError as error:
        failed = error
    assert failed is None or str(failed).strip(), case
    assert own.control.struck(fault) == 1, case
    own.control.clear_faults()
    batches = {
        one["transaction"]
        for one in log
        if re.match(r'INSERT INTO "ANALYTICS"."AUDIT"."BATCHES"', one["statement"])
    }
    in_batch = entry["transaction"] in batches
    check_retries(own, name, in_batch=in_batch, failed=failed, case=case)
    if failed is None and FAULTS[name].get("code") in CLASSES:
        runs = f"SELECT RUN_ID FROM ANALYTICS.AUDIT.BATCHES WHERE {three_streams.of_view(own)}"
        ended = own.query(f"SELECT STATUS FROM ANALYTICS.AUDIT.RUNS_CURRENT WHERE RUN_ID IN ({runs})")
        assert [row["STATUS"] for row in ended] == ["completed"], case
    if failed is not None:
        own.run(three_streams.rest(load(own), states_of(failed)), **three_streams.options())
    assert three_streams.stored(own) == expected, case
    three_streams.check_trail(own)


def check_retries(world: World, name: str, *, in_batch: bool, failed: TargetError | None, case: str) -> None:
    """RETRIES tells the fault of a batch once, with its code and class, and nothing that did not happen."""
    rows = world.query(f"SELECT * FROM ANALYTICS.AUDIT.RETRIES WHERE {three_streams.of_view(world)}")
    code = FAULTS[name].get("code")
    assert len(rows) <= 1, case
    assert all(row["OUTCOME"] == ("retried" if failed is None else "gave_up") for row in rows), (case, rows)
    assert all(row["ATTEMPT"] == 1 and row["STEP"] and row["WAIT_MS"] >= 0 for row in rows), (case, rows)
    if code in CLASSES and in_batch:
        assert failed is None, (case, failed)
        [row] = rows
        assert (row["ERRNO"], row["ERROR_CLASS"]) == (code, CLASSES[code]), case
    if code in CLASSES and isinstance(failed, StatementError):
        assert failed.errno == code, (case, failed)


@pytest.mark.parametrize("sample", range(SAMPLES))
def test_some_faults_at_some_statements(world: World, sample: int) -> None:
    chance = random.Random(f"{SEED} {sample}")  # noqa: S311 - a choice of tests, not a secret
    share = (sample + chance.random()) / SAMPLES
    name = list(FAULTS)[sample % len(FAULTS)]
    struck_and_mended(world, name, 1 + int(share * len(reference(world)[0])))


@pytest.mark.full
@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_at_every_statement(world: World, name: str, part: int) -> None:
    for number in range(1 + part, len(reference(world)[0]) + 1, SLICES):
        struck_and_mended(world, name, number)


@pytest.mark.parametrize("when", ["before", "after"])
def test_commit_whose_answer_is_lost(world: World, when: str) -> None:
    log = reference(world)[0]
    number = max(at for at, entry in enumerate(log, 1) if entry["kind"] == "COMMIT" and entry["transaction"])
    struck_and_mended(world, f"reset {when}", number)


@pytest.mark.parametrize(
    "how",
    [
        {"kind": "error", "status": 403},
        {"kind": "error", "status": 500},
        {"kind": "reset", "when": "before"},
        {"kind": "reset", "when": "during"},
        {"kind": "reset", "when": "after"},
    ],
)
def test_upload_that_fails(world: World, how: dict[str, Any]) -> None:
    fault = world.control.fault(on="upload", **how)
    world.run(load(world), **three_streams.options())
    assert world.control.struck(fault) == 1
    assert three_streams.stored(world) == reference(world)[1]
    three_streams.check_trail(world)


def test_login_that_is_refused_is_tried_once(world: World) -> None:
    """Snowflake locks a user out after a few wrong logins."""
    fault = world.control.fault("error", on="login", code=390144, user="LOADER", times=9)
    with pytest.raises(StatementError, match="refused the login"):
        world.run(load(world), **three_streams.options())
    assert world.control.struck(fault) == 1


def test_login_that_is_refused_when_the_session_is_lost_is_tried_once(world: World) -> None:
    world.control.fault("error", pattern="^MERGE INTO", nth=2, code=390114, user="LOADER")
    login = world.control.fault("error", on="login", nth=2, code=390144, user="LOADER", times=9)
    with pytest.raises(StatementError, match="refused the login") as raised:
        world.run(load(world), **three_streams.options())
    assert world.control.struck(login) == 1
    world.control.clear_faults()
    world.run(three_streams.rest(load(world), states_of(raised.value)), **three_streams.options())
    assert three_streams.stored(world) == reference(world)[1]
