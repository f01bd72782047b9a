"""What every login can do."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

CLOCK_ALLOWANCE = 30
"""Seconds by which clocks may differ, and a token is renewed before it ends."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A 401: the text of its body, and the server's time (epoch seconds) when it told."""

    text: str = ""
    server_time: float | None = None


class Login(t.Protocol):
    """Something that gives the Authorization header of a request."""

    def header(self) -> str:
        """Value of the Authorization header, fresh enough to be used now."""

    def renew(self, refused: str, refusal: Refusal) -> bool:
        """Have another header ready in the place of the one that was `refused`.

        Returns:
            False when trying again makes no sense.
        """
