"""Logins: Basic, connected applications that sign tokens of their own, and the cloud gateway's OAuth2."""

from __future__ import annotations

import typing as t

from tap_sagex3.auth.basic import BasicLogin
from tap_sagex3.auth.cloud import CloudLogin
from tap_sagex3.auth.connected_app import ConnectedAppLogin
from tap_sagex3.auth.explain import explain_refusal
from tap_sagex3.auth.login import Login, Refusal
from tap_sagex3.errors import SettingsError

if t.TYPE_CHECKING:
    from tap_sagex3.settings import Settings

__all__ = [
    "BasicLogin",
    "CloudLogin",
    "ConnectedAppLogin",
    "Login",
    "Refusal",
    "can_use_rest",
    "explain_refusal",
    "make_login",
]


def can_use_rest(settings: Settings) -> bool:
    """Whether there is a login for REST: Basic, or a REST user beside another login."""
    return settings.auth == "basic" or bool(settings.rest_username and settings.rest_password)


def make_login(settings: Settings, api: str) -> Login:
    """The login for an API.

    Raises:
        SettingsError: REST cannot be read with the configured login and no other user is given; or the key
            of the token store is missing.
    """
    if settings.auth == "basic":
        return BasicLogin(settings.username or "", settings.password or "")
    if api == "graphql":
        return CloudLogin(settings) if settings.auth == "cloud" else ConnectedAppLogin(settings)
    if settings.rest_username and settings.rest_password:
        return BasicLogin(settings.rest_username, settings.rest_password)
    msg = (
        f"REST needs a user name and a password, but auth is {settings.auth}: give rest_username and "
        "rest_password, or auth basic with username and password, or read through GraphQL (setting api)."
    )
    raise SettingsError(msg)
