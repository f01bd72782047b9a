"""Singer messages for tests of the audit command, and a run of the target on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from processes import run_command

if TYPE_CHECKING:
    from audit_console import Console

MAPPING = [{"stream": "gl_*", "schema": "FINANCE"}, {"stream": "*", "schema": "PURCHASING"}]


def stream(name: str, properties: dict[str, Any], key: list[str], *records: dict[str, Any]) -> list[str]:
    """Messages of one stream; amounts are made by `amount`, so that none goes through a float."""
    stamped = {**properties, "updatedDate": {"type": ["string", "null"], "format": "date-time"}}
    schema = {"type": "object", "properties": stamped}
    messages: list[dict[str, Any]] = [
        {
            "type": "SCHEMA",
            "stream": name,
            "schema": schema,
            "key_properties": key,
            "bookmark_properties": ["updatedDate"],
        }
    ]
    messages += [
        {"type": "RECORD", "stream": name, "record": record, "time_extracted": "2026-03-02T09:00:00Z"}
        for record in records
    ]
    return [json.dumps(message).replace('"#', "").replace('#"', "") for message in messages]


def amount(text: str) -> str:
    """A JSON number with exactly these digits."""
    return f"#{text}#"


def load(console: Console, *messages: list[str], **more: str) -> str:
    """Run the target on messages, with more settings, and give the last line of its log."""
    text = "\n".join(line for part in messages for line in part) + "\n"
    settings = {**console.environment, "TARGET_SNOWFLAKE_AUDIT_SCHEMA_MAPPING": json.dumps(MAPPING)}
    settings |= {f"TARGET_SNOWFLAKE_AUDIT_{name.upper()}": value for name, value in more.items()}
    ended = run_command(["target-snowflake-audit", "--config", "ENV"], env=settings, stdin=text.encode())
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stderr.decode().splitlines()[-1]
