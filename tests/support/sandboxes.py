"""`sandbox up` as a fixture: both stand-ins, their environment, and a client for the control of each."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snowflake_control import SnowflakeControl
from x3_control import X3Control
from x3_servers import check_read_only

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    environment: dict[str, str]
    x3: X3Control
    snowflake: SnowflakeControl


@contextmanager
def sandbox(*options: str) -> Iterator[Sandbox]:
    """Start `sandbox up OPTIONS`, give its environment, check that nothing was written to X3, and stop it."""
    command = [str(Path(sys.executable).parent / "sandbox"), "up", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            environment = _environment(process)
            yield Sandbox(
                environment=environment,
                x3=X3Control(environment["SANDBOX_X3_URL"]),
                snowflake=SnowflakeControl(
                    environment["SANDBOX_SNOWFLAKE_HOST"], int(environment["SANDBOX_SNOWFLAKE_PORT"])
                ),
            )
            check_read_only(environment["SANDBOX_X3_URL"])
        finally:
            process.terminate()


def _environment(process: subprocess.Popen[str]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for line in process.stdout or ():
        if line.strip() == "ready":
            return variables
        name, _, value = line.strip().partition("=")
        variables[name] = value
    message = f"`sandbox up` ended with code {process.wait()} before it was ready"
    raise RuntimeError(message)
