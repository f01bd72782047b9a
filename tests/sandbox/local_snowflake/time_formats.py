"""Snowflake's format texts for dates and times, as DuckDB's.

Rule restored (date-time-input-output page): a time becomes text by the session's output format of its type,
`YYYY-MM-DD HH24:MI:SS.FF3` for TIMESTAMP_NTZ unless it is set.
"""

from __future__ import annotations

import re

from .errors import unsupported

_PARTS = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S",
    "FF3": "%g", "FF6": "%f", "FF9": "%n", "FF": "%n",
}  # fmt: skip
_PART = re.compile(r'(YYYY|MM|DD|HH24|MI|SS|FF[369]?)|"([^"%]*)"|([-/:., TZ]+)')
_ZONE = " TZHTZM"

# Session parameter -> its default.
OUTPUT_FORMATS = {
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
}
INPUT_FORMATS = ("DATE_INPUT_FORMAT", "TIME_INPUT_FORMAT", "TIMESTAMP_INPUT_FORMAT")


def strftime(form: str) -> str:
    """DuckDB's format text.

    Raises:
        SnowflakeError: for a format that cannot be written faithfully here.
    """
    parts = list(_PART.finditer(form))
    if "".join(part[0] for part in parts) != form or not form:
        message = f"the time format '{form}'"
        raise unsupported(message)
    return "".join(_PARTS.get(part[0]) or part[2] or part[3] or "" for part in parts)


def zoned(form: str) -> tuple[str, bool]:
    """DuckDB's format text of a time with a zone, and whether the zone follows it."""
    return strftime(form.removesuffix(_ZONE)), form.endswith(_ZONE)
