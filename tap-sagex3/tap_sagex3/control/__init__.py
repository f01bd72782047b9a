"""Streams that check the others: keys of the documents that X3 has now, and totals of its ledger."""

from __future__ import annotations

from tap_sagex3.control.keys import LIVE_KEYS, LiveKeys
from tap_sagex3.control.totals import CONTROL_TOTALS, ControlTotals

__all__ = ["CONTROL_STREAMS", "CONTROL_TOTALS", "LIVE_KEYS", "ControlTotals", "LiveKeys"]

CONTROL_STREAMS = (LIVE_KEYS, CONTROL_TOTALS)
"""Names of the control streams."""
