"""How load method overwrite replaces a table that has columns which the stream has not.

Those that were made for the stream have lost their property: they become null, as with other load methods.
The others belong to somebody else. INSERT OVERWRITE writes whole rows, so what they hold is carried over by
the key; without a key no row is known again, and nothing is replaced as long as they hold anything.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import columntypes, leaving
from target_snowflake_audit.checking.plan import Column
from target_snowflake_audit.errors import IntegrityError, SchemaError
from target_snowflake_audit.naming import AUDIT_COLUMNS
from target_snowflake_audit.sql import ddl, overwrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.counts import Counts
    from target_snowflake_audit.run import Run
    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.classify import Tables
    from target_snowflake_audit.work import Work

_POLICY = "policy name"
_NULLABLE = "null?"
_KIND, _PLAIN = "kind", "COLUMN"


def with_others(run: Run, plan: StreamPlan) -> tuple[StreamPlan, tuple[str, ...]]:
    """The plan with the columns of its table that the stream has not, and those of them that must be empty.

    Raises:
        SchemaError: one of them has a masking policy.
    """
    session = run.session()
    answer = session.execute(ddl.describe(plan.table), "describe")
    others = foreign(plan, [dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
    if not others:
        return plan, ()
    made = leaving.made_for(run, session, plan)
    if plan.key:
        return carrying(plan, others, made), ()
    # All rows are new ones: a column that was made for the stream goes with the old ones.
    strange = tuple(str(row["name"]) for row in others if str(row["name"]) not in made)
    return carrying(plan, [row for row in others if str(row["name"]) in made], made), strange


def carrying(plan: StreamPlan, others: Iterable[Mapping[str, Any]], made: set[str]) -> StreamPlan:
    """The plan with other columns, from the rows of DESCRIBE TABLE; those `made` for the stream are unfilled.

    One that takes no null cannot become null, so it is carried over as those of somebody else are.
    """
    every = [(str(row["name"]), str(row["type"]), row[_NULLABLE] == "Y") for row in others]
    unfilled = [
        Column(name, name, columntypes.parse(kind), retired=True)
        for name, kind, nullable in every
        if nullable and name in made
    ]
    pairs = tuple((name, kind) for name, kind, _ in every)
    return dataclasses.replace(plan, foreign=pairs, unfilled=tuple(unfilled))


def foreign(plan: StreamPlan, described: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those rows of DESCRIBE TABLE whose columns the stream has not.

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
    return rows


def _is_stored(row: Mapping[str, Any]) -> bool:
    return str(row.get(_KIND) or _PLAIN).upper() == _PLAIN


def check_empty(session: Session, plan: StreamPlan, names: tuple[str, ...]) -> None:
    """Look whether columns hold nothing; asked under the fence.

    Raises:
        SchemaError: they hold something, and no row could keep it.
    """
    if not names:
        return
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
