"""A second process that checks records beside the first: one process of Python uses one core only.

It is forked before the first login and before any thread, so it has all modules in memory that it shares, and
no session. It gets a stream's plan once and then chunks of records as received, and gives back the lines to
stage. It knows nothing of batches and writes no file. Where there is none, or it ends, the
first process does the same work itself.
"""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.parts import Checked, Chunk
from target_snowflake_audit.checking.plan import with_converters

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from target_snowflake_audit.checking.letters import Letter
    from target_snowflake_audit.checking.plan import StreamPlan

logger = logging.getLogger(__name__)

ENDED = "The second process has ended; the first one checks all records itself"
CHUNK_ROWS = 250
"""So few that their values stay in the processor's cache until they are lines."""
_END_SECONDS = 5.0
_ANSWER_SECONDS = 60.0
"""A chunk takes some milliseconds."""
_TWO = 2
_UNSENT = (RecursionError, TypeError, AttributeError, pickle.PicklingError)
"""What pickle raises for what it cannot write, before anything is sent."""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds and period of a container's share of the processors, or `max`
(docs.kernel.org/admin-guide/cgroup-v2.html)."""
_PLAN, _CHUNK = "plan", "chunk"


@dataclass
class Lines:
    """What a chunk became: its lines as one text, and what a batch notes of it."""

    data: bytes
    count: int
    letters: list[Letter]
    stamps: list[str]
    extracted: list[str]
    lost: list[int]
    keys: list[tuple[str, list[str]]]
    lost_keys: bool


def lines_of(checked: Checked) -> Lines:
    """Join the lines of a chunk that was checked; of its stamps only the first and the last matter."""
    return Lines(
        "".join(checked.lines).encode(),
        len(checked.lines),
        checked.letters,
        _ends(checked.stamps),
        _ends(checked.extracted),
        checked.lost,
        checked.keys,
        checked.lost_keys,
    )


def check_plain(checker: Checker, chunk: Chunk) -> list[Lines]:
    """Check records as received, in parts; their keys are not told."""
    starts = range(0, len(chunk), CHUNK_ROWS)
    return [lines_of(checker.check(chunk.part(at, at + CHUNK_ROWS), keys=False)) for at in starts]


def _ends(values: list[str]) -> list[str]:
    return [min(values), max(values)] if values else []


class Task:
    """A chunk that the second process checks; kept until its answer is there."""

    def __init__(self, checker: Checker, chunk: Chunk, number: int) -> None:
        """Nothing is sent yet."""
        self.checker = checker
        self.chunk = chunk
        self.number = number
        self.answer: list[Lines] | None = None


class SecondProcess:
    """Checks one chunk at a time; used by one thread."""

    def __init__(self, connection: Connection, process: BaseProcess) -> None:
        """See `start`."""
        self._connection = connection
        self._process = process
        self._known: dict[str, Checker] = {}
        self._current: Task | None = None
        self._asked = 0
        self._ended = False

    @classmethod
    def start(cls) -> SecondProcess | None:
        """Fork it; None on one core, where threads run already, and where forking is not safe or possible."""
        if sys.platform != "linux" or cores() < _TWO or threading.active_count() > 1:
            return None
        context = multiprocessing.get_context("fork")
        try:
            ours, theirs = context.Pipe()
        except OSError as error:
            logger.info("There is no second process: %s", error)
            return None
        process = context.Process(target=serve, args=(theirs, ours), name="second process", daemon=True)
        try:
            process.start()
        except (OSError, AssertionError) as error:  # no more processes, no memory; or this one may have none
            ours.close()
            logger.info("There is no second process: %s", error)
            return None
        finally:
            theirs.close()
        return cls(ours, process)

    @property
    def is_there(self) -> bool:
        """Whether it has not ended."""
        return not self._ended

    def begin(self, checker: Checker, chunk: Chunk) -> Task:
        """Have a chunk of records as received checked; `result` gives what became of it."""
        self._settle()
        self._asked += 1
        task, stream = Task(checker, chunk, self._asked), checker.plan.stream
        if self._ended:
            return task
        try:
            if self._known.get(stream) is not checker:
                plan = dataclasses.replace(checker.plan, converters=())
                self._connection.send((_PLAN, stream, plan, checker.redactor.salt))
                self._known[stream] = checker
            self._connection.send((_CHUNK, task.number, stream, chunk.raw, chunk.seq, chunk.extracted))
        except BaseException as error:
            self._has_ended()  # what was sent may be half of a message
            if not isinstance(error, (OSError, *_UNSENT)):
                raise
        else:
            self._current = task
        return task

    def result(self, task: Task) -> list[Lines]:
        """Wait for what became of a chunk; it is checked here where the second process could not."""
        if task is self._current:
            self._settle()
        if task.answer is None:
            return check_plain(task.checker, task.chunk)
        return task.answer

    def kill(self) -> None:
        """End it at once, as the system does that has no memory left."""
        self._process.kill()
        self._process.join()

    def close(self) -> None:
        """Let it end."""
        self._ended = True
        self._connection.close()
        self._process.join(_END_SECONDS)

    def _settle(self) -> None:
        """Take the answer that is under way, so that the other side waits for the next message."""
        task, self._current = self._current, None
        if task is None:
            return
        try:
            if not self._connection.poll(_ANSWER_SECONDS):
                self.kill()  # somebody has stopped it
            number, answer = self._connection.recv()
        except BaseException as error:
            self._has_ended()  # another answer than the next one may be in the pipe
            if not isinstance(error, (OSError, EOFError)):
                raise
            return
        if number == task.number and (
            answer is None or sum(lines.count for lines in answer) == len(task.chunk)
        ):
            task.answer = answer
        else:
            self._has_ended()

    def _has_ended(self) -> None:
        if not self._ended:
            self._ended = True
            self._connection.close()
            logger.warning(ENDED)


def cores() -> int:
    """Number of cores that this process may use: of the machine, by affinity, by a container's quota."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text().split()
        return found if quota == "max" else min(found, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        return found  # no such file, as outside of containers


def serve(connection: Connection, other_end: Connection | None = None) -> None:
    """Answer until the first process ends, whatever ends it."""
    if other_end is not None:
        other_end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the first process decides what it means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not the first one's handler
    _leave_input_and_output()
    checkers: dict[str, Checker] = {}
    try:
        while True:
            kind, *parts = connection.recv()
            if kind == _PLAN:
                stream, plan, salt = parts
                checkers[stream] = _checker(plan, salt)
            else:
                number, stream, *chunk = parts
                _answer(connection, number, _checked(checkers[stream], *chunk))
    except (OSError, EOFError):
        return


def _leave_input_and_output() -> None:
    """Who writes our input and reads our output must see their end when the first process ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


def _answer(connection: Connection, number: int, lines: list[Lines] | None) -> None:
    try:
        connection.send((number, lines))
    except _UNSENT:  # a dead letter that nests too deeply; nothing of it was written
        connection.send((number, None))


def _checker(plan: StreamPlan, salt: str) -> Checker:
    checker = Checker(with_converters(plan))
    checker.redactor.salt = salt
    return checker


def _checked(
    checker: Checker, raw: list[bytes], seqs: list[int], extracted: list[str | None]
) -> list[Lines] | None:
    """Check a chunk; None = the first process must do it, and tells what is wrong."""
    try:
        return check_plain(checker, Chunk([], raw, seqs, extracted))
    except Exception:  # noqa: BLE001 - it happens again where it can be told
        return None
