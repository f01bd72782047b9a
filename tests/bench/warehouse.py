"""What the local Snowflake holds and was asked, read over the real connector and its control endpoint."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from snowflake_control import SnowflakeControl
from warehouse import administrator

from .lines import KEYS, STAMP, Totals
from .measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.connector import SnowflakeConnection


def connect(ready: Mapping[str, Any]) -> SnowflakeConnection:
    """Open a session as the administrator of the local Snowflake whose ready line this is."""
    return administrator(ready, session_parameters={"TIMEZONE": "UTC"})


def clear_log(ready: Mapping[str, Any]) -> None:
    """Forget which statements were sent so far."""
    SnowflakeControl(ready["host"], ready["port"]).clear_log()


def sent(ready: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the loading user's statements since then, in the order in which they ended."""
    return SnowflakeControl(ready["host"], ready["port"]).query_log(user=ready["user"])


def check(ready: Mapping[str, Any], table: str, expected: Totals) -> None:
    """Compare the table with what was sent: a fast loader that loses or rounds an amount must not count.

    Amounts are cast row by row to four decimals before they are summed: a loader that stores binary floats
    passes when each row is right to the cent.

    Raises:
        BenchError: a count, a sum, a text or the newest stamp differs.
    """
    keys = " || '~' || ".join(f'CAST("{key}" AS VARCHAR)' for key in KEYS)
    sums = ", ".join(
        f'SUM(CAST("{column}" AS NUMBER(38,4)))' for column in ("DEBIT", "CREDIT", "LEDGER_AMOUNT")
    )
    sql = (
        f"SELECT COUNT(*), COUNT(DISTINCT {keys}), {sums}, "
        f'SUM(LENGTH("DESCRIPTION")), MAX("{STAMP}") FROM {table}'
    )
    with connect(ready) as connection, closing(connection.cursor()) as cursor:
        found = cursor.execute(sql).fetchone()
    newest = datetime.fromisoformat(expected.newest).replace(tzinfo=None)
    wanted = (
        expected.rows,
        expected.rows,
        expected.debit,
        expected.credit,
        expected.ledger_amount,
        expected.text_length,
        newest,
    )
    if tuple(found or ()) != wanted:
        message = f"{table} holds {found}, the file has {wanted}: its figures do not count"
        raise BenchError(message)
