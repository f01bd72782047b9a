"""A local Snowflake with the contract off, and sessions on it through the real connector."""

from __future__ import annotations

import gzip
import itertools
import warnings
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
    from collections.abc import Callable, Iterator

    from snowflake.connector import SnowflakeConnection

_SCHEMAS = itertools.count(1)


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
            **details,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the connector announces its future defaults
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
    """Start a local Snowflake."""
    with server("local_snowflake", "--port", "0", *arguments) as running:
        yield Account(running.ready, SnowflakeControl(running.ready["host"], running.ready["port"]))


@pytest.fixture(scope="session")
def start() -> Callable[..., Any]:
    """Start a further local Snowflake with its own arguments: a context manager."""
    return account


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One local Snowflake for the tests of a worker; every role may do everything, no contract."""
    secrets = tmp_path_factory.mktemp("secrets")
    with account("--contract", "off", "--secrets-dir", str(secrets)) as running:
        yield running


@pytest.fixture
def snow(shared: Account) -> Account:
    """The shared one, without faults of an earlier test."""
    shared.control.clear_faults()
    shared.control.clear_log()
    return shared


@pytest.fixture
def schema(snow: Account) -> str:
    """A new schema for one test."""
    name = f"S{next(_SCHEMAS)}"
    with snow.session() as session:
        session.rows(f"CREATE SCHEMA ANALYTICS.{name}")
    return name


@pytest.fixture
def db(snow: Account, schema: str) -> Iterator[Session]:
    """A session of the loader in a schema of its own."""
    with snow.session(schema=schema) as session:
        yield session


@pytest.fixture
def staged(db: Session, tmp_path: Path) -> Callable[[str, str], None]:
    """Put a text as a gzip file on the stage `LOAD` of the test's schema, under a path."""
    db.rows("CREATE STAGE LOAD")

    def put(content: str, path: str) -> None:
        folder, _, name = path.rpartition("/")
        file = tmp_path / name
        file.write_bytes(gzip.compress(content.encode(), mtime=0))
        result = db.rows(f"PUT 'file://{file}' '@LOAD/{folder}' AUTO_COMPRESS=FALSE OVERWRITE=TRUE")
        assert result[0][6] == "UPLOADED"

    return put
