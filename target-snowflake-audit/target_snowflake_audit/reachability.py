"""Where the way to Snowflake ends: name, proxy, port or TLS. Asked only after a login got no answer."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 3.0
"""Longest wait for each step."""
_DOMAIN = ".snowflakecomputing.com"


def obstacle(settings: Mapping[str, Any]) -> str:
    """Say in words what is in the way; empty when nothing was found."""
    protocol = str(settings.get("protocol") or "https")
    host = str(settings.get("host") or host_of(str(settings["account"])))
    port = int(settings.get("port") or (443 if protocol == "https" else 80))
    if proxy := proxy_for(protocol, host):
        name, at = proxy
        found = _no_connection(name, at)
        return f"the proxy {name}:{at} (variable {protocol.upper()}_PROXY): {found}" if found else ""
    found = _no_connection(host, port)
    if found:
        named = "" if settings.get("host") else f" for host {host}"
        return f"{found}{named}; a proxy is set by the variable HTTPS_PROXY"
    return _no_tls(host, port) if protocol == "https" else ""


def host_of(account: str) -> str:
    """The host name of an account; an address that was copied whole stays as it is."""
    name = account.lower().replace("_", "-")
    return name if name.endswith(_DOMAIN) else name + _DOMAIN


def proxy_for(protocol: str, host: str) -> tuple[str, int] | None:
    """Name and port of the proxy that the environment asks for; never its password."""
    address = getproxies().get(protocol) or os.environ.get("ALL_PROXY")
    if not address or proxy_bypass(host):
        return None
    parts = urlsplit(address if "//" in address else f"//{address}")
    return (parts.hostname, parts.port or 80) if parts.hostname else None


def _no_connection(host: str, port: int) -> str:
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return f"the name {host} is not known (DNS)"
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError as error:
        return f"port {port} does not answer ({error.strerror or 'no answer in time'})"
    return ""


def _no_tls(host: str, port: int) -> str:
    """Whether TLS fails, by the certificates of this machine; the connector has some of its own."""
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return (
            f"TLS: the certificate is not accepted ({error.verify_message}); where a company looks into TLS,"
            " its certificate authority must be installed on this machine"
        )
    except OSError as error:
        return f"TLS: no secure connection ({getattr(error, 'reason', None) or error.strerror or error})"
