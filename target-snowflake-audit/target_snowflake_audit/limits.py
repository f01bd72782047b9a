"""Breakers: when a stream has too many dead letters, and none at all where none are tolerated."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MissingKeyPropertiesError

from target_snowflake_audit.checking.converters import json_text
from target_snowflake_audit.checking.problems import MISSING, NULL_KEY
from target_snowflake_audit.errors import DeadLetterLimitError, SchemaError
from target_snowflake_audit.sql import audit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_snowflake_audit.batch import Batch
    from target_snowflake_audit.checking.letters import Letter
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.checking.problems import Problem
    from target_snowflake_audit.counts import Counts
    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.quoting import TableName

_FEWEST_RECORDS = 100
_LONGEST_KEY = 200


class MissingKeyError(DeadLetterLimitError, MissingKeyPropertiesError):
    """A record without its key where nothing is tolerated: the SDK's error for it, and ours."""


def check(settings: Mapping[str, Any], before: Counts, batch: Counts, gathered: Batch) -> None:
    """Judge a stream's dead letters, the batch that is about to be committed included.

    Records that are only too late are no bad data, so the share leaves them out. `gathered` has the letters
    that the client made; Snowflake may refuse more.

    Raises:
        DeadLetterLimitError: with the numbers, the setting that allows more, and where to look.
    """
    dead, received = before.dead + batch.dead, before.received + batch.received
    if not batch.dead:
        return
    stream = gathered.plan.stream
    if settings.get("error_tolerance", "data") == "none":
        found = DeadLetterLimitError if not {MISSING, NULL_KEY} & set(gathered.reasons) else MissingKeyError
        raise _told(found, f"stream {stream}: {_letters(dead)}, and `error_tolerance` is none", gathered)
    most = int(settings.get("max_dead_letters", 10_000))
    percent = float(settings.get("max_dead_letter_percent", 5))
    if dead > most:
        message = f"stream {stream}: {_letters(dead)}, more than `max_dead_letters` ({most})"
        raise _told(DeadLetterLimitError, message, gathered)
    bad = dead - before.stale - batch.stale
    if batch.dead > batch.stale and received >= _FEWEST_RECORDS and bad * 100 > percent * received:
        message = (
            f"stream {stream}: {_letters(bad)} of {received} records, more than "
            f"`max_dead_letter_percent` ({percent:g} %)"
        )
        raise _told(DeadLetterLimitError, message, gathered)


def _told(kind: type[DeadLetterLimitError], message: str, gathered: Batch) -> DeadLetterLimitError:
    """Give the error with the batch's first letter and the command that shows all."""
    plan, first, key = gathered.plan, gathered.first_letter, ""
    if first is not None:
        key = _key(first, plan)
        message += f"; first of the batch: record {key or f'number {first.seq}'}, {_why(first.problems[0])}"
    command = shlex.join(["snowflake-audit", "dead-letters", "list", "--stream", plan.source_stream])
    return kind(f"{message}; all of them: {command}", key)


def _key(letter: Letter, plan: StreamPlan) -> str:
    """The key in words; '' where it is redacted, where there is none, and where it is too long to be read."""
    if not plan.key or any(plan.columns[at].redact for at in plan.key):
        return ""
    text = json_text(letter.key)
    return text if len(text) <= _LONGEST_KEY else ""


def _why(problem: Problem) -> str:
    """Column or property, and the reason; the value and what was expected are in the letter."""
    at = f"column {problem.column}" if problem.column else f"property {problem.name}" if problem.name else ""
    return f"{at}: {problem.reason}" if at else problem.reason


def _letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"


def check_alone(session: Session, batches: TableName, plan: StreamPlan, what: str) -> None:
    """A stream tells which of its own rows are left, nothing about those of another stream.

    Raises:
        SchemaError: another stream has loaded rows into the table.
    """
    sql = audit_rows.other_streams(batches, str(plan.table), plan.stream)
    others = [str(row[0]) for row in session.execute(sql, "other streams").rows]
    if others:
        message = (
            f"stream {plan.stream}: {what} would delete rows of other streams that were loaded "
            f"into {plan.table} as well ({', '.join(others)}); nothing was deleted. Give each stream a "
            "table of its own in `schema_mapping`"
        )
        raise SchemaError(message)


def check_columns(plan: StreamPlan) -> None:
    """Refuse records of a stream that has nothing to load.

    Raises:
        SchemaError: its SCHEMA has no property.
    """
    if not plan.columns:
        message = (
            f"stream {plan.stream}: records came, but its SCHEMA declares no property, so there is no column "
            "to load them into; select properties in the tap's catalogue, or leave the stream out"
        )
        raise SchemaError(message)
