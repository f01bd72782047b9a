"""The statements of the command, as pure text builders: nothing here talks to Snowflake."""

from __future__ import annotations
