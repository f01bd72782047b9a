"""A local Snowflake with the contract off, and sessions on it through the real connector."""

from __future__ import annotations

import gzip
import itertools
from typing import TYPE_CHECKING

import pytest
from snowflake_account import Account, Session, account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SCHEMAS = itertools.count(1)


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
    shared.control.unlock_users()
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
