"""The chain of what a run writes about itself: RUNS, RETRIES, SCHEMA_CHANGES, and events by people.

One statement is one link: its rows share a number, and the next link carries the digest over all of them.
Only the process of the run writes to its chain, one statement at a time, so it knows where the chain ends.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import TEXT
from target_snowflake_audit.audit.tips import Tip
from target_snowflake_audit.sql import audit_rows, chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_snowflake_audit.audit.tables import Table
    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.quoting import TableName


class RunChain:
    """Inserts audit rows of a run as links of its chain; safe to use from several threads."""

    def __init__(self, run_id: str, name: Callable[[str], TableName]) -> None:
        """Start an empty chain; `name` gives the full name of an audit table."""
        self.chain = chain.of_run(run_id)
        self._run_id = run_id
        self._name = name
        self._lock = threading.Lock()
        self._number = 0
        self._last = ""
        self._doubtful: tuple[str, list[Mapping[str, Any]]] | None = None
        self._done: list[Mapping[str, Any]] = []
        """Rows that were stored although their statement failed; whoever gives them again may come later."""

    def insert(
        self, session: Session, table: Table, rows: Sequence[Mapping[str, Any]], unless: str = ""
    ) -> None:
        """Insert rows in one statement, outside a transaction; `unless` as in `audit_rows.insert`.

        Rows whose statement failed before may be given again: those that were stored after all, since only
        the answer was lost, are left out.

        Raises:
            StatementError: it failed; whether the rows are stored is found out at the next call.
        """
        with self._lock:
            self._settle(session)
            left = [row for row in rows if not any(row is done for done in self._done)]
            if not left:
                return
            previous = chain.typed_null(TEXT)
            if self._number:
                previous = chain.entry(self._name(self._last), self.chain, self._number)
            link = chain.link(self.chain, self._number + 1, previous)
            sql = audit_rows.insert(self._name(table.name), left, link, unless)
            self._doubtful = (table.name, left)
            affected = session.execute(sql, f"insert {table.name}").affected
            self._doubtful = None
            if affected or not unless:
                self._grown(table.name)  # without a row there is no link

    def table_tips(self, session: Session) -> list[Tip]:
        """Read the last link that the run has written to each table's chain."""
        rows = session.execute(chain.tips(self._name("BATCHES"), self._run_id), "chain tips").rows
        return [Tip(str(name), int(number), str(digest)) for name, number, digest in rows]

    def own_tip(self, session: Session) -> Tip:
        """Read the last link of this chain; something must have been inserted."""
        sql = chain.entry(self._name(self._last), self.chain, self._number)[1:-1]
        return Tip(self.chain, self._number, str(session.execute(sql, "chain tip").rows[0][0]))

    def _settle(self, session: Session) -> None:
        """Find out whether the last statement took effect although it failed."""
        if self._doubtful is None:
            return
        name, tried = self._doubtful
        sql = chain.entry(self._name(name), self.chain, self._number + 1)[1:-1]
        stored = session.execute(sql, "look up chain").rows[0][0] is not None
        self._doubtful = None
        if stored:
            self._done += tried
            self._grown(name)

    def _grown(self, table: str) -> None:
        self._number += 1
        self._last = table
