"""Refused rows are set aside before rows are ranked: an older version of the key that is good is loaded.

The first net refuses records before they are staged. What is refused later, by conversion or by MERGE, has
been ranked already, so the rows are marked in the staging table and all are classified once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.sql import conversion
from target_snowflake_audit.sql.classify import ASIDE, Tables
from target_snowflake_audit.sql.quoting import identifier, literal, words
from target_snowflake_audit.sql.staging import value_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.checking.plan import StreamPlan

WHOLE_ROW = -1
"""Mark of a row that was refused as a whole, not for one column."""
_LONGEST = 10_000
"""Numbers in one IN list; Snowflake refuses more than 16,384 (001795)."""
_SET = f'SET "STATE" = {literal(ASIDE)} WHERE'


def refused(tables: Tables, seqs: Sequence[int]) -> str:
    """UPDATE that sets aside rows which Snowflake refused as a whole."""
    return words("UPDATE", tables.staging.sql, _SET, _numbered(seqs))


def unconvertible(plan: StreamPlan, tables: Tables) -> str:
    """UPDATE that sets aside what cannot be converted, among the versions of keys whose winner cannot.

    Of other keys the winner is good, and what it beats is not converted at all.
    """
    bad = []
    for at, column in enumerate(plan.columns):
        text = identifier(value_column(at))
        null = f"{text} IS NULL OR " if column.filled else ""
        bad.append(f"({null}{conversion.bad(column.type, text)})")
    keys = words('SELECT y."KEY_HASH" FROM', tables.typed.sql, 'AS y WHERE y."BAD" IS NOT NULL')
    chosen = f'"STATE" IS NULL AND "KEY_HASH" IN ({keys}) AND ({" OR ".join(bad)})'
    return words("UPDATE", tables.staging.sql, _SET, chosen)


def mark(tables: Tables, seqs: Sequence[int]) -> str:
    """UPDATE of the classified rows that marks those which Snowflake refused as a whole."""
    value = literal(f"{WHOLE_ROW},")
    return words("UPDATE", tables.typed.sql, 'SET "BAD" =', value, "WHERE", _numbered(seqs))


def _numbered(seqs: Sequence[int]) -> str:
    lists = [seqs[at : at + _LONGEST] for at in range(0, len(seqs), _LONGEST)]
    return " OR ".join(f'"SEQ" IN ({", ".join(map(str, some))})' for some in lists)
