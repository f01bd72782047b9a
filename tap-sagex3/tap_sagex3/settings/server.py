"""Where the server is and how it is talked to."""

from __future__ import annotations

from tap_sagex3.settings.declare import Property, number, setting, text

SERVER: dict[str, Property] = {
    "server_url": setting(
        "Server URL",
        "Address of the Syracuse web server, for example https://x3.example.com:8124. "
        "Credentials are sent to this address only.",
        type="string",
    ),
    "folder": setting(
        "Folder", "Name of the Syracuse endpoint of the X3 folder, for example SEED.", type="string"
    ),
    "x3_version": text(
        "X3 version",
        "Version of Sage X3. V6 to V11 are read through REST, V12 and later through GraphQL.",
        default="V12",
    ),
    "api": text(
        "API",
        "API to read with: auto chooses by x3_version. Can be set for one stream in stream_options.",
        default="auto",
        enum=["auto", "graphql", "rest", None],
    ),
    "request_timeout": number(
        "Request timeout",
        "Seconds to wait for a connection or for more of an answer; ten times as long for a whole answer.",
        120,
        1,
        86_400,
    ),
    "max_retries": number("Retries", "Further tries of a request that failed for a passing reason.", 5, 0),
    "max_retry_seconds": number(
        "Retry time",
        "Seconds after its first try in which a failed request is tried again, waits that the server asks "
        "for (Retry-After) included.",
        900,
        0,
    ),
    "verify_tls": setting(
        "Verify TLS",
        "Check the certificate of the server; switching this off is warned about.",
        type=["boolean", "null"],
        default=True,
    ),
    "ca_bundle": text("CA bundle", "File with the certificates to trust instead of the system's."),
    "client_certificate": text(
        "Client certificate", "PEM file with the certificate that the tap shows to the server, and its key."
    ),
    "client_key": text("Client key", "PEM file with the key, when client_certificate does not hold it."),
    "user_agent": text("User agent", "User-Agent header of every request.", default="tap-sagex3"),
}
