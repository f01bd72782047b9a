"""What tests of the target share: messages, runs in this process and as processes, and what is stored."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
import os
import subprocess
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, cast

from processes import VENV_BIN
from target_snowflake_audit.retry_classes import AUTHORISATION
from target_snowflake_audit.session import Session, StatementError, connect
from target_snowflake_audit.target import TargetSnowflakeAudit
from warehouse import administrator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pytest
    from snowflake.connector import SnowflakeConnection
    from snowflake_control import SnowflakeControl
    from target_snowflake_audit.session import Answer

Message = dict[str, Any]
Row = dict[str, Any]

LINE_SCHEMA: Message = {
    "type": "object",
    "properties": {
        "documentId": {"type": "string", "maxLength": 20, "description": "Document number (GACCENTRY.NUM)"},
        "lineNumber": {"type": "integer"},
        "amount": {"type": ["number", "null"], "multipleOf": 0.01},
        "text": {"type": ["string", "null"], "maxLength": 10},
        "postedOn": {"type": ["string", "null"], "format": "date"},
        "extra": {"type": ["object", "array", "null"]},
        "open": {"type": ["boolean", "null"]},
        "updatedDate": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["documentId", "lineNumber"],
}
KEY = ["documentId", "lineNumber"]


@dataclass(frozen=True)
class Ended:
    """A run: its exit code (None in this process), STATE lines and what it logged."""

    states: list[Message]
    log: str = ""
    code: int | None = None


@dataclass(frozen=True)
class World:
    """The local Snowflake as one test sees it."""

    ready: Message
    control: SnowflakeControl
    stream: str = "lines"
    schema: str = "T"
    shared: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    """What all views of one server share: the administrator's session."""

    def for_test(self, name: str) -> World:
        """Give a view with names that only this test uses."""
        mark = hashlib.sha256(name.encode()).hexdigest()[:10].upper()
        return dataclasses.replace(self, schema=f"T_{mark}", stream=f"lines_{mark.lower()}")

    @property
    def table(self) -> str:
        """The stream's table as audit rows name it."""
        return f"ANALYTICS.{self.schema}.{self.stream.upper()}"

    def settings(self, **more: Any) -> Message:  # noqa: ANN401 - settings are of any JSON type
        """Settings of the loader, with changes."""
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
        found = {name: self.ready[name] for name in names} | {"default_target_schema": self.schema} | more
        return {name: value for name, value in found.items() if value is not None}

    # Messages

    def schema_message(
        self, schema: Message | None = None, key: Sequence[str] | None = None, **more: object
    ) -> Message:
        """A SCHEMA message of this test's stream."""
        found = {"type": "SCHEMA", "stream": self.stream, "schema": LINE_SCHEMA if schema is None else schema}
        found |= {"key_properties": list(KEY if key is None else key), "bookmark_properties": ["updatedDate"]}
        return {**found, **more}

    def record(self, record: Message, **more: Any) -> Message:  # noqa: ANN401
        """A RECORD message of this test's stream."""
        return {"type": "RECORD", "stream": self.stream, "record": record, **more}

    def line(self, document: str, number: int, amount: str = "1.00", **more: Any) -> Message:  # noqa: ANN401
        """A RECORD of a document line; `amount` is written as a JSON number with exactly these digits."""
        version = {"version": more.pop("version")} if "version" in more else {}
        body = {"documentId": document, "lineNumber": number, "amount": Decimal(amount)}
        return self.record({**body, "updatedDate": "2026-01-01T00:00:00Z", **more}, **version)

    # Runs

    def run(self, messages: Iterable[Message], **settings: Any) -> Ended:  # noqa: ANN401
        """Run the target in this process, to its end."""
        return self.run_text(lines(messages), **settings)

    def run_text(self, text: str, **settings: Any) -> Ended:  # noqa: ANN401
        """As `run`, for input that is written out."""
        target = TargetSnowflakeAudit(config=self.settings(**settings))
        out = io.StringIO()
        records: list[str] = []
        handler = _Remember(records)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            with redirect_stdout(out):
                try:
                    target.process_lines(cast("IO[str]", io.BytesIO(text.encode())))  # as standard input
                    target.process_endofpipe()
                except BaseException as error:
                    target.fail(error)
                    error.add_note(out.getvalue())
                    raise
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        return Ended([json.loads(line) for line in out.getvalue().splitlines()], "\n".join(records))

    def environment(self, **settings: Any) -> dict[str, str]:  # noqa: ANN401
        """Settings as environment variables, without those of the caller."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TARGET_SNOWFLAKE_AUDIT_")}
        for name, value in self.settings(**settings).items():
            text = value if isinstance(value, str) else json.dumps(value)
            clean[f"TARGET_SNOWFLAKE_AUDIT_{name.upper()}"] = text
        return clean

    def command(self, text: str | bytes, **settings: Any) -> Ended:  # noqa: ANN401
        """Run the command as a process of its own; bytes need not be UTF-8."""
        ended = subprocess.run(
            [str(VENV_BIN / "target-snowflake-audit"), "--config", "ENV"],
            input=text.encode() if isinstance(text, str) else text,
            capture_output=True,
            env=self.environment(**settings),
            timeout=240,
            check=False,
        )
        states = [json.loads(line) for line in ended.stdout.decode().splitlines()]
        return Ended(states, ended.stderr.decode(), ended.returncode)

    def start(self, **settings: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401
        """Start the command and leave its input open."""
        return subprocess.Popen(
            [str(VENV_BIN / "target-snowflake-audit"), "--config", "ENV"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(**settings),
        )

    # What Snowflake holds

    @property
    def _admin(self) -> SnowflakeConnection:
        if "admin" not in self.shared:
            self.shared["admin"] = administrator(
                self.ready, database="ANALYTICS", warehouse=self.ready["warehouse"]
            )
        connection: SnowflakeConnection = self.shared["admin"]
        return connection

    def close(self) -> None:
        """Close the administrator's session."""
        if "admin" in self.shared:
            self.shared.pop("admin").close()

    def tidy(self) -> None:
        """Drop the tables, fences and staged files of all tests so far; audit rows stay.

        Each DDL statement reads all names that there are, and each run of the target all staged files: tests
        that come late would take longer. Runs that were killed leave fences, shadows and files behind.
        Nothing is dropped on an account that others use.
        """
        if not self.control.own_server:
            return
        schemas = [row["name"] for row in self.query('SHOW SCHEMAS IN DATABASE "ANALYTICS"')]
        tables = [row["name"] for row in self.query('SHOW TABLES IN SCHEMA "ANALYTICS"."AUDIT_LOCK"')]
        for name in schemas:
            if name.startswith("T_"):
                self.query(f'DROP SCHEMA "ANALYTICS"."{name}"')
        for name in tables:
            if name.startswith(("FENCE_", "SHADOW_")):
                self.query(f'DROP TABLE "ANALYTICS"."AUDIT_LOCK"."{name}"')
        self.query('REMOVE @"ANALYTICS"."AUDIT_LOCK"."LOAD"')

    def query(self, sql: str) -> list[Row]:
        """Run a statement as the administrator; rows by column name."""
        with closing(self._admin.cursor()) as cursor:
            cursor.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def refused_to_loader(self, sql: str, **settings: Any) -> bool:  # noqa: ANN401 - settings are of any JSON type
        """Whether the loader's role may not run a statement."""
        session = connect(self.settings(**settings))
        try:
            session.execute(sql, "test")
        except StatementError as error:
            return error.error_class is AUTHORISATION
        finally:
            session.close()
        return False

    def rows(self, table: str | None = None) -> list[Row]:
        """Live rows of the stream's table without audit columns, in key order."""
        sql = f'SELECT * FROM {table or self.table} WHERE "_AUDIT_DELETED_AT" IS NULL'
        rows = [{k: v for k, v in row.items() if not k.startswith("_AUDIT_")} for row in self.query(sql)]
        first = ("DOCUMENT_ID", "LINE_NUMBER", *(rows[0] if rows else ()))
        return sorted(rows, key=lambda row: [str(row.get(name)) for name in first])

    def audit(self, table: str, order: str = "", *, where: str = "TRUE") -> list[Row]:
        """Rows of an audit table about the stream's table."""
        ordered = f" ORDER BY {order}" if order else ""
        chosen = f"\"TARGET_TABLE\" = '{self.table}' AND {where}"
        return self.query(f'SELECT * FROM ANALYTICS.AUDIT."{table}" WHERE {chosen}{ordered}')

    def letters(self) -> list[Row]:
        """Dead letters of the stream, with ERRORS and RECORD decoded."""
        rows = self.audit("DEAD_LETTERS", '"SEQ"')
        return [{**row, "ERRORS": json.loads(row["ERRORS"])} for row in rows]

    def history(self, where: str = "TRUE") -> list[tuple[str, Any, Any]]:
        """(operation, before, after) of the stream's history, oldest first."""
        rows = self.audit("RECORD_HISTORY", '"LOADED_AT", "SEQ"', where=where)
        return [(r["OPERATION"], _decoded(r["BEFORE"]), _decoded(r["AFTER"])) for r in rows]

    def counts(self) -> list[Row]:
        """Counts of the stream's batches, oldest first, zeros left out."""
        names = (
            "RECEIVED",
            "INSERTED",
            "UPDATED",
            "UNCHANGED",
            "DEDUPLICATED",
            "DELETED",
            "DEAD",
            "STALE",
            "REMOVED",
        )
        rows = self.audit("BATCHES", '"LOADED_AT"')
        return [{name.lower(): row[name] for name in names if row[name]} for row in rows]

    def target_statements(self) -> list[str]:
        """Texts of the statements that loaders sent since the log was cleared."""
        return self.control.statements(user="LOADER")


class _Remember(logging.Handler):
    def __init__(self, records: list[str]) -> None:
        super().__init__(logging.INFO)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record.getMessage())


def lines(messages: Iterable[Message]) -> str:
    """Messages as Singer lines; Decimal as JSON number."""
    return "".join(f"{encode(message)}\n" for message in messages)


def encode(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """JSON text with Decimal as number."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(encode(part) for part in value) + "]"
    return json.dumps(value)


def state(value: Any) -> Message:  # noqa: ANN401
    """A STATE message."""
    return {"type": "STATE", "value": value}


def _decoded(text: str | None) -> Any:  # noqa: ANN401
    return None if text is None else json.loads(text)


def before_first(step: str, do: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do something just before the first statement of a step is sent."""
    send, waiting = Session.execute, [do]

    def execute(session: Session, sql: str, name: str) -> Answer:
        if name == step and waiting:
            waiting.pop()()
        return send(session, sql, name)

    monkeypatch.setattr(Session, "execute", execute)


def feed(process: subprocess.Popen[bytes], text: str) -> None:
    """Write to a process that goes on reading."""
    assert process.stdin is not None
    process.stdin.write(text.encode())
    process.stdin.flush()
