"""A second process checks records beside the first one: the same lines, and nothing lost when it ends."""

from __future__ import annotations

import gzip
import io
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from decimal import Decimal
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.batch import SHARED_ROWS, Batch
from target_snowflake_audit.checking import second as second_process
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.parts import Chunk
from target_snowflake_audit.checking.plan import make_plan, with_converters
from target_snowflake_audit.checking.second import ENDED, SecondProcess, cores, lines_of, serve
from target_snowflake_audit.columntypes import ColumnType
from target_snowflake_audit.reading.reader import MessageReader
from target_world import feed, lines, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.reading.blocks import Records
    from target_world import World

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "k": {"type": "integer"},
        "text": {"type": ["string", "null"], "maxLength": 8},
        "iban": {"type": ["string", "null"]},
        "amount": {"type": ["number", "null"]},
        "day": {"type": ["string", "null"], "format": "date"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "time": {"type": ["string", "null"], "format": "time"},
        "flag": {"type": ["boolean", "null"]},
        "more": {"type": ["object", "null"]},
        "bytes": {"type": ["string", "null"], "contentEncoding": "base64"},
        "kind": {"type": ["string", "null"], "enum": ["a", "b", None]},
    },
}
MESSAGE = {"stream": "s", "schema": SCHEMA, "bookmark_properties": ["at"]}
ODD = [
    '"k":null',
    '"text":"far too long"',
    '"amount":"x"',
    '"day":"2026-02-30"',
    '"kind":"c"',
    '"flag":1',
    '"unknown":[1]',
    '"more":{"n":1.10}',
    '"text":"\u00e9\U0001f642"',
    '"_sdc_deleted_at":"2026-01-31T08:00:00Z"',
]


