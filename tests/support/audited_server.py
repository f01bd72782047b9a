"""A local Snowflake of a module's own, with an audit schema as `init-sql` makes it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from processes import server
from snowflake_control import SnowflakeControl
from target_snowflake_audit.audit.setup_sql import Setup, script
from target_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def audited_server(folder: Path) -> Iterator[World]:
    """Start it; `folder` holds its set-up and its secrets."""
    setup, secrets = folder / "init.sql", folder / "secrets"
    setup.write_text(script(Setup(user="LOADER")))
    secrets.mkdir(mode=0o700)
    with server(
        "local_snowflake", "--port", "0", "--init-sql", str(setup), "--secrets-dir", str(secrets)
    ) as started:
        found = World(started.ready, SnowflakeControl(started.ready["host"], started.ready["port"]))
        yield found
        found.close()
