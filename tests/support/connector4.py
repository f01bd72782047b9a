"""A script under the sandbox's own connector (4.8), in a process of its own."""

from __future__ import annotations

import json
import subprocess
import textwrap
from typing import TYPE_CHECKING, Any

from processes import SANDBOX, SANDBOX_PYTHON
from snowflake_account import key_bytes

if TYPE_CHECKING:
    from snowflake_account import Account

PRELUDE = """
import json, sys
import snowflake.connector

settings = json.loads(sys.argv[1])
settings["private_key"] = bytes.fromhex(settings["private_key"])


def connect(**more):
    return snowflake.connector.connect(**{**settings, **more})


def rows(connection, sql, **more):
    return connection.cursor().execute(sql, **more).fetchall()


def errno(connection, sql, **more):
    try:
        rows(connection, sql, **more)
    except snowflake.connector.errors.Error as error:
        return error.errno


def tell(value):
    print(json.dumps(value, default=str))


def wait():
    "Tell that this point is reached and go on when the other side says so."
    print("waiting", flush=True)
    sys.stdin.readline()
"""


def start4(account: Account, script: str, **details: object) -> subprocess.Popen[str]:
    """Start a script that may use `connect`, `rows`, `errno`, `tell` and `wait`, as the loader."""
    names = ("account", "host", "port", "protocol", "user", "role", "database", "warehouse")
    settings = {name: account.ready[name] for name in names}
    settings |= {"private_key": key_bytes(account.ready["private_key_path"]).hex(), "network_timeout": 20}
    return subprocess.Popen(
        [SANDBOX_PYTHON, "-c", PRELUDE + textwrap.dedent(script), json.dumps({**settings, **details})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=SANDBOX,
    )


def wait4(process: subprocess.Popen[str]) -> None:
    """Return when the script has called `wait`."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "waiting\n", (line, process.communicate(timeout=20))


def result4(process: subprocess.Popen[str], timeout: float = 60.0) -> Any:  # noqa: ANN401 - JSON of any shape
    """Let the script go on to its end, and give what it told last."""
    out, err = process.communicate("\n", timeout=timeout)
    assert process.returncode == 0, err
    return json.loads(out.strip().splitlines()[-1])


def run4(account: Account, script: str, **details: object) -> Any:  # noqa: ANN401 - JSON of any shape
    """Run a script to its end and give what it told last."""
    return result4(start4(account, script, **details))
