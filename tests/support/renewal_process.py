"""Renewals in processes that are killed: at a named system call, or after a while.

Run as a program it reads one JSON job a line, `{"config": ..., "point": N, "after": bool}` or
`{"config": ..., "delay": seconds}`, does each in a process of its own, and prints one JSON line about it:
whether it was killed, the system calls that it had made, and the access token that it got, if it did.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from contextlib import contextmanager

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLS = ("open", "pwrite", "ftruncate", "fsync", "replace", "close")
"""Functions of `os` that a renewal uses; each call of one is a point, and so are asking and reading."""


class Killer:
    """Notes the points that a process passes, and kills it at one of them."""

    def __init__(self, point: int | None, *, after: bool) -> None:
        """Kill before or after the point with this number."""
        self._point, self._after = point, after
        self.passed: list[str] = []

    def watched(self, name: str, function: Callable[..., t.Any]) -> Callable[..., t.Any]:
        """The function with a point before and after it."""

        def call(*arguments: t.Any, **named: t.Any) -> t.Any:  # noqa: ANN401
            number = len(self.passed)
            self.passed.append(name)
            if number == self._point and not self._after:
                self._kill()
            result = function(*arguments, **named)
            if number == self._point:
                self._kill()
            return result

        return call

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def _renew(job: dict[str, t.Any], report: int) -> None:
    """Do the renewal of a job in this process and write what came of it."""
    import requests  # noqa: PLC0415 - imported before, by the parent
    from tap_sagex3.auth import CloudLogin, gateway  # noqa: PLC0415
    from tap_sagex3.settings import read_settings  # noqa: PLC0415

    login = CloudLogin(read_settings(job["config"]))
    write = os.write
    killer = Killer(job.get("point"), after=job.get("after", False))
    for name in CALLS:
        setattr(os, name, killer.watched(name, getattr(os, name)))
    requests.Session.post = killer.watched("ask", requests.Session.post)  # type: ignore[method-assign]
    name = "read_answer"
    setattr(gateway, name, killer.watched("read", getattr(gateway, name)))
    token = login.header()
    write(report, json.dumps({"token": token, "points": killer.passed}).encode())


def _do(job: dict[str, t.Any]) -> dict[str, t.Any]:
    """Fork, and kill the child after a while when the job says so."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _renew(job, writing)
        except Exception as error:  # noqa: BLE001 - told to the parent
            os.write(writing, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        os._exit(0)
    os.close(writing)
    if "delay" in job:
        time.sleep(job["delay"])
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    return {**(json.loads(told) if told else {}), "killed": os.WIFSIGNALED(status)}


class RenewalProcesses:
    """Starts renewals and tells what became of them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Talk to the running program."""
        self._process = process

    def run(self, config: dict[str, t.Any], **job: object) -> dict[str, t.Any]:
        """Do one job."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError
        print(json.dumps({"config": config, **job}), file=self._process.stdin, flush=True)
        return t.cast("dict[str, t.Any]", json.loads(self._process.stdout.readline()))


@contextmanager
def renewal_processes() -> Iterator[RenewalProcesses]:
    """Start the program; the key is taken from this process's environment."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield RenewalProcesses(process)
        if process.stdin is not None:
            process.stdin.close()


def main() -> None:
    """Do jobs until the input ends."""
    import tap_sagex3.transport  # noqa: F401, PLC0415 - once, for all children

    for line in sys.stdin:
        print(json.dumps(_do(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
