"""A running local Snowflake, and sessions on it through the real connector."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from processes import server
from snowflake_control import SnowflakeControl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowflake.connector import SnowflakeConnection


def key_bytes(path: str) -> bytes:
    """A PEM private key as DER, the form that both connectors take."""
    key = serialization.load_pem_private_key(Path(path).read_bytes(), None)
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass
class Session:
    """A connection with the two calls that tests need."""

    connection: SnowflakeConnection

    def rows(self, sql: str, *binds: object) -> list[tuple[Any, ...]]:
        """Run a statement and give its rows."""
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(sql, binds or None)
            return list(cursor.fetchall())

    def value(self, sql: str) -> Any:  # noqa: ANN401 - any column type
        """The first column of the first row."""
        return self.rows(sql)[0][0]

    def error(self, sql: str) -> tuple[int | None, str | None]:
        """Number and SQLSTATE of a statement that must fail."""
        with pytest.raises(snowflake.connector.errors.Error) as caught:
            self.rows(sql)
        return caught.value.errno, caught.value.sqlstate


@dataclass
class Account:
    """A running local Snowflake."""

    ready: dict[str, Any]
    control: SnowflakeControl

    def connect(self, **details: object) -> SnowflakeConnection:
        """Connect with the connector of the workspace (5.x)."""
        settings: dict[str, Any] = {
            "account": self.ready["account"],
            "host": self.ready["host"],
            "port": self.ready["port"],
            "protocol": "http",
            "database": "ANALYTICS",
            "warehouse": "LOAD_WH",
            "login_timeout": 15,
            # Said, since the connector warns when it is not, and a filter of warnings is not safe in threads.
            "enable_server_session_keep_alive_auto_detection": False,
            **details,
        }
        return snowflake.connector.connect(**settings)

    def loader_settings(self) -> dict[str, Any]:
        """User, role and key of the loader."""
        return {
            "user": "LOADER",
            "role": "SAGEX3_LOADER",
            "private_key": key_bytes(self.ready["private_key_path"]),
        }

    @contextmanager
    def session(self, **details: object) -> Iterator[Session]:
        """A session of the loader, unless `details` say otherwise."""
        settings = details if "user" in details else {**self.loader_settings(), **details}
        connection = self.connect(**settings)
        try:
            yield Session(connection)
        finally:
            connection.close()

    @contextmanager
    def admin(self) -> Iterator[Session]:
        """A session of the administrator."""
        with self.session(user="ADMIN", password=self.ready["admin_password"]) as session:
            yield session


@contextmanager
def account(*arguments: str) -> Iterator[Account]:
    """Start a local Snowflake. Its statements end after a while, so that a failing test does not hang."""
    bound = ("--longest-statement", "100")
    with server("local_snowflake", "--port", "0", *bound, *arguments) as running:
        yield Account(running.ready, SnowflakeControl(running.ready["host"], running.ready["port"]))
