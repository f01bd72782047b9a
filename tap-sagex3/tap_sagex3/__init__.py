"""Singer tap for Sage X3."""

from __future__ import annotations

__version__ = "0.1.0"
