"""What ends a command: exit codes, and the error that is shown as one line."""

from __future__ import annotations

FINE = 0
FOUND_SOMETHING = 1  # open dead letters, a letter that stayed bad, a record nobody knows, amounts that differ
COULD_NOT_RUN = 2


class CommandError(Exception):
    """The command could not do what it was asked; the text is one line for a person, without secrets."""


class NotAllowedError(CommandError):
    """The object does not exist, or the role may not use it: Snowflake does not tell the two apart."""
