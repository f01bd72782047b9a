"""Opens what a command works on: a session in Snowflake, and the audit schema in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from target_snowflake_audit.cli import settings
from target_snowflake_audit.cli.sql.statement import Audit
from target_snowflake_audit.sql.quoting import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from target_snowflake_audit.cli.connection import SessionReader


@contextmanager
def opened(files: Sequence[Path]) -> Iterator[tuple[SessionReader, Audit]]:
    """Log in with the target's settings; the session ends with the block.

    Raises:
        CommandError: a setting is missing, or Snowflake refuses the login.
    """
    # The connector costs a second: a command that only shows its help must not pay for it.
    from target_snowflake_audit.cli.connection import connected  # noqa: PLC0415

    config = settings.read(files)
    audit = Audit(
        fold(settings.required(config, "database")), fold(str(config.get("audit_schema") or "AUDIT"))
    )
    with connected(config) as reader:
        yield reader, audit
