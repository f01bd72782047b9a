"""Streams load beside each other and beside reading; what one of them does never costs another its rows."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib.exceptions import InvalidInputLine
from target_snowflake_audit.errors import (
    CompletenessError,
    DeadLetterLimitError,
    SchemaError,
    StreamsFailedError,
)
from target_world import lines, state

if TYPE_CHECKING:
    from target_world import Message, World


def of(world: World, name: str, messages: list[Message]) -> list[Message]:
    """Messages under another stream name of the same test."""
    return [{**m, "stream": f"{world.stream}_{name}"} if "stream" in m else m for m in messages]


def stored(world: World, name: str) -> int:
    return int(world.query(f'SELECT COUNT(*) AS "N" FROM {world.table}_{name.upper()}')[0]["N"])


def rows(world: World, name: str, count: int, **more: Any) -> list[Message]:  # noqa: ANN401
    found = [world.schema_message(), *(world.line("D", n, **more) for n in range(count))]
    return of(world, name, found)


def sessions(world: World) -> int:
    return len({entry["session"] for entry in world.control.query_log(user="LOADER")})


def test_other_stream_commits_while_one_is_slow_and_state_waits_for_both(world: World) -> None:
    world.run([*rows(world, "a", 1), *rows(world, "b", 1)])
    fault = world.control.fault("slow", pattern=f"^MERGE INTO .*{world.stream}_a", seconds=8, user="LOADER")
    process = world.start(batch_size_rows=5)
    text = lines([*rows(world, "a", 5, amount="2.00"), *rows(world, "b", 5, amount="3.00"), state({"n": 1})])
    assert process.stdin is not None
    process.stdin.write(text.encode())
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while stored(world, "b") < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (stored(world, "a"), stored(world, "b")) == (1, 5)
    assert process.stdout is not None
    out: list[bytes] = []
    reader = threading.Thread(target=lambda: out.append(process.stdout.readline()))  # type: ignore[union-attr]
    reader.start()
    assert out == []
    world.control.clear_faults()
    reader.join(30)
    # Its STATE leaves at COMMIT, while the input is open and silent.
    assert out == [b'{"n":1}\n']
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert (stored(world, "a"), fault >= 0) == (5, True)


def test_one_session_is_enough(world: World) -> None:
    world.control.clear_log()
    world.run([*rows(world, "a", 3), *rows(world, "b", 3), *rows(world, "c", 3)], max_parallelism=1)
    assert [stored(world, name) for name in "abc"] == [3, 3, 3]
    assert sessions(world) == 1


def test_most_sessions_are_kept(world: World) -> None:
    world.control.clear_log()
    messages = [m for n in range(6) for m in rows(world, f"s{n}", 3)]
    world.run(messages, max_parallelism=2)
    assert [stored(world, f"s{n}") for n in range(6)] == [3] * 6
    assert sessions(world) <= 2


def test_batches_of_a_stream_load_in_their_order(world: World) -> None:
    messages = [world.schema_message()]
    messages += [world.line("A", n % 3, f"{n}.00") for n in range(30)]
    world.run(messages, batch_size_rows=3)
    assert [int(row["AMOUNT"]) for row in world.rows()] == [27, 28, 29]
    numbers = [row["BATCH_NUMBER"] for row in world.audit("BATCHES", '"LOADED_AT"')]
    assert numbers == list(range(1, 11))


def test_failing_stream_does_not_lose_the_others(world: World) -> None:
    bad = [world.line("D", n, amount="1.001") for n in range(60)]
    good = [world.line("D", 100 + n) for n in range(60)]
    messages = [
        *rows(world, "before", 3),
        state({"n": 1}),
        *of(world, "bad", [world.schema_message(), *good, *bad]),
        state({"n": 2}),
        *rows(world, "after", 3),
        state({"n": 3}),
    ]
    with pytest.raises(DeadLetterLimitError, match="max_dead_letter_percent") as caught:
        world.run(messages, batch_size_rows=50)
    assert caught.value.__notes__ == ['{"n":1}\n']
    assert (stored(world, "before"), stored(world, "after")) == (3, 3)
    # The first batch was good; the second broke the limit and was rolled back, its letters are kept.
    assert stored(world, "bad") == 50
    letters = world.query(
        f"SELECT COUNT(*) AS \"N\" FROM ANALYTICS.AUDIT.DEAD_LETTERS WHERE STREAM = '{world.stream}_bad'"
    )
    assert letters[0]["N"] == 40
    run = world.query(
        "SELECT r.STATUS, r.ERROR FROM ANALYTICS.AUDIT.RUNS_CURRENT r JOIN ANALYTICS.AUDIT.BATCHES b "
        f"ON b.RUN_ID = r.RUN_ID WHERE b.STREAM = '{world.stream}_after'"
    )
    assert run[0]["STATUS"] == "failed"
    assert "max_dead_letter_percent" in run[0]["ERROR"]


def test_several_failing_streams_are_all_named(world: World) -> None:
    broken = {"type": "object", "properties": {"id": {"type": "integer"}}}
    messages = [
        *of(world, "x", [world.schema_message(broken, key=["nope"])]),
        *of(world, "y", [world.schema_message(broken, key=["nor"])]),
        *rows(world, "good", 2),
    ]
    with pytest.raises(StreamsFailedError, match=r"2 streams failed: .*_x.*nope.*_y.*nor"):
        world.run(messages)
    assert stored(world, "good") == 2


def test_state_stays_where_a_stream_cannot_be_defined(world: World) -> None:
    broken = {"type": "object", "properties": {"id": {"type": "integer"}}}
    bad = [world.schema_message(broken, key=["nope"]), world.record({"id": 1})]
    messages = [*rows(world, "good", 2), state({"n": 1}), *of(world, "x", bad), state({"n": 2})]
    with pytest.raises(SchemaError, match="nope") as caught:
        world.run(messages)
    assert caught.value.__notes__ == ['{"n":1}\n']


def test_line_that_is_no_json_ends_the_run_and_what_came_before_is_loaded(world: World) -> None:
    text = lines([world.schema_message(), world.line("A", 1), state({"n": 1}), world.line("A", 2)])
    with pytest.raises(InvalidInputLine) as caught:
        world.run_text(text + '{"type": "RECORD", "stream": ')
    assert len(world.rows()) == 2
    assert caught.value.__notes__ == ['{"n":1}\n']


SCOPED = {"x-replace-scope": ["documentId"]}


@pytest.mark.parametrize(("rest", "left"), [([], 3), ([state({"n": 2})], 2)])
def test_input_cut_inside_a_document_removes_nothing(world: World, rest: list[Message], left: int) -> None:
    """After the last STATE nobody knows whether the last document is whole."""
    schema = {**world.schema_message()["schema"], **SCOPED}
    head = world.schema_message(schema)
    world.run([head, *(world.line("A", n) for n in (1, 2, 3)), state({"n": 1})])
    world.run([head, state({"n": 1}), *(world.line("A", n, "2.00") for n in (1, 2)), *rest])
    assert len(world.rows()) == left


def counted(world: World, told: int, **more: object) -> Message:
    control = {"run": "r1", "records": {world.stream: told}}
    return state({"bookmarks": {world.stream: {"control": control, **more}}})


def test_line_lost_in_the_pipe_fails_the_run_before_its_state(world: World) -> None:
    messages = [world.schema_message(), world.line("A", 1), counted(world, 1), world.line("A", 2)]
    messages += [world.line("A", 3), counted(world, 3)]
    del messages[3]
    with pytest.raises(
        CompletenessError, match=r"the tap counted 3 records, 2 arrived.*control_counts"
    ) as caught:
        world.run(messages)
    assert len(caught.value.__notes__[0].splitlines()) == 1
    assert len(world.rows()) == 2


@pytest.mark.parametrize(("mode", "said"), [("report", True), ("off", False)])
def test_lost_line_can_be_allowed(world: World, mode: str, said: bool) -> None:  # noqa: FBT001
    ended = world.run([world.schema_message(), world.line("A", 1), counted(world, 2)], control_counts=mode)
    assert ("the tap counted 2 records, 1 arrived" in ended.log) is said
    assert len(ended.states) == 1


def test_counts_of_an_earlier_run_are_not_compared(world: World) -> None:
    """A STATE carries the counts of streams that this run has not begun, or does not read."""
    other = {"run": "r0", "records": {"elsewhere": 7}}
    message = state({"bookmarks": {"elsewhere": {"control": other}}})
    ended = world.run([world.schema_message(), world.line("A", 1), message])
    assert len(ended.states) == 1


def test_records_that_a_map_of_ours_leaves_out_have_arrived(world: World) -> None:
    maps = {world.stream: {"__filter__": "lineNumber > 1"}}
    messages = [world.schema_message(), world.line("A", 1), world.line("A", 2), counted(world, 2)]
    world.run(messages, stream_maps=maps)
    assert len(world.rows()) == 1
