"""What COPY says that it loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import IntegrityError

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import StreamPlan


def check_copied(plan: StreamPlan, copied: int, lines: int) -> None:
    """Compare what COPY loaded with what was staged.

    Raises:
        IntegrityError: they differ.
    """
    if copied != lines:
        message = f"stream {plan.stream}: COPY loaded {copied} of {lines} lines; rolled back"
        raise IntegrityError(message)


def rows_loaded(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> int:
    """Rows that COPY loaded, from its answer; one about no file ("0 files processed") has no such column."""
    if "rows_loaded" not in columns:
        return 0
    at = columns.index("rows_loaded")
    return sum(int(row[at]) for row in rows)
