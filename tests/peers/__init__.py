"""Other loaders on the local Snowflake, each in an environment of its own: `make peers` prints the table.

The stand-in is worth more when programs that are known to work on the real Snowflake, and that its authors
did not write, work on it unchanged.
"""

from __future__ import annotations
