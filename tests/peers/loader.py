"""Runs the peer as a user does, from its command line, against a running local Snowflake."""

from __future__ import annotations

import itertools
import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from snowflake_account import Account

WRAPPER = ROOT / "tests" / "bench" / "peer_wrapper.py"
TIMEOUT_SECONDS = 240
Message = dict[str, Any]


def schema(stream: str, properties: Message, *, keys: Sequence[str] = ("id",)) -> Message:
    """A SCHEMA message."""
    described = {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": stream, "key_properties": list(keys), "schema": described}


def records(stream: str, rows: Sequence[Message], **more: object) -> list[Message]:
    """A RECORD message for each row."""
    return [{"type": "RECORD", "stream": stream, "record": row, **more} for row in rows]


@dataclass
class Peer:
    """The peer with a local Snowflake, a folder for its configurations, and a schema of its own."""

    environment: Path
    account: Account
    folder: Path
    schema: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self, messages: Sequence[Message], **settings: object) -> subprocess.Popen[str]:
        """Start it with these messages on its standard input; a setting of None is left out."""
        number = next(self._numbers)
        lines = self.folder / f"input-{number}.jsonl"
        lines.write_text("".join(json.dumps(message) + "\n" for message in messages), encoding="utf-8")
        config = self.folder / f"config-{number}.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps({k: v for k, v in self._config(settings).items() if v is not None}))
        ready = self.account.ready
        command = [self.environment / "bin" / "python", WRAPPER, ready["host"], str(ready["port"]), config]
        with lines.open(encoding="utf-8") as stream:
            return subprocess.Popen(
                command, stdin=stream, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )

    def run(self, messages: Sequence[Message], **settings: object) -> tuple[int, str]:
        """Run it to its end; give its exit code and log."""
        return ended(self.start(messages, **settings))

    def load(self, messages: Sequence[Message], **settings: object) -> None:
        """Run it, and fail the test unless it succeeds."""
        code, log = self.run(messages, **settings)
        assert code == 0, told(log)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the warehouse as its administrator; `{schema}` is the peer's schema."""
        with self.account.admin() as session:
            return session.rows(sql.replace("{schema}", f"ANALYTICS.{self.schema}"))

    def _config(self, settings: Message) -> Message:
        ready = self.account.ready
        return {
            "account": ready["account"],
            "user": ready["admin_user"],
            "password": ready["admin_password"],
            "database": ready["database"],
            "warehouse": ready["warehouse"],
            "default_target_schema": self.schema,
            **settings,
        }


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a started peer; give its exit code and log."""
    _, log = process.communicate(timeout=TIMEOUT_SECONDS)
    return process.returncode, log


def told(log: str) -> str:
    """The lines of a log that name what the warehouse refused, or its end."""
    lines = [line for line in log.splitlines() if "snowflake.connector.errors." in line or "[SQL:" in line]
    return "\n".join(dict.fromkeys(lines)) or log[-2000:]
