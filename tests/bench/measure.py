"""Wall time, processor time and peak memory of a command and all processes it starts."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAMPLE_SECONDS = 0.02
MB = 1 << 20
TAIL_CHARACTERS = 2_000


class BenchError(Exception):
    """A figure cannot be taken; the text says why, for a person."""


@dataclass(frozen=True)
class Measured:
    """One run of a command: seconds on the clock, seconds of processor, peak of resident memory in MB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def run_measured(
    command: Sequence[str | Path],
    *,
    log: Path,
    stdin: Path | None = None,
    stdout: Path | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Measured:
    """Run a command to its end with its files connected directly, so that this process costs it nothing.

    Raises:
        BenchError: the command ended with another code than 0; the end of its log is in the text.
    """
    with ExitStack() as files:
        source = files.enter_context(stdin.open("rb")) if stdin else subprocess.DEVNULL
        target = files.enter_context(stdout.open("wb")) if stdout else subprocess.DEVNULL
        errors = files.enter_context(log.open("wb"))
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=source, stdout=target, stderr=errors, env=environment, cwd=directory
        )
        memory = MemoryWatch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = memory.stop()
    if process.returncode:
        message = f"{command[0]} ended with code {process.returncode}:\n{tail(log)}"
        raise BenchError(message)
    return Measured(seconds=seconds, cpu_seconds=usage.ru_utime + usage.ru_stime, peak_mb=peak)


def tail(log: Path) -> str:
    """Give the end of a log file."""
    return log.read_text(errors="replace")[-TAIL_CHARACTERS:]


class MemoryWatch:
    """Samples the memory of a process and its descendants until told to stop.

    `ru_maxrss` cannot be used: the kernel carries the starting process's own peak into it at exec.
    """

    def __init__(self, pid: int) -> None:
        """Start to watch."""
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Stop watching and give the peak in MB: of all processes together, or of the largest one alone."""
        self._ended.set()
        self._thread.join()
        return self._peak / MB

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, *_tree_memory(self._pid))


def _tree_memory(pid: int) -> tuple[int, int]:
    """Give the bytes that the whole tree holds now, and the highest ever of one process (`VmHWM`).

    A child that was forked a moment ago shares its parent's pages; `Pss` counts each shared page once. It is
    read only where there is a child, since the kernel walks all pages for it.
    """
    tree = _tree(pid)
    highest = max(_kilobytes(one, "status", "VmHWM") for one in tree)
    now = sum(_kilobytes(one, "smaps_rollup", "Pss") for one in tree) if len(tree) > 1 else 0
    return now * 1024, highest * 1024


def _tree(pid: int) -> list[int]:
    """Give a process and all its descendants; those that end meanwhile are left out."""
    found = [pid]
    for parent in found:  # grows while it is walked
        try:
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _kilobytes(pid: int, file: str, name: str) -> int:
    """Give one line of a file in /proc/PID; 0 when the process has just ended."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)
