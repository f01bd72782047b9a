"""Applies a stream map to a record; one that cannot be mapped becomes a dead letter, not a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import SameRecordTransform

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.problems import Problem
from target_snowflake_audit.checking.rows import Row

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from singer_sdk.mapper import StreamMap

    from target_snowflake_audit.values import Json


def no_object(record: Json) -> Problem:
    """The problem of a record that is no JSON object, or nests too deeply."""
    expected = getattr(record, "expected", "a JSON object")
    return Problem("", "", problems.shown(str(record)), problems.NOT_IN_SCHEMA, expected)


def mapped(
    stream_map: StreamMap, record: Json, turn: AbstractContextManager[object]
) -> tuple[dict[str, Any] | Row | None, list[Problem] | None]:
    """Give the mapped record (None = filtered out) and the problems found.

    `turn` is held while an expression is evaluated: the evaluator keeps the record that it works on.
    """
    if isinstance(record, Row):
        return record, None  # only streams without a map are decoded so
    if not isinstance(record, dict):
        return {}, [no_object(record)]
    if type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled:
        return record, None
    try:
        with turn:
            return stream_map.transform(dict(record)), None
    except Exception as error:  # noqa: BLE001 - an expression may raise anything
        return record, [Problem("", "", "", problems.MAPPING, f"stream_maps: {type(error).__name__}")]
