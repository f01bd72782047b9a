"""The process at the other end of a connection on this machine, and signals to it.

Only where /proc is (Linux): there a socket's port leads to its inode, and that to the process that holds it.
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

_PROC = Path("/proc")
_DIES_WITHIN = 5.0  # seconds
_INIT = 1


def check(pid: int, name: str) -> None:
    """Refuse a signal or a process that could not be meant.

    Raises:
        ValueError: with the reason.
    """
    if name not in signal.Signals.__members__:
        msg = f"unknown signal {name!r}"
        raise ValueError(msg)
    if pid < 0 or pid in {_INIT, os.getpid(), os.getppid()}:
        msg = f"process {pid} must not be killed"
        raise ValueError(msg)
    if pid == 0 and not (_PROC / "net" / "tcp").exists():
        msg = "without /proc the process of a statement is unknown: say its pid"
        raise ValueError(msg)


def of_port(port: int) -> int:
    """The process that holds the client's side of a loopback connection.

    Raises:
        LookupError: there is none, or it is this process.
    """
    inode = _inode(port)
    for process in _PROC.iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid() and _holds(process, inode):
            return int(process.name)
    msg = f"no other process holds the connection from port {port}"
    raise LookupError(msg)


def _inode(port: int) -> str:
    for table in ("tcp", "tcp6"):
        file = _PROC / "net" / table
        for line in file.read_text().splitlines()[1:] if file.exists() else []:
            columns = line.split()
            if int(columns[1].rsplit(":", 1)[1], 16) == port and columns[9] != "0":
                return columns[9]
    msg = f"no connection from port {port}"
    raise LookupError(msg)


def _holds(process: Path, inode: str) -> bool:
    try:
        return any(str(link.readlink()) == f"socket:[{inode}]" for link in (process / "fd").iterdir())
    except OSError:  # it has ended, or belongs to another user
        return False


def send(pid: int, wanted: signal.Signals) -> None:
    """Send a signal; after SIGKILL wait until the process is dead, so that nothing more can come from it.

    Raises:
        LookupError: there is no such process.
        TimeoutError: it does not die.
    """
    try:
        os.kill(pid, wanted)
    except ProcessLookupError as error:
        msg = f"there is no process {pid}"
        raise LookupError(msg) from error
    deadline = time.monotonic() + _DIES_WITHIN
    while wanted is signal.SIGKILL and _lives(pid):
        if time.monotonic() > deadline:
            msg = f"process {pid} does not die"
            raise TimeoutError(msg)
        time.sleep(0.005)


def _lives(pid: int) -> bool:
    """Whether it is there and not a zombie that only waits for its parent."""
    try:
        os.kill(pid, 0)
        state = re.search(r"^State:\s+(\w)", (_PROC / str(pid) / "status").read_text(), re.MULTILINE)
    except OSError:
        return False
    return state is not None and state[1] != "Z"
