"""Basic authentication."""

from __future__ import annotations

import typing as t
from base64 import b64encode

from tap_sagex3.redaction import hide

if t.TYPE_CHECKING:
    from tap_sagex3.auth.login import Refusal


class BasicLogin:
    """User name and password of a Syracuse user, with every request."""

    def __init__(self, username: str, password: str) -> None:
        """Encode the header once."""
        encoded = b64encode(f"{username}:{password}".encode()).decode("ascii")
        hide(password, encoded)
        self._header = f"Basic {encoded}"

    def header(self) -> str:
        """Value of the Authorization header."""
        return self._header

    def renew(self, refused: str, refusal: Refusal) -> bool:  # noqa: ARG002 - a password has no successor
        """A refused password stays refused."""
        return False
