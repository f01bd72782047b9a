"""Batch files: CSV text of the checked rows, compressed, in a private folder that is removed."""

from __future__ import annotations
