"""The `snowflake-audit` command: reading and mending what the target wrote to the audit schema.

Nothing here imports the connector or the Singer SDK at module level: `--help` and `--version` answer at once.
"""

from __future__ import annotations
