"""What a test may ask or change: not part of Sage X3."""

from __future__ import annotations
