"""Keeps secrets out of messages: what was registered here is replaced in every error and log line of ours.

Messages are written so that they hold no secret. This is the net below: a server may echo what it was sent.
"""

from __future__ import annotations

import logging

MASK = "********"
SHORTEST = 6
"""Shorter texts would be found inside of ordinary words."""

_secrets: set[str] = set()


def hide(*secrets: str | None) -> None:
    """Register texts that must not be shown from now on."""
    _secrets.update(secret for secret in secrets if secret and len(secret) >= SHORTEST)


def clean(text: str) -> str:
    """The text without registered secrets."""
    for secret in sorted(_secrets, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, MASK)
    return text


class SecretsFilter(logging.Filter):
    """Cleans the records of a logger."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the cleaned message in the place of the message; every record passes."""
        try:
            shown = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit: logging itself reports that
            return True
        cleaned = clean(shown)
        if cleaned != shown:
            record.msg, record.args = cleaned, ()
        return True


logging.getLogger("tap-sagex3").addFilter(SecretsFilter())
