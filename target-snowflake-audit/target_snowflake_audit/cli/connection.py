"""The session of a command: the target's own, seen as a reader."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.cli.errors import CommandError, NotAllowedError
from target_snowflake_audit.cli.settings import required
from target_snowflake_audit.errors import TargetError
from target_snowflake_audit.query_tag import read_query_tag
from target_snowflake_audit.retry_classes import AUTHORISATION
from target_snowflake_audit.session import Session, StatementError, connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_snowflake_audit.cli.reader import Row
    from target_snowflake_audit.cli.sql.statement import Statement

QUERY_TAG = "snowflake-audit"
_REQUIRED = ("account", "user", "warehouse", "database")


class SessionReader:
    """Reads through a session of the target."""

    def __init__(self, session: Session) -> None:
        """`session` stays open as long as this is used."""
        self._session = session

    @property
    def session(self) -> Session:
        """The session, for commands that change something."""
        return self._session

    def rows(self, statement: Statement) -> list[Row]:
        """Run a statement and give its rows by column name.

        Raises:
            NotAllowedError: the object is not there, or the role may not read it.
            CommandError: Snowflake refused it for another reason.
        """
        try:
            answer = self._session.execute(statement.sql, "read")
        except StatementError as error:
            kind = NotAllowedError if error.error_class is AUTHORISATION else CommandError
            raise kind(str(error)) from None
        return [dict(zip(statement.columns, row, strict=False)) for row in answer.rows]


@contextmanager
def connected(config: Mapping[str, Any]) -> Iterator[SessionReader]:
    """Log in, and log out at the end of the block.

    Raises:
        CommandError: a setting is missing or wrong, or Snowflake refuses the login.
    """
    for name in _REQUIRED:
        required(config, name)
    try:
        session = connect(config, query_tag=read_query_tag(config, QUERY_TAG))
    except TargetError as error:
        raise CommandError(str(error)) from None
    try:
        yield SessionReader(session)
    finally:
        session.close()
