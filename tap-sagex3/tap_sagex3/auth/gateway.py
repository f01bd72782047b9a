"""The token endpoint of the cloud gateway: a refresh token against a new pair."""

from __future__ import annotations

import re
import time
import typing as t
from dataclasses import dataclass

import jwt
import msgspec

from tap_sagex3.errors import ApiError, AuthenticationError
from tap_sagex3.redaction import hide
from tap_sagex3.web.body import CutBodyError, Received, read_answer
from tap_sagex3.web.retries import PassingError, may_pass, retry_after
from tap_sagex3.web.session import failure_of, new_session, origin_of, was_sent

if t.TYPE_CHECKING:
    import requests

    from tap_sagex3.settings import Settings

ACCESS_LIFE = 300.0
"""Seconds, as documented; the answer does not tell, but the token's own claims do."""
_INTERNAL_ERROR = 501
_BAD_REQUEST = 400
_MEMBER = r'"%s"\s*:\s*"([A-Za-z0-9._~+/=-]+)"'


@dataclass(frozen=True, slots=True)
class Pair:
    """A new pair of tokens; the access token is good for `life` seconds from now, and may be missing."""

    refresh_token: str
    access_token: str
    life: float


class RefusedError(AuthenticationError):
    """The gateway does not renew; `text` is its own message."""

    def __init__(self, status: int, text: str) -> None:
        """Keep the message apart from how it is told."""
        super().__init__(f"HTTP {status} {text}")
        self.text = text


class Gateway:
    """Asks for new tokens. The refresh token goes to the origin of `token_url` only."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; nothing is sent yet."""
        self._settings = settings
        self.url = settings.token_url
        self._session: requests.Session | None = None
        self.may_be_used = False  # a request was sent whose answer did not come: the token may be used up

    def renew(self, refresh_token: str) -> Pair:
        """Ask once.

        Raises:
            PassingError: the trouble may pass.
            RefusedError: the gateway refuses the token or the application.
            ApiError: the answer is not that of a token endpoint.
            ConnectionFailedError: TLS failed.
        """
        try:
            received = self._send(refresh_token)
        except CutBodyError as error:
            self.may_be_used = True
            pair = pair_of_part(error.part)
            if pair is None:
                raise
            return pair
        return self._pair(received)

    def _send(self, refresh_token: str) -> Received:
        settings = self._settings
        body = {
            "grant_type": "refresh_token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "refresh_token": refresh_token,
        }
        if self._session is None:
            self._session = new_session(settings, self.url)
        try:
            response = self._session.post(
                self.url,
                data=msgspec.json.encode(body),
                headers={"Content-Type": "application/json"},
                timeout=(settings.request_timeout, settings.request_timeout),
                allow_redirects=False,
                stream=True,
            )
        except OSError as error:  # RequestException is one
            self.may_be_used = self.may_be_used or was_sent(error)
            raise failure_of(error, self.url, "token_url") from error
        return read_answer(response, settings.request_timeout)

    def _pair(self, received: Received) -> Pair:
        status = received.status
        if status == _INTERNAL_ERROR or may_pass(status):
            reason = f"HTTP {status} {received.reason} {received.diagnosis()}".strip()
            raise PassingError(reason, retry_after(received.headers))
        if status >= _BAD_REQUEST and received.is_json:
            raise RefusedError(status, received.diagnosis().strip("()"))
        pair = pair_of_part(received.body) if status < 300 else None  # noqa: PLR2004 - success
        if pair is None:
            self.may_be_used = self.may_be_used or status < 300  # noqa: PLR2004 - success
            what = "a web page" if received.is_html else f"HTTP {status} without tokens"
            msg = f"{origin_of(self.url)} answered with {what}: check setting token_url."
            raise ApiError(msg)
        return pair


def pair_of_part(body: bytes) -> Pair | None:
    """The pair in an answer, or in what came of one that was cut off: the refresh token alone is enough.

    Found by pattern, not by decoding: what matters must not be lost to a brace that is missing at the end.
    """
    text = body.decode("utf-8", "replace")
    refresh = re.search(_MEMBER % "refresh_token", text)
    if refresh is None:
        return None
    access = re.search(_MEMBER % "access_token", text)
    lasts = re.search(r'"expires_in"\s*:\s*"?(\d+)', text)
    token = access.group(1) if access else ""
    hide(refresh.group(1), token)
    life = float(lasts.group(1)) if lasts else _life_of(token)
    return Pair(refresh.group(1), token, life)


def _life_of(token: str) -> float:
    """Seconds from `iat` to `exp` of a token: both by the gateway's clock, so that ours does not matter."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        life = float(claims["exp"]) - float(claims["iat"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return ACCESS_LIFE
    return life if life > 0 else ACCESS_LIFE


def told(moment: float) -> str:
    """A time for a message, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
