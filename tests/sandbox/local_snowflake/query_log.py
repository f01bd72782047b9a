"""What was run: one entry a statement, for tests and benchmarks."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One statement.

    `transaction`: id of the open transaction, None outside; `rows`: changed or returned rows; `error`:
    Snowflake's number, None when it succeeded; `stale`: tables read that somebody else committed to after
    the transaction's snapshot;
    `at`: seconds since 1970 on the sandbox's clock; `ms`: real milliseconds.
    """

    query_id: str
    statement: str
    kind: str
    session: int
    user: str
    role: str
    warehouse: str | None
    database: str | None
    transaction: int | None
    query_tag: str
    needs_warehouse: bool
    rows: int
    error: int | None
    message: str | None
    stale: list[str]
    at: float
    ms: float


class QueryLog:
    """Entries in the order in which statements ended; the oldest go when there are too many."""

    LIMIT = 200_000

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        with self._lock:
            self._entries.append(entry)
            del self._entries[: -self.LIMIT]

    def entries(self) -> list[dict[str, Any]]:
        """All entries as plain data."""
        with self._lock:
            return [asdict(entry) for entry in self._entries]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
