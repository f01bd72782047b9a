"""The property by which a record says that its row is deleted in the source, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.converters import told
from target_snowflake_audit.checking.problems import Bad, Problem
from target_snowflake_audit.checking.times import TimestampCache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_snowflake_audit.values import Json

DELETED_PROPERTY = "_sdc_deleted_at"
_times = TimestampCache()


def problem_of(value: Json, columns: Mapping[str, str]) -> Problem | None:
    """What is wrong with the mark: `false` or '' is no time, and deletes no row."""
    if value is None or not isinstance(_times.convert(value), Bad):
        return None
    column = columns.get(DELETED_PROPERTY, "")
    expected = "the time of the deletion, or null"
    return Problem(DELETED_PROPERTY, column, told(value), problems.NOT_A_TIME, expected)
