"""How long a run keeps a warehouse busy, from the times of the statements that need one.

An estimate of the bill: a warehouse is billed from its resume to its suspension, at least a minute, and other
sessions share it (docs.snowflake.com/en/user-guide/warehouses-considerations).
"""

from __future__ import annotations

import re
import threading

_WORKS = re.compile(r"\s*(copy|insert|update|delete|merge)\b", re.IGNORECASE)
_READS = re.compile(r"\s*(select|with)\b.*?\bfrom\b", re.IGNORECASE | re.DOTALL)
_MAKES = re.compile(r"\s*create\b[^(]*?\btable\b[^(]*?\bas\s+select\b", re.IGNORECASE | re.DOTALL)


def needs_warehouse(sql: str) -> bool:
    """Whether a statement runs in a warehouse: DML, COPY, queries of tables, CREATE TABLE AS SELECT.

    PUT, SHOW, USE, other DDL, transaction control and queries of nothing but context functions run in the
    cloud services layer.
    """
    return any(pattern.match(sql) for pattern in (_WORKS, _READS, _MAKES))


class WarehouseMeter:
    """Adds up milliseconds; safe to use from several threads."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock = threading.Lock()
        self._milliseconds = 0

    def add(self, milliseconds: int) -> None:
        """Add a statement's time."""
        with self._lock:
            self._milliseconds += milliseconds

    @property
    def milliseconds(self) -> int:
        """What was added."""
        return self._milliseconds
