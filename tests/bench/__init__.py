"""Benchmarks of both plugins against the local X3 and the local Snowflake, side by side with a peer.

`make bench` (that is `python -m tests.bench`) prints a table and writes `build/bench.json`. Every figure is
of one run on one machine; no test asserts a time.
"""

from __future__ import annotations
