"""What is wrong with a record that the first net took and that was not loaded all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.parts import Chunk
from target_snowflake_audit.checking.problems import Problem, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_snowflake_audit.checking.chunks import Checker
    from target_snowflake_audit.checking.letters import Letter
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.counts import Refusals
    from target_snowflake_audit.mapping import Mapped
    from target_snowflake_audit.session import StatementError
    from target_snowflake_audit.work import Work

MERGE, SPLIT, LOAD = "merge", "split", "load"
"""PHASE of a letter: refused by the statement that writes, by conversion, or older than the stored row."""


def problems_of(
    work: Work, refusals: Refusals, seq: int, record: dict[str, Any]
) -> tuple[list[Problem], str]:
    """Give the problems of a record as mapped, and the phase that found them."""
    plan, error = work.batch.plan, work.refused.get(seq)
    if error is not None:
        return [_refused(error)], MERGE
    if seq in refusals.bad:
        return [_unconvertible(plan, record, at) for at in refusals.bad[seq]], SPLIT
    return [_stale(plan, record)], LOAD


def letters_of(
    work: Work, refusals: Refusals, checker: Checker, again: Callable[[bytes], Mapped]
) -> list[tuple[Letter, list[str]]]:
    """Letters of rows that Snowflake refused or that are older than the stored row.

    `again` gives a record as mapped from its text as received.
    """
    batch, made = work.batch, []
    for seq in sorted({*refusals.bad, *refusals.stale}):
        raw = batch.spool.read(batch.row_of(seq))
        record = cast("dict[str, Any]", again(raw)[0] or {})
        found, phase = problems_of(work, refusals, seq, record)
        letter, fields = checker.letter(Chunk([record], [raw], [seq], [None]), 0, found, phase, "")
        error = work.refused.get(seq)
        if error is not None:
            letter = letter.with_error(error.errno, error.sqlstate, error.query_id)
        made.append((letter, fields))
    return made


def _unconvertible(plan: StreamPlan, record: dict[str, Any], at: int) -> Problem:
    column = plan.columns[at]
    value = record.get(column.property)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    expected = f"a value for {column.type.sql}{' NOT NULL' if column.filled else ''}"
    return Problem(column.property, column.name, shown(text), problems.CONVERSION, expected)


def _refused(error: StatementError) -> Problem:
    return Problem("", "", "", problems.REFUSED, f"a row that Snowflake takes: {error.reason}")


def _stale(plan: StreamPlan, record: dict[str, Any]) -> Problem:
    name = plan.replication_key or ""
    column = plan.names_by_property.get(name, "")
    expected = "a stamp not before the stored row's"
    if plan.removes_lines:
        expected += ", in a document that was not read before the stored one"
    return Problem(name, column, str(record.get(name)), problems.STALE, expected)
