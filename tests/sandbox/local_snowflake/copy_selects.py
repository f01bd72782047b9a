"""What the SELECT of a COPY may hold.

Rules restored (data-load-transform and copy-into-table pages): it reads a named stage or the user's, never a
table's; it has columns and expressions only, no WHERE, ORDER BY, LIMIT, JOIN or groups; and of the functions
it knows those that the page lists, so no UPPER, COALESCE or TRY_PARSE_JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from .errors import SnowflakeError, syntax

if TYPE_CHECKING:
    from .stages import Location

# Functions of the page, by the names that sqlglot prints for them.
_NAMES = """ARRAY_CONSTRUCT ARRAY_SIZE ASCII CAST CEIL CHECK_JSON CHR CHAR CONCAT CONVERT_TIMEZONE ENDSWITH
    EQUAL_NULL FLOOR GET GET_PATH HEX_DECODE_STRING HEX_ENCODE IFF IS_ARRAY IS_BOOLEAN IS_DECIMAL
    IS_INTEGER IS_NULL_VALUE IS_OBJECT IS_TIME LENGTH LPAD LTRIM MD5 MD5_HEX NULLIF NVL2 OBJECT_CONSTRUCT
    PARSE_JSON RANDOM REGEXP_REPLACE REGEXP_SUBSTR REPLACE REVERSE RPAD RTRIM SPLIT SPLIT_PART STARTSWITH
    SUBSTR SUBSTRING TO_ARRAY TO_BINARY TO_BOOLEAN TO_CHAR TO_VARCHAR TO_DATE DATE TO_DECIMAL TO_NUMBER
    TO_NUMERIC TO_DOUBLE TO_OBJECT TO_TIME TIME TO_TIMESTAMP TO_TIMESTAMP_NTZ TO_TIMESTAMP_LTZ
    TO_TIMESTAMP_TZ TO_VARIANT TRIM TRY_CAST TRY_TO_BINARY TRY_TO_BOOLEAN TRY_TO_DATE TRY_TO_DECIMAL
    TRY_TO_NUMBER TRY_TO_NUMERIC TRY_TO_DOUBLE TRY_TO_TIME UNICODE UUID_STRING"""
_KNOWN = frozenset(_NAMES.split())
_CLAUSES = ("where", "group", "having", "qualify", "order", "limit", "offset", "joins", "laterals", "with_")
_CALL = re.compile(r"([A-Z_0-9$]+)\s*\(", re.IGNORECASE)


def check(select: exp.Expression, location: Location) -> None:
    """Refuse what a COPY cannot transform.

    Raises:
        SnowflakeError: 1003 for a clause, 2300 for a function. [I] both numbers: the pages give none.
    """
    if location.stage.name.startswith("%"):
        message = "COPY with a SELECT reads a named stage or the user's, not the table's"
        raise syntax(message)
    found = [clause for clause in _CLAUSES if select.args.get(clause)]
    if found or not isinstance(select, exp.Select) or select.find(exp.Subquery, exp.Window):
        message = f"COPY with a SELECT that does more than compute columns: {' '.join(found)}"
        raise syntax(message)
    for node in select.find_all(exp.Func):
        if (name := _refused(node)) is not None:
            message = f"SQL compilation error:\nFunction '{name}' not supported within a COPY."
            raise SnowflakeError(2300, "0A000", message)


def _refused(node: exp.Func) -> str | None:
    """The name of a function that a COPY does not know; operators have none."""
    if isinstance(node, exp.Coalesce):  # NVL and IFNULL are known, and sqlglot tells them apart no more
        return "COALESCE" if len(node.expressions) > 1 else None
    call = _CALL.match(node.sql(dialect="snowflake"))
    name = call[1].upper() if call else ""
    return name if name and name not in _KNOWN else None
