"""SQL text, built without any input or output: one module a kind of statement."""

from __future__ import annotations
