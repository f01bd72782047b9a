"""Columns whose property has left the SCHEMA: what is done with values that no record brings any more.

A row is known by the digest of the values that its record brought. Left as they are, such values would be no
part of it: a property that comes back as null would find an equal digest, and its outdated value would stay.
So they are null in each row that is written, as a property is that a record does not have; `absent_fields:
keep` leaves them, but for load method overwrite, which writes every row. Only columns that this target made
for the stream are meant, as SCHEMA_CHANGES tells: an owner's own, and those of another stream of the table,
are never touched.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import SCHEMA_CHANGES
from target_snowflake_audit.checking.plan import OVERWRITE, Column
from target_snowflake_audit.naming import AUDIT_COLUMNS, given, mapping_entry
from target_snowflake_audit.redaction import DROP, MASK
from target_snowflake_audit.sql import audit_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_snowflake_audit.alignment import StoredColumn
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.quoting import TableName

logger = logging.getLogger(__name__)

_QUOTED = re.compile(r"""'(?:[^'\\]|''|\\.)*'|"((?:[^"]|"")*)\"""", re.DOTALL)
"""A literal, or an identifier (group 1), of a statement that this target wrote."""


def unfilled(plan: StreamPlan, stored: Iterable[StoredColumn]) -> tuple[Column, ...]:
    """The table's columns that no property fills and that can take null, where rows are written into it."""
    if plan.keep or plan.append or plan.method == OVERWRITE:
        return ()
    filled = {column.name for column in plan.columns} | set(AUDIT_COLUMNS)
    names = {have.name: have.type for have in stored if have.nullable and not have.key}
    return tuple(Column(name, name, names[name], retired=True) for name in sorted(set(names) - filled))


def names_in(statements: Iterable[str], table: TableName) -> set[str]:
    """The columns in CREATE TABLE and ADD COLUMN statements of a table, as stored.

    They come behind the table's name, whose own parts may be the names of an owner's columns.
    """
    definitions = (sql.partition(table.sql)[2] for sql in statements)
    found = (match[1] for sql in definitions for match in _QUOTED.finditer(sql))
    return {name.replace('""', '"') for name in found if name}


def made_for(run: Run, session: Session, plan: StreamPlan) -> set[str]:
    """Names of the columns that this target made for the stream in its table; needs the warehouse."""
    sql = audit_rows.made_columns(run.audit_table(SCHEMA_CHANGES.name), str(plan.table), plan.stream)
    statements = [str(row[0]) for row in session.execute(sql, "columns made").rows]
    return names_in(statements, plan.table)


class Leaving:
    """Knows which unfilled columns of a table are the stream's own; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        """`run` has the settings and knows the audit tables."""
        self._run = run
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, tuple[Column, ...]], tuple[Column, ...]] = {}

    def of(self, session: Session, plan: StreamPlan) -> tuple[Column, ...]:
        """The columns to set to null; asks once a table and stream, and again where columns are new."""
        if not plan.unfilled:
            return ()
        place = (str(plan.table), plan.stream, plan.unfilled)
        with self._lock:
            known = self._known.get(place)
            if known is None:
                made = made_for(self._run, session, plan)
                left = [column for column in plan.unfilled if column.name in made]
                known = tuple(_redacted(self._run.settings, plan, column) for column in left)
                self._known[place] = known
                self._tell(plan, [column.name for column in left])
        return known

    @staticmethod
    def _tell(plan: StreamPlan, names: list[str]) -> None:
        if names:
            hint = "" if plan.method == OVERWRITE else " (`absent_fields: keep` leaves the values)"
            logger.warning(
                "Stream %s: the SCHEMA has no property for %s of %s any more; rows that are written get null "
                "there%s",
                plan.stream,
                ", ".join(names),
                plan.table,
                hint,
            )


def _redacted(settings: Mapping[str, Any], plan: StreamPlan, column: Column) -> Column:
    """The column as the history may show it. Its schema is gone: what is inside an object is not known."""
    renamed = mapping_entry(settings, plan.stream).get("columns") or {}
    names = [name for name, to in renamed.items() if _is_or_beside(column.name, given(to, plan.stream))]
    streams = (plan.source_stream, plan.stream)
    ways = {plan.redaction.of_property(streams, name, column.name, {}) for name in (column.name, *names)}
    ways.add(plan.redaction.of_left(streams, column.name))
    way = DROP if DROP in ways else MASK if ways - {""} or column.type.family == "VARIANT" else ""
    return Column(column.name, column.name, column.type, redact=way, retired=True)


def _is_or_beside(column: str, name: str) -> bool:
    """Whether a column has a name or may be one beside it, for values of another type."""
    return column == name or column.startswith(f"{name}__")
