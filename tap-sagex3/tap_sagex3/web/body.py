"""Bodies: read with a limit in time, decoded without floats, told apart from web pages."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import urllib3

from tap_sagex3.redaction import clean
from tap_sagex3.web.causes import reason_of
from tap_sagex3.web.retries import PassingError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

Json = t.Any

BODY_TIMEOUTS = 10
"""A body may take this many times request_timeout as a whole; request_timeout is for each wait in between."""
PIECE = 256 * 1024
_DIAGNOSIS_LENGTH = 300
_START = 200
_LOGIN_WORDS = (b"login", b"log in", b"sign in", b"signin", b"password", b"saml", b"sso", b"openid")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class CutBodyError(PassingError):
    """A body that did not come to its end; `part` is what came."""

    def __init__(self, reason: str, part: bytes) -> None:
        """Keep what came."""
        super().__init__(reason)
        self.part = part


@dataclass(frozen=True, slots=True)
class Received:
    """An answer with its whole body, and when that was complete (UTC)."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime

    @property
    def is_html(self) -> bool:
        """Whether this is a web page."""
        kind = self.headers.get("Content-Type", "").lower()
        return "html" in kind or self.body[:_START].lstrip().lower().startswith((b"<!doctype", b"<html"))

    @property
    def is_json(self) -> bool:
        """Whether it begins as a JSON object or list."""
        return self.body[:_START].lstrip().startswith((b"{", b"["))

    @property
    def is_login_page(self) -> bool:
        """Whether a web page seems to ask for a login."""
        page = self.body[:20_000].lower()
        return self.is_html and any(word in page for word in _LOGIN_WORDS)

    def text(self, length: int = 2000) -> str:
        """The beginning as text."""
        return self.body[:length].decode("utf-8", "replace")

    def json(self) -> Json:
        """The decoded body; numbers are int or Decimal.

        Raises:
            PassingError: it is not JSON.
        """
        try:
            return _decoder.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            reason = f"malformed JSON ({error})"
            raise PassingError(reason) from error

    def diagnosis(self) -> str:
        """What a JSON answer says about an error: the message of the first diagnosis or GraphQL error."""
        try:
            body = _decoder.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""
        if not isinstance(body, dict):
            return ""
        listed = body.get("$diagnoses") or body.get("errors")
        first = listed[0] if isinstance(listed, list) and listed else body
        text = (first.get("$message") or first.get("message")) if isinstance(first, dict) else None
        # cleaned before it is cut: a part of a secret would not be known any more
        return f"({clean(str(text))[:_DIAGNOSIS_LENGTH]})" if text else ""


def read_answer(response: requests.Response, timeout: float) -> Received:
    """Read an answer that was asked for with `stream=True`, within BODY_TIMEOUTS times `timeout` seconds.

    Raises:
        CutBodyError: the body stopped before its end, or took too long.
    """
    body = _read(response, time.monotonic() + BODY_TIMEOUTS * timeout)
    return Received(response.status_code, response.reason or "", response.headers, body, datetime.now(UTC))


def _read(response: requests.Response, deadline: float) -> bytes:
    """Take what is there piece by piece; `read1` waits for one piece only, so that the time is looked at."""
    parts: list[bytes] = []
    try:
        while part := response.raw.read1(PIECE, decode_content=True):
            parts.append(part)
            if time.monotonic() > deadline:
                reason = f"the body was not complete after {BODY_TIMEOUTS} times request_timeout"
                raise CutBodyError(reason, b"".join(parts))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        reason = f"the body was cut off ({reason_of(error)})"
        raise CutBodyError(reason, b"".join(parts)) from error
    finally:
        if not response.raw.closed:
            response.close()  # what comes later would be taken for the next answer
    return parts[0] if len(parts) == 1 else b"".join(parts)
