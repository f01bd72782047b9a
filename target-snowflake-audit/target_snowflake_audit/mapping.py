"""Applies a stream map to a record; one that cannot be mapped becomes a dead letter, not a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import SameRecordTransform

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.problems import Problem
from target_snowflake_audit.checking.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from singer_sdk.mapper import StreamMap

    from target_snowflake_audit.values import Json

    Mapped = tuple[dict[str, Any] | Row | None, list[Problem] | None]
    Remap = Callable[[Json], Mapped]
    """`mapped` of one stream, for records read back from their text."""


def mapped(stream_map: StreamMap, record: Json, turn: AbstractContextManager[object]) -> Mapped:
    """Give the mapped record (None = filtered out) and the problems found.

    `turn` is held while an expression is evaluated: the evaluator keeps the record that it works on.
    """
    if isinstance(record, Row):
        return record, None  # only streams without a map are decoded so
    if not isinstance(record, dict):
        expected = getattr(record, "expected", "a JSON object")
        return {}, [Problem("", "", problems.shown(str(record)), problems.NOT_IN_SCHEMA, expected)]
    if type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled:
        return record, None
    try:
        with turn:
            return stream_map.transform(dict(record)), None
    except Exception as error:  # noqa: BLE001 - an expression may raise anything
        return record, [Problem("", "", "", problems.MAPPING, f"stream_maps: {type(error).__name__}")]
