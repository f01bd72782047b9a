"""Faults on demand: at the n-th request of a kind, so many times."""

from __future__ import annotations
