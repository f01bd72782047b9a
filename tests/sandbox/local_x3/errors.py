"""Refusals of the two APIs and of the control endpoint."""

from __future__ import annotations


class RestError(Exception):
    """An api1 answer made of `$diagnoses` (SData 2.0 JSON diagnosis) [D]."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, severity: str = "error"
    ) -> None:
        """Keep the HTTP status and the diagnosis; `code` is the SData code."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.severity = severity

    def body(self) -> dict[str, object]:
        """Return the JSON body."""
        diagnosis: dict[str, object] = {"$severity": self.severity, "$message": self.message}
        if self.code:
            diagnosis["$sdataCode"] = self.code
        return {"$diagnoses": [diagnosis]}


class TokenError(Exception):
    """A refused credential of the GraphQL API: plain text with HTTP 401 [C]."""


class FilterError(Exception):
    """A GraphQL filter, order or cursor that the server refuses."""


class ControlError(Exception):
    """A control request that makes no sense; the message says what was expected."""


class GatewayError(Exception):
    """A refusal of the cloud gateway: an HTTP status and `{"message": ...}` [D]."""

    def __init__(self, status: int, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status
