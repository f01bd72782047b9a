"""Starts the local X3 and the local Snowflake together and hands their addresses to a command."""

from __future__ import annotations
