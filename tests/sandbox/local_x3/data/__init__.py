"""The dataset: generated from a seed, or read from a fixture."""

from __future__ import annotations
