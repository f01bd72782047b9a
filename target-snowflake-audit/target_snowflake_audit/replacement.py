"""How load method overwrite replaces a table that has columns which the stream has not.

They belong to somebody else. INSERT OVERWRITE writes whole rows, so what they hold is carried over by the
key; without a key no row is known again, and nothing is replaced as long as they hold anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import IntegrityError, SchemaError
from target_snowflake_audit.naming import AUDIT_COLUMNS
from target_snowflake_audit.sql import ddl, overwrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.counts import Counts
    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.classify import Tables
    from target_snowflake_audit.work import Work

_POLICY = "policy name"
_KIND, _PLAIN = "kind", "COLUMN"


def look_up(session: Session, plan: StreamPlan) -> tuple[tuple[str, str], ...]:
    """Name and type of the columns of the plan's table that the stream has not; needs no warehouse.

    Raises:
        SchemaError: one of them has a masking policy.
    """
    answer = session.execute(ddl.describe(plan.table), "describe")
    return foreign(plan, [dict(zip(answer.columns, row, strict=True)) for row in answer.rows])


def foreign(plan: StreamPlan, described: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """As `look_up`, from the rows of DESCRIBE TABLE.

    A column that Snowflake computes is left to it. One whose values the role may see masked only would be
    masked for good.

    Raises:
        SchemaError: one of them has a masking policy.
    """
    known = {*AUDIT_COLUMNS, *(column.name for column in plan.columns)}
    rows = [row for row in described if str(row["name"]) not in known and _is_stored(row)]
    masked = [str(row["name"]) for row in rows if row.get(_POLICY)]
    if masked:
        message = (
            f"stream {plan.stream}: {plan.table} has columns with a masking policy that the stream does not "
            f"have ({', '.join(masked)}): load_method overwrite would write them as the role sees them; "
            "nothing was replaced. Use load_method upsert, or keep them in a table of their own"
        )
        raise SchemaError(message)
    return tuple((str(row["name"]), str(row["type"])) for row in rows)


def _is_stored(row: Mapping[str, Any]) -> bool:
    return str(row.get(_KIND) or _PLAIN).upper() == _PLAIN


def check_empty(session: Session, plan: StreamPlan, columns: tuple[tuple[str, str], ...]) -> None:
    """Look whether columns hold nothing; asked under the fence.

    Raises:
        SchemaError: they hold something, and no row could keep it.
    """
    if not columns:
        return
    names = [name for name, _ in columns]
    counts = session.execute(overwrite.count_values(plan.table, names), "other columns").rows[0]
    filled = [name for name, count in zip(names, counts, strict=True) if count]
    if filled:
        message = (
            f"stream {plan.stream}: {plan.table} has columns with values that the stream does not have "
            f"({', '.join(filled)}). The stream has no key, so load_method overwrite cannot tell which new "
            "row they belong to; nothing was replaced. Drop the columns if their values may go, keep them in "
            "a table of their own, or give the stream key_properties"
        )
        raise SchemaError(message)


def replace_table(session: Session, work: Work, tables: Tables, counts: Counts) -> None:
    """Replace the table by what was compared.

    Raises:
        IntegrityError: another program wrote to the table meanwhile.
    """
    plan, batch = work.batch.plan, work.batch.batch_id
    written = session.execute(overwrite.replace(plan, tables, batch), "overwrite").affected
    if plan.foreign and counts.inserted:
        written += session.execute(overwrite.add(plan, tables, batch), "add").affected
    expected = work.live - counts.removed + counts.inserted
    if written != expected:
        message = (
            f"stream {plan.stream}: INSERT OVERWRITE wrote {written} rows, expected {expected}; another "
            "program writes to the table; nothing was replaced"
        )
        raise IntegrityError(message)