@pytest.fixture
def second() -> Iterator[SecondProcess]:
    """With a fresh interpreter, as a test runner has threads and may not fork."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    made = SecondProcess(ours, process)
    yield made
    made.close()


def plan_of(settings: dict[str, Any] | None = None) -> StreamPlan:
    usual = {"number_type": "NUMBER(38,2)", "redact_columns": {"*": {"iban": "hash"}}}
    return make_plan(usual | (settings or {}), "s", SCHEMA, ["k"], MESSAGE, "DB")


def records(checker: Checker, count: int) -> list[Records]:
    """Records as the reader hands them over: one in ten is odd."""
    found: list[Records] = []
    reader = MessageReader()
    assert checker.form is not None
    reader.decode_as("s", checker.form.decode)
    reader.take_records = found.append
    text = "".join(
        f'{{"type":"RECORD","stream":"s","record":{body(number)},"time_extracted":"2026-02-01T00:00:00Z"}}\n'
        for number in range(count)
    )
    reader.process_lines(io.BytesIO(text.encode()), {})
    assert sum(map(len, found)) == count
    return found


def body(number: int) -> str:
    members = {"text": '"a,b"', "amount": "1.5", "day": '"2026-01-31"', "time": '"08:00:00"', "iban": '"DE1"'}
    members |= {"k": str(number), "at": f'"2026-01-31T08:{number // 60 % 60:02d}:{number % 60:02d}Z"'}
    if number % 10 == 3:
        name, _, value = ODD[number // 10 % len(ODD)].partition(":")
        members[name.strip('"')] = value
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"


def gathered(plan: StreamPlan, count: int, second: SecondProcess | None) -> dict[str, Any]:
    """What a batch of so many records is."""
    checker = Checker(plan)
    checker.redactor.salt = "salt"
    batch = Batch(checker, 1, "run", second=second)
    seq = 0
    for one in records(checker, count):
        batch.add_all(one, range(seq, seq + len(one)))
        seq += len(one)
    batch.finish()
    try:
        told = ("received", "bytes", "dead", "lost", "stamps", "extracted", "reasons", "batch_id")
        return {
            **{name: getattr(batch, name) for name in told},
            "seqs": list(batch.seqs),
            "lines": gzip.decompress(batch.file.path.read_bytes()),
            "count": batch.file.lines,
            "records": batch.spool.tail(0),
        }
    finally:
        batch.close()


@pytest.mark.parametrize("count", [SHARED_ROWS - 1, 3 * SHARED_ROWS + 70])
def test_a_batch_is_the_same_with_and_without(second: SecondProcess, count: int) -> None:
    alone = gathered(plan_of(), count, None)
    assert alone["dead"] > count // 25
    assert gathered(plan_of(), count, second) == alone
    assert second.is_there


def test_another_plan_of_the_stream_is_another_one_there(second: SecondProcess) -> None:
    for settings in (None, {"number_type": "FLOAT"}, {"validate_records": False}):
        plan = plan_of(settings)
        assert gathered(plan, 2 * SHARED_ROWS, second) == gathered(plan, 2 * SHARED_ROWS, None)
    assert second.is_there


def test_columns_as_the_table_has_them(second: SecondProcess) -> None:
    """A column of another type than the SCHEMA says, and one that only keeps its old values."""
    plan = plan_of()
    changed: dict[str, dict[str, Any]] = {
        "amount": {"type": ColumnType("VARCHAR", length=20), "conflict": "NUMBER(38,2)"},
        "day": {"retired": True},
    }
    columns = tuple(replace(column, **changed.get(column.property, {})) for column in plan.columns)
    plan = with_converters(replace(plan, columns=columns))
    assert gathered(plan, 2 * SHARED_ROWS, second) == gathered(plan, 2 * SHARED_ROWS, None)
    assert second.is_there


def test_batches_of_two_streams_in_turns(second: SecondProcess) -> None:
    """The answer for one stream is kept while the other one asks."""
    checkers = [Checker(plan_of()), Checker(replace(plan_of(), stream="t"))]
    batches = [Batch(checker, 1, "run", second=second) for checker in checkers]
    for checker in checkers:
        checker.redactor.salt = "salt"
    seq = 0
    for one in records(checkers[0], 4 * SHARED_ROWS):
        for batch in batches:
            batch.add_all(one, range(seq, seq + len(one)))
        seq += len(one)
    for batch in batches:
        batch.finish()
    assert batches[0].file.sha256 == batches[1].file.sha256
    assert batches[0].file.lines == batches[1].file.lines == 4 * SHARED_ROWS
    for batch in batches:
        batch.close()


def test_the_first_process_goes_on_alone(second: SecondProcess, caplog: pytest.LogCaptureFixture) -> None:
    """Ended before, or while it has records to check: whatever ended it."""
    plan = plan_of()
    alone = gathered(plan, 3 * SHARED_ROWS, None)
    checker = Checker(plan)
    checker.redactor.salt = "salt"
    batch = Batch(checker, 1, "run", second=second)
    seq = 0
    for one in records(checker, 3 * SHARED_ROWS):
        batch.add_all(one, range(seq, seq + len(one)))
        seq += len(one)
        if seq > SHARED_ROWS and second.is_there:
            second.kill()
    batch.finish()
    assert gzip.decompress(batch.file.path.read_bytes()) == alone["lines"]
    assert batch.dead == alone["dead"]
    batch.close()
    assert not second.is_there
    assert gathered(plan, 3 * SHARED_ROWS, second) == alone
    assert [one.getMessage() for one in caplog.records].count(ENDED) == 1


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(cores() < 2, reason="on one core there is no second process")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_whose_second_process_is_ended_loads_everything(world: World, number: signal.Signals) -> None:
    count = 5 * SHARED_ROWS
    found = [world.line(f"D{n // 10:04d}", n % 10, "1.25") for n in range(count)]
    process = world.start()
    feed(process, lines([world.schema_message(), *found[: count // 2]]))
    wait_until(lambda: children(process.pid))
    [other] = children(process.pid)
    os.kill(other, number)
    wait_until(lambda: other not in children(process.pid) or is_dead(other))
    process.communicate(lines([*found[count // 2 :], state({"done": True})]).encode(), timeout=120)
    assert process.returncode == 0
    sums = world.query(f'SELECT COUNT(*) AS "N", SUM("AMOUNT") AS "S" FROM {world.table}')
    assert sums == [{"N": count, "S": Decimal("1.25") * count}]


@pytest.mark.skipif(cores() < 2, reason="on one core there is no second process")
def test_the_second_process_ends_with_a_first_one_that_is_killed(world: World) -> None:
    process = world.start()
    feed(
        process, lines([world.schema_message(), *(world.line("D1", n, "1") for n in range(2 * SHARED_ROWS))])
    )
    wait_until(lambda: children(process.pid))
    [other] = children(process.pid)
    process.kill()
    process.communicate()
    wait_until(lambda: is_dead(other))
    assert is_dead(other)


def is_dead(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def test_no_thread_may_run_when_it_is_forked() -> None:
    """A lock that another thread holds would stay locked in the copy."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        assert SecondProcess.start() is None
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("error", [BlockingIOError("no more processes"), AssertionError("of a daemon")])
def test_a_run_goes_without_it_where_it_cannot_be_forked(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise error

    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(second_process, "cores", lambda: 2)
    monkeypatch.setattr(ForkProcess, "start", refuse)
    assert SecondProcess.start() is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max 100000", 8),
        ("50000 100000", 1),
        ("150000 100000", 2),
        ("400000 100000", 4),
        ("odd", 8),
        (None, 8),
    ],
)
def test_a_containers_share_of_the_cores(
    text: str | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    file = tmp_path / "cpu.max"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(second_process, "_QUOTA", file)
    assert cores() == expected


def test_a_stopped_one_is_ended(second: SecondProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a debugger; the first process must not wait for ever."""
    plan = plan_of()
    alone = gathered(plan, 3 * SHARED_ROWS, None)
    assert gathered(plan, SHARED_ROWS, second)["dead"]
    monkeypatch.setattr(second_process, "_ANSWER_SECONDS", 0.5)
    os.kill(second._process.pid or 0, signal.SIGSTOP)  # noqa: SLF001
    assert gathered(plan, 3 * SHARED_ROWS, second) == alone
    assert not second.is_there


def test_a_letter_that_cannot_be_sent_is_made_here(second: SecondProcess) -> None:
    """A key that nests deeply goes into a letter, and pickle follows it only so deep."""
    checker = Checker(plan_of())
    checker.redactor.salt = "salt"
    deep = b'{"k":' + b'{"a":' * 600 + b"1" + b"}" * 600 + b"}"
    task = second.begin(checker, Chunk([], [deep], [1], [None]))
    [found] = second.result(task)
    assert [letter.seq for letter in found.letters] == [1]
    assert second.is_there


def test_an_answer_that_was_not_taken_is_taken_for_no_other(
    second: SecondProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal ends the wait for an answer; the next chunk gets its own."""

    class SignalledError(BaseException):
        """As the handler of a signal raises."""

    def interrupted(*_: object) -> None:
        raise SignalledError

    checker = Checker(plan_of())
    checker.redactor.salt = "salt"
    task = second.begin(checker, Chunk([], [body(n).encode() for n in range(5)], list(range(5)), [None] * 5))
    with monkeypatch.context() as patched:
        patched.setattr(Connection, "poll", interrupted)
        with pytest.raises(SignalledError):
            second.result(task)
    task = second.begin(checker, Chunk([], [body(7).encode()], [7], [None]))
    [found] = second.result(task)
    assert found.data.startswith(b"7,")
    assert not second.is_there


@pytest.mark.parametrize("use", [False, True])
def test_numbers_that_nobody_can_read_are_dead_letters(use: bool, second: SecondProcess) -> None:  # noqa: FBT001
    """5,000 digits, or an exponent without end, inside of a VARIANT: neither stops the run."""
    checker = Checker(plan_of())
    checker.redactor.salt = "salt"
    odd = ["9" * 5000, "1e99999999999999999999"]
    raw = [f'{{"k":{n},"more":{{"n":{number}}}}}'.encode() for n, number in enumerate([*odd, "1"])]
    chunk = Chunk([], raw, [0, 1, 2], [None] * 3)
    [found] = second.result(second.begin(checker, chunk)) if use else [lines_of(checker.check(chunk))]
    assert [letter.seq for letter in found.letters] == [0, 1]
    assert [letter.problems[0].column for letter in found.letters] == ["MORE", "MORE"]
    assert found.count == 3
    assert second.is_there


def test_such_numbers_do_not_stop_a_run(world: World) -> None:
    """Whether its line is looked at with others or by itself."""
    message = world.schema_message()
    good = [world.line("D1", n, "1") for n in range(3)]
    odd = lines([world.line("D2", 1, "1")]).replace('"D2"', '"D2","more":' + "9" * 5000)
    other = lines([world.line("D3", 1, "1")]).replace('"D3"', '"D3","more":[1e99999999999999999999]')
    done = world.start()
    text = lines([message, *good]) + odd + other + lines([world.line("D4", 1, "1"), state({"done": True})])
    out, _ = done.communicate(text.encode(), timeout=60)
    assert done.returncode == 0
    assert out
    assert len(world.rows()) == 6
