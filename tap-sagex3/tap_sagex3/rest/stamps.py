"""Change stamps in REST: which one a list shows, and conditions on it. Pure."""

from __future__ import annotations

import typing as t
from datetime import time

from tap_sagex3.values import format_time

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tap_sagex3.reading import Span

STAMPS = ("UPDDATTIM", "UPDDAT")
"""Change stamps of X3: a UTC time to the second, and the day only."""
_DATE_TYPE = "application/x-date"


def change_field(properties: Mapping[str, t.Any], fields: Sequence[str]) -> str | None:
    """The best change stamp among the properties of a list."""
    return next((name for name in fields if name in properties), None)


def is_date(described: object, field: str) -> bool:
    """Whether a change stamp holds only the day: by its described type, else by its name."""
    if isinstance(described, dict) and "$type" in described:
        return bool(described["$type"] == _DATE_TYPE)
    return field == STAMPS[1]


def stamp_condition(field: str, span: Span, *, whole_days: bool) -> str:
    """Condition on a stamp; empty when the span is open. Of days, those at both ends are whole."""
    parts = []
    if span.since is not None:
        parts.append(f"{field} ge @{_literal(span.since, whole_days=whole_days)}@")
    if span.until is not None:
        operator = "le" if whole_days and span.until.time() != time() else "lt"
        parts.append(f"{field} {operator} @{_literal(span.until, whole_days=whole_days)}@")
    return " and ".join(parts)


def _literal(moment: datetime, *, whole_days: bool) -> str:
    return moment.date().isoformat() if whole_days else format_time(moment)
