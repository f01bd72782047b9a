"""How the tables that the target makes are kept: `table_type` and `retention_days`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

_RETENTION = "retention_days"
MOST_DAYS_TRANSIENT, MOST_DAYS = 1, 90
"""Of Time Travel (docs.snowflake.com/en/user-guide/data-time-travel); above 1 in the Enterprise edition."""


@dataclass(frozen=True)
class Storage:
    """How a new table is kept: without Fail-safe (`transient`), and days of Time Travel (None = default)."""

    transient: bool = False
    days: int | None = None


DEFAULT = Storage()


def storage_of(settings: Mapping[str, Any]) -> Storage:
    """Read `table_type` and `retention_days`.

    Raises:
        SettingError: Snowflake keeps no such table.
    """
    transient = settings.get("table_type") == "transient"
    days = settings.get("retention_days")
    if days is None:
        return Storage(transient)
    most = MOST_DAYS_TRANSIENT if transient else MOST_DAYS
    if not 0 <= int(days) <= most:
        kind = "transient" if transient else "permanent"
        problem = f"is {days}, expected 0 to {most} days for a {kind} table (`table_type`)"
        raise SettingError(_RETENTION, problem)
    return Storage(transient, int(days))
