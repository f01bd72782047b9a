"""Names of types used in many places."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Any JSON value: None, bool, int, Decimal, str, list or dict."""
