"""HTTP: one place for retries, timeouts, credentials and the decoding of answers.

Passing troubles (408, 429, 5xx, resets, timeouts, broken JSON) are tried again with full-jitter exponential
waits, at least as long as Retry-After asks. Credentials go to the origin of `server_url` only: redirects are
not followed, and links in answers are put back on it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec
import requests
import tenacity
from requests.adapters import HTTPAdapter

from tap_sagex3.auth import Login, explain_refusal, make_login
from tap_sagex3.errors import ApiError, AuthenticationError, ConnectionFailedError, SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_sagex3.settings import Settings

Json = t.Any
logger = logging.getLogger("tap-sagex3")

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
LONGEST_RETRY_AFTER = 600.0
UNAUTHORIZED = 401
FORBIDDEN = 403
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_DIAGNOSIS_LENGTH = 300
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class PassingError(Exception):
    """A trouble that may pass: the request is tried again."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        """Keep the reason, and the seconds that the server asked to wait."""
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """A decoded answer: HTTP status, JSON body (numbers as int or Decimal), and when it came (UTC)."""

    status: int
    body: Json
    received: datetime


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

    def get(self, url: str) -> Answer:
        """GET a URL of this server and decode the JSON answer. Raises as `request`."""
        return self.request("GET", url)

    def post(self, url: str, body: Json, headers: Mapping[str, str]) -> Answer:
        """POST a JSON body and decode the JSON answer. Raises as `request`."""
        return self.request("POST", url, msgspec.json.encode(body), headers)

    def request(
        self, method: str, url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request, again when the trouble may pass.

        Returns:
            The answer when its status is below 400, or is an error with a JSON body that the caller explains.

        Raises:
            ConnectionFailedError: no usable answer after all tries.
            AuthenticationError: the credentials are refused.
            ApiError: the answer is not of this API.
        """
        if not self.is_own(url):
            own = origin_of(self.settings.server_url)
            msg = f"Refused to send credentials to {origin_of(url)}: only {own} may get them."
            raise ApiError(msg)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(PassingError),
            stop=tenacity.stop_after_attempt(self.settings.max_retries + 1),
            wait=_wait,
            before_sleep=lambda state: _log_retry(state, method, url),
            reraise=True,
        )
        try:
            return retrying(self._once, method, url, data, headers or {})
        except PassingError as error:
            tries = self.settings.max_retries + 1
            msg = f"{method} {url} failed {tries} times, last reason: {error}. Check server_url."
            raise ConnectionFailedError(msg) from error

    def is_own(self, url: str) -> bool:
        """Whether a URL is of the configured server."""
        parts = urlsplit(url)
        return (parts.scheme, parts.netloc) == (self._origin.scheme, self._origin.netloc)

    def _once(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        response = self._send(method, url, data, headers)
        if response.status_code == UNAUTHORIZED and self._login.renew():
            response = self._send(method, url, data, headers)
        self._note_time(response)
        self._check_status(response, method, url)
        return Answer(response.status_code, _decode(response, url), datetime.now(UTC))

    def _send(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]
    ) -> requests.Response:
        timeout = self.settings.request_timeout
        try:
            return self._session().request(
                method,
                url,
                data=data,
                headers={**({"Content-Type": "application/json"} if data else {}), **headers},
                auth=_Authorization(self._login.header()),
                timeout=(timeout, timeout),
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            msg = f"TLS with {origin_of(url)} failed: {error}. Check settings ca_bundle and verify_tls."
            raise ConnectionFailedError(msg) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, OSError) as error:
            if isinstance(error, requests.exceptions.RequestException) and _may_pass(error):
                raise PassingError(_reason(error)) from error
            msg = f"Cannot reach {origin_of(url)}: {_reason(error)}. Check settings server_url and ca_bundle."
            raise ConnectionFailedError(msg) from error

    def _session(self) -> requests.Session:
        """A session of the calling thread: requests promises nothing about sharing one."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            session.headers.update({"Accept": "application/json", "User-Agent": self.settings.user_agent})
            # Proxies and certificates of the environment are looked up once, not for each request.
            verify = self.settings.ca_bundle or self.settings.verify_tls
            found = session.merge_environment_settings(self.settings.server_url, {}, None, verify, None)
            session.proxies, session.verify = found["proxies"], found["verify"]
            session.trust_env = False
            self._local.session = session
        return session

    def _note_time(self, response: requests.Response) -> None:
        """Take the server's time of the first answer as the start of the run, unless ours is earlier."""
        if self.server_start is None:
            ours = datetime.now(UTC).replace(microsecond=0)
            self.server_start = min(_server_time(response.headers.get("Date")) or ours, ours)

    def _check_status(self, response: requests.Response, method: str, url: str) -> None:
        status = response.status_code
        if status in {UNAUTHORIZED, FORBIDDEN}:
            advice = explain_refusal(self.settings, self.api, response.text)
            what = "refused the login" if status == UNAUTHORIZED else "forbids this user to read"
            msg = f"{origin_of(url)} {what} ({self.api}, HTTP {status}): {advice}."
            raise AuthenticationError(msg)
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            there = origin_of(response.headers.get("Location", ""))
            msg = f"{url} redirects to {there}: check setting server_url."
            raise ApiError(msg)
        if status in _PASSING:
            reason = f"HTTP {status} {response.reason or ''} {_diagnosis(response)}".strip()
            raise PassingError(reason, _retry_after(response.headers.get("Retry-After")))
        if status >= 400 and not _is_json(response):  # noqa: PLR2004 - errors
            msg = f"{method} {url} answered HTTP {status} without JSON: check settings server_url and folder."
            raise ApiError(msg)


