"""`trace` shows times of the stored row to the last digit.

The local Snowflake holds six decimals of a second; `test_text` and `test_sql` look at all nine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_messages import load, stream

if TYPE_CHECKING:
    from audit_console import Console

STAMP = {"type": ["string", "null"], "format": "date-time"}


def test_a_stored_time_is_shown_with_all_its_decimals(console: Console) -> None:
    times = {"millis": "2026-03-02T08:00:00.25Z", "micros": "2026-03-02T08:00:00.0004Z", "none": None}
    properties = {"at": STAMP, **dict.fromkeys(times, STAMP)}
    load(console, stream("clocks", properties, ["at"], {"at": "2026-03-02T08:00:00.000001Z", **times}))
    for key in ("2026-03-02T08:00:00.000001Z", "at=2026-03-02T09:00:00.000001+01:00"):
        answer = console("trace", "clocks", key, "--json")
        assert answer.code == 0, answer.err
        stored = answer.json["current"]
        assert stored["AT"] == "2026-03-02T08:00:00.000001Z"
        assert stored["MILLIS"] == "2026-03-02T08:00:00.250Z"
        assert stored["MICROS"] == "2026-03-02T08:00:00.000400Z"
        assert stored["NONE"] is None
