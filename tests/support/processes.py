"""Start the sandbox's servers as processes of their own and wait for their ready line."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
SANDBOX = ROOT / "tests" / "sandbox"
SANDBOX_PYTHON = SANDBOX / ".venv" / "bin" / "python"
VENV_BIN = ROOT / ".venv" / "bin"


@dataclass
class Server:
    """A running server: what it said in its ready line, and how to end it."""

    process: subprocess.Popen[bytes]
    ready: dict[str, t.Any]
    log: Path
    _stopped: bool = field(default=False, repr=False)

    def log_text(self) -> str:
        """Everything that the server wrote to stderr."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self, timeout: float = 10.0) -> None:
        """Close stdin, which ends a server started with `--stop-with-stdin`; then SIGTERM, then SIGKILL."""
        if self._stopped:
            return
        self._stopped = True
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not _ended(self.process, timeout / 2):
            self.process.send_signal(signal.SIGTERM)
        if not _ended(self.process, timeout / 2):
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.unlink(missing_ok=True)


def start_server(module: str, *arguments: str, timeout: float = 60.0) -> Server:
    """Start `python -m MODULE ARGUMENTS --stop-with-stdin` in the sandbox's environment.

    Args:
        module: module of tests/sandbox, for example `local_x3`.
        arguments: its command line.
        timeout: seconds to wait for the ready line.

    Returns:
        The server, with the decoded ready line.

    Raises:
        RuntimeError: the process ended, or said nothing in time; with the end of its log.
    """
    handle, name = tempfile.mkstemp(prefix=f"{module}-", suffix=".log")
    environment = {**os.environ, "PYTHONPATH": str(SANDBOX), "PYTHONUNBUFFERED": "1"}
    with os.fdopen(handle, "wb") as log:
        process = subprocess.Popen(
            [str(SANDBOX_PYTHON), "-m", module, *arguments, "--stop-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=SANDBOX,
            env=environment,
        )
    path = Path(name)
    line = _first_line(process, timeout)
    if not line:
        process.kill()
        process.communicate()  # closes the pipes
        text = path.read_text(encoding="utf-8", errors="replace")[-4000:]
        msg = f"{module} did not get ready in {timeout:.0f} s (exit code {process.returncode}):\n{text}"
        raise RuntimeError(msg)
    return Server(process, json.loads(line), path)


@contextmanager
def server(module: str, *arguments: str, timeout: float = 60.0) -> Iterator[Server]:
    """`start_server` as a context manager that stops the server at the end."""
    running = start_server(module, *arguments, timeout=timeout)
    try:
        yield running
    finally:
        running.stop()


def run_command(
    command: Sequence[str],
    *,
    env: dict[str, str] | None = None,
    timeout: float = 120.0,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of `.venv/bin` (first word) from the repository's root; never raises on its exit code.

    The environment holds no TAP_SAGEX3_* or TARGET_SNOWFLAKE_AUDIT_* of the caller, only what `env` gives.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TAP_SAGEX3_", "TARGET_SNOWFLAKE_"))}
    return subprocess.run(
        [str(VENV_BIN / command[0]), *command[1:]],
        input=stdin,
        capture_output=True,
        env={**clean, **(env or {})},
        cwd=ROOT,
        timeout=timeout,
        check=False,
    )


def _ended(process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Whether the process ends within `timeout` seconds."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        return False
    return True


def _first_line(process: subprocess.Popen[bytes], timeout: float) -> bytes:
    """The first line of the process's stdout; empty when it ended or said nothing in time."""
    if process.stdout is None:
        return b""
    descriptor = process.stdout.fileno()
    deadline = time.monotonic() + timeout
    read = b""
    while b"\n" not in read:
        wait = deadline - time.monotonic()
        if wait <= 0 or not select.select([descriptor], [], [], wait)[0]:
            return b""
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return b""
        read += chunk
    return read.split(b"\n", 1)[0]
