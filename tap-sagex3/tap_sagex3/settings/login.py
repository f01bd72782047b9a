"""How the tap logs in."""

from __future__ import annotations

from tap_sagex3.settings.declare import Property, number, secret, text

LOGIN: dict[str, Property] = {
    "auth": text(
        "Authentication",
        "How to log in: basic sends username and password, connected_app signs tokens of its own with the "
        "client secret of a connected application, cloud renews tokens at the gateway of the multi-tenant "
        "cloud (both GraphQL only).",
        default="basic",
        enum=["basic", "connected_app", "cloud", None],
    ),
    "username": text("User name", "Syracuse user for Basic authentication."),
    "password": secret("Password", "Password of username."),
    "client_id": text("Client ID", "Client id of the connected or cloud application."),
    "client_secret": secret("Client secret", "Client secret of the connected or cloud application."),
    "allowed_user": text("Allowed user", "Syracuse login that the connected application may act for."),
    "audience": text(
        "Audience",
        "URL registered in the connected application, byte for byte; empty when none is registered. "
        "Default: server_url followed by /xtrem/api.",
    ),
    "token_lifetime": number(
        "Token lifetime",
        "Life of a signed token in seconds; at most the validity set in the connected application.",
        300,
        30,
    ),
    "token_url": text(
        "Token URL",
        "Token endpoint of the cloud gateway; the refresh token is sent to this address only. Default: "
        "server_url followed by /v1/token.",
    ),
    "refresh_token": secret(
        "Refresh token",
        "Refresh token of a new pairing, for auth cloud. It is good for one use: its successors are kept in "
        "token_store, which goes on by itself until another refresh_token is given.",
    ),
    "token_store": text(
        "Token store",
        "File for the tokens of auth cloud, encrypted with the key in SAGEX3_SECRETS_KEY or in the keyring "
        "of the operating system. It must outlive the run.",
    ),
    "rest_username": text(
        "REST user name", "Syracuse user for streams read through REST when auth is not basic."
    ),
    "rest_password": secret("REST password", "Password of rest_username."),
}

NEEDED_BY_AUTH = {
    "basic": ("username", "password"),
    "connected_app": ("client_id", "client_secret", "allowed_user"),
    "cloud": ("client_id", "client_secret", "token_store"),
}

MAY_BE_ENCRYPTED = ("username", "client_id", "allowed_user", "rest_username")
"""Settings that are not secret, but may be given encrypted all the same."""
