"""The two servers as child processes that print one JSON line when they are ready."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

SANDBOX = Path(__file__).resolve().parents[1]


class ServiceError(Exception):
    """A server ended, or said something else, before it was ready."""


class Service:
    """One server process. It stops when its standard input closes, so it cannot outlive this process."""

    def __init__(self, module: str, arguments: list[str]) -> None:
        """Start `python -m MODULE ARGUMENTS` with the sandbox's folder on the module path."""
        self.module = module
        environment = {**os.environ, "PYTHONPATH": str(SANDBOX)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, "--stop-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            # Ctrl-C must reach the command first; the servers are stopped by this process when it has ended.
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        """Nothing to do: the process runs since construction."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop the server."""
        self.stop()

    def ready(self) -> dict[str, Any]:
        """Wait for the ready line and give it.

        Raises:
            ServiceError: the server ended first; what it printed on standard error says why.
        """
        if self._process.stdout is None:  # pragma: no cover - a pipe was asked for
            message = f"{self.module}: no standard output"
            raise ServiceError(message)
        line = self._process.stdout.readline()
        if not line:
            message = f"{self.module} ended with code {self._process.wait()} before it was ready"
            raise ServiceError(message)
        ready: dict[str, Any] = json.loads(line)
        return ready

    def stop(self) -> None:
        """End the server by closing its input, and make it end after five seconds."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
