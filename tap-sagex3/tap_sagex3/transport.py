"""HTTP to one API of the server: retries, timeouts, credentials and the decoding of answers in one place.

Passing troubles (408, 429, most 5xx, resets, timeouts, cut bodies, broken JSON) are tried again within
`max_retries` and `max_retry_seconds`. Credentials go to the origin of `server_url` only: redirects are not
followed, and links in answers are put back on it.
"""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
import requests

from tap_sagex3.auth import Login, Refusal, explain_refusal, make_login
from tap_sagex3.errors import ApiError, AuthenticationError, ConnectionFailedError
from tap_sagex3.web.body import Received, read_answer
from tap_sagex3.web.retries import PassingError, Patience, may_pass, persist, retry_after, server_time
from tap_sagex3.web.session import failure_of, new_session, origin_of

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_sagex3.settings import Settings

Json = t.Any
Decode = t.Callable[[bytes], t.Any]
_T = t.TypeVar("_T")

FIRST_WAIT = 0.5
"""Seconds up to which the first wait goes; later ones double it."""
UNAUTHORIZED = 401
FORBIDDEN = 403
_PROXY_LOGIN = 407


@dataclass(frozen=True, slots=True)
class Answer:
    """A decoded answer: HTTP status, JSON body (numbers as int or Decimal), when it came (UTC), its bytes.

    Where the request came with a decoder of its own that could read the body, `typed` is what it gave, and
    there is no `body`.
    """

    status: int
    body: Json
    received: datetime
    size: int
    typed: t.Any = None


