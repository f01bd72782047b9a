"""How the tap logs in."""

from __future__ import annotations

from tap_sagex3.settings.declare import Property, number, secret, text

LOGIN: dict[str, Property] = {
    "auth": text(
        "Authentication",
        "How to log in: basic sends username and password, connected_app signs tokens of its own with the "
        "client secret of a connected application (GraphQL only).",
        default="basic",
        enum=["basic", "connected_app", None],
    ),
    "username": text("User name", "Syracuse user for Basic authentication."),
    "password": secret("Password", "Password of username."),
    "client_id": text("Client ID", "Client id of the connected application."),
    "client_secret": secret("Client secret", "Client secret of the connected application."),
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
    "rest_username": text(
        "REST user name", "Syracuse user for streams read through REST when auth is not basic."
    ),
    "rest_password": secret("REST password", "Password of rest_username."),
}
