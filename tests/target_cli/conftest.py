from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from audit_console import Console
from audit_rows import Writer
from processes import run_command, server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables on lines of one width, whatever terminal or test runner is around."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A local Snowflake of its own for a module, set up by what `init-sql` prints."""
    folder = tmp_path_factory.mktemp("snowflake")
    names = ["--database", "ANALYTICS", "--warehouse", "LOAD_WH", "--user", "LOADER"]
    made = run_command(["snowflake-audit", "init-sql", *names])
    assert made.returncode == 0, made.stderr
    init_sql = folder / "init.sql"
    init_sql.write_bytes(made.stdout)
    options = ["--port", "0", "--init-sql", str(init_sql), "--secrets-dir", str(folder)]
    with server("local_snowflake", *options) as running:
        yield Console(running.ready, _environment(running.ready))


@pytest.fixture(scope="module")
def writer(console: Console) -> Iterator[Writer]:
    """A session that may write rows by hand."""
    made = Writer(console.ready)
    yield made
    made.close()


def _environment(ready: dict[str, Any]) -> dict[str, str]:
    names = (
        "account",
        "host",
        "port",
        "protocol",
        "user",
        "role",
        "warehouse",
        "database",
        "private_key_path",
    )
    return {f"TARGET_SNOWFLAKE_AUDIT_{name.upper()}": str(ready[name]) for name in names}
