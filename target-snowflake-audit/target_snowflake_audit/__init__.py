"""Singer target for Snowflake with an audit trail."""

from __future__ import annotations

__version__ = "0.1.0"
