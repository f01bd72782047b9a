"""api1: lists, records and prototypes."""

from __future__ import annotations
