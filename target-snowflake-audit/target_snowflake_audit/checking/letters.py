"""Dead letters of records that the first net refused, and how they are staged."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from target_snowflake_audit.checking.converters import json_text, told
from target_snowflake_audit.staging.fields import NULL, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.checking.problems import Problem
    from target_snowflake_audit.values import Json

LOAD, DELETE, DEAD, KEY = NULL, "X", "D", "K"
"""States of a staged row: load it, it says it is deleted, it is a dead letter, only its key was received."""


@dataclass(frozen=True)
class Letter:
    """A dead letter: everything DEAD_LETTERS needs but the batch and the time.

    Values are redacted already; `redacted` says which properties' were. `record_sha256` is over the record as
    received.
    """

    letter_id: str
    phase: str
    problems: tuple[Problem, ...]
    record: bytes
    record_sha256: str
    key: dict[str, Any]
    key_hash: str
    seq: int
    extracted: str
    source_time: str
    redacted: dict[str, str] = field(default_factory=dict)
    snowflake: dict[str, Any] = field(default_factory=dict)

    def with_error(self, errno: int | None, sqlstate: str | None, query_id: str | None) -> Letter:
        """The letter with Snowflake's own codes."""
        codes = {"errno": errno, "sqlstate": sqlstate, "query": query_id}
        return dataclasses.replace(self, snowflake={k: v for k, v in codes.items() if v is not None})

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The problems as kept in DEAD_LETTERS.ERRORS."""
        return [problem.as_json() for problem in self.problems]


def _is_json(record: bytes) -> bool:
    """Whether a record's text is strict JSON: what Snowflake makes of NaN and the like is not documented."""
    try:
        msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def dead_line(letter: Letter, fields: Sequence[str]) -> str:
    """Give the staged line of a dead letter."""
    body = {
        "id": letter.letter_id,
        "phase": letter.phase,
        "reason": letter.problems[0].reason,
        "errors": letter.errors,
        "key": letter.key,
        "sha256": letter.record_sha256,
        "source": letter.source_time,
        "json": _is_json(letter.record),
        **letter.snowflake,
    }
    if letter.redacted:
        body["redacted"] = letter.redacted
    record = quoted(letter.record.decode("utf-8", "replace"))
    return (
        f"{letter.seq},{DEAD},{letter.key_hash},,{letter.extracted},{quoted(json_text(body))},"
        f"{record},{','.join(fields)}\n"
    )


_FLOAT_DIGITS = 300


def storable(value: Json) -> Json:
    """A key as a letter shows it: numbers that JSON does not have, or that no FLOAT holds, as text."""
    odd = isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > _FLOAT_DIGITS)
    if isinstance(value, (dict, list)):
        return told(value)  # no key, and may nest deeper than what is around it can be written
    return str(value) if odd else value
