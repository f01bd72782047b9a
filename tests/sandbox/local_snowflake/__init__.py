"""A local Snowflake: fakesnow (DuckDB) behind the rules that the real one has and it lacks.

The real connector talks to it over HTTP on loopback. Where a rule cannot be restored the statement is
refused, never answered wrongly.
"""

from __future__ import annotations
