"""`dead-letters`: records that were refused, why, and what became of them."""

from __future__ import annotations
