"""`sandbox up` and `sandbox run -- COMMAND`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox_runner.environment import variables
from sandbox_runner.options import Options, parse
from sandbox_runner.services import Service, ServiceError

if TYPE_CHECKING:
    from types import FrameType

EXIT_CANNOT_START = 2


def main() -> None:
    """Run the command line and exit with the command's code."""
    options = parse(sys.argv[1:])
    try:
        with ExitStack() as stack:
            environment = start(options, stack)
            sys.exit(run(options.command, environment) if options.command else serve(environment))
    except ServiceError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_START)


def start(options: Options, stack: ExitStack) -> dict[str, str]:
    """Start both servers and give the variables that point to them; `stack` stops them."""
    home = options.persist.resolve() if options.persist else Path(stack.enter_context(_private_folder()))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = home / "state"
    state.mkdir(exist_ok=True)
    x3 = stack.enter_context(Service("local_x3", ["--port", "0", *options.x3]))
    snowflake = stack.enter_context(Service("local_snowflake", _snowflake_arguments(options, home)))
    return variables(x3.ready(), snowflake.ready(), options=options, state=state)


def run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """Run a command with the sandbox's environment and give its exit code, signals as a shell tells them."""
    path = os.pathsep.join(part for part in (os.environ.get("SANDBOX_BIN"), os.environ.get("PATH")) if part)
    try:
        child = subprocess.Popen(command, env={**os.environ, **environment, "PATH": path})
    except OSError as error:
        print(f"sandbox: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    # The terminal sends Ctrl-C to the command too; here it must only not end the servers before the command.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = child.wait()
    return code if code >= 0 else 128 - code


def serve(environment: dict[str, str]) -> int:
    """Print the environment and wait for Ctrl-C or SIGTERM."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    for name, value in environment.items():
        print(f"{name}={value}")
    print("ready", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("sandbox: stopped", file=sys.stderr)
    return 0


def _private_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder only this user can read: it holds private keys."""
    return tempfile.TemporaryDirectory(prefix="sandbox-")


def _snowflake_arguments(options: Options, home: Path) -> list[str]:
    secrets = home / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    arguments = ["--port", "0", "--contract", options.contract, "--secrets-dir", str(secrets)]
    arguments += ["--init-sql", str(_init_sql(home))]
    return [*arguments, "--persist", str(home / "warehouse")] if options.persist else arguments


def _init_sql(home: Path) -> Path:
    """Write the product's own set-up SQL to a file: the sandbox applies what an owner would run."""
    audit = Path(os.environ.get("SANDBOX_BIN", "")) / "snowflake-audit"
    if not audit.exists():
        message = f"{audit} is missing: start the sandbox with `.venv/bin/sandbox` after `make setup`"
        raise ServiceError(message)
    settings = ["--database", "ANALYTICS", "--warehouse", "LOAD_WH", "--user", "LOADER"]
    made = subprocess.run([audit, "init-sql", *settings], capture_output=True, text=True, check=False)
    if made.returncode:
        message = f"`snowflake-audit init-sql` ended with code {made.returncode}: {made.stderr.strip()}"
        raise ServiceError(message)
    file = home / "init.sql"
    file.write_text(made.stdout)
    return file


if __name__ == "__main__":
    main()
