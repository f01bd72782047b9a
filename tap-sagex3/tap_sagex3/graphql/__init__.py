"""Reading documents through GraphQL (Xtrem)."""

from __future__ import annotations
