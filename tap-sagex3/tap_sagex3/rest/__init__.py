"""Reading documents through the REST API (api1)."""

from __future__ import annotations
