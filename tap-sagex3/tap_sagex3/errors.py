"""Errors that a user can act on: each message says what happened and what to check."""

from __future__ import annotations

from tap_sagex3.redaction import clean

INCOMPLETE = "the answer is incomplete. Run again; if it stays so, the cause is at the server."
"""End of a message about an answer that lacks something."""


class TapError(Exception):
    """Base of every error that ends a run with one clear line instead of a traceback."""

    def __init__(self, message: str) -> None:
        """Keep the message, without any secret that a server may have echoed."""
        super().__init__(clean(message))


class SettingsError(TapError):
    """A setting is missing, malformed or contradicts another one."""


class SecretsKeyError(SettingsError):
    """An encrypted secret cannot be read: there is no key, or not the right one."""


class DeclarationError(TapError):
    """An entity file (TOML) says something that the tap does not understand."""


class ConnectionFailedError(TapError):
    """The server could not be reached, or kept failing after all retries."""


class AuthenticationError(TapError):
    """The server refused the credentials."""


class TargetGoneError(TapError):
    """Whoever read our output has gone."""


class ApiError(TapError):
    """The server answered, but not with what was asked for; retrying would not help."""


class NotReadableError(ApiError):
    """A class, representation, node or field does not exist on this instance, or the user may not read it."""


class IntrospectionRefusedError(ApiError):
    """A GraphQL server does not describe its schema."""


class IncompleteAnswerError(ApiError):
    """An answer holds errors beside data, or pages that do not move on: taking it would lose records."""
