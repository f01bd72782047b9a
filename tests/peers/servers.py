"""The two warehouses that are compared: fakesnow as it comes, and ours without its contract."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processes import SANDBOX, SANDBOX_PYTHON, server

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 120.0


@dataclass(frozen=True)
class Warehouse:
    """A running warehouse: the loader's settings for it, and where its connector finds it."""

    config: dict[str, Any]
    address: dict[str, Any]
    ready: dict[str, Any] = field(default_factory=dict)


@contextmanager
def ours() -> Iterator[Warehouse]:
    """Start a local Snowflake that takes any statement it can run."""
    with server("local_snowflake", "--contract", "off") as running:
        ready = running.ready
        config = {
            "account": ready["account"],
            "user": ready["admin_user"],
            "password": ready["admin_password"],
            "database": ready["database"],
            "warehouse": ready["warehouse"],
        }
        yield Warehouse(config, {name: ready[name] for name in ("host", "port", "protocol")}, ready)


@contextmanager
def stock() -> Iterator[Warehouse]:
    """Start fakesnow's own server.

    It answers some failures with HTTP 500, which the connectors try again for minutes: hence the time limit.
    """
    port = _free_port()
    with tempfile.TemporaryFile() as log:
        command = [str(SANDBOX_PYTHON.with_name("fakesnow")), "-s", "-p", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=SANDBOX)
        try:
            _wait(process, port)
            config = dict.fromkeys(("account", "user", "password", "warehouse"), "fake")
            address = {"host": "127.0.0.1", "port": port, "protocol": "http", "network_timeout": 4}
            yield Warehouse(config | {"database": "ANALYTICS"}, address)
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    message = f"fakesnow's server did not start (exit code {process.poll()})"
    raise RuntimeError(message)