class _Authorization(requests.auth.AuthBase):
    """Sets the header itself, so that requests takes no other credentials from ~/.netrc."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


class Transport:
    """Requests to one API of one server. Safe to use from several threads."""

    def __init__(self, settings: Settings, api: str, *, login: Login | None = None) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            SettingsError: the login that this API needs is not configured.
        """
        self.settings = settings
        self.api = api
        self._login = login or make_login(settings, api)
        self._local = threading.local()
        self._origin = urlsplit(settings.server_url)
        self.server_start: datetime | None = None
        self.graphql_url = ""  # where the cloud gateway has the folder, once it has told

    def get(self, url: str, decode: Decode | None = None, *, fetched: Received | None = None) -> Answer:
        """GET a URL of this server and decode the JSON answer, again when the trouble may pass.

        Args:
            url: what is read.
            decode: tried first on the body of an answer with status 200; gives None if it cannot read it.
            fetched: what `fetch` gave for this URL: the answer to the first try.

        Returns:
            The answer when its status is below 400, or is an error with a JSON body that the caller explains.

        Raises:
            ConnectionFailedError: no usable answer after all tries.
            AuthenticationError: the credentials are refused.
            ApiError: the answer is not of this API.
        """
        first = iter([fetched] if fetched else [])

        def once() -> Answer:
            return _read(next(first, None) or self._received("GET", url), url, decode)

        return self._persist("GET", url, once)

    def fetch(self, url: str) -> Received:
        """GET a URL of this server and leave the answer to be decoded by `get`. Raises as `get`.

        Decoding keeps the interpreter from everything else: threads that only wait for answers cost nothing.
        """
        return self._persist("GET", url, lambda: self._received("GET", url))

    def post(self, url: str, body: Json, headers: Mapping[str, str]) -> Answer:
        """POST a JSON body and decode the JSON answer. Raises as `get`."""
        data = msgspec.json.encode(body)

        def once() -> Answer:
            return _read(self._received("POST", url, data, headers), url, None)

        return self._persist("POST", url, once)

    def _persist(self, method: str, url: str, once: Callable[[], _T]) -> _T:
        if not self.is_own(url):
            own = origin_of(self.settings.server_url)
            msg = f"Refused to send credentials to {origin_of(url)}: only {own} may get them."
            raise ApiError(msg)
        patience = Patience.of(self.settings, FIRST_WAIT)
        return persist(once, patience, f"{method} {url}", "Check server_url.")

    def is_own(self, url: str) -> bool:
        """Whether a URL is of the configured server."""
        parts = urlsplit(url)
        return (parts.scheme, parts.netloc) == (self._origin.scheme, self._origin.netloc)

    def _received(
        self, method: str, url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Received:
        """An answer with a status that is not an error, or with a JSON body that tells of one."""
        headers = headers or {}
        header = self._login.header()
        received = self._send(method, url, data, headers, header)
        if received.status == UNAUTHORIZED and self._login.renew(header, _refusal(received)):
            received = self._send(method, url, data, headers, self._login.header())
        self._note_time(received)
        self._check_status(received, method, url)
        return received

    def _send(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str], authorization: str
    ) -> Received:
        timeout = self.settings.request_timeout
        try:
            response = self._session().request(
                method,
                url,
                data=data,
                headers={**({"Content-Type": "application/json"} if data else {}), **headers},
                auth=_Authorization(authorization),
                timeout=(timeout, timeout),
                allow_redirects=False,
                stream=True,
            )
        except OSError as error:  # RequestException is one
            raise failure_of(error, url, "server_url") from error
        return read_answer(response, timeout)

    def _session(self) -> requests.Session:
        """A session of the calling thread."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = new_session(self.settings, self.settings.server_url)
        return session

    def _note_time(self, received: Received) -> None:
        """Take the server's time of the first answer as the start of the run, unless ours is earlier."""
        if self.server_start is None:
            ours = datetime.now(UTC).replace(microsecond=0)
            self.server_start = min(server_time(received.headers.get("Date")) or ours, ours)

    def _where(self) -> str:
        """Settings that lead to an address which there is not."""
        if self.api == "rest":
            return "server_url and folder"
        return "server_url, and x3_version or api: V6 to V11 have no GraphQL and are read through REST"

    def _check_status(self, received: Received, method: str, url: str) -> None:
        status = received.status
        if status in {UNAUTHORIZED, FORBIDDEN}:
            advice = explain_refusal(self.settings, self.api, received.text())
            what = "refused the login" if status == UNAUTHORIZED else "forbids this user to read"
            msg = f"{origin_of(url)} {what} ({self.api}, HTTP {status}): {advice}."
            raise AuthenticationError(msg)
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            there = origin_of(received.headers.get("Location", ""))
            msg = (
                f"{url} redirects to {there}: check setting server_url. A redirect to a login page means "
                "that the server or a proxy before it wants a browser's login (SSO), not this one."
            )
            raise ApiError(msg)
        if status == _PROXY_LOGIN:
            msg = f"The proxy on the way to {origin_of(url)} wants a login (HTTP 407): check HTTP_PROXY."
            raise ConnectionFailedError(msg)
        if may_pass(status):
            reason = f"HTTP {status} {received.reason} {received.diagnosis()}".strip()
            raise PassingError(reason, retry_after(received.headers), "See the log of the server.")
        if status >= 400 and not received.is_json:  # noqa: PLR2004 - errors
            msg = f"{method} {url} answered HTTP {status} without JSON: check settings {self._where()}."
            raise ApiError(msg)


def _refusal(received: Received) -> Refusal:
    moment = server_time(received.headers.get("Date"))
    return Refusal(received.text(), moment.timestamp() if moment else None)


def _read(received: Received, url: str, decode: Decode | None) -> Answer:
    """A decoded answer. Raises PassingError for a body that is not JSON."""
    typed = decode(received.body) if decode and received.status == requests.codes.ok else None
    body = _decode(received, url) if typed is None else None
    return Answer(received.status, body, received.at, len(received.body), typed)


def _decode(received: Received, url: str) -> Json:
    if received.is_login_page:
        msg = (
            f"{url} answered with a web page that asks for a login: this is not the API. Check settings "
            "server_url and folder; when the server or a proxy before it wants a browser's login (SSO), an "
            "address is needed that leads to X3 without it."
        )
        raise ApiError(msg)
    if received.is_html:
        msg = f"{url} answered with a web page: this is not the API. Check settings server_url and folder."
        raise ApiError(msg)
    return received.json()