def check_files(settings: Settings) -> None:
    """Check that the files named in settings can be read.

    Raises:
        SettingsError: names the setting.
    """
    if settings.ca_bundle:
        try:
            with open(settings.ca_bundle, "rb"):  # noqa: PTH123 - a plain check that it can be opened
                pass
        except OSError as error:
            msg = f"Setting ca_bundle is {settings.ca_bundle!r}: {error.strerror}."
            raise SettingsError(msg) from error


def origin_of(url: str) -> str:
    """Scheme and host of a URL, without user, path and query: fit for a message."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if host else "another address"


def _decode(response: requests.Response, url: str) -> Json:
    if _is_html(response):
        msg = f"{url} answered with a web page: this is not the API. Check settings server_url and folder."
        raise ApiError(msg)
    try:
        return _decoder.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = f"malformed JSON ({error})"
        raise PassingError(reason) from error


def _is_html(response: requests.Response) -> bool:
    kind = response.headers.get("Content-Type", "").lower()
    return "html" in kind or response.content[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))


def _is_json(response: requests.Response) -> bool:
    return response.content[:200].lstrip().startswith((b"{", b"["))


def _diagnosis(response: requests.Response) -> str:
    """What a JSON answer says about an error: the message of the first diagnosis or GraphQL error."""
    try:
        body = _decoder.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    listed = (body.get("$diagnoses") or body.get("errors")) if isinstance(body, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else None
    text = (first.get("$message") or first.get("message")) if isinstance(first, dict) else None
    return f"({str(text)[:_DIAGNOSIS_LENGTH]})" if text else ""


def _may_pass(error: requests.exceptions.RequestException) -> bool:
    passing = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    )
    return isinstance(error, passing)


def _reason(error: Exception) -> str:
    """The innermost cause in words, without URL."""
    if isinstance(error, requests.exceptions.Timeout):
        return "timed out"
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.strerror):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(error).__name__


def _wait(state: tenacity.RetryCallState) -> float:
    """Full jitter: anything up to a doubling limit, but not less than Retry-After."""
    limit = min(FIRST_WAIT * 2 ** (state.attempt_number - 1), LONGEST_WAIT)
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, PassingError) else None
    return max(random.uniform(0, limit), asked or 0.0)  # noqa: S311 - not for secrets


def _log_retry(state: tenacity.RetryCallState, method: str, url: str) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    logger.warning(
        "Try %d of %s %s failed: %s. Next try in %.1f s.", state.attempt_number, method, url, error, wait
    )


def _server_time(header: str | None) -> datetime | None:
    if not header:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _retry_after(header: str | None) -> float | None:
    """Seconds that Retry-After asks for, given as seconds or as a date; at most ten minutes."""
    if not header:
        return None
    if header.strip().isdigit():
        return min(float(header), LONGEST_RETRY_AFTER)
    moment = _server_time(header)
    return None if moment is None else min(max(moment.timestamp() - time.time(), 0.0), LONGEST_RETRY_AFTER)
