"""Sessions for one origin: certificates, proxies of the environment, no credentials but our own."""

from __future__ import annotations

import logging
import ssl
import typing as t
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tap_sagex3.errors import ConnectionFailedError
from tap_sagex3.web.causes import causes, innermost, reason_of
from tap_sagex3.web.retries import PassingError
from tap_sagex3.web.tls import certificate_of, explain_tls

if t.TYPE_CHECKING:
    from tap_sagex3.settings import Settings

logger = logging.getLogger("tap-sagex3")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_UNVERIFIED = (
    "verify_tls is off: anyone between here and the server can read the credentials and change the data. "
    "Give setting ca_bundle instead."
)
_UNENCRYPTED = (
    "server_url begins with http://: anyone between here and the server can read the credentials and change "
    "the data. Use https:// wherever the server offers it."
)
_warned: set[str] = set()


def new_session(settings: Settings, url: str) -> requests.Session:
    """A session for the origin of `url`, for one thread: requests promises nothing about sharing one."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": settings.user_agent})
    # Proxies and certificates of the environment are looked up once, not for each request.
    verify = settings.ca_bundle or True
    found = session.merge_environment_settings(url, {}, None, verify, None)
    for proxy in found["proxies"].values():
        _check_proxy(proxy)
    session.proxies, session.verify = found["proxies"], found["verify"] if settings.verify_tls else False
    session.cert = certificate_of(settings)
    session.trust_env = False
    if not settings.verify_tls and url.startswith("https:"):
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        _warn_once(_UNVERIFIED)
    if url.startswith("http:") and urlsplit(url).hostname not in _THIS_MACHINE:
        _warn_once(_UNENCRYPTED)
    return session


def _check_proxy(address: str) -> None:
    """Refuse an address of which requests would only say that it is invalid, and where.

    Raises:
        ConnectionFailedError: it is none; it is not shown, as it may hold a password.
    """
    try:
        urlsplit(address if "//" in address else f"//{address}").port  # noqa: B018 - reading it checks it
    except ValueError:
        msg = (
            "The proxy in the environment (HTTPS_PROXY, HTTP_PROXY) is no address: expected one such as "
            "http://user:password@proxy:3128, in which characters like [ and @ of a password are written "
            "as %5B and %40."
        )
        raise ConnectionFailedError(msg) from None  # the cause may show the password


def _warn_once(message: str) -> None:
    """One warning for a run, in the place of one of urllib3's for each request."""
    if message not in _warned:
        _warned.add(message)
        logger.warning("%s", message)


def origin_of(url: str) -> str:
    """Scheme and host of a URL, without user, path and query: fit for a message."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if host else "another address"


def failure_of(error: OSError, url: str, setting: str) -> PassingError | ConnectionFailedError:
    """What an error of a request means: to be tried again, or told at once; `setting` names the address."""
    if (advice := explain_tls(error)) is not None:
        msg = f"TLS with {origin_of(url)} failed: {advice}."
        return ConnectionFailedError(msg)
    if isinstance(error, requests.exceptions.ProxyError) and "407" in innermost(error):
        msg = f"The proxy on the way to {origin_of(url)} wants a login (HTTP 407): check HTTPS_PROXY."
        return ConnectionFailedError(msg)
    passing = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    )
    if isinstance(error, passing):
        hint = _hint(error, url)
        return PassingError(reason_of(error) + hint, advice="" if hint else _advice(error))
    msg = f"Cannot reach {origin_of(url)}: {reason_of(error)}. Check settings {setting} and ca_bundle."
    return ConnectionFailedError(msg)


def _advice(error: BaseException) -> str | None:
    """What to check when a proxy did not let a request through; None when none had a part in it."""
    if not isinstance(error, requests.exceptions.ProxyError):
        return None
    # A proxy that answers may be right: the server that it looked for is not there.
    server = "server_url, " if "Tunnel connection failed" in innermost(error) else ""
    return f"Check {server}HTTPS_PROXY, HTTP_PROXY and NO_PROXY."


def _hint(error: BaseException, url: str) -> str:
    """Many servers just end the connection when they miss a client certificate, without an alert of TLS."""
    ended = any(isinstance(cause, ConnectionResetError | ssl.SSLEOFError) for cause in causes(error))
    if not (ended and url.startswith("https:")):
        return ""
    return " (as a server also does that wants a client certificate: setting client_certificate)"


def was_sent(error: BaseException) -> bool:
    """Whether a request may have reached the server before this error."""
    before = (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.ProxyError,
    )
    return not any(isinstance(cause, before) for cause in causes(error))
