"""First net: every record is checked in the client, and every bad column of a bad record is named."""

from __future__ import annotations
