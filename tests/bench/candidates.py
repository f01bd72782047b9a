"""The two loaders that are compared: how each gets a local Snowflake and a configuration, and how it runs."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processes import server

from .lines import TABLE
from .measure import BenchError, Measured, run_measured
from .warehouse import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "FINANCE"
TUNED_BATCH_ROWS = 100_000
ROWS_TABLE = f'"ANALYTICS"."{SCHEMA}"."{TABLE}"'


@dataclass(frozen=True)
class Candidate:
    """A loader with a fresh local Snowflake of its own."""

    name: str
    command: tuple[str | Path, ...]
    ready: dict[str, Any]
    folder: Path

    def load(self, file: Path) -> Measured:
        """Load one Singer file and measure it. Raises BenchError when the loader fails."""
        return run_measured(
            self.command, stdin=file, stdout=self.folder / "state.jsonl", log=self.folder / "log.txt"
        )


@contextmanager
def ours(environment: Path, folder: Path) -> Iterator[Candidate]:
    """Start a local Snowflake with the SQL contract on, set up as an owner does, and configure our target."""
    folder.mkdir(parents=True)
    init_sql = _init_sql(environment, folder)
    with server("local_snowflake", *_server_arguments(folder), "--init-sql", str(init_sql)) as running:
        ready = running.ready
        names = ("account", "host", "port", "protocol", "user", "role", "warehouse", "database")
        config = {name: ready[name] for name in names} | {
            "private_key_path": ready["private_key_path"],
            "default_target_schema": SCHEMA,
            "number_type": "NUMBER(38,4)",  # amounts exact: the only way finance would run it
        }
        command = (environment / "bin" / "target-snowflake-audit", "--config", _config(folder, config))
        yield Candidate("ours", command, ready, folder)


@contextmanager
def peer(environment: Path, folder: Path) -> Iterator[Candidate]:
    """Start the peer as it comes."""
    with _peer(environment, folder, "peer", {}) as candidate:
        yield candidate


@contextmanager
def tuned_peer(environment: Path, folder: Path) -> Iterator[Candidate]:
    """Start the peer as fast as its settings make it: records are not validated, few large batches."""
    tuned = {"validate_records": False, "batch_size_rows": TUNED_BATCH_ROWS}
    with _peer(environment, folder, "peer tuned", tuned) as candidate:
        yield candidate


@contextmanager
def _peer(environment: Path, folder: Path, name: str, settings: dict[str, Any]) -> Iterator[Candidate]:
    """Start a local Snowflake that takes any statement it can run, and configure the peer."""
    folder.mkdir(parents=True)
    with server("local_snowflake", *_server_arguments(folder), "--contract", "off") as running:
        ready = running.ready
        with connect(ready) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(f'CREATE DATABASE IF NOT EXISTS "{ready["database"]}"')
        config = {
            "account": ready["account"],
            "user": ready["admin_user"],
            "password": ready["admin_password"],
            "database": ready["database"],
            "warehouse": ready["warehouse"],
            "default_target_schema": SCHEMA,
            **settings,
        }
        wrapper = Path(__file__).with_name("peer_wrapper.py")
        address = (str(ready["host"]), str(ready["port"]))
        command = (environment / "bin" / "python", wrapper, *address, _config(folder, config))
        yield Candidate(name, command, ready, folder)


def _server_arguments(folder: Path) -> list[str]:
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    return ["--port", "0", "--secrets-dir", str(secrets)]


def _config(folder: Path, config: dict[str, Any]) -> Path:
    file = folder / "config.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
    return file


def _init_sql(environment: Path, folder: Path) -> Path:
    """Write what `snowflake-audit init-sql` prints to a file."""
    names = ["--database", "ANALYTICS", "--warehouse", "LOAD_WH", "--user", "LOADER"]
    command: list[str | Path] = [environment / "bin" / "snowflake-audit", "init-sql", *names]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        message = f"`snowflake-audit init-sql` ended with {made.returncode}: {made.stderr.strip()}"
        raise BenchError(message)
    file = folder / "init.sql"
    file.write_text(made.stdout)
    return file
